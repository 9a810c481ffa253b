"""What to do about other pods: spreading, keeping apart and together, host ports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from msgspec.structs import replace

from kubedoctor.cluster.changes import Operation, Path, Step
from kubedoctor.cluster.kinds.affinity import PodAffinity, PodAffinityTerm, TopologySpreadConstraint
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.replay.scheduler.counterfactuals.edits import Edit, Kind
from kubedoctor.replay.scheduler.counterfactuals.node_remedies import Remedy
from kubedoctor.replay.scheduler.framework import NodeFilter, Plugin
from kubedoctor.replay.scheduler.plugins.host_ports import EVERY_ADDRESS, HostPort
from kubedoctor.replay.scheduler.plugins.inter_pod_affinity import EXISTING_ANTI_AFFINITY, InterPodAffinity
from kubedoctor.replay.scheduler.plugins.pod_topology_spread import PodTopologySpread
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo, PodInfo
from kubedoctor.replay.scheduler.well_known import HOSTNAME

_LOOSE = 1 << 30
"""A skew that no cluster has."""
_MOST_DELETED = 2
_WISH = "ScheduleAnyway"


def _filter(plugin: Plugin, pod: Pod, state: ClusterState) -> NodeFilter | None:
    return plugin.pre_filter(pod, state).node_filter


def filter_passes(plugin: Plugin, pod: Pod, state: ClusterState, node: NodeInfo) -> bool:
    found = _filter(plugin, pod, state)
    return found is None or found.check(node).is_success


def delete_pod(pod: Pod, why: str) -> Edit:
    """Something else must give way; its owner makes it anew elsewhere."""
    text = f"delete the pod {pod.namespace}/{pod.name}, which {why}"
    return Edit(Kind.DELETE_POD, ref(pod), text, (Operation(ref(pod), delete=True),), weight=8)


def delete_pods(pods: Iterable[Pod], why: str) -> list[Remedy]:
    """Pods of a DaemonSet and static pods come back where they were."""
    found = {ref(one): one for one in pods}
    if not found or len(found) > _MOST_DELETED or any(comes_back(one) for one in found.values()):
        return []
    return [tuple(delete_pod(one, why) for one in found.values())]


def comes_back(pod: Pod) -> bool:
    return any(one.kind in ("DaemonSet", "Node") for one in pod.metadata.owner_references or () if one.controller)


def about_spread(pod: Pod, state: ClusterState, node: NodeInfo) -> list[Remedy]:
    """Allow as much skew as is needed, or take the constraints for wishes; two wishes about one topology key are not
    valid (`ValidateSpreadConstraintNotRepeat`, `pkg/apis/core/validation`, v1.37)."""
    own = pod.spec.topology_spread_constraints or ()
    binding = [index for index, one in enumerate(own) if one.when_unsatisfiable == "DoNotSchedule"]
    plugin = PodTopologySpread()

    def passes(index: int, skew: int) -> bool:
        """With that skew for one constraint and any for the others."""
        changed = tuple(replace(one, max_skew=skew if each == index else _LOOSE) for each, one in enumerate(own))
        trial = replace(pod, spec=replace(pod.spec, topology_spread_constraints=changed))
        return filter_passes(plugin, trial, state, node)

    wrong = [index for index in binding if not passes(index, own[index].max_skew)]
    loosened: list[Edit] = []
    for index in wrong:
        if passes(index, _LOOSE):
            skew = _least(own[index].max_skew + 1, partial(passes, index))
            loosened.append(
                _relax(pod, index, own[index], "maxSkew", skew, 2 + min(skew - own[index].max_skew, 100) / 100)
            )
    found = [tuple(loosened)] if len(loosened) == len(wrong) else []
    wishes = [one.topology_key for one in own if one.when_unsatisfiable == _WISH]
    wishes += [own[index].topology_key for index in wrong]
    if len(wishes) == len(set(wishes)):
        found.append(tuple(_relax(pod, index, own[index], "whenUnsatisfiable", _WISH, 4) for index in wrong))
    return found


def _relax(pod: Pod, index: int, one: TopologySpreadConstraint, field: str, value: int | str, weight: float) -> Edit:
    """A wish may not have `minDomains` (`validateMinDomains`, `pkg/apis/core/validation`, v1.37)."""
    path: Path = ("spec", "topologySpreadConstraints", index)
    text = f"set {field} of the topology spread over {one.topology_key} to {value}"
    steps: tuple[Step, ...] = (Step((*path, field), value),)
    if value == _WISH and one.min_domains is not None:
        text += " and drop its minDomains"
        steps += (Step((*path, "minDomains"), remove=True),)
    operation = Operation(ref(pod), steps)
    return Edit(Kind.RELAX_SPREAD, ref(pod), text, (operation,), (one.topology_key, field, str(value)), weight)


def _least(start: int, passes: Callable[[int], bool]) -> int:
    """The least number from `start` on that passes."""
    width = 1
    while not passes(start + width - 1):
        width *= 2
    least, most = start, start + width - 1
    while least < most:
        middle = (least + most) // 2
        if passes(middle):
            most = middle
        else:
            least = middle + 1
    return least


def about_pod_affinity(pod: Pod, state: ClusterState, node: NodeInfo) -> list[Remedy]:
    """Drop the terms that are in the way, or let them speak of nodes only; other pods' own terms move only with them."""
    found: list[Remedy] = []
    wrong: list[tuple[Path, PodAffinityTerm]] = []
    for path, term, alone in _terms(pod):
        if not _own_terms_pass(alone, state, node):
            wrong.append((path, term))
    ours = tuple(_drop_term(pod, path, term) for path, term in wrong)
    bare = _with_terms(pod, None, None)
    others = (
        [one.pod for one in _unwilling(bare, state, node)]
        if not filter_passes(InterPodAffinity(), bare, state, node)
        else []
    )
    away = delete_pods(others, "does not want this one near") if others else [()]
    for last in away:
        if ours or last:
            found.append((*ours, *last))
            narrowed = tuple(
                _narrow_term(pod, path, term) if "podAntiAffinity" in path and term.topology_key != HOSTNAME else drop
                for (path, term), drop in zip(wrong, ours, strict=True)
            )
            if narrowed != ours:
                found.append((*narrowed, *last))
    return found


