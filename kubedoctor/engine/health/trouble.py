"""Trouble that an object's own status reports: a deletion that does not end, or a condition that upstream calls bad.

Nothing is concluded here: a report must not call healthy an object whose status reports trouble.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from kubedoctor.cluster.grammar.durations import human_duration
from kubedoctor.cluster.grammar.text import listed
from kubedoctor.cluster.kinds.meta import CustomResource, KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, kind_name
from kubedoctor.cluster.kinds.storage import PersistentVolumeClaim
from kubedoctor.cluster.relations.claims import mounts
from kubedoctor.cluster.relations.workloads import LONGEST_CHAIN
from kubedoctor.cluster.seen.quoting import Evidence, has_path, quote
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.triage import ended_at, finished, ready
from kubedoctor.engine.health.shortfall import shortfall
from kubedoctor.findings.deletions import finalizers_in_words
from kubedoctor.replay.deletion.overdue import patience
from kubedoctor.replay.deletion.pods import kept_until
from kubedoctor.replay.gateway.attachment import is_unused_class
from kubedoctor.replay.status.conditions import ROLLOUT, bad_phase, lasting_conditions
from kubedoctor.replay.status.extensions import LATELY, bad_states, is_past
from kubedoctor.replay.status.stated import stated_conditions, suspended
from kubedoctor.replay.status.vocabulary import SOON

MOST_CLAUSES = 3
"""Further conditions of an object follow from the first ones."""

_WHY_NOT_GONE = (
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure",
    "NamespaceFinalizersRemaining",
    "NamespaceContentRemaining",
    "Terminating",
)
"""Conditions that show what a Namespace or a CustomResourceDefinition waits for, the most specific first."""


class Trouble(msgspec.Struct, frozen=True):
    """Trouble in an object's status, as a clause without its name. `deletion`: it should be deleted already."""

    says: str
    evidence: tuple[Evidence, ...]
    deletion: bool = False


def stated_trouble(obj: KubernetesObject, snapshot: Snapshot, *, alone: bool) -> Trouble | None:
    """The trouble that the object's status reports, if any. `alone`: it was requested by name."""
    if obj.metadata.deletion_timestamp is not None:
        return _overdue(obj, obj.metadata.deletion_timestamp, snapshot)
    if isinstance(obj, CustomResource):
        unasked = not alone and (is_past(obj, snapshot) or is_unused_class(obj, snapshot))
        return None if unasked else _of_an_extension(obj, snapshot.taken_at, alone=alone)
    if isinstance(obj, Pod):
        if ready(obj):
            return None
        alone = alone or _failed_for_good(obj, snapshot.taken_at)
        if finished(obj) and not alone:
            return None
    clauses: list[str] = []
    evidence: list[Evidence] = []
    status, phase = getattr(obj, "status", None), bad_phase(obj)
    if phase is not None and (alone or not phase.alone):
        clauses.append(f"phase is {phase.phase}")
        fields = [name for name in ("phase", "reason", "message") if getattr(status, name, "")]
        evidence += [quote(obj, f"status.{name}") for name in fields]
    if not (isinstance(obj, Pod) and finished(obj)):
        for clause, quoted in _lasting(obj, snapshot.taken_at, alone=alone):
            clauses.append(clause)
            evidence += quoted
    if not clauses and isinstance(obj, Pod):
        return _unnoticed(obj, snapshot.taken_at)
    if not clauses and (short := shortfall(obj, snapshot)) is not None:
        return Trouble(*short)
    return Trouble("; ".join(clauses), tuple(evidence)) if clauses else None


def _of_an_extension(obj: CustomResource, now: datetime, *, alone: bool) -> Trouble | None:
    """What its conditions and its states say; a state whose sentence a condition has already is not repeated."""
    clauses: list[str] = []
    evidence: list[Evidence] = []
    for clause, quoted in _lasting(obj, now, alone=alone):
        if len(clauses) < MOST_CLAUSES:
            clauses.append(clause)
            evidence += quoted
    for state in () if suspended(obj) else bad_states(obj, now):
        quoted = [quote(obj, path) for path in dict.fromkeys((state.path, *state.explained))]
        known = {fact.text for fact in evidence}
        if len(clauses) < MOST_CLAUSES and not (clauses and quoted[-1].text in known):
            clauses.append(f"{state.field} is {state.word}" if state.word else f"an error is reported ({state.field})")
            evidence += quoted
    return Trouble("; ".join(clauses), tuple(evidence)) if clauses else None


def _failed_for_good(pod: Pod, now: datetime) -> bool:
    """Failed recently, or at an unknown time, and no owner replaces it."""
    ended = ended_at(pod)
    recent = ended is None or now - ended <= LATELY
    return pod.status.phase == "Failed" and not pod.metadata.owner_references and recent


