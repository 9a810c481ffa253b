"""The grid of connections: what a cell says and asks, and how many workloads are folded."""

from __future__ import annotations

from typing import Any

from kubedoctor.answers.connectivity.folding import MOST_LINES, UNFOLDED
from kubedoctor.answers.grid import BLANK_CELL, Grid, GridCell, PairAsked, Shade
from kubedoctor.answers.question import Choices
from kubedoctor.answers.questions.connectivity import connectivity
from kubedoctor.answers.questions.reach import reach
from kubedoctor.cluster import Cluster, Ref
from tests.answers.reach.situations import BASE, DENY_INGRESS, pod, policy, space
from tests.engine.clinic import complete


def grid_of(*manifests: dict[str, Any], namespace: str = "", **options: tuple[str, ...]) -> Grid:
    choices = reach.choices(
        (), {"matrix": ("matrix",), **{name.replace("_", "-"): row for name, row in options.items()}}
    )
    sheet = reach.answer(Ref("Namespace", "", namespace), choices, Cluster(complete(*manifests)))
    assert sheet.grid is not None
    return sheet.grid


def at(grid: Grid, row: str, column: str) -> GridCell:
    rows, columns = [line.title for line in grid.rows], [line.title for line in grid.columns]
    return grid.cells[rows.index(row)][columns.index(column)]


def drawn(grid: Grid) -> list[str]:
    return ["".join(cell.shade.value for cell in row) for row in grid.cells]


def only(namespace: str, app: str, port: int, **peer: Any) -> dict[str, Any]:
    """Pods of the namespace may be reached by an app, on a port."""
    rule = {"from": [{"podSelector": {"matchLabels": {"app": app}}, **peer}], "ports": [{"port": port}]}
    return policy(namespace, ingress=[rule])


def test_each_workload_with_each_other() -> None:
    grid = grid_of(*BASE, DENY_INGRESS)
    assert [line.title for line in grid.rows] == ["data/db", "shop/other", "shop/web", "outside"]
    assert grid.is_square
    assert drawn(grid) == [" ●●●", "· ●●", "·● ●", "·●● "]
    assert [meaning for _, meaning in grid.shades] == ["every port", "no connection"]
    assert grid.note == ""


def test_what_a_cell_says_and_asks() -> None:
    manifests = (*BASE, only("shop", "web", 9090))
    cell = at(grid_of(*manifests), "shop/web", "shop/other")
    assert (cell.shade, cell.text) == (Shade.PART, "9090")
    assert cell.says == "from Pod shop/web to Pod shop/other: TCP 9090"
    assert cell.asks == PairAsked("reach", Ref("Pod", "shop", "web"), ("pod/other.shop:9090",))
    closed = at(grid_of(*manifests), "data/db", "shop/web")
    assert closed.shade is Shade.EMPTY
    assert closed.asks is not None
    assert closed.asks.words == ("pod/web.shop:8080",)  # the port that it declares
    assert at(grid_of(*manifests), "shop/web", "shop/web") is BLANK_CELL


def test_the_question_of_a_cell_agrees_with_it() -> None:
    cluster = Cluster(complete(*BASE, DENY_INGRESS, only("shop", "web", 9090)))
    sheet = connectivity.answer(Ref("Namespace", "", ""), Choices(), cluster)
    assert sheet.grid is not None
    seen = set()
    for row in sheet.grid.cells:
        for cell in row:
            if cell.asks is None or cell.asks.subject.kind == "Address":
                continue
            answer = reach.answer(cell.asks.subject, reach.choices(cell.asks.words), cluster)
            assert ("does not reach it" in answer.verdict) is (cell.shade is Shade.EMPTY), (cell.says, answer.verdict)
            seen.add(cell.shade)
    assert seen == {Shade.FULL, Shade.PART, Shade.EMPTY}


