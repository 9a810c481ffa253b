"""Logs of a pod, or of all pods of a workload: followed, merged, filtered, with the line that decides."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from kubedoctor.cluster import Ref
from kubedoctor.cluster.grammar.text import counted, visible
from kubedoctor.collect.live.followed_logs import LogPeriod
from kubedoctor.engine import Report
from kubedoctor.findings.commands import in_cluster
from kubedoctor.tui.logs.log_feed import FeedOpened, LogFeed, open_feed
from kubedoctor.tui.logs.shown_logs import (
    LogLook,
    LogMark,
    deciding_lines,
    filter_of,
    logs_command,
    logs_page,
    saved_lines,
)
from kubedoctor.tui.messages import Failed
from kubedoctor.tui.pace import Pace
from kubedoctor.tui.pages.keys import LOG_KEYS, HelpKeys
from kubedoctor.tui.pages.page import Page
from kubedoctor.tui.session import Session
from kubedoctor.tui.texts.saving import save
from kubedoctor.tui.texts.search_screen import SearchScreen
from kubedoctor.tui.threads import InThread
from kubedoctor.tui.widgets.one_line import Heading, Keys, Rule
from kubedoctor.tui.widgets.prompt import Prompt
from kubedoctor.tui.widgets.text_view import TextView

DRAW_EVERY = 0.25
DRAW_SHARE = 8
"""Lines that come fast are drawn so seldom that it takes at most an eighth of a core."""
PERIODS = (
    ("tail", LogPeriod()),
    ("1m", LogPeriod(None, 60)),
    ("5m", LogPeriod(None, 300)),
    ("15m", LogPeriod(None, 900)),
    ("1h", LogPeriod(None, 3600)),
    ("all", LogPeriod(None, None)),
    ("30m", LogPeriod(None, 1800)),
    ("head", LogPeriod(None, None, first=64 << 10)),
)


class LogScreen(SearchScreen):
    """Draws what the feed has; the feed is stopped when the screen is left."""

    CSS_PATH = "log_screen.tcss"
    HELP_KEYS: ClassVar[HelpKeys] = LOG_KEYS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ampersand", "filter", "Filter", priority=True),
        Binding("escape,q", "leave", "Back"),
        *(Binding(str(number), f"period({number})", show=False) for number in range(len(PERIODS))),
        Binding("f", "follow", "Follow"),
        Binding("p", "previous", "Previous run"),
        Binding("c", "container", "Container"),
        Binding("w", "wrap", "Wrap"),
        Binding("t", "times", "Times"),
        Binding("e", "errors", "Errors only"),
        Binding("J,shift+j", "unfold", "Unfold JSON"),
        Binding("d", "decides", "Deciding line"),
        Binding("m", "mark", "Draw a mark"),
        Binding("C,shift+c", "clear", "Clear"),
        Binding("x", "copy_command", "Copy the command"),
        Binding("Y,shift+y", "copy_lines", "Copy the lines"),
    ]

    def __init__(self, session: Session, subject: Ref, report: Report | None, *, previous: bool) -> None:
        super().__init__()
        self._session = session
        self._subject = subject
        self._deciding = deciding_lines(report)
        self._previous = previous
        self._period = 0
        self._follow = True
        self.look = LogLook()
        self.feed: LogFeed | None = None
        self._drawn: object = None
        self._place = -1
        self._jumped = False
        self._pace = Pace(DRAW_EVERY, share=DRAW_SHARE)

    def compose(self) -> ComposeResult:
        yield Heading(id="heading")
        yield Rule()
        yield TextView(id="text")
        yield Keys(id="keys")
        yield Prompt((), id="prompt")

    def on_mount(self) -> None:
        self.query_one(TextView).focus()
        self.set_interval(DRAW_EVERY, self._keep_up)
        self._open()

    def renew(self, report: Report) -> bool:
        """Up to the moment that is shown now."""
        self._deciding = deciding_lines(report)
        self._open()
        return True

    def on_unmount(self) -> None:
        if self.feed is not None:
            self.feed.stop()

    def _open(self) -> None:
        """Read again, as the keys have chosen."""
        if self.feed is not None:
            self.feed.stop()
        self.feed, self._drawn = None, None
        self._entitle()
        period = PERIODS[self._period][1]
        job = partial(open_feed, self._session, self._subject, period, self._previous, self._follow)
        self.run_worker(InThread(job, self.post_message), group="logs", exclusive=True)

    @on(FeedOpened)
    def _opened(self, message: FeedOpened) -> None:
        if self.feed is not None:
            self.feed.stop()
        self.feed = message.feed
        self._draw()

    @on(Failed)
    def _failed(self, message: Failed) -> None:
        page = Page()
        page.add((message.problem.what, "degraded"))
        page.add(message.problem.hint)
        self.query_one(TextView).show(page)

    def _keep_up(self) -> None:
        self._pace.stale |= self.feed is not None and (self.feed.changes, self.look) != self._drawn
        if self._pace.is_due:
            self._draw()

    def _draw(self) -> None:
        feed = self.feed
        if feed is None:
            return
        self._pace.begin()
        self._drawn = (feed.changes, self.look)
        view = self.query_one(TextView)
        lines, states = feed.now()
        page, self._place = logs_page(lines, feed.wants, states, self._deciding, self.look, feed.dropped, feed.left_out)
        at_end = view.scroll_offset.y >= view.max_scroll_y - 1
        jump = self._place >= 0 and not self._jumped
        view.show(page, stay=True, at_end=at_end and not jump)
        if jump:
            self._jumped = True
            self.call_after_refresh(self.action_decides)
        self._pace.end()

    def _entitle(self) -> None:
        grows = self._session.live
        notes = [PERIODS[self._period][0] if self._has_periods else "", "previous run" if self._previous else ""]
        notes += [self.look.container, "errors only" if self.look.errors else ""]
        notes.append("paused" if grows and not self._follow else "")
        notes.append(f"&{self.look.filter}" if self.look.filter else "")
        subject = f"{self._subject.title}  {' · '.join(filter(None, notes))}"
        self.query_one(Heading).entitle("Logs", visible(subject, 200))
        follow = (("f", "follow" if not self._follow else "pause"),) if grows else ()
        since = ((f"0-{len(PERIODS) - 1}", "since"),) if self._has_periods else ()
        keys = (*since, *follow, ("p", "previous"), ("c", "container"), ("d", "deciding"))
        marks = (("m", "mark"), ("C", "clear")) if grows else (("m", "mark"),)
        more = (("e", "errors"), ("t", "times"), ("w", "wrap"), *marks, ("J", "JSON"), ("x", "copy command"))
        more = (*more, ("Y", "copy lines"), ("ctrl-s", "save"))
        self.query_one(Keys).offer((*keys, *more), (("/", "search"), ("&", "filter"), ("esc", "back")))

    def _look_again(self, look: LogLook) -> None:
        self.look = look
        self._entitle()
        self._draw()

    # Keys

    @on(Prompt.Filter)
    def _filter_typed(self, message: Prompt.Filter) -> None:
        if self.query_one(Prompt).mode != "lines":
            return
        try:
            filter_of(message.text)
        except ValueError:
            return  # half an expression: what is shown stays
        self._look_again(replace(self.look, filter=message.text))

    @on(Prompt.Closed)
    def _prompt_closed(self, message: Prompt.Closed) -> None:
        if self.query_one(Prompt).mode != "lines":
            return
        text = self.query_one(Prompt).value
        try:
            filter_of(text)
        except ValueError as error:
            self.notify(visible(f"{error}.", 200), severity="warning")
        if message.cancelled:
            self._look_again(replace(self.look, filter=""))

    def action_filter(self) -> None:
        self.query_one(Prompt).ask("lines", self.look.filter)

    def action_save(self) -> None:
        """All lines that the filters choose, with their times, not only those on the screen."""
        feed, look = self.feed, self.look
        if feed is None:
            return

        def lines() -> list[str]:
            return saved_lines(feed.now()[0], feed.wants, look)

        self.app.run_worker(InThread(partial(save, f"logs {self._subject.title}", "log", lines), self.app.post_message))

    def action_leave(self) -> None:
        """The first press ends a search, then the filter."""
        if self.stop_searching():
            return
        if self.look.filter:
            self._look_again(replace(self.look, filter=""))
        else:
            self.app.pop_screen()

    @property
    def _has_periods(self) -> bool:
        """A recording has the lines that it has."""
        return not self._session.source.snapshot.closed

    def action_period(self, number: int) -> None:
        if not self._has_periods:
            self.notify("A recording has the last lines only, without their times.", timeout=3)
            return
        self._period = number
        self.look = replace(self.look, cleared="")
        self._open()

    def action_follow(self) -> None:
        if not self._session.live:
            what = "An earlier moment is shown" if self._session.is_past else "This is a recording"
            self.notify(f"{what}: no lines follow.", timeout=3)
            return
        self._follow = not self._follow
        self._open()

    def action_previous(self) -> None:
        self._previous = not self._previous
        self._jumped = False
        self._open()

    def action_container(self) -> None:
        """The next container, after the last one all."""
        names = ["", *dict.fromkeys(want.container for want in self.feed.wants)] if self.feed is not None else [""]
        place = names.index(self.look.container) if self.look.container in names else 0
        self._look_again(replace(self.look, container=names[(place + 1) % len(names)]))

    def action_wrap(self) -> None:
        self._look_again(replace(self.look, wrap=not self.look.wrap))

    def action_times(self) -> None:
        self._look_again(replace(self.look, times=not self.look.times))

    def action_errors(self) -> None:
        self._look_again(replace(self.look, errors=not self.look.errors))

    def action_unfold(self) -> None:
        self._look_again(replace(self.look, unfold=not self.look.unfold))

    def action_mark(self) -> None:
        """A rule behind what is there now: what happens next stands below it."""
        label = f"mark {self._session.now():%H:%M:%S}"
        self._look_again(replace(self.look, marks=(*self.look.marks, LogMark(self._newest, label))))
        view = self.query_one(TextView)
        self.call_after_refresh(view.scroll_end, animate=False)

    def action_clear(self) -> None:
        """Show only what comes from now on."""
        if not self._newest:
            self.notify("These lines have no times: later lines could not be separated from them.", timeout=3)
            return
        self._look_again(replace(self.look, cleared=self._newest, marks=()))

    @property
    def _newest(self) -> str:
        """The time of the newest line; empty where there is none, or lines have no times."""
        return max((line.at for line in self.feed.now()[0]), default="") if self.feed is not None else ""

    def action_copy_command(self) -> None:
        """The command of kubectl for these logs."""
        wants, period = self.feed.wants if self.feed is not None else (), PERIODS[self._period][1]
        line = logs_command(self._subject, wants, self.look, period, previous=self._previous, follow=self._follow)
        line = visible(in_cluster(line, self._session.flags))
        self.app.copy_to_clipboard(line)
        self.notify(f"Copied: {line[:300]}", timeout=4)

    def action_copy_lines(self) -> None:
        """The lines that the filters choose."""
        lines = saved_lines(self.feed.now()[0], self.feed.wants, self.look) if self.feed is not None else []
        self.app.copy_to_clipboard("\n".join(map(visible, lines)))
        self.notify(f"Copied: {counted(len(lines), 'line')}.", timeout=3)

    def action_decides(self) -> None:
        """Put the deciding line into the middle."""
        if self._place < 0:
            self.notify("No finding quotes a line that is shown here.", timeout=3)
            return
        view = self.query_one(TextView)
        above = Page()
        above.paragraphs = view.page.paragraphs[: self._place]
        line = len(above.lines(max(view.line_width, 1)))
        view.scroll_to(y=max(0, line - view.size.height // 2), animate=False)