def _unnoticed(pod: Pod, now: datetime) -> Trouble | None:
    """A pod that neither a scheduler nor a kubelet has reported on."""
    created = pod.metadata.creation_timestamp
    if pod.status.conditions or pod.status.phase != "Pending" or created is None or now - created < ROLLOUT:
        return None
    clause = f"phase is Pending for {human_duration(now - created)}, and no scheduler or kubelet has handled the pod"
    return Trouble(clause, (quote(pod, "status.phase"), quote(pod, "metadata.creationTimestamp")))


def _lasting(obj: KubernetesObject, now: datetime, *, alone: bool) -> Iterator[tuple[str, list[Evidence]]]:
    """The bad conditions that have lasted longer than ordinary operation explains."""
    for row, stated, since in lasting_conditions(obj, now):
        if row.alone and not alone:
            continue
        age = f" for {human_duration(now - since)}" if since is not None else ""
        place = f"{stated.place}: " if stated.place else ""
        is_so = f"{row.type} is {stated.status}" if stated.status else row.type
        reason = f": {stated.reason}" if stated.reason else ""
        earlier = " (of an earlier spec)" if stated.earlier else ""
        path = stated.path
        quoted = [quote(obj, f"{path}.{'status' if stated.status else 'type'}", stated.reason)]
        if has_path(obj, f"{path}.message"):
            quoted.append(quote(obj, f"{path}.message"))
        yield f"{place}{is_so}{age}{reason}{earlier}", quoted


def _overdue(obj: KubernetesObject, due: datetime, snapshot: Snapshot) -> Trouble | None:
    """A deletionTimestamp is the moment when the grace period ends (`apimachinery/pkg/apis/meta/v1`, v1.37)."""
    finalizers = obj.metadata.finalizers or ()
    end = kept_until(obj) if isinstance(obj, Pod) else None
    late = snapshot.taken_at - (end or due)
    if late <= patience(obj) or _others_have_grace(obj, snapshot):
        return None
    evidence = [quote(obj, "metadata.deletionTimestamp", "end of the grace period")]
    clause = f"deletion is overdue by {human_duration(late)}"
    if finalizers:
        clause += f"; blocked by {finalizers_in_words(obj)}"
        evidence.append(quote(obj, "metadata.finalizers"))
        if isinstance(obj, PersistentVolumeClaim) and (users := _users(obj, snapshot)):
            clause += f"; mounted by {listed((pod.metadata.name for pod in users), 3)}"
    elif isinstance(obj, Pod) and obj.spec.node_name:
        clause += f"; no finalizer blocks it: the kubelet of node {obj.spec.node_name} has not confirmed that the containers stopped"
        evidence.append(quote(obj, "spec.nodeName"))
    conditions = stated_conditions(obj)
    why = [
        quote(obj, path, conditions[kind].reason)
        for kind in _WHY_NOT_GONE
        if kind in conditions and conditions[kind].status == "True"
        if has_path(obj, path := f"status.conditions[type={kind}].message")
    ]
    if why and not finalizers:
        clause += f": {why[0].text}"
    return Trouble(clause, (*evidence, *why), deletion=True)


def _others_have_grace(obj: KubernetesObject, snapshot: Snapshot) -> bool:
    """Whether it waits for pods that are themselves still ending in time."""
    kind, name = kind_name(obj), obj.metadata.name
    if kind == "Namespace":
        pods = snapshot.of_kind("Pod", name)
    elif "foregroundDeletion" in (obj.metadata.finalizers or ()):
        pods = tuple(_owned_pods(Ref(kind, obj.metadata.namespace, name), snapshot))
    elif isinstance(obj, PersistentVolumeClaim):
        pods = _users(obj, snapshot)
    else:
        return False
    ends = [pod.metadata.deletion_timestamp for pod in pods]
    return any(end is not None and snapshot.taken_at - end <= SOON for end in ends)


def _users(claim: PersistentVolumeClaim, snapshot: Snapshot) -> tuple[KubernetesObject, ...]:
    return tuple(
        pod for pod in snapshot.of_kind("Pod", claim.metadata.namespace) if isinstance(pod, Pod) and mounts(pod, claim)
    )


def _owned_pods(owner: Ref, snapshot: Snapshot, depth: int = LONGEST_CHAIN) -> Iterator[KubernetesObject]:
    key = (owner.kind, owner.namespace, owner.name)
    yield from snapshot.index("Pod", "owner").get(key, ())
    for kind in ("ReplicaSet", "Job") if depth else ():
        for child in snapshot.index(kind, "owner").get(key, ()):
            yield from _owned_pods(Ref(kind, owner.namespace, child.metadata.name), snapshot, depth - 1)
