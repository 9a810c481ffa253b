"""Nodes: what each of them objects to a pod."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from kubedoctor.cluster import Ref
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.engine.placement import Placement
from kubedoctor.tui import work
from kubedoctor.tui.messages import Failed, Placed
from kubedoctor.tui.pages import Page
from kubedoctor.tui.placement_rows import BY_DISTANCE, BY_NAME, grid, placement_commands, placement_page
from kubedoctor.tui.screens.copy_screen import CopyScreen
from kubedoctor.tui.screens.text_screen import TextScreen
from kubedoctor.tui.session import Session
from kubedoctor.tui.threads import in_thread
from kubedoctor.tui.widgets.text_view import TextView
from kubedoctor.tui.widgets.virtual_table import VirtualTable


class NodesScreen(Screen[None]):
    """Replays the scheduler for a pod, or for the first pod of a workload that waits for a node."""

    CSS_PATH = "nodes_screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,n", "app.pop_screen", "Back"),
        Binding("N,shift+n", f"sort('{BY_NAME}')", "Sort by name"),
        Binding("S,shift+s", f"sort('{BY_DISTANCE}')", "Nearest first"),
        Binding("x", "copy_command", "Copy a command"),
    ]

    def __init__(self, session: Session, subject: Ref) -> None:
        super().__init__()
        self.session = session
        self.subject = subject
        self.placement: Placement | None = None
        self.order = BY_DISTANCE

    def compose(self) -> ComposeResult:
        table = VirtualTable(id="nodes")
        table.border_title = f"Nodes for {visible(self.subject.title, 120)}"
        table.border_subtitle = "esc back  enter node in full  x copy  shift-s nearest  shift-n name"
        yield table
        about = TextView(id="about")
        about.border_title = "Why not"
        yield about

    def on_mount(self) -> None:
        self.query_one(VirtualTable).focus()
        self._tell("The scheduler is replayed …")
        self.run_worker(in_thread(partial(work.place, self.session, self.subject), self.post_message))

    def _tell(self, text: str) -> None:
        page = Page()
        page.add((text, "dim"))
        self.query_one("#about", TextView).show(page)

    @on(Placed)
    def _placed(self, message: Placed) -> None:
        self.placement = message.placement
        self.query_one(VirtualTable).border_title = f"Nodes for {visible(message.placement.pod.title, 120)}"
        self.query_one("#about", TextView).show(placement_page(message.placement))
        self._draw(stay=False)

    def _draw(self, *, stay: bool) -> None:
        if self.placement is not None:
            rows, columns = grid(self.placement, self.order, self.size.width)
            self.query_one(VirtualTable).show(rows, columns, self.placement.taken_at, stay=stay)

    def on_resize(self) -> None:
        self._draw(stay=True)

    @on(Failed)
    def _failed(self, message: Failed) -> None:
        self._tell(str(message.problem))

    @on(VirtualTable.Opened)
    def _opened(self, message: VirtualTable.Opened) -> None:
        if self.placement is not None:
            name = message.row.ref.name
            self.app.push_screen(TextScreen(f"Node {name}", placement_page(self.placement, name)))

    def action_sort(self, order: str) -> None:
        self.order = order
        self._draw(stay=True)

    def action_copy_command(self) -> None:
        if self.placement is not None:
            row = self.query_one(VirtualTable).current
            self.app.push_screen(CopyScreen(placement_commands(self.placement, row.ref.name if row else "")))
