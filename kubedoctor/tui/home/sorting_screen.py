"""Sorts lists by their columns, each kind in an order of its own that is kept."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from kubedoctor.tui.home.columns_screen import ColumnsScreen
from kubedoctor.tui.rows import BACKWARDS, View, is_order
from kubedoctor.tui.state.choices import KeptChoices
from kubedoctor.tui.widgets.themed_app import ThemedApp

HOME = "Finding"
ORDERS_OF_INCIDENTS = ("health", "name", "age")


class SortingScreen(ColumnsScreen):
    """The keys are those of k9s, but for what they mean here on every screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("N,shift+n", "sort('name')", "Sort by name"),
        Binding("A,shift+a", "sort('age')", "Sort by age"),
        Binding("S,shift+s", "sort('health')", "Sort by health"),
        Binding("T,shift+t", "sort('restarts')", "Sort by restarts"),
        Binding("P,shift+p", "sort('namespace')", "Sort by namespace"),
        Binding("O,shift+o", "sort('node')", "Sort by node"),
        Binding("I,shift+i", "sort('ip')", "Sort by IP"),
        Binding("K,shift+k", "sort('kind')", "Sort by kind"),
        Binding("C,shift+c", "sort('cpu')", "Sort by CPU"),
        Binding("M,shift+m", "sort('memory')", "Sort by memory"),
        Binding("less_than_sign", "sort_column(-1)", "Sort by the column before"),
        Binding("greater_than_sign", "sort_column(1)", "Sort by the next column"),
    ]

    def action_sort(self, order: str) -> None:
        """By a column that the list has; a second time the other way round."""
        if not self.rows:
            self.notify("Nothing here to sort.", timeout=3)
            return
        has = ("health", *(("name", "age") if self.view.kind == HOME else self._orders()))
        if order not in has:
            self.notify(f"This list has no {order} to sort by. < and > go through its columns.", timeout=3)
            return
        self.order = order if self.order != order else f"{BACKWARDS}{order}"
        self._kept.chosen.sorts[self.view.kind] = self.order
        self._kept.keep()
        self._draw_titles()
        self._sort()

    def action_sort_column(self, by: int) -> None:
        """By the column beside the one that the rows are sorted by; beside the last by health."""
        orders = ("health", *(("name", "age") if self.view.kind == HOME else self._orders()))
        now = self.order.removeprefix(BACKWARDS)
        place = orders.index(now) if now in orders else 0
        self.order = ""
        self.action_sort(orders[(place + by) % len(orders)])

    def _orders(self) -> tuple[str, ...]:
        columns = self.shown_columns(wide=self.wide)
        return tuple(dict.fromkeys(column.order for column in columns if column.order))

    @property
    def _kept(self) -> KeptChoices:
        return self.app.kept if isinstance(self.app, ThemedApp) else KeptChoices()

    def _order_of(self, view: View) -> str:
        own = self.app.own.view_of(view.kind) if isinstance(self.app, ThemedApp) and view.kind != HOME else None
        order = self._kept.chosen.sorts.get(view.kind) or (_order_named(own.sort) if own is not None else "health")
        return order if view.kind != HOME or order.removeprefix(BACKWARDS) in ("health", "name", "age") else "health"


def _order_named(title: str) -> str:
    """The order by the column of a title, such as `-CPU`."""
    if not title:
        return "health"
    name = title.removeprefix(BACKWARDS).strip()
    order = {"cpu": "cpu", "mem": "memory", "memory": "memory"}.get(name.lower(), name.lower())
    known = order if is_order(order) or order in ("cpu", "memory") else f"column {name.upper()}"
    return f"{BACKWARDS}{known}" if title.startswith(BACKWARDS) else known
