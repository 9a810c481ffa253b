"""The incidents whose cause somebody changes while the screen is open."""

from __future__ import annotations

import threading
from datetime import datetime

from kubedoctor.cluster import Ref, Snapshot
from kubedoctor.engine import Report
from kubedoctor.engine.over_time import Healing, begun, proceeded
from kubedoctor.engine.over_time.healing import HealingStage, fingerprint, is_accepted

MOST_FOLLOWED = 50
"""Incidents whose objects are compared from one report to the next, the worst first."""


class Proofs:
    """Follows incidents from report to report; called from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_cause: dict[str, Healing] = {}
        self._quiet: dict[str, Healing] = {}

    def of(self, cause: str, now: datetime) -> Healing | None:
        """What is known of the incident with this cause."""
        healing = self._by_cause.get(cause)
        return healing if healing is not None and not healing.is_over(now) else None

    def every(self, now: datetime) -> tuple[Healing, ...]:
        """Those that are shown, in the order in which they began."""
        with self._lock:
            self._by_cause = {id_: one for id_, one in self._by_cause.items() if not one.is_over(now)}
            return tuple(self._by_cause.values())

    @property
    def is_waiting(self) -> bool:
        """Whether a new report may end something, although nothing changes any more."""
        return any(one.progress is HealingStage.VERIFYING for one in list(self._by_cause.values()))

    def copied(self, cause: str, fix: str, objects: tuple[Ref, ...], report: Report, snapshot: Snapshot) -> None:
        """A person takes a fix, to run it elsewhere."""
        incident = next((one for one in report.incidents if cause in (one.cause, *one.alike)), None)
        if incident is not None:
            with self._lock:
                self._by_cause[cause] = begun(incident.seen_from(cause), report, snapshot, objects, fix)

    def examined(self, report: Report, snapshot: Snapshot) -> None:
        """A new report: what it says of those that are followed, and which others somebody has changed."""
        with self._lock:
            changed = {
                id_: one for id_, one in self._quiet.items() if id_ not in self._by_cause and _is_changed(one, snapshot)
            }
            self._by_cause.update(changed)
            self._by_cause = {
                id_: proceeded(one, report, snapshot)
                for id_, one in self._by_cause.items()
                if not is_accepted(one, report, snapshot)
            }
            self._quiet = {
                incident.cause: begun(incident, report, snapshot)
                for incident in report.incidents[:MOST_FOLLOWED]
                if incident.cause not in self._by_cause
            }


def _is_changed(healing: Healing, snapshot: Snapshot) -> bool:
    return any(fingerprint(name, snapshot) != print_ for name, print_ in healing.prints.items())
