"""One new pod, as the scheduler and the kubelet would leave it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from kubedoctor.cluster.kinds.containers import (
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
)
from kubedoctor.cluster.kinds.core import ConfigMap, Secret
from kubedoctor.cluster.kinds.meta import Condition
from kubedoctor.cluster.kinds.pods import Pod, PodStatus
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.wants import CannotSee
from kubedoctor.replay.kubelet.references import Reference, keys_of, references
from kubedoctor.replay.scheduler.pending import explain_pending

MOST_SCHEDULED: Final = 60
"""Pods that the scheduler is replayed for: each sees those before it."""
ANY_NODE: Final = "any-node"
"""Where pods run when no cluster was read."""
_ADDRESS: Final = "192.0.2.1"
"""Of documentation (RFC 5737): no cluster has it."""
_STARTING: Final = "ContainerCreating"
_INITIALIZING: Final = "PodInitializing"
_CONFIG_ERROR: Final = "CreateContainerConfigError"


def settled(pod: Pod, cluster: Cluster, *, offline: bool, replay: bool) -> Pod:
    """replay: whether the scheduler is asked; a pod that it is not asked about is left out of what is judged of placement."""
    node = pod.spec.node_name or (ANY_NODE if offline or not replay else "")
    if not node:
        try:
            answer = explain_pending(pod, cluster)
        except CannotSee:
            node = ANY_NODE
        else:
            nodes = answer.verdict.feasible
            if not nodes and answer.verdict.message:
                return _unplaced(pod, answer.verdict.message, cluster)
            node = nodes[0] if nodes else ANY_NODE
    return _started(replace(pod, spec=replace(pod.spec, node_name=node)), cluster, offline=offline)


def _unplaced(pod: Pod, message: str, cluster: Cluster) -> Pod:
    stated = Condition(
        type="PodScheduled",
        status="False",
        reason="Unschedulable",
        message=message,
        last_transition_time=pod.metadata.creation_timestamp,
    )
    return replace(pod, status=PodStatus(phase="Pending", conditions=(stated,)))


def _started(pod: Pod, cluster: Cluster, *, offline: bool, volumes: bool = False) -> Pod:
    """Its containers run, unless something that they need does not exist. volumes: whether volumes count first: a pod that
    waits for its volumes has created no container yet."""
    at = pod.metadata.creation_timestamp
    missing = tuple(_missing(pod, cluster, offline=offline))
    of_container = {needed.container: text for needed, text in reversed(missing) if needed.container}
    held = any(needed.volume for needed, _ in missing) and (volumes or not of_container)
    lacks = bool(missing)
    running = ContainerState(running=ContainerStateRunning(started_at=at))
    done = ContainerState(
        terminated=ContainerStateTerminated(exit_code=0, reason="Completed", started_at=at, finished_at=at)
    )

    def status(name: str, state: ContainerState) -> ContainerStatus:
        if held or (lacks and name not in of_container):
            state = ContainerState(waiting=ContainerStateWaiting(reason=_STARTING if held else _INITIALIZING))
        elif name in of_container:
            waiting = ContainerStateWaiting(reason=_CONFIG_ERROR, message=of_container[name])
            state = ContainerState(waiting=waiting)
        return ContainerStatus(name=name, ready=state is running, started=state is running, state=state)

    def condition(kind: str, *, met: bool) -> Condition:
        return Condition(type=kind, status="True" if met else "False", last_transition_time=at)

    init = tuple(
        status(container.name, running if container.restarts_always else done)
        for container in pod.spec.init_containers or ()
    )
    own = tuple(status(container.name, running) for container in pod.spec.containers)
    conditions = (
        condition("PodScheduled", met=True),
        condition("Initialized", met=not lacks),
        condition("ContainersReady", met=not lacks),
        condition("Ready", met=not lacks),
    )
    phase = "Pending" if lacks else "Running"
    return replace(
        pod,
        status=PodStatus(
            phase=phase,
            conditions=conditions,
            container_statuses=own,
            init_container_statuses=init or None,
            pod_ip="" if lacks else _ADDRESS,
            start_time=at,
        ),
    )


def waits_twice(pod: Pod, cluster: Cluster, *, offline: bool) -> Pod | None:
    """As a pod that lacks both would be seen first: without its volumes. None where it lacks one of them only."""
    missing = tuple(_missing(pod, cluster, offline=offline))
    if not (any(needed.volume for needed, _ in missing) and any(needed.container for needed, _ in missing)):
        return None
    return _started(pod, cluster, offline=offline, volumes=True)


def _missing(pod: Pod, cluster: Cluster, *, offline: bool) -> Iterator[tuple[Reference, str]]:
    """The ConfigMaps, Secrets and keys that it cannot start without and that are missing, as far as that can be seen, with the
    kubelet's words. Offline an object that is not among the files may exist."""
    lenient = cluster.maybe
    for needed in references(pod):
        found = lenient.get_ref(Ref(needed.kind, pod.namespace, needed.name))
        if isinstance(found, ConfigMap | Secret):
            if needed.key and needed.key not in keys_of(found):
                yield needed, f"couldn't find key {needed.key} in {needed.kind} {pod.namespace}/{needed.name}"
        elif not offline:
            yield needed, f'{needed.kind.lower()} "{needed.name}" not found'
