"""Shows the columns that a server computes beside those of the list itself."""

from __future__ import annotations

from functools import partial

from textual import on

from kubedoctor.cluster.grammar.text import visible
from kubedoctor.tui import work
from kubedoctor.tui.columns import Columns, chosen_columns, columns_of
from kubedoctor.tui.home.history_screen import HistoryScreen
from kubedoctor.tui.messages import ColumnsRead, RowsMade
from kubedoctor.tui.pulses.pulses_screen import PulsesScreen
from kubedoctor.tui.rows import View, is_order
from kubedoctor.tui.state.own_settings import FILE_NAME, OwnSettings, OwnView
from kubedoctor.tui.widgets.prompt import Prompt
from kubedoctor.tui.widgets.themed_app import ThemedApp


class ColumnsScreen(HistoryScreen):
    """They are read after the rows, and again from time to time; of an earlier moment there are none."""

    def on_mount(self) -> None:
        """The keys of the person; one that means something here already stays what it is."""
        own = self.app.own if isinstance(self.app, ThemedApp) else OwnSettings()
        for key, text in own.hotkeys.items():
            taken = any(key in owner._bindings.key_to_bindings for owner in (self, self._table, self.app))
            if taken or not key:
                self.notify(
                    f"{FILE_NAME}: hotkeys.{visible(key, 30)}: this key has a meaning already.", severity="warning"
                )
            else:
                self._bindings.bind(key, f"hotkey({text!r})", visible(text, 60), show=False)

    def action_hotkey(self, text: str) -> None:
        """What the person wants of a key, as if it were typed."""
        self.post_message(Prompt.Command(text))

    def written_out(self, command: str) -> str:
        """A command without aliases of the person."""
        return self.app.own.expanded(command) if isinstance(self.app, ThemedApp) else command

    def shown_columns(self, *, wide: bool) -> Columns:
        """The columns of the list, as far as they are known by now."""
        if self.session.is_past:
            return columns_of(self.view, wide=wide)
        served, own = self.session.served, self._own_view
        titles = own.titles if own is not None else ()
        printed = served.printed(self.view, wide=wide or bool(titles))
        columns = columns_of(self.view, wide=wide or bool(titles), usage=served.usage(self.view), printed=printed)
        return chosen_columns((*columns, *served.own(self.view)), titles, others=wide) if titles else columns

    @property
    def _own_view(self) -> OwnView | None:
        """How the person wants this list."""
        if self.view.kind in ("", "Finding", "Context") or not isinstance(self.app, ThemedApp):
            return None
        return self.app.own.view_of(self.view.kind)

    def read_columns(self) -> None:
        """Read those that are due."""
        waits = self.session.is_past or self._reading or self._busy("columns")
        own = self._own_view
        paths = own.paths if own is not None else {}
        if not waits and self.session.served.is_due(self.view, own=bool(paths)):
            self._work(partial(work.read_served, self.session, self.view, paths), "columns")

    def show_pulses(self) -> None:
        """Small charts of the namespace of the list, or of all; back with the list that was chosen there."""

        pulses = PulsesScreen(
            self.session, self.view.namespace, lambda: self.report, lambda: self._numbers.get("Finding")
        )
        self.app.push_screen(pulses, self._show_chosen)

    def _show_chosen(self, view: View | None) -> None:
        if view is not None:
            self._go(view)

    @on(RowsMade)
    def _rows_differ(self, message: RowsMade) -> None:
        if message.view == self.view and not self._is_outdated(message):
            if message.rows is not self.rows:
                self.session.served.note_change(self.view)
            self.call_after_refresh(self.read_columns)

    @on(ColumnsRead)
    def _columns_read(self, message: ColumnsRead) -> None:
        if message.view != self.view or self._is_outdated(message) or self._reading:
            return
        self._apply_filter()
        if not is_order(self.order):
            self._sort()
