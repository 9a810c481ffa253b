"""Ports, spreading, affinity between pods, devices: what other pods show beyond the scheduler's reasons."""

from __future__ import annotations

from collections import Counter

from kubedoctor.answers.placement.explaining.case import Case, Explanation, names, some
from kubedoctor.cluster import Pod, has_path, quote
from kubedoctor.cluster.grammar.label_requirements import SelectorError
from kubedoctor.cluster.grammar.selectors import selector_of
from kubedoctor.cluster.kinds.affinity import PodAffinityTerm, TopologySpreadConstraint
from kubedoctor.cluster.kinds.control import ResourceClaim, ResourceSlice
from kubedoctor.cluster.relations.workloads import source_of, workload_of
from kubedoctor.cluster.triage import all_containers, finished, terminating
from kubedoctor.findings import Evidence, Fix, edit_command
from kubedoctor.replay.scheduler.framework import Reason
from kubedoctor.replay.scheduler.plugins.inter_pod_affinity import EXISTING_ANTI_AFFINITY, POD_ANTI_AFFINITY
from kubedoctor.replay.scheduler.plugins.pod_topology_spread import TOPOLOGY_LABEL

_MOST_QUOTED = 3
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def host_port(case: Case, reason: Reason) -> Explanation:
    host_ports = [
        (port.host_port, port.protocol or "TCP", f"spec.containers[name={container.name}].ports[{index}].hostPort")
        for container in case.pod.spec.containers
        for index, port in enumerate(container.ports or ())
        if port.host_port
    ]
    ports = names(f"{number}/{protocol}" for number, protocol, _ in host_ports)
    holders = [pod for pod in case.cluster.maybe.all(Pod) if _holds(pod, {(n, p) for n, p, _ in host_ports})]
    users = names(sorted({workload_of(pod, case.cluster).title for pod in holders}), 2)
    text = f"{some(reason.count, 'has', 'have')} host port {ports} in use" + (f" by {users}" if users else "")
    evidence = tuple(quote(case.pod, path, "free for a single pod per node") for _, _, path in host_ports[:2])
    workload = case.cluster.maybe.get_ref(case.workload)
    source = source_of(workload) if workload is not None else None
    if source is not None and source.kind == "Service":
        fix = Fix(f"Give {source.title} a port that no other program has on the nodes", edit_command(source))
        return Explanation(text, evidence, (fix,), settles=True)
    fix = Fix("Remove the hostPort and use a Service, or run at most one replica per node (a DaemonSet)")
    return Explanation(text, evidence, (fix,))


def _holds(pod: Pod, host_ports: set[tuple[int, str]]) -> bool:
    if not pod.spec.node_name or finished(pod):
        return False
    return any(
        (port.host_port, port.protocol or "TCP") in host_ports
        for container in all_containers(pod)
        for port in container.ports or ()
    )


def topology_spread(case: Case, reason: Reason) -> Explanation:
    constraints = [
        (index, constraint)
        for index, constraint in enumerate(case.pod.spec.topology_spread_constraints or ())
        if constraint.when_unsatisfiable == "DoNotSchedule"
    ]
    if not constraints:
        return Explanation(f"{reason.count} would violate the topology spread")
    broken = _broken(case, reason)
    constraints = [
        (index, constraint) for index, constraint in constraints if constraint.topology_key in broken
    ] or constraints
    evidence = tuple(
        quote(case.pod, f"spec.topologySpreadConstraints[{index}]", "") for index, _ in constraints[:_MOST_QUOTED]
    )
    _, first = constraints[0]
    if reason.obstacle is TOPOLOGY_LABEL:
        keys = names(constraint.topology_key for _, constraint in constraints)
        return Explanation(
            f"{some(reason.count, 'lacks', 'lack')} the label {keys} that the topology spread requires", evidence
        )
    text = f"{reason.count} would exceed maxSkew {first.max_skew} across {first.topology_key}"
    if domains := _domains(case, first):
        text += f" ({', '.join(f'{name}: {count}' for name, count in domains)})"
    fix = Fix(
        "Free capacity in the domain with the fewest pods, raise maxSkew, or set whenUnsatisfiable to ScheduleAnyway"
    )
    return Explanation(text, evidence, (fix,))


def _broken(case: Case, reason: Reason) -> set[str]:
    """The topology keys of the constraints that the nodes are refused for; empty where it is not known."""
    refused = case.refused(reason)
    if reason.obstacle is not TOPOLOGY_LABEL:
        return {label.partition("=")[0] for refusal in refused for label in refusal.status.named}
    keys = {constraint.topology_key for constraint in case.pod.spec.topology_spread_constraints or ()}
    return {key for key in keys if any(key not in refusal.node.labels for refusal in refused)}


