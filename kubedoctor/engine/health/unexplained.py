"""What findings leave open: objects that report trouble, in their status or by events, and workloads not ready."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from kubedoctor.cluster.kinds.meta import CustomResource, KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, custom_kind_name, ref
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.triage import unsettled
from kubedoctor.engine.health.not_ready import not_ready
from kubedoctor.engine.health.trouble import Trouble, stated_trouble
from kubedoctor.engine.health.warnings import said_by_events, unseen_objects, warnings_about
from kubedoctor.engine.report import ReportedFinding, Unexplained
from kubedoctor.findings import Severity

_CONDITIONS = "status.conditions["


class Left(msgspec.Struct, frozen=True):
    """What findings leave open: objects that report trouble, and workloads that are not ready. The subject first."""

    unexplained: tuple[Unexplained, ...]
    not_ready: tuple[Unexplained, ...]


def left_open(
    objects: Sequence[KubernetesObject],
    findings: Sequence[ReportedFinding],
    snapshot: Snapshot,
    subject: Ref | None,
    unseen: Iterable[tuple[Ref, Trouble]] = (),
) -> Left:
    """The objects whose trouble no finding explains. A notice explains only the condition that it quotes. `unseen`: the
    trouble of objects that were not read."""
    objects = [obj for obj in objects if not (isinstance(obj, Pod) and not unsettled(obj))]  # most are healthy pods
    troubled = {ref(obj): trouble for obj in objects if (trouble := _trouble(obj, snapshot, subject)) is not None}
    troubled |= dict(unseen)
    family = Family(snapshot)
    touched = {
        name
        for finding in findings
        if finding.severity is not Severity.NOTICE
        for name in (finding.about, *finding.affects)
    }
    families = {family.top(name) for name in touched} | _custom_owners(
        {
            name
            for finding in findings
            if finding.severity is Severity.CRITICAL
            for name in (finding.about, *finding.affects)
        },
        snapshot,
    )
    open_ = _unexplained(troubled, findings, family, touched, families)
    explained = touched | families | set(open_) | {family.top(name) for name in open_}
    explained |= {name for finding in findings for name in (finding.about, *finding.affects)}  # meant to be as it is
    speakers = {name: name for name in open_}
    if subject is None:  # In a scan a workload stands for its pods.
        tops = {name: family.top(name) for name, trouble in open_.items() if not trouble.deletion}
        speakers |= {name: top for name, top in tops.items() if top in open_}
    spoken = tuple(
        _with_events(name, open_[name], [member for member in speakers if speakers[member] == name], snapshot)
        for name in _first(subject, set(speakers.values()))
    )
    waiting = {workload.about: workload for workload in not_ready(objects, family, explained)}
    return Left(
        spoken,
        tuple(
            _with_events(name, Trouble(waiting[name].says, ()), (name, *waiting[name].pods), snapshot)
            for name in _first(subject, waiting)
        ),
    )


def _custom_owners(names: Iterable[Ref], snapshot: Snapshot) -> set[Ref]:
    """The custom resources that own these objects, which their operators do not always mark as controller: their status
    sums up what fails below them."""
    owners: set[Ref] = set()
    waiting = list(names)
    while waiting:
        obj = snapshot.get(waiting.pop())
        for owner in (obj.metadata.owner_references or ()) if obj is not None else ():
            group = owner.api_version.partition("/")[0] if "/" in owner.api_version else ""
            for kind in (owner.kind, custom_kind_name(owner.kind, group)):
                name = Ref(kind, obj.namespace if obj is not None else "", owner.name)
                if name not in owners and snapshot.get(name) is not None:
                    owners.add(name)
                    waiting.append(name)
    return {name for name in owners if isinstance(snapshot.get(name), CustomResource)}


def _first(subject: Ref | None, names: Iterable[Ref]) -> list[Ref]:
    return sorted(names, key=lambda name: (name != subject, name))


def _unexplained(
    troubled: Mapping[Ref, Trouble],
    findings: Sequence[ReportedFinding],
    family: Family,
    touched: set[Ref],
    families: set[Ref],
) -> dict[Ref, Trouble]:
    quoted = {(fact.object, _condition(fact.path)) for finding in findings for fact in finding.evidence}
    # A finding that quotes one condition of an object explains the others too, because one of them sums them up.
    blamed = {
        fact.object
        for finding in findings
        for fact in finding.evidence
        if finding.severity is not Severity.NOTICE and fact.path.startswith(_CONDITIONS)
    }
    return {
        name: trouble
        for name, trouble in troubled.items()
        if not (
            name in touched
            or all((fact.object, _condition(fact.path)) in quoted for fact in trouble.evidence)
            or _on_a_broken_node(family.snapshot.get(name), touched)
            # The cause of failing pods does not explain a pod that is not deleted.
            or (not trouble.deletion and (name in blamed or family.top(name) in families))
        )
    }


def _with_events(name: Ref, trouble: Trouble, members: Sequence[Ref], snapshot: Snapshot) -> Unexplained:
    """The trouble of an object, with the newest Warning events about it and those that it stands for."""
    quoted = {fact.object for fact in trouble.evidence}
    events = tuple(fact for fact in warnings_about(members, snapshot) if fact.object not in quoted)
    return Unexplained(name, trouble.says, (*trouble.evidence, *events))


def unseen_trouble(snapshot: Snapshot, namespace: str = "") -> Iterator[tuple[Ref, Trouble]]:
    """The trouble of objects that were not read, of a namespace or of all, of which only events tell."""
    for name, clause, evidence in unseen_objects(snapshot):
        if namespace in ("", name.namespace):
            yield name, Trouble(clause, evidence)


def _condition(path: str) -> str:
    """The condition that a path is about; the path itself, if none."""
    return path.partition("]")[0] if path.startswith(_CONDITIONS) else path


def _trouble(obj: KubernetesObject, snapshot: Snapshot, subject: Ref | None) -> Trouble | None:
    stated = stated_trouble(obj, snapshot, alone=subject is not None and ref(obj) == subject)
    if stated is None and obj.metadata.deletion_timestamp is None and (said := said_by_events(obj, snapshot)):
        return Trouble(*said)
    return stated


def _on_a_broken_node(obj: KubernetesObject | None, touched: set[Ref]) -> bool:
    return isinstance(obj, Pod) and Ref("Node", "", obj.spec.node_name) in touched
