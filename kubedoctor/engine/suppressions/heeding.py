"""What is suppressed taken out of a report, by what settings and the cluster's annotations say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Final, Protocol

from msgspec.structs import replace

from kubedoctor.cluster.kinds.resources import ResourceKind
from kubedoctor.cluster.seen.snapshot import UNKNOWN_TIME, Snapshot
from kubedoctor.engine.catalogue import Catalogue
from kubedoctor.engine.examination import Gather
from kubedoctor.engine.report import Report
from kubedoctor.engine.suppressions.applying import places_unread, without_suppressed
from kubedoctor.engine.suppressions.writing import WrittenSuppressions, written_in_file

_MOST_ROUNDS: Final = 3
"""A pod, its ReplicaSet, its Deployment."""


class WrittenSettings(Protocol):
    """A file that was read: its name, empty without one; its content as plain data; why it cannot be used."""

    @property
    def name(self) -> str: ...
    @property
    def data(self) -> Any: ...
    @property
    def problem(self) -> str: ...


def heed_suppressions(
    report: Report,
    snapshot: Snapshot,
    gather: Gather,
    catalogue: Catalogue,
    settings: WrittenSettings,
    today: Callable[[], date],
    extensions: Callable[[], Sequence[ResourceKind] | None],
) -> Report:
    """The report without what is suppressed on its day. today: for a report that does not tell when it was taken."""
    if not (report.findings or report.on_it or settings.name):
        return report
    day = report.taken_at.date() if report.taken_at != UNKNOWN_TIME else today()
    for _ in range(_MOST_ROUNDS):
        wants = places_unread(report, snapshot)
        if not wants:
            break
        gather(frozenset(wants))
        report = replace(report, requests=snapshot.requests)
    if settings.problem:
        written = WrittenSuppressions(refused=(f"{settings.name}: {settings.problem}, so nothing is suppressed by it",))
    else:
        written = written_in_file(settings.data, settings.name, catalogue, day, extensions)
    return without_suppressed(report, written, snapshot, catalogue, day)
