"""Columns: what stands in them, and which yield where there is no room."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from kubedoctor.cluster import Ref
from kubedoctor.engine.health import Health
from kubedoctor.tui.columns import ListColumn, age, columns_of, fit
from kubedoctor.tui.pages.ink import kind_word
from kubedoctor.tui.rows import Row, View

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


LONGEST = {"NAMESPACE": 13, "STATUS": 20, "CAUSE": 16}
"""What stands in the columns that fit their texts."""


def measured(view: View, *, wide: bool = False) -> tuple[ListColumn, ...]:
    return tuple(
        msgspec.structs.replace(column, width=LONGEST.get(column.title, column.width)) if column.fits else column
        for column in columns_of(view, wide=wide)
    )


def titles(view: View, width: int, *, wide: bool = False) -> list[str]:
    columns, widths = fit(measured(view, wide=wide), width, 1, 16)
    assert len(columns) == len(widths)
    return [column.title for column in columns]


def test_where_there_is_no_room_restarts_go_first_then_age() -> None:
    everywhere = View()
    assert titles(everywhere, 77) == ["KIND", "NAMESPACE", "NAME", "READY", "RESTARTS", "AGE", "CAUSE"]
    assert titles(everywhere, 73) == ["KIND", "NAMESPACE", "NAME", "READY", "AGE", "CAUSE"]
    assert titles(everywhere, 60) == ["KIND", "NAMESPACE", "NAME", "READY", "CAUSE"]
    assert titles(everywhere, 10) == ["KIND", "NAMESPACE", "NAME", "READY", "CAUSE"]


def test_the_name_takes_what_is_left() -> None:
    columns, widths = fit(measured(View(namespace="shop")), 80, 1, 16)
    assert sum(widths) + len(widths) - 1 == 80
    assert widths[[column.title for column in columns].index("NAME")] == 80 - 7 - 5 - 8 - 6 - 16 - 5


def test_the_status_of_pods_is_narrowed_only_where_dropping_columns_does_not_suffice() -> None:
    everywhere = measured(View("Pod"))
    for width, statuses in ((81, 20), (66, 12)):
        columns, widths = fit(everywhere, width, 1, 16)
        assert sum(widths) + len(widths) - 1 == width
        assert widths[[column.title for column in columns].index("STATUS")] == statuses


@pytest.mark.parametrize("view", [View("Event"), View("Event", "shop")])
def test_a_text_that_is_cut_anyway_gets_what_is_left(view: View) -> None:
    for width in (54, 75, 120):
        _, widths = fit(columns_of(view), width, 1, 16)
        assert sum(widths) + len(widths) - 1 == width


def test_wide_shows_nodes_and_images() -> None:
    assert titles(View("Pod", "shop"), 200, wide=True)[-3:] == ["NODE", "IMAGES", "CAUSE"]


def test_cluster_scoped_kinds_have_no_namespace_column() -> None:
    assert "NAMESPACE" not in titles(View("Node"), 100)
    assert "NAMESPACE" in titles(View("Service"), 100)


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("Deployment", "deploy"),
        ("StatefulSet", "sts"),
        ("CronJob", "cronjob"),
        ("Job", "job"),
        ("VirtualService.networking.istio.io", "virtualservice"),
    ],
)
def test_kinds_by_their_short_words(kind: str, word: str) -> None:
    assert kind_word(kind) == word


def test_age_is_kubectls() -> None:
    row = Row(Ref("Pod", "shop", "a"), Health.HEALTHY, created=NOW - timedelta(hours=3, minutes=4))
    assert age(row, NOW) == "3h4m"
    assert age(Row(Ref("Pod", "shop", "a"), Health.HEALTHY), NOW) == ""


def test_foreign_text_in_cells_is_harmless() -> None:
    row = Row(Ref("Pod", "s\x1bp", "a\x1b[31m"), Health.HEALTHY, status="\x07", node="\u202e", images="\r")
    for view in (View("Pod"), View(), View("Finding"), View("Context"), View("Node")):
        for column in columns_of(view, wide=True):
            assert column.text(row, NOW).isprintable()


def test_a_column_that_fits_short_texts_is_not_widened_to_its_least() -> None:
    short = tuple(
        msgspec.structs.replace(column, width=7) if column.fits else column for column in columns_of(View("Pod"))
    )
    columns, widths = fit(short, 36, 1, 16)
    assert widths[[column.title for column in columns].index("STATUS")] == 7
