"""Sheets as rows, columns, pages and commands of the terminal UI."""

from __future__ import annotations

import msgspec

from kubedoctor.answers.placement.placement import Placement
from kubedoctor.answers.placement.sheet import placement_sheet
from kubedoctor.answers.sheet import Cell, Conclusion, Link, Mark, Sheet, SheetRow, Table
from kubedoctor.engine.health import Health
from kubedoctor.findings import Fix
from kubedoctor.tui.columns import ListColumn, fit
from kubedoctor.tui.pages.sheets import list_columns, list_rows, list_table, sheet_commands, sheet_page
from kubedoctor.tui.rows import Row
from tests.answers.placement.test_placement import placed
from tests.engine.clinic import TAKEN_AT
from tests.engine.fleet import fleet_node

HOSTILE = "\x1b[2J\x07\u202e"


def listed(placement: Placement, *, by_name: bool = False) -> tuple[tuple[Row, ...], tuple[ListColumn, ...]]:
    table = list_table(placement_sheet(placement))
    assert table is not None
    return list_rows(table.every_row, by_name=by_name), list_columns(table, table.every_row, 120)


def test_the_closest_node_comes_first_with_a_cell_for_each_filter() -> None:
    rows, columns = listed(placed())
    titles = [column.title for column in columns]
    assert titles == ["NODES", "NO", "NodeUnschedulable", "TaintToleration", "NodeAffinity", "NodeResourcesFit"]
    cells = {row.ref.name: [column.text(row, TAKEN_AT) for column in columns] for row in rows}
    assert list(cells) == ["near", "far", "gpu", "plain"]
    assert cells["near"] == ["near", "1", "✓", "✓", "✓", "lacks 200m cpu"]
    assert cells["plain"] == ["plain", "2", "cordoned", "✓", "labels do not match", "✓"]
    assert [row.health for row in rows] == [Health.DEGRADED, Health.DEGRADED, Health.DEGRADED, Health.BROKEN]


def test_a_node_that_fits_is_healthy_in_the_list_with_the_changes() -> None:
    rows, _ = listed(placed("requests.cpu=800m"))
    assert (rows[0].ref.name, rows[0].health) == ("near", Health.HEALTHY)


def test_by_name_each_line_still_means_its_row() -> None:
    rows, columns = listed(placed(), by_name=True)
    assert [row.ref.name for row in rows] == ["far", "gpu", "near", "plain"]
    assert [columns[0].text(row, TAKEN_AT) for row in rows] == ["far", "gpu", "near", "plain"]


def test_the_column_with_the_fewest_objections_yields_first() -> None:
    _, columns = listed(placed())
    kept, widths = fit(columns, 57, 1, 16)
    assert [column.title for column in kept][:2] == ["NODES", "NO"]
    assert "NodeResourcesFit" in [column.title for column in kept]
    assert sum(widths) + len(widths) - 1 <= 57


def test_without_a_replay_there_is_no_list() -> None:
    sheet = placement_sheet(placed(nodeName="near"))
    assert list_table(sheet) is None
    assert "not pending" in sheet_page(sheet).plain


def test_the_page_of_the_pod_and_that_of_a_node() -> None:
    fix = Fix("lower the request", "kubectl set resources deploy/web", verified=True)
    sheet = placement_sheet(msgspec.structs.replace(placed(), fixes=(fix,)))
    whole = sheet_page(sheet).plain
    assert "fits none of 4 nodes" in whole
    assert "scheduler" in whole
    assert "✓ lower the request" in whole
    table = list_table(sheet)
    assert table is not None
    rows: dict[str, SheetRow] = {row.about.name: row for row in table.every_row if row.about is not None}
    assert rows["near"].detail is not None
    assert rows["gpu"].detail is not None
    near = sheet_page(rows["near"].detail()).plain
    assert "✗ cpu  requested 1  used 3.2  allocatable 4  free 800m  lacks 200m" in near
    assert "✗ gpu=true:NoSchedule  toleration none" in sheet_page(rows["gpu"].detail()).plain
    assert [one.line for one in sheet_commands(sheet, rows["near"])] == [
        "kubectl set resources deploy/web",
        "kubectl describe node/near",
        "kubedoctor why-pending waiting --node near -n shop",
        "kubectl describe pod/waiting -n shop",
    ]


def test_a_chain_and_a_table_without_details_stand_on_the_page() -> None:
    rows = (SheetRow((Cell("8080/TCP"), Cell("web", Mark.YES))),)
    sheet = Sheet(
        title="Service shop/web",
        verdict="reached",
        conclusion=Conclusion.WELL,
        chain=(Link("Service shop/web", Mark.YES), Link("Pod shop/web-1", Mark.UNKNOWN)),
        tables=(Table(("port", "target"), rows),),
    )
    assert list_table(sheet) is None
    text = sheet_page(sheet).plain
    assert (
        text.index("✓ Service shop/web: reached")
        < text.index("? Pod shop/web-1")
        < text.index("✓ 8080/TCP  target web")
    )


def everything() -> str:
    taint = {"key": HOSTILE, "value": HOSTILE, "effect": "NoSchedule"}
    found = placed(manifests=(fleet_node(HOSTILE, taints=[taint]),), says=HOSTILE, nodeSelector={HOSTILE: HOSTILE})
    rows, columns = listed(found)
    texts = [column.text(row, TAKEN_AT) for row in rows for column in columns]
    texts += [column.title for column in columns]
    return "".join(
        (*texts, sheet_page(placement_sheet(found)).plain, sheet_page(placement_sheet(found, HOSTILE)).plain)
    )


def test_foreign_text_is_shown_and_not_obeyed() -> None:
    assert not set(everything()) & {"\x1b", "\x07", "\u202e"}


def test_a_row_in_columns_carries_the_mark_of_what_speaks_against_it() -> None:
    rows = (
        SheetRow((Cell("disk-1"), Cell(mark=Mark.YES), Cell("5Gi of 50Gi", Mark.NO), Cell("node a"))),
        SheetRow((Cell("disk-2", Mark.YES), Cell(mark=Mark.YES), Cell(mark=Mark.YES), Cell("node b"))),
    )
    sheet = Sheet(
        "claim", "is not bound", Conclusion.TROUBLE, tables=(Table(("volume", "free", "size", "from"), rows),)
    )
    lines = sheet_page(sheet).plain.splitlines()
    assert any(line.strip().startswith("✗ disk-1") and "✗ 5Gi of 50Gi" in line for line in lines)
    assert any(line.strip().startswith("✓ disk-2") for line in lines)
