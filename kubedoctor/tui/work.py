"""The work of workers: fetch, examine, write a page, and post the result. Each function runs in a thread; a Problem
that it raises is posted by the caller."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path

from textual.message import Message

from kubedoctor.answers.question import Choices, Question
from kubedoctor.cluster import Event, Ref
from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.seen.news import News
from kubedoctor.engine import Report
from kubedoctor.engine.questions import load_questions
from kubedoctor.findings import Fix
from kubedoctor.problems import Problem, UsageProblem
from kubedoctor.tui.commands import Show
from kubedoctor.tui.filters import keep
from kubedoctor.tui.incidents.incident_rows import view_rows
from kubedoctor.tui.incidents.proofs import with_proofs
from kubedoctor.tui.marks import marks_of
from kubedoctor.tui.messages import (
    Aged,
    Asked,
    Changed,
    ColumnsRead,
    Examined,
    Filtered,
    Opened,
    PageMade,
    Progress,
    ReportWritten,
    RowsMade,
    SomeRowsMade,
    Sorted,
    Switched,
    Told,
    Travelled,
    Unfolded,
)
from kubedoctor.tui.pace import Pace
from kubedoctor.tui.pages.describing import describe, used_by
from kubedoctor.tui.pages.events import event_page
from kubedoctor.tui.pages.incidents import ObjectVerdict
from kubedoctor.tui.pages.page import Page
from kubedoctor.tui.pages.why import why_page
from kubedoctor.tui.rows import Row, View, arrange, counts
from kubedoctor.tui.session import Session
from kubedoctor.tui.state.rehearsing import Stopped, TriedChange, attempted, changed_objects
from kubedoctor.tui.state.reporting import write_report as write_files
from kubedoctor.tui.state.time_machine import Move
from kubedoctor.tui.tree.belongings import Belongings
from kubedoctor.tui.tree.tree_page import tree_page

Post = Callable[[Message], object]
SHOW_EVERY = 0.1  # seconds


def wrapping(post: Post, width: int) -> Post:
    """As `post`, but pages are wrapped to this width first: in the worker, not in the thread that draws."""

    def wrap_and_post(message: Message) -> object:
        if isinstance(message, PageMade | Told) and width > 0:
            message.page.lines(width)
        return post(message)

    return wrap_and_post


@contextmanager
def _progress(post: Post, doing: str) -> Iterator[Callable[[str], None]]:
    """Say what a work does until it is over; the value says what else it does. Another work may have begun meanwhile,
    and its own progress stays."""
    work = object()

    def say(doing: str) -> None:
        post(Progress(work, doing))

    say(doing)
    try:
        yield say
    finally:
        post(Progress(work))


def load(
    session: Session,
    first: View,
    report: Report | None,
    order: Callable[[], str],
    post: Post,
    *,
    present: Callable[[], View | None],
) -> None:
    """Read what a view needs and compute its rows, from time to time also of what was read so far: beside incidents the
    workloads. `present`: the view that is shown by now, which needs nothing else; None where it does, and is read by other
    work. `order`: the present one."""
    pace = Pace(SHOW_EVERY)
    shown: tuple[View | None, int] = None, 0

    def show_part() -> None:
        nonlocal shown
        view, count = present(), session.count()
        if view != shown[0]:
            pace.end(0.0)  # another list does not wait for the pause after the one before
        pace.stale = view is not None and (view, count) != shown
        if view is None or not pace.is_due:
            return
        pace.begin()
        shown = view, count
        listed = View(namespace=view.namespace) if view.kind == "Finding" else view
        rows = session.rows(listed, report, ordered := order(), whole=False)
        post(SomeRowsMade(listed, rows, counts(rows), ordered))
        say(f"reading: {counted(count, 'object')}")
        pace.end()

    with _progress(post, f"reading {first.title.lower()}") as say:
        session.load(first, show_part)
        if (view := present()) is not None:
            make_rows(session, view, report, order(), post)
        post(Aged(session.freshness()))


def make_rows(
    session: Session, view: View, report: Report | None, order: str, post: Post, *, news: News | None = None
) -> None:
    """Compute the rows of objects that were already read. `news`: what changed since the last time; None: everything
    may have."""
    began = time.thread_time()
    rows, numbers = session.keep_rows(view, report, order, news)
    # The contexts are known while a long recording is still being read.
    namespaces = session.namespaces(session.source.namespace, News() if view.kind == "Context" else news)
    if view.kind == "Finding" and session.live and not session.is_past:
        rows = with_proofs(rows, session.proofs.every(session.now()), view.namespace)
    if view.kind == "Finding":  # beside the incidents the workloads are counted, and ready to be shown
        workloads = View(namespace=view.namespace)
        rows_of_workloads, numbers = session.keep_rows(workloads, report, "health", news)
        if report is None:  # they stand where the incidents will be
            post(SomeRowsMade(workloads, rows_of_workloads, numbers, "health"))
    post(RowsMade(view, rows, numbers, order, namespaces, session.refused(view), time.thread_time() - began))


def sort_rows(session: Session, view: View, rows: tuple[Row, ...], order: str, post: Post) -> None:
    """The same rows of a view in another order."""
    post(Sorted(rows, arrange(rows, order, session.served.key(view, order)), order))


def read_served(session: Session, view: View, paths: Mapping[str, str], post: Post) -> None:
    """Read the columns that the server computes, and those by the JSON paths of the person, where they are due."""
    session.served.read(view, session.seen(), session.now(), paths)
    post(ColumnsRead(view))


def filter_rows(rows: tuple[Row, ...], filter_text: str, faults_only: bool, post: Post) -> None:
    """Apply a filter that was already parsed."""
    began = time.thread_time()
    kept = keep(rows, filter_text, faults_only)
    post(Filtered(rows, filter_text, kept, time.thread_time() - began))


def examine(session: Session, namespace: str, post: Post) -> None:
    """Read what the diagnostics need, run them all, and watch for changes from then on."""
    began = time.thread_time()
    with _progress(post, "running diagnostics"):
        session.load_for_diagnosis(namespace)
        report = session.scan(namespace)
        post(Examined(namespace, report, time.thread_time() - began))
        session.watch(namespace, lambda news: post(Changed(news)))
        post(Aged(session.freshness()))


def travel(
    session: Session,
    moves: Sequence[Move],
    view: View,
    scope: str,
    present: Report | None,
    order: str,
    post: Post,
) -> None:
    """Go to another moment, one move after the other, and compute what the diagnostics find in it, and the rows. The
    screens stay where they are until that is there. present: the last report of the present over the same scope; where
    there is none, the screen has it made."""
    start = there = session.machine.standing
    refusal = ""
    with _progress(post, "going through time"):
        for move in moves:
            try:
                there = move(session.machine, there)
            except UsageProblem as problem:
                refusal = str(problem)
                break
        if there is start:
            post(Travelled(view, scope, there, refusal=refusal))
            return
        report = present if there.past is None else session.scan(scope, there)
        snapshot = session.seen(there)
        rows = view_rows(snapshot, view, report)
        numbers = counts(
            view_rows(snapshot, View(namespace=view.namespace), report) if view.kind == "Finding" else rows
        )
        post(Travelled(view, scope, there, report, session.served.arrange(rows, view, order), numbers, order, refusal))


def tell(
    session: Session,
    row: Row,
    report: Report,
    post: Post,
    *,
    full: bool = False,
    tight: bool = False,
    opened: int = 1,
) -> None:
    """Write the page about a row; see `why_page`."""
    snapshot = session.seen()
    verdict = session.verdict(row.ref, report, row.finding)
    if isinstance(obj := snapshot.get(row.ref), Event):
        page = event_page(obj, snapshot)
    else:
        cause = row.finding or next((one.id for one in verdict.causes), "")
        proof = session.proofs.of(cause, session.now())
        page = why_page(verdict, row, snapshot, session.catalogue, full=full, tight=tight, opened=opened, proof=proof)
    post(Told(row, verdict, page))


def unfold(session: Session, finding: str, report: Report, post: Post) -> None:
    """The tree of the incident with this cause."""
    post(Unfolded(finding, session.tree(finding, report)))


def focus(session: Session, row: Row, post: Post, *, tight: bool = False) -> None:
    """Examine one object by itself, reading what that needs, and write its page in full."""
    tell(session, row, session.focus(row.ref), post, full=True, tight=tight)


def ask_question(session: Session, question: Question, subject: Ref, choices: Choices, post: Post) -> None:
    """Answer a question about an object, without options."""
    post(Asked(session.ask(question, subject, choices)))


def rehearse(session: Session, attempt: TriedChange, report: Report | None, stop: threading.Event, post: Post) -> None:
    """Try a change, until the person no longer waits for it."""
    with suppress(Stopped):
        post(Asked(attempted(session, attempt, report, stop)))


def write_report(session: Session, report: Report, post: Post) -> None:
    """Write the report to the working directory, and say where; or why not."""
    try:
        followed = () if session.is_past else session.proofs.every(session.now())
        files = write_files(report, session.seen(), Path.cwd(), [one for one in followed if one.applied_at is not None])
        written = f"Written: {' and '.join(map(str, files))}"
    except (Problem, OSError) as problem:
        written = f"Not written: {problem}"
    post(ReportWritten(written))


def follow_fix(session: Session, cause: str, fix: Fix, report: Report, post: Post) -> None:
    """A person takes the command of a fix: its incident is followed from now on."""
    snapshot = session.seen()
    session.proofs.copied(cause, fix.summary, changed_objects(fix.command, snapshot), report, snapshot)


def describe_object(session: Session, ref: Ref, known: Callable[[], Report | None], post: Post) -> None:
    """Write the description of an object. known: gives the report of the moment that is shown."""
    report = known()
    obj = session.seen().get(ref)
    if obj is None:
        post(_missing(ref))
        return
    verdict = session.verdict(ref, report) if report else ObjectVerdict(ref)
    post(PageMade(f"Describe {ref.title}", describe(obj, session.seen(), verdict)))


def show_yaml(session: Session, ref: Ref, post: Post) -> None:
    """The object as YAML."""
    from kubedoctor.tui.texts.as_yaml import yaml_page  # not before the first paint: see `LATER`

    post(PageMade(f"YAML {ref.title}", yaml_page(session.raw(ref), session.seen().get(ref), ref)))


def show_users(session: Session, ref: Ref, post: Post) -> None:
    """The objects that use an object."""
    obj = session.seen().get(ref)
    post(_missing(ref) if obj is None else PageMade(f"Used by: {ref.title}", used_by(obj, session.seen())))


def show_tree(session: Session, ref: Ref, known: Callable[[], Report | None], post: Post) -> None:
    """What belongs to an object. known: gives the report of the moment that is shown."""
    snapshot, report = session.seen(), known()
    if snapshot.get(ref) is None:
        post(_missing(ref))
        return
    tree = Belongings(snapshot, marks_of(report, Family(snapshot)).worst).tree(ref)
    post(PageMade(f"Tree {ref.title}", tree_page(tree, ref)))


LATER = (
    "kubedoctor.answers.what_if",
    "kubedoctor.engine.rehearsal",
    "kubedoctor.handbook.report",
    "kubedoctor.tui.logs.log_screen",
    "kubedoctor.tui.texts.as_yaml",
)
"""Modules that only keys need; imported before, the first paint would wait for them."""


def prepare_keys(post: Post) -> None:
    """Import what is behind the keys: the first press would wait for it."""
    for name in LATER:
        import_module(name)
    load_questions()


def open_first(open_session: Callable[[], Session], namespace: str | None, post: Post) -> None:
    """Open the source; a recording is read completely. `namespace` None: all, as without a flag."""
    session = open_session()
    post(Opened(session, namespace or ""))


def switch(session: Session, context: str, then: Show | None, post: Post) -> None:
    """Open another context."""
    with _progress(post, f"opening context {context}"):
        other = session.switch(context)
        post(Switched(other, "", then))


def _missing(ref: Ref) -> PageMade:
    page = Page()
    page.add(f"{ref.title} was not found.")
    return PageMade(ref.title, page)


def close(session: Session, post: Post) -> None:
    """Close the previous session."""
    session.close()