def test_pairs_of_one_namespace_of_two_and_from_everywhere() -> None:
    own = grid_of(*BASE, DENY_INGRESS, namespace="data")
    assert [line.title for line in own.rows] == ["data/db", "shop/other", "shop/web", "outside"]
    assert drawn(own) == [" ●●●", "·   ", "·   ", "·   "]
    inbound = grid_of(*BASE, DENY_INGRESS, namespace="data", from_everywhere=("from-everywhere",))
    assert [line.title for line in inbound.columns] == ["data/db"]
    assert len(inbound.rows) == 4
    between = grid_of(*BASE, DENY_INGRESS, between=("shop", "data"))
    assert [line.title for line in between.rows] == ["data/db", "shop/other", "shop/web"]
    assert drawn(between) == [" ●●", "·  ", "·  "]


def many(namespace: str, count: int, first: int = 0) -> list[dict[str, Any]]:
    return [
        pod(namespace, f"w{number}", f"10.{number // 250}.{len(namespace)}.{number % 250}")
        for number in range(first, count)
    ]


def test_equal_lines_are_one() -> None:
    grid = grid_of(
        space("shop"),
        space("data"),
        *many("shop", UNFOLDED + 4),
        pod("data", "db", "10.9.0.1"),
        only("data", "w3", 80, namespaceSelector={}),
    )
    assert [line.title for line in grid.rows] == ["data/db", f"shop/w0 and {UNFOLDED + 2} more", "shop/w3", "outside"]
    assert [line.title for line in grid.columns] == ["data/db", f"shop, all {UNFOLDED + 4} workloads", "outside"]
    assert len(grid.rows[1].members) == UNFOLDED + 3
    assert drawn(grid) == [" ●●", "·●●", "◐●●", "·● "]
    assert at(grid, "shop/w3", "data/db").says == "from Pod shop/w3 to Pod data/db: TCP 80"
    assert grid.note == "lines with equal connections are one"


def test_many_different_workloads_are_one_line_for_each_namespace() -> None:
    """Each is reached by another one only, so that no two are equal."""
    manifests = [space("one"), space("two"), *many("one", MOST_LINES), *many("two", 2)]
    for number in range(MOST_LINES):
        spec = {"podSelector": {"matchLabels": {"app": f"w{number}"}}}
        manifests.append({**only("one", f"w{number + 1}", 80)})
        manifests[-1]["metadata"]["name"] = f"p{number}"
        manifests[-1]["spec"].update(spec)
    grid = grid_of(*manifests)
    assert [line.title for line in grid.rows] == [f"one, all {MOST_LINES} workloads", "two, all 2 workloads", "outside"]
    assert drawn(grid) == ["◌●●", "·●●", "·● "]
    mixed = grid.cells[0][0]
    assert mixed.text == "2%"
    assert mixed.says == (
        f"from one, all {MOST_LINES} workloads to one, all {MOST_LINES} workloads: "
        f"{MOST_LINES - 1} of {MOST_LINES * (MOST_LINES - 1):,} pairs connect"
    )
    assert mixed.within is not None
    inner = mixed.within()
    assert len(inner.rows) == MOST_LINES
    assert at(inner, "one/w1", "one/w0").shade is Shade.PART
    assert at(inner, "one/w0", "one/w1").shade is Shade.EMPTY


def test_equal_lines_of_many_namespaces_are_one() -> None:
    """Of few namespaces they stay apart, since people know their workloads by namespace."""
    few = [row for number in range(9) for row in (space(f"n{number}"), *many(f"n{number}", 2))]
    assert len(grid_of(*few).rows) == 10
    more = [
        row
        for number in range(MOST_LINES + 1)
        for row in (space(f"n{number}"), pod(f"n{number}", "w", f"10.1.0.{number}"))
    ]
    grid = grid_of(*more)
    assert [line.title for line in grid.rows] == [
        f"{MOST_LINES + 1} workloads of {MOST_LINES + 1} namespaces",
        "outside",
    ]
    assert drawn(grid) == ["●●", "● "]
