"""Whether an incident is over after its cause was changed: verifying, healed, or what is still wrong.

Somebody changes an object that the cause is about, or that a fix changes. From then on each report decides: the cause is
still found, another one has taken its place, some that suffered still have trouble, or none has, and that stays so for a while.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from kubedoctor.cluster.grammar.durations import human_duration
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.engine.over_time.comparison import lasting
from kubedoctor.engine.report import Incident, Report, ReportedFinding

HOLDS: Final = timedelta(seconds=5)
"""How long all must be well: a program that crashes soon is ready at first."""
PATIENCE: Final = timedelta(seconds=60)
"""After this time what is still wrong is said; it may heal later all the same."""
SHOWN: Final = timedelta(seconds=60)
"""How long a healed incident is still shown."""
FOLLOWED: Final = timedelta(minutes=30)
"""Whoever has copied a fix and does nothing with it for so long has other plans."""
_ANNOTATED: Final = frozenset({"StorageClass", "IngressClass", "Namespace", "Service", "ServiceAccount"})
"""The kinds whose annotations people write; those of others change all the time by programs."""


class HealingStage(enum.Enum):
    """copied: nothing was changed yet. verifying: it was, and the result is open. healed: all are well. replaced: the cause
    is gone, another one is found. persists: it is still wrong after some time."""

    COPIED = "copied"
    VERIFYING = "verifying"
    HEALED = "healed"
    REPLACED = "replaced"
    PERSISTS = "persists"


class Healing(msgspec.Struct, frozen=True):
    """One incident on its way. fix: its sentence, empty where somebody changed the object without one. prints: what the
    objects that it changes were like. sufferers: the workloads and other objects of the incident, by the name that lasts.
    says: what is still wrong. well: how many of the sufferers are."""

    cause: ReportedFinding
    begun_at: datetime
    prints: Mapping[Ref, bytes | None]
    sufferers: frozenset[Ref]
    fix: str = ""
    progress: HealingStage = HealingStage.COPIED
    applied_at: datetime | None = None
    well_since: datetime | None = None
    ended_at: datetime | None = None
    well: int = 0
    says: str = ""

    @property
    def words(self) -> str:
        """`verifying, 3 of 5 well`, `healed after 40s`."""
        match self.progress:
            case HealingStage.COPIED:
                return "fix copied, nothing changed yet"
            case HealingStage.VERIFYING:
                count = len(self.sufferers)
                return f"verifying, {self.well} of {count} well" if count > 1 else "verifying"
            case HealingStage.HEALED:
                return f"healed {self._when}"
            case HealingStage.REPLACED:
                return f"not healed, the cause is another now: {self.says}"
        return f"not healed after {self.took}: {self.says}"

    @property
    def _when(self) -> str:
        """`after 40s`; at once where the first look after the change already found all well."""
        return "at once" if self.ended_at == self.applied_at else f"after {self.took}"

    @property
    def is_healed(self) -> bool:
        """Whether all are well, and stay so."""
        return self.progress is HealingStage.HEALED

    @property
    def took(self) -> str:
        """The time from the change to the end, or to the last look."""
        ended = self.ended_at or self.well_since or self.begun_at
        return human_duration(max(ended - (self.applied_at or self.begun_at), timedelta()))

    def is_over(self, now: datetime) -> bool:
        """Whether it need not be shown any more."""
        if self.progress is HealingStage.COPIED:
            return now - self.begun_at > FOLLOWED
        return self.progress is HealingStage.HEALED and self.ended_at is not None and now - self.ended_at > SHOWN


def begun(
    incident: Incident, report: Report, snapshot: Snapshot, objects: Iterable[Ref] = (), fix: str = ""
) -> Healing:
    """Follow an incident from now on. objects: what the fix changes, beside what the cause is about."""
    family = Family(snapshot)
    cause = report.finding(incident.cause)
    names = dict.fromkeys((cause.about, *objects, *(fix.changes for fix in cause.fixes if fix.changes is not None)))
    return Healing(
        cause,
        report.taken_at,
        {name: fingerprint(name, snapshot) for name in names},
        frozenset(_concerned(incident, report, family)),
        fix,
    )


def proceeded(healing: Healing, report: Report, snapshot: Snapshot) -> Healing:
    """What a later report says of it."""
    now = report.taken_at
    if healing.progress is HealingStage.HEALED:
        return healing
    if healing.applied_at is None:
        changed = any(fingerprint(name, snapshot) != print_ for name, print_ in healing.prints.items())
        if not changed and _same(healing, report, Family(snapshot)) is not None:
            return healing
        healing = replace(healing, applied_at=now, progress=HealingStage.VERIFYING)
    return _judged(healing, report, Family(snapshot), now)


def _judged(healing: Healing, report: Report, family: Family, now: datetime) -> Healing:
    assert healing.applied_at is not None  # by the caller
    late = now - healing.applied_at >= PATIENCE
    trouble = dict(_trouble(report, family))
    unwell = [name for name in sorted(healing.sufferers) if name in trouble]
    healing = replace(healing, well=len(healing.sufferers) - len(unwell), begun_at=healing.begun_at)
    same = _same(healing, report, family)
    if same is not None:
        progress = HealingStage.PERSISTS if late else HealingStage.VERIFYING
        return replace(healing, progress=progress, says=same.summary, well_since=None, ended_at=now if late else None)
    about = lasting(healing.cause.about, family)
    other = next((text for name in (about, *unwell) if (text := trouble.get(name, ("", ""))[1])), "")
    if other:
        return replace(healing, progress=HealingStage.REPLACED, says=other, well_since=None, ended_at=now)
    waiting = next((trouble[name][0] for name in (about, *unwell) if name in trouble), "")
    if waiting:
        progress = HealingStage.PERSISTS if late else HealingStage.VERIFYING
        return replace(healing, progress=progress, says=waiting, well_since=None, ended_at=now if late else None)
    since = healing.well_since or now
    if now - since < HOLDS:
        return replace(healing, progress=HealingStage.VERIFYING, well_since=since, ended_at=None)
    return replace(healing, progress=HealingStage.HEALED, well_since=since, ended_at=since)


def is_accepted(healing: Healing, report: Report, snapshot: Snapshot) -> bool:
    """Whether the cause is still there and suppressed by now: that is neither healed nor an incident."""
    suppressed = (entry.finding for entry in report.suppressed)
    return _among(suppressed, healing, Family(snapshot)) is not None


def _same(healing: Healing, report: Report, family: Family) -> ReportedFinding | None:
    """The finding of the cause, where it is still there."""
    return _among(report.findings, healing, family)


def _among(findings: Iterable[ReportedFinding], healing: Healing, family: Family) -> ReportedFinding | None:
    key = (healing.cause.code, lasting(healing.cause.about, family), healing.cause.aspect)
    return next((one for one in findings if (one.code, lasting(one.about, family), one.aspect) == key), None)


def _trouble(report: Report, family: Family) -> Iterator[tuple[Ref, tuple[str, str]]]:
    """What has trouble: why in a sentence, and the same once more where it is a finding that counts."""
    for entry in (*report.not_ready, *report.unexplained):
        yield lasting(entry.about, family), (f"{entry.about.title} {entry.says}", "")
    for incident in report.incidents:
        for id_ in (*incident.consequences, *incident.alike, incident.cause):
            finding = report.finding(id_)
            sentence = f"{finding.about.title}: {finding.summary}"
            for name in (*finding.affects, finding.about):
                yield lasting(name, family), (sentence, sentence)


def _concerned(incident: Incident, report: Report, family: Family) -> Iterator[Ref]:
    for finding in map(report.finding, incident.members):
        for name in (finding.about, *finding.affects):
            yield lasting(name, family)


def fingerprint(name: Ref, snapshot: Snapshot) -> bytes | None:
    """What people and their tools set in an object, without what controllers write; None where it does not exist."""
    obj = snapshot.get(name)
    if obj is None:
        return None
    fields: dict[str, Any] = {
        field: getattr(obj, field) for field in obj.__struct_fields__ if field not in ("metadata", "status", "kind")
    }
    metadata = obj.metadata
    fields["labels"], fields["deleted"] = metadata.labels, metadata.deletion_timestamp is not None
    fields["finalizers"] = metadata.finalizers
    if name.kind in _ANNOTATED:
        fields["annotations"] = metadata.annotations
    return msgspec.json.encode(fields, order="deterministic")
