"""A change tried on a copy of what is shown."""

from __future__ import annotations

import threading

import msgspec

from kubedoctor.cluster import CannotSee, Cluster, NotCollected, Ref, Snapshot
from kubedoctor.engine import Report
from kubedoctor.engine.asking import Answered
from kubedoctor.findings import Fix
from kubedoctor.tui.session import Session


class TriedChange(msgspec.Struct, frozen=True):
    """A line of kubectl, or a short form about the subject. fix: where it is one; target: the id of its cause."""

    line: str
    subject: Ref
    target: str = ""
    fix: Fix | None = None


class Stopped(Exception):  # nothing is wrong
    """The person does not wait for the result."""


def changed_objects(line: str, snapshot: Snapshot) -> tuple[Ref, ...]:
    """The objects that a command changes; none where that is not known."""
    from kubedoctor.answers.what_if import UnreadChange, read_change  # not before the first paint: see `work.LATER`

    try:
        return read_change(line, Cluster(snapshot, lenient=True)).change.objects
    except (UnreadChange, CannotSee, NotCollected):
        return ()


def attempted(session: Session, attempt: TriedChange, report: Report | None, stop: threading.Event) -> Answered:
    """What would become of the incidents. report: what is shown, which a recording need not be examined for again. Raises
    Problem for what cannot be tried, and Stopped."""
    from kubedoctor.engine.rehearsal import rehearsal_sheet, rehearse  # not before the first paint: see `work.LATER`

    def heed() -> None:
        if stop.is_set():
            raise Stopped

    snapshot = session.seen()
    rehearsal = rehearse(
        session.catalogue,
        snapshot,
        session.gather_into(snapshot),
        attempt.line,
        subject=attempt.subject,
        before=None if session.live or report is None or report.suppressed else report,
        heed=heed,
    )
    fix = attempt.fix
    sheet = rehearsal_sheet(rehearsal, attempt.target, proven=fix is not None and fix.verified)
    if fix is not None:
        sheet = msgspec.structs.replace(sheet, title=fix.summary, fixes=(fix,))
    return Answered("what-if", sheet, snapshot.taken_at, snapshot.source, snapshot.requests)
