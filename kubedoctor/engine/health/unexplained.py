"""Objects whose own status reports trouble that no finding explains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.engine.health.trouble import Trouble, stated_trouble
from kubedoctor.engine.report import ReportedFinding, Unexplained
from kubedoctor.findings import Severity

_CONDITIONS = "status.conditions["


def unexplained(
    objects: Iterable[KubernetesObject],
    findings: Sequence[ReportedFinding],
    snapshot: Snapshot,
    subject: Ref | None,
) -> tuple[Unexplained, ...]:
    """The objects whose trouble no finding explains, the subject first. A notice explains only the condition that it
    quotes."""
    troubled = [(obj, trouble) for obj in objects if (trouble := _trouble(obj, snapshot, subject)) is not None]
    if not troubled:
        return ()
    family = Family(snapshot)
    quoted = {(fact.object, _condition(fact.path)) for finding in findings for fact in finding.evidence}
    # A finding that quotes one condition of an object explains the others too, because one of them sums them up.
    blamed = {
        fact.object
        for finding in findings
        for fact in finding.evidence
        if finding.severity is not Severity.NOTICE and fact.path.startswith(_CONDITIONS)
    }
    touched = {
        name
        for finding in findings
        if finding.severity is not Severity.NOTICE
        for name in (finding.about, *finding.affects)
    }
    families = {family.top(name) for name in touched}
    by_name = {
        name: Unexplained(name, trouble.says, trouble.evidence)
        for obj, trouble in troubled
        if not (
            (name := ref(obj)) in touched
            or all((name, _condition(fact.path)) in quoted for fact in trouble.evidence)
            or _on_a_broken_node(obj, touched)
            # The cause of failing pods does not explain a pod that is not deleted.
            or (not trouble.deletion and (name in blamed or family.top(name) in families))
        )
    }
    if subject is None:  # In a scan a workload stands for its pods.
        ending = {ref(obj) for obj, trouble in troubled if trouble.deletion}
        by_name = {
            name: item
            for name, item in by_name.items()
            if name in ending or (top := family.top(name)) == name or top not in by_name
        }
    return tuple(by_name[name] for name in sorted(by_name, key=lambda name: (name != subject, name)))


def _condition(path: str) -> str:
    """The condition that a path is about; the path itself, if none."""
    return path.partition("]")[0] if path.startswith(_CONDITIONS) else path


def _trouble(obj: KubernetesObject, snapshot: Snapshot, subject: Ref | None) -> Trouble | None:
    return stated_trouble(obj, snapshot, alone=subject is not None and ref(obj) == subject)


def _on_a_broken_node(obj: KubernetesObject, touched: set[Ref]) -> bool:
    return isinstance(obj, Pod) and Ref("Node", "", obj.spec.node_name) in touched