def _own_terms_pass(alone: Pod, state: ClusterState, node: NodeInfo) -> bool:
    """Whether a pod's own terms allow the node, whatever other pods want."""
    node_filter = _filter(InterPodAffinity(), alone, state)
    if node_filter is None:
        return True
    status = node_filter.check(node)
    return status.is_success or status.has(EXISTING_ANTI_AFFINITY)


def _terms(pod: Pod) -> Iterator[tuple[Path, PodAffinityTerm, Pod]]:
    """The required terms, each with the pod that has it alone."""
    affinity = pod.spec.affinity
    for field, part in (
        ("podAffinity", affinity.pod_affinity if affinity else None),
        ("podAntiAffinity", affinity.pod_anti_affinity if affinity else None),
    ):
        required = part.required_during_scheduling_ignored_during_execution if part else None
        for index, term in enumerate(required or ()):
            path: Path = ("spec", "affinity", field, "requiredDuringSchedulingIgnoredDuringExecution", index)
            only = PodAffinity(required_during_scheduling_ignored_during_execution=(term,))
            alone = _with_terms(pod, only, None) if field == "podAffinity" else _with_terms(pod, None, only)
            yield path, term, alone


def _with_terms(pod: Pod, near: PodAffinity | None, apart: PodAffinity | None) -> Pod:
    if pod.spec.affinity is None:
        return pod
    affinity = replace(pod.spec.affinity, pod_affinity=near, pod_anti_affinity=apart)
    return replace(pod, spec=replace(pod.spec, affinity=affinity))


def _unwilling(pod: Pod, state: ClusterState, node: NodeInfo) -> list[PodInfo]:
    """Placed pods whose anti-affinity keeps the pod from the node."""
    labels = state.namespace_labels(pod.namespace)
    keys = {
        term.topology_key: node.labels.get(term.topology_key)
        for term in state.anti_affinity
        if term.matches(pod, labels)
    }
    return [
        info
        for other in state.nodes
        if any(value is not None and other.labels.get(key) == value for key, value in keys.items())
        for info in other.pods
        if any(
            term.matches(pod, labels)
            and node.labels.get(term.topology_key) is not None
            and other.labels.get(term.topology_key) == node.labels.get(term.topology_key)
            for term in info.anti_affinity
        )
    ]


def _drop_term(pod: Pod, path: Path, term: PodAffinityTerm) -> Edit:
    what = "anti-affinity" if "podAntiAffinity" in path else "affinity"
    text = f"drop the required pod {what} over {term.topology_key}"
    operation = Operation(ref(pod), (Step(path, remove=True),))
    return Edit(Kind.RELAX_POD_AFFINITY, ref(pod), text, (operation,), (term.topology_key, ""), 5)


def _narrow_term(pod: Pod, path: Path, term: PodAffinityTerm) -> Edit:
    text = f"require the pod anti-affinity per node in place of per {term.topology_key}"
    operation = Operation(ref(pod), (Step((*path, "topologyKey"), HOSTNAME),))
    return Edit(Kind.RELAX_POD_AFFINITY, ref(pod), text, (operation,), (term.topology_key, HOSTNAME), 4)


def about_ports(pod: Pod, node: NodeInfo) -> list[Remedy]:
    """Ask for no port of the host, or take it from the pod that has it."""
    wanted = list(_wanted_ports(pod))
    clashing = [(path, name, port) for path, name, port in wanted if port.clashes(node.used_ports)]
    found: list[Remedy] = []
    if not pod.spec.host_network:
        found.append(tuple(_no_host_port(pod, *one) for one in clashing))
    ports = [port for _, _, port in clashing]
    holders = [info.pod for info in node.pods if any(port.clashes(info.ports) for port in ports)]
    return found + delete_pods(holders, f"has {' and '.join(sorted({str(port) for port in ports}))} of {node.name}")


def _wanted_ports(pod: Pod) -> Iterator[tuple[Path, str, HostPort]]:
    for field, containers in (("containers", pod.spec.containers), ("initContainers", pod.spec.init_containers or ())):
        for index, container in enumerate(containers):
            if field == "initContainers" and not container.restarts_always:
                continue
            for position, one in enumerate(container.ports or ()):
                if one.host_port > 0:
                    port = HostPort(one.host_ip or EVERY_ADDRESS, one.protocol or "TCP", one.host_port)
                    yield ("spec", field, index, "ports", position, "hostPort"), container.name, port


def _no_host_port(pod: Pod, path: Path, container: str, port: HostPort) -> Edit:
    text = f"ask for no host port in place of {port} in container {container}"
    operation = Operation(ref(pod), (Step(path, remove=True),))
    return Edit(Kind.FREE_HOST_PORT, ref(pod), text, (operation,), (container, str(port.port)), 4)
