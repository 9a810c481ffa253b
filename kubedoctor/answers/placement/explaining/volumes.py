"""Claims and volumes: what storage shows beyond the scheduler's reasons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubedoctor.answers.placement.explaining.case import Case, Explanation, names, some
from kubedoctor.answers.placement.explaining.gone_nodes import gone, gone_text, named_by
from kubedoctor.answers.rollouts.strategy import recreate_fix
from kubedoctor.cluster import (
    Deployment,
    PersistentVolume,
    PersistentVolumeClaim,
    Ref,
    StatefulSet,
    StorageClass,
    has_path,
    quote,
    ref,
)
from kubedoctor.cluster.changes import scale
from kubedoctor.cluster.grammar.selectors import node_selector_of
from kubedoctor.cluster.kinds.affinity import NodeSelectorTerm
from kubedoctor.cluster.relations.claims import claim_names, pods_mounting
from kubedoctor.cluster.relations.workloads import workload_of
from kubedoctor.findings import Effect, Evidence, Fix
from kubedoctor.findings.commands import command_line
from kubedoctor.replay.scheduler.framework import Reason
from kubedoctor.replay.scheduler.plugins.volume_binding import CLAIM_NOT_YET_MADE
from kubedoctor.replay.scheduler.plugins.volume_binding.filter import in_allowed_topology
from kubedoctor.replay.storage.matching import class_of


def claims(case: Case) -> tuple[PersistentVolumeClaim, ...]:
    """The claims of the pod that exist."""
    existing = (
        case.cluster.maybe.get(PersistentVolumeClaim, case.pod.namespace, name) for name in claim_names(case.pod)
    )
    return tuple(claim for claim in existing if claim is not None)


def unbound(case: Case, reason: Reason) -> Explanation:
    """No volume for a claim: the claim's own diagnostic says why."""
    waiting = [claim for claim in claims(case) if claim.status.phase != "Bound"]
    claim_names_text = names(claim.name for claim in waiting)
    if not claim_names_text:
        text = f"{reason.count} {reason.text}" if reason.count else reason.text
    elif reason.count:
        text = f"{some(reason.count, 'has', 'have')} no volume for claim {claim_names_text}"
    else:
        text = f"claim {claim_names_text} is not bound to a volume yet"
    evidence = tuple(quote(c, "status.phase", "not bound") for c in waiting if has_path(c, "status.phase"))
    for claim in waiting if reason.count else ():
        words, places = _provisioned_elsewhere(case, claim)
        text, evidence = text + words, (*evidence, *places)
    return Explanation(text, evidence, blames=tuple(ref(claim) for claim in waiting))


def _provisioned_elsewhere(case: Case, claim: PersistentVolumeClaim) -> tuple[str, tuple[Evidence, ...]]:
    """That the class of a claim provisions volumes in other places than the nodes are in."""
    name, path = class_of(claim), "allowedTopologies"
    storage_class = case.cluster.maybe.get(StorageClass, "", name) if name else None
    terms = storage_class.allowed_topologies if storage_class is not None else None
    if storage_class is None or not terms or any(in_allowed_topology(terms, node.labels) for node in case.nodes):
        return "", ()
    rows = [row for term in terms for row in term.match_label_expressions or ()]
    where = names(f"{row.key.rpartition('/')[2]} {value}" for row in rows for value in row.values or ())
    if not where or not has_path(storage_class, path):
        return "", ()
    words = f": class {storage_class.name} provisions only in {where}, where no node is"
    return words, (quote(storage_class, path, "where it provisions volumes"),)


def missing_claim(case: Case, reason: Reason) -> Explanation:
    name = reason.detail.rpartition("/")[2]
    blamed = Ref("PersistentVolumeClaim", case.pod.namespace, name)
    state = "is not created yet" if reason.obstacle is CLAIM_NOT_YET_MADE else "does not exist"
    return Explanation(f"claim {name} {state}", (), blames=(blamed,))


def deleting_claim(case: Case, reason: Reason) -> Explanation:
    claim = case.cluster.maybe.get(PersistentVolumeClaim, case.pod.namespace, reason.detail)
    path = "metadata.deletionTimestamp"
    evidence = (quote(claim, path, "being deleted"),) if claim is not None and has_path(claim, path) else ()
    return Explanation(f"claim {reason.detail} is being deleted", evidence)


