"""`:pulses`: small charts of how the cluster, or a namespace, is and was."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Sparkline

from kubedoctor.cluster.grammar.text import visible
from kubedoctor.engine import Report
from kubedoctor.engine.health import Health
from kubedoctor.tui import look
from kubedoctor.tui.pace import Pace
from kubedoctor.tui.pages.ink import ink
from kubedoctor.tui.pages.page import Line
from kubedoctor.tui.pulses.charts import LISTS, NAMES, Chart, chart
from kubedoctor.tui.pulses.pulse import Pulse, pulse_of
from kubedoctor.tui.rows import View
from kubedoctor.tui.session import Session
from kubedoctor.tui.threads import InThread
from kubedoctor.tui.widgets.one_line import Heading, Keys, OneLine, Rule

if TYPE_CHECKING:
    from kubedoctor.tui.work import Post

TAKEN_EVERY = 5.0
"""Seconds from one pulse to the next; in a large cluster they cost at most a thirtieth of a core."""
SHARE = 30
LOOK_EVERY = 0.5
MOST_PULSES = 720
"""An hour of them."""


class PulseTaken(Message):
    """`cost`: seconds of the processor."""

    def __init__(self, pulse: Pulse, cost: float) -> None:
        super().__init__()
        self.pulse = pulse
        self.cost = cost


class PulseView(Vertical):
    """A title and a chart, whose bars begin at zero."""

    def __init__(self, name: str) -> None:
        super().__init__(id=name)
        self._chart = Chart("", "", "dim", ())
        self.is_chosen = False

    def compose(self) -> ComposeResult:
        yield OneLine()
        yield Sparkline([0.0], summary_function=max)

    def draw(self, shown: Chart, *, chosen: bool) -> None:
        """Show a chart, with the cursor or without."""
        self._chart, self.is_chosen = shown, chosen
        line: Line = (
            ink(look.CURSOR if chosen else " ", "key"),
            ink(f" {shown.title}  ", "name" if chosen else "strong"),
            ink(shown.now, shown.role),
        )
        self.query_one(OneLine).show(lambda _: line, line)
        spark = self.query_one(Sparkline)
        spark.set_classes(shown.role or "plain")
        spark.styles.width = "1fr" if shown.is_whole else min(len(shown.values) + 1, max(1, self.size.width - 2))
        values = [0.0, *shown.values] if any(shown.values) else [0.0, 0.0]
        if spark.data != values:
            spark.data = values


class PulsesScreen(Screen[View]):
    """Takes pulses as long as it is open, and closes with the list that was chosen."""

    CSS_PATH = "pulses_screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,minus", "leave", "Back"),
        Binding("tab,right,l", "choose(1)", "Next chart"),
        Binding("shift+tab,left,h", "choose(-1)", "Previous chart"),
        Binding("down,j", "choose(2)", "Chart below"),
        Binding("up,k", "choose(-2)", "Chart above"),
        Binding("enter", "open", "Open its list"),
    ]

    def __init__(
        self,
        session: Session,
        namespace: str,
        report: Callable[[], Report | None],
        incidents: Callable[[], int | None],
    ) -> None:
        """report: the last one; incidents: how many there are now."""
        super().__init__()
        self._session = session
        self._namespace = namespace
        self._report = report
        self._incidents = incidents
        self._pulses: deque[Pulse] = deque(maxlen=MOST_PULSES)
        self._numbers: deque[int | None] = deque(maxlen=MOST_PULSES)
        self._pace = Pace(TAKEN_EVERY, share=SHARE)
        self._place = 0

    def compose(self) -> ComposeResult:
        yield Heading(id="heading")
        yield Rule()
        with Grid(id="pulses"):
            for name in NAMES:
                yield PulseView(name)
        yield Keys(id="keys")

    def on_mount(self) -> None:
        self.query_one(Heading).entitle("Pulses", visible(self._namespace or "all namespaces", 60))
        self.query_one(Keys).offer((("j k h l", "chart"), ("enter", "its list"), ("esc", "back")), (("?", "help"),))
        self._draw()
        self._take()
        self.set_interval(LOOK_EVERY, self._look)

    def _look(self) -> None:
        if self._numbers and self._numbers[-1] is None and self._incidents() is not None:
            self._numbers[-1] = self._incidents()
            self._draw()
        self._pace.stale |= self._session.live and not self._session.is_past
        if self._pace.is_due and not any(worker.is_running for worker in self.workers if worker.node is self):
            self._take()

    def _take(self) -> None:
        self._pace.begin()
        self.run_worker(
            InThread(partial(take_pulse, self._session, self._namespace, self._report()), self.post_message)
        )

    @on(PulseTaken)
    def _taken(self, message: PulseTaken) -> None:
        self._pace.end(message.cost)
        self._pulses.append(message.pulse)
        self._numbers.append(self._incidents())
        self._draw()

    def _draw(self) -> None:
        pulses, numbers = tuple(self._pulses), tuple(self._numbers)
        for place, name in enumerate(NAMES):
            self.query_one(f"#{name}", PulseView).draw(chart(name, pulses, numbers), chosen=place == self._place)

    def on_click(self, event: events.Click) -> None:
        """Choose a chart; a second click on it opens its list."""
        for place, name in enumerate(NAMES):
            if self.query_one(f"#{name}").region.contains(event.screen_x, event.screen_y):
                if event.chain > 1 and place == self._place:
                    self.action_open()
                self._place = place
                self._draw()

    def action_choose(self, by: int) -> None:
        self._place = (self._place + by) % len(NAMES)
        self._draw()

    def action_open(self) -> None:
        self.dismiss(View(LISTS[NAMES[self._place]], self._namespace))

    def action_leave(self) -> None:
        self.app.pop_screen()


def take_pulse(session: Session, namespace: str, report: Report | None, post: Post) -> None:
    """Count what was read, and ask what is used."""
    began = time.thread_time()
    view = View("Pod", namespace) if namespace else View("Node")
    snapshot, now = session.seen(), session.now()
    _, workloads = session.keep_rows(View("", namespace), report, "health", None)
    uses = None if session.is_past else session.served.uses(view, snapshot)
    numbers: dict[Health, int] = dict(workloads)
    post(PulseTaken(pulse_of(snapshot, namespace, numbers, uses, now), time.thread_time() - began))