def _domains(case: Case, constraint: TopologySpreadConstraint) -> list[tuple[str, int]]:
    """Pods that count, by domain; only where it is certain which pods count."""
    if constraint.label_selector is None:
        return []
    try:
        selector = selector_of(constraint.label_selector)
    except SelectorError:
        return []  # The API server accepts values here that are no labels; the scheduler refuses them.
    domain = {node.name: node.labels.get(constraint.topology_key) for node in case.nodes}
    counts = Counter({name: 0 for name in domain.values() if name is not None})
    for pod in case.cluster.maybe.all(Pod, case.pod.namespace):
        where = domain.get(pod.spec.node_name)
        if where is not None and not (finished(pod) or terminating(pod)) and selector.matches(pod.metadata.labels):
            counts[where] += 1
    return sorted(counts.items()) if 0 < len(counts) <= 6 else []


def pod_affinity(case: Case, reason: Reason) -> Explanation:
    """Own affinity and anti-affinity, and the anti-affinity of pods that run already."""
    affinity = case.pod.spec.affinity
    if reason.obstacle is EXISTING_ANTI_AFFINITY:
        return Explanation(
            f"{some(reason.count, 'runs', 'run')} pods with an anti-affinity against this pod", _rivals(case)
        )
    anti = reason.obstacle is POD_ANTI_AFFINITY
    path = f"spec.affinity.{'podAntiAffinity' if anti else 'podAffinity'}.{_REQUIRED}"
    rules = affinity and (affinity.pod_anti_affinity if anti else affinity.pod_affinity)
    terms = (rules and rules.required_during_scheduling_ignored_during_execution) or ()
    terms_text = names(_term(term) for term in terms)
    evidence = (quote(case.pod, path, ""),) if has_path(case.pod, path) else ()
    if anti:
        text = f"{some(reason.count, 'runs', 'run')} a pod that the required anti-affinity excludes ({terms_text})"
        fix = Fix("Add nodes, run fewer replicas, or make the anti-affinity preferred instead of required")
        return Explanation(text, evidence, (fix,))
    return Explanation(
        f"{some(reason.count, 'runs', 'run')} no pod that the required affinity names ({terms_text})", evidence
    )


def _term(term: PodAffinityTerm) -> str:
    selected = selector_of(term.label_selector).text if term.label_selector else "no pods"
    return f"{selected or 'all pods'} per {term.topology_key}"


def _rivals(case: Case) -> tuple[Evidence, ...]:
    path = f"spec.affinity.podAntiAffinity.{_REQUIRED}"
    quotes = []
    for pod in case.cluster.maybe.all(Pod):
        if not pod.spec.node_name or finished(pod) or not has_path(pod, path):
            continue
        rules = pod.spec.affinity and pod.spec.affinity.pod_anti_affinity
        terms = (rules and rules.required_during_scheduling_ignored_during_execution) or ()
        same_namespace = pod.namespace == case.pod.namespace
        if any(
            same_namespace
            and term.label_selector
            and selector_of(term.label_selector).matches(case.pod.metadata.labels)
            for term in terms
        ):
            quotes.append(quote(pod, path, "excludes pods with these labels"))
    return tuple(quotes[:2])


def resource_claim(case: Case, reason: Reason) -> Explanation:
    """Devices (dynamic resource allocation): which class is requested, and whether any node publishes devices."""
    head = f"{reason.count} cannot allocate the claimed devices" if reason.count else reason.text
    owned = [
        claim
        for claim in case.cluster.maybe.all(ResourceClaim, case.pod.namespace)
        if any(owner.name == case.pod.name and owner.kind == "Pod" for owner in claim.metadata.owner_references or ())
        or any(use.resource_claim_name == claim.name for use in case.pod.spec.resource_claims or ())
    ]
    classes = sorted({name for claim in owned for name in _device_classes(claim.spec)})
    evidence = [
        quote(claim, "spec.devices.requests", "") for claim in owned if has_path(claim, "spec.devices.requests")
    ]
    if has_path(case.pod, "spec.resourceClaims"):
        evidence.append(quote(case.pod, "spec.resourceClaims", "the claimed devices"))
    text = f"{head} (class {names(classes)})" if classes else head
    refused = any(gap.kind == "ResourceSlice" for gap in case.cluster.gaps)
    if not case.cluster.maybe.all(ResourceSlice) and not refused:
        text += "; no node publishes a device"
    return Explanation(text, tuple(evidence), (Fix("Install the device driver on nodes that have such a device"),))


def _device_classes(spec: object) -> list[str]:
    devices = spec.get("devices") if isinstance(spec, dict) else None
    requests = devices.get("requests") if isinstance(devices, dict) else None
    classes = []
    for request in requests if isinstance(requests, list) else ():
        if not isinstance(request, dict):
            continue
        exactly = request.get("exactly")
        name = (exactly if isinstance(exactly, dict) else request).get("deviceClassName")
        if isinstance(name, str):
            classes.append(name)
    return classes
