"""A rehearsal as a sheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from msgspec.structs import replace

from kubedoctor.answers.sheet import Cell, Conclusion, Fact, Mark, Sheet, SheetRow, Table
from kubedoctor.cluster.grammar.text import counted, listed
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.engine.rehearsal.rehearsed import DELETED, RUNS, STATED, CauseFate, ChangedCause, Rehearsal

MOST_NAMES: Final = 6
MOST_ROWS: Final = 40
PROVEN: Final = "gone, by a replay of its own, once Kubernetes has acted"


def rehearsal_sheet(rehearsal: Rehearsal, target: str = "", *, proven: bool = False) -> Sheet:
    """What becomes of the incidents. target: the id of the cause that the change is meant for. proven: a replay of its own
    has shown that the change ends that cause."""
    meant = rehearsal.cause(target) if target else None
    if meant is not None and meant.fate in (CauseFate.STAYS, CauseFate.OPEN) and (proven or meant.why == STATED):
        meant = replace(meant, fate=CauseFate.OPEN, why=PROVEN if proven else STATED)
        causes = tuple(meant if cause.finding.id == target else cause for cause in rehearsal.causes)
        rehearsal = replace(rehearsal, causes=causes)
    verdict, conclusion = _verdict(rehearsal, meant)
    return Sheet(
        rehearsal.line,
        verdict,
        conclusion,
        facts=tuple(_facts(rehearsal)),
        tables=tuple(_tables(rehearsal)),
        gaps=rehearsal.following.gaps,
        data=_data(rehearsal),
    )


def _verdict(rehearsal: Rehearsal, meant: ChangedCause | None) -> tuple[str, Conclusion]:
    worse = len(rehearsal.of(CauseFate.NEW)) + len(rehearsal.breaks) + len(rehearsal.following.refused)
    gone, recovers = len(rehearsal.of(CauseFate.GONE)), len(rehearsal.of(CauseFate.RECOVERS))
    left = len(rehearsal.of(CauseFate.OPEN)) - (meant is not None and meant.fate is CauseFate.OPEN)
    parts: list[str] = []
    if meant is not None and meant.fate is CauseFate.STAYS:
        parts.append("this incident stays")
    if meant is not None and meant.fate is CauseFate.OPEN:
        parts.append(
            "this incident is gone, by a replay of its own" if meant.why == PROVEN else f"this incident is {meant.why}"
        )
    if gone:
        others = "other " if meant is not None and meant.fate is not CauseFate.GONE else ""
        parts.append(f"{counted(gone, f'{others}incident')} gone")
    if recovers:
        parts.append(f"{counted(recovers, 'incident')} {'follows' if recovers == 1 else 'follow'}")
    if left:
        parts.append(f"{counted(left, 'incident')} {RUNS}")
    if worse:
        parts.append(f"{counted(worse, 'new problem')}")
    elif parts:
        parts.append("nothing breaks")
    verdict = "; ".join(parts) or "no incident changes"
    if worse or (meant is not None and meant.fate is CauseFate.STAYS):
        return verdict, Conclusion.TROUBLE
    if gone or recovers or (meant is not None and meant.why == PROVEN):
        return verdict, Conclusion.WELL
    return verdict, Conclusion.UNKNOWN if rehearsal.of(CauseFate.OPEN) else Conclusion.ACCOUNT


def _facts(rehearsal: Rehearsal) -> Iterator[Fact]:
    following = rehearsal.following
    yield Fact("sent", f"nothing: replayed on the state of {rehearsal.before.taken_at:%Y-%m-%d %H:%M:%S}Z")
    if following.created:
        yield Fact(
            "created", _each(f"{counted(count, 'pod')} of {name.title}" for name, count in following.created if count)
        )
    if following.placed:
        yield Fact("placed", _each(f"{name.title} on {node}" for name, node in following.placed))
    restarts = _each(f"{counted(count, 'pod')} of {name.title}" for name, count in following.restarts)
    yield Fact("restarts", restarts or "no running pod")
    for clause in (*rehearsal.breaks, *following.refused):
        yield Fact("breaks", clause)
    for sentence in following.unplaced:
        yield Fact("not placed", sentence)
    if not (rehearsal.breaks or following.refused or rehearsal.of(CauseFate.NEW)):
        yield Fact("breaks", "nothing that was healthy")
    if following.restarts or following.created:
        names = dict.fromkeys(name.title for name, _ in (*following.restarts, *following.created))
        yield Fact("not known", f"whether the new pods of {_each(names)} start and become ready")
    if stays := rehearsal.of(CauseFate.STAYS):
        titles = _each(dict.fromkeys(cause.finding.about.title for cause in stays))
        yield Fact("stays", f"{counted(len(stays), 'incident')}: {titles}")


def _each(texts: Iterable[str]) -> str:
    return listed(list(texts), MOST_NAMES)


def _tables(rehearsal: Rehearsal) -> Iterator[Table]:
    rows = [_row(cause) for cause in rehearsal.causes if cause.fate is not CauseFate.STAYS]
    if rows:
        yield Table(("object", "then", "incident"), tuple(rows[:MOST_ROWS]), "what changes")


def _row(cause: ChangedCause) -> SheetRow:
    mark, then, why = _THEN[cause.fate]
    if cause.why == PROVEN:
        mark, then = Mark.YES, "gone"
    if cause.why == DELETED:
        then = DELETED
    elif cause.why:
        why = f"; {why}{cause.why}"
    summary = cause.finding.summary
    return SheetRow((Cell(cause.finding.about.title, mark), Cell(then), Cell(f"{summary}{why}")), cause.finding.about)


_THEN: Final = {
    CauseFate.GONE: (Mark.YES, "gone", ""),
    CauseFate.RECOVERS: (Mark.UNKNOWN, "follows", "it follows from "),
    CauseFate.OPEN: (Mark.UNKNOWN, "open", ""),
    CauseFate.NEW: (Mark.NO, "new", ""),
}
"""The mark, the word, and what stands before the reason."""


def _data(rehearsal: Rehearsal) -> dict[str, Any]:
    following = rehearsal.following
    return {
        "change": list(rehearsal.intended.change.objects),
        **{fate.value: [_cause(cause) for cause in rehearsal.of(fate)] for fate in CauseFate},
        "breaks": [*rehearsal.breaks, *following.refused],
        "restarts": [_pods(name, count) for name, count in following.restarts],
        "created": [_pods(name, count) for name, count in following.created],
        "placed": [{"pod": name, "node": node} for name, node in following.placed],
    }


def _pods(name: Ref, count: int) -> dict[str, Any]:
    return {"workload": name, "pods": count}


def _cause(cause: ChangedCause) -> dict[str, Any]:
    finding = cause.finding
    data = {"id": finding.id, "code": finding.code, "about": finding.about, "summary": finding.summary}
    return {**data, **({"why": cause.why} if cause.why else {})}
