"""Running one check on one object."""

from __future__ import annotations

from typing import Any

import msgspec

from kubedoctor.cluster.grammar.credentials import without_credentials
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.seen.wants import CannotSee, Gap, NotCollected
from kubedoctor.engine.report import NotChecked
from kubedoctor.findings import Diagnostic, Finding


class Results(msgspec.Struct):
    """The results of the checks, before sorting."""

    found: list[tuple[Diagnostic[Any], Finding, frozenset[Gap]]] = []
    not_checked: set[NotChecked] = msgspec.field(default_factory=set)
    run: set[str] = msgspec.field(default_factory=set)
    seen: list[KubernetesObject] = []

    def add(self, other: Results) -> None:
        """Add other results."""
        self.found += other.found
        self.not_checked |= other.not_checked
        self.run |= other.run
        self.seen += other.seen


def may_apply(diagnostic: Diagnostic[Any], obj: KubernetesObject) -> bool:
    """Whether the predicate selects an object; where it raises, so that the check says what is wrong."""
    try:
        return diagnostic.when is None or diagnostic.when(obj)
    except Exception:  # noqa: BLE001  # its module may not be importable any more
        return True


def is_among(diagnostic: Diagnostic[Any], obj: KubernetesObject, snapshot: Snapshot) -> bool:
    """Whether a scan would examine the object; where that is not known yet, it is."""
    try:
        return diagnostic.among is None or diagnostic.among(Cluster(snapshot))(obj)
    except Exception:  # noqa: BLE001  # the check says what is missing or wrong
        return True


def run_check(diagnostic: Diagnostic[Any], obj: KubernetesObject, cluster: Cluster, results: Results) -> None:
    """Run one check on an object that its predicate selects. NotCollected is passed on; any other exception becomes
    *not checked*."""
    try:
        findings = list(diagnostic.check(obj, cluster))
    except NotCollected:
        raise
    except CannotSee as blind:
        results.not_checked.add(NotChecked(diagnostic.id, ref(obj), f"{blind.kind}: {blind.why}"))
        return
    except Exception as error:  # noqa: BLE001  # a check that raises must not break the other checks
        import traceback  # seldom needed

        why = without_credentials(f"the check failed: {type(error).__name__}: {error}")
        results.not_checked.add(NotChecked(diagnostic.id, ref(obj), why, without_credentials(traceback.format_exc())))
        return
    if not (findings or cluster.gaps):
        return
    gaps = frozenset(cluster.gaps)
    if not findings:
        # The missing objects might have shown a problem; no finding would wrongly mean that the check found nothing.
        results.not_checked |= {NotChecked(diagnostic.id, ref(obj), str(gap)) for gap in gaps}
    results.found.extend((diagnostic, affecting(finding, (ref(obj),)), gaps) for finding in findings)


def affecting(finding: Finding, subjects: tuple[Ref, ...]) -> Finding:
    """Add the examined objects to those that a finding about another object affects."""
    already = {finding.about, *finding.affects}
    further = tuple(subject for subject in subjects if subject not in already)
    return msgspec.structs.replace(finding, affects=(*finding.affects, *further)) if further else finding