def volume_place(case: Case, reason: Reason) -> Explanation:
    """The volume is in another place than the nodes that the pod may use."""
    parts: list[str] = []
    evidence: list[Evidence] = []
    for claim in claims(case):
        volume = case.cluster.maybe.get(PersistentVolume, "", claim.spec.volume_name)
        if volume is None:
            continue
        required = volume.spec.node_affinity.required if volume.spec.node_affinity else None
        if required is None:
            continue
        selector = node_selector_of(required.node_selector_terms)
        node_names = [node.name for node in case.nodes if selector.matches(node.labels, node.name)]
        missing = gone_text(gone(case, named_by(required.node_selector_terms or ())))
        zones = _zones(required.node_selector_terms or ())
        nowhere = f" ({zones})" if zones and not missing else f": {missing}" if missing else ""
        where = f"is only on {names(node_names)}" if node_names else f"is on none of the nodes{nowhere}"
        parts.append(f"volume {volume.name} of claim {claim.name} {where}")
        path = "spec.nodeAffinity.required.nodeSelectorTerms"
        if has_path(volume, path):
            evidence.append(quote(volume, path, "where the volume is"))
        if case.pod.spec.node_selector:
            evidence.append(quote(case.pod, "spec.nodeSelector", "where the pod may run"))
    details = f": {'; '.join(parts)}" if parts else ""
    return Explanation(f"{reason.count or 'all'} cannot use its volume{details}", tuple(evidence))


def _zones(terms: Iterable[NodeSelectorTerm]) -> str:
    """`zone eu-1c`, where a volume is bound to zones."""
    values = [
        value
        for term in terms
        for row in term.match_expressions or ()
        if row.operator == "In" and row.key.endswith("/zone")
        for value in row.values or ()
    ]
    found = list(dict.fromkeys(values))
    return f"zone{'s' if len(found) > 1 else ''} {names(found)}" if found else ""


def missing_volume(case: Case, reason: Reason) -> Explanation:
    """The scheduler says the same of a claim that is Lost although its volume exists, and belongs to another claim."""
    bound = [claim for claim in claims(case) if claim.spec.volume_name]
    lost = [claim for claim in bound if claim.status.phase == "Lost"]
    if lost:
        text = f"claim {names(claim.name for claim in lost)} is Lost"
        evidence = tuple(quote(claim, "status.phase", "its volume is gone or another claim's") for claim in lost)
        return Explanation(text, evidence, blames=tuple(ref(claim) for claim in lost))
    evidence = tuple(quote(claim, "spec.volumeName", "this volume does not exist") for claim in bound)
    return Explanation(f"volume {reason.detail} does not exist" if reason.detail else reason.text, evidence)


def claim_in_use(case: Case, reason: Reason) -> Explanation:
    """ReadWriteOncePod: one pod of the whole cluster may use the claim."""
    clauses = []
    evidence: list[Evidence] = []
    fixes: list[Fix] = []
    for claim in claims(case):
        if "ReadWriteOncePod" not in (claim.spec.access_modes or ()):
            continue
        evidence.append(quote(claim, "spec.accessModes", "a single pod of the cluster may use it"))
        users = [pod for pod in pods_mounting(claim, case.cluster.maybe) if pod.spec.node_name]
        owners = sorted({workload_of(pod, case.cluster) for pod in users})
        owner_titles = names([owner.title for owner in owners], 2)
        clauses.append(
            f"{claim.name} is ReadWriteOncePod" + (f" and a pod of {owner_titles} uses it" if owner_titles else "")
        )
        if case.workload in owners:
            fixes += _one_pod_at_a_time(case, claim)
    details = f": {'; '.join(clauses)}" if clauses else ""
    text = f"{some(reason.count, 'is', 'are')} refused because the claim is in use{details}"
    return Explanation(text, tuple(evidence), tuple(fixes))


def _one_pod_at_a_time(case: Case, claim: PersistentVolumeClaim) -> Iterator[Fix]:
    """For a workload whose running pod uses the claim that another of its pods waits for."""
    about = case.workload
    owner = case.cluster.maybe.get_ref(about)
    if isinstance(owner, Deployment | StatefulSet) and owner.spec.desired_replicas > 1:
        line = command_line(scale(about, 1))
        yield Fix(f"Scale it to 1 replica: no second pod can use claim {claim.name}", line, Effect.DISRUPTS)
    if isinstance(owner, Deployment) and owner.spec.strategy.type != "Recreate":
        yield recreate_fix(owner)
