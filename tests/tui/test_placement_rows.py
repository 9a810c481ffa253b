"""Rows, columns and pages of a placement."""

from __future__ import annotations

import msgspec

from kubedoctor.findings import Fix
from kubedoctor.tui.columns import fit
from kubedoctor.tui.health import Health
from kubedoctor.tui.placement_rows import BY_NAME, grid, placement_commands, placement_page
from tests.engine.clinic import TAKEN_AT
from tests.engine.fleet import fleet_node
from tests.engine.test_placement import placed

HOSTILE = "\x1b[2J\x07\u202e"


def test_the_nearest_node_comes_first_with_a_cell_for_each_filter() -> None:
    rows, columns = grid(placed())
    titles = [column.title for column in columns]
    assert titles == ["NODE", "NO", "NodeUnschedulable", "TaintToleration", "NodeAffinity", "NodeResourcesFit"]
    cells = {row.ref.name: [column.text(row, TAKEN_AT) for column in columns] for row in rows}
    assert list(cells) == ["near", "far", "gpu", "plain"]
    assert cells["near"] == ["near", "1", "✓", "✓", "✓", "lacks 200m cpu"]
    assert cells["plain"] == ["plain", "2", "cordoned", "✓", "labels do not match", "✓"]
    assert [row.health for row in rows] == [Health.DEGRADED, Health.DEGRADED, Health.DEGRADED, Health.BROKEN]


def test_a_node_that_takes_the_pod_is_healthy() -> None:
    rows, _ = grid(placed("requests.cpu=800m"))
    assert (rows[0].ref.name, rows[0].health) == ("near", Health.HEALTHY)


def test_by_name() -> None:
    rows, _ = grid(placed(), BY_NAME)
    assert [row.ref.name for row in rows] == ["far", "gpu", "near", "plain"]


def test_the_filter_with_the_fewest_objections_yields_first() -> None:
    _, columns = grid(placed())
    kept, widths = fit(columns, 57, 1, 16)
    assert [column.title for column in kept][:2] == ["NODE", "NO"]
    assert "NodeResourcesFit" in [column.title for column in kept]
    assert sum(widths) + len(widths) - 1 <= 57


def test_nothing_is_shown_where_nothing_was_replayed() -> None:
    rows, columns = grid(placed(nodeName="near"))
    assert (rows, [column.title for column in columns]) == ((), ["NODE"])
    assert "is not pending" in placement_page(placed(nodeName="near")).plain


def test_the_page_of_the_pod_and_that_of_a_node() -> None:
    fix = Fix("lower the request", "kubectl set resources deploy/web", verified=True)
    found = msgspec.structs.replace(placed(), fixes=(fix,))
    whole = placement_page(found).plain
    assert "fits on none of 4 nodes" in whole
    assert "the scheduler says the same" in whole
    assert "✓ lower the request" in whole
    near = placement_page(found, "near").plain
    assert "cpu: asked 1, free 800m; used 3.2 of 4; lacks 200m" in near
    assert "gpu=true:NoSchedule  not tolerated" in placement_page(found, "gpu").plain
    assert [one.line for one in placement_commands(found, "near")] == [
        "kubectl set resources deploy/web",
        "kubectl describe node/near",
        "kubedoctor why-pending waiting -n shop --node near",
        "kubectl describe pod/waiting -n shop",
    ]


def test_foreign_text_is_shown_and_not_obeyed() -> None:
    taint = {"key": HOSTILE, "value": HOSTILE, "effect": "NoSchedule"}
    found = placed(manifests=(fleet_node(HOSTILE, taints=[taint]),), says=HOSTILE, nodeSelector={HOSTILE: HOSTILE})
    rows, columns = grid(found)
    texts = [column.text(row, TAKEN_AT) for row in rows for column in columns]
    texts += [column.title for column in columns]
    texts += [placement_page(found).plain, placement_page(found, HOSTILE).plain]
    assert not set("".join(texts)) & {"\x1b", "\x07", "\u202e"}
