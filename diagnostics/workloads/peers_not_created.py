"""StatefulSet's first pods wait for pods that it has not created yet.

## What it means
A StatefulSet with podManagementPolicy OrderedReady creates a pod only when the pods before it are ready. Here a pod waits
for a later one: its program wants its peers before it reports that it is ready. So neither becomes ready.

## Why it happens
- All pods were stopped at once: after a power cut, an upgrade of all nodes, or a scale to 0. The first installation works,
  because the first member starts a cluster of its own.
- The readiness probe checks the state of the whole cluster, not of this member.

## How to fix it
1. Use podManagementPolicy Parallel: all members start at once. The field cannot be changed in place: delete the StatefulSet
   with `--cascade=orphan`, so that its pods and volumes stay, and create it again.
2. Let the readiness probe succeed while the member waits for its peers.
3. Some programs can start without their peers once: RabbitMQ's `force_boot`, Galera's bootstrap.

## References
- https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#pod-management-policies
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

from diagnostics.pods._consequences import CONSEQUENCES
from kubedoctor.cluster import (
    Cluster,
    LogTail,
    Pod,
    StatefulSet,
    condition,
    has_path,
    human_duration,
    listed,
    not_ready,
    pods_of,
    quote,
    ref,
)
from kubedoctor.cluster.changes import Step, edit
from kubedoctor.findings import (
    Confidence,
    Effect,
    Explains,
    Finding,
    Fix,
    Severity,
    command_line,
    containers_with_status,
    diagnostic,
    look_at_log,
    look_at_pod,
    quote_line,
)
from kubedoctor.replay.logs.reading import line_about
from kubedoctor.replay.workloads.stateful_sets import first_ordinal, one_by_one, ordinal_of

PATIENCE = timedelta(minutes=5)
"""A member that starts first waits for its peers and goes on alone, as most do."""
MOST_NAMES = 3


def stands_still(stateful_set: StatefulSet) -> bool:
    """It creates its pods in order, and not all of them are there."""
    replicas = stateful_set.spec.replicas
    wanted = 1 if replicas is None else replicas
    return one_by_one(stateful_set) and 0 < stateful_set.status.replicas < wanted


@diagnostic(
    code="KD1231",
    subject=StatefulSet,
    severity=Severity.CRITICAL,
    reads=(Pod,),
    when=stands_still,
    explains=(Explains("same", ("KD1003",)), *CONSEQUENCES),
    symptoms=("OrderedReady", "podManagementPolicy", "timeout_waiting_for_tables"),
)
def peers_not_created(stateful_set: StatefulSet, cluster: Cluster) -> Iterator[Finding]:
    pods = pods_of(stateful_set, cluster)
    late = [pod for pod in pods if not_ready(pod) and pod.spec.node_name and _long(pod, cluster)]
    if not late:
        return
    blocking = min(late, key=ordinal_of)
    there = {pod.name for pod in pods}

    def missing(text: str) -> list[str]:
        names = (f"{stateful_set.name}-{ordinal}" for ordinal in _ordinals(stateful_set, text))
        return [name for name in names if name not in there]

    found = _line_about(blocking, lambda text: bool(missing(text)), cluster)
    if found is None:
        return
    log, index = found
    named = missing("\n".join(log.lines))
    ready = condition(blocking.status.conditions, "Ready")
    since = ready.last_transition_time if ready is not None else None
    waits = f" for {human_duration(cluster.taken_at - since)}" if since is not None else ""
    parallel = edit(ref(stateful_set), Step(("spec", "podManagementPolicy"), "Parallel"))
    policy = "spec.podManagementPolicy"
    yield Finding(
        about=ref(stateful_set),
        summary=f"pods wait for each other: {blocking.name} is not ready{waits} and its log waits for"
        f" {listed(named, MOST_NAMES)}, which OrderedReady creates only when {blocking.name} is ready",
        confidence=Confidence.LIKELY,
        evidence=(
            quote_line(log, index, "which peer it waits for"),
            *((quote(stateful_set, policy, "pods are created in order"),) if has_path(stateful_set, policy) else ()),
            quote(stateful_set, "spec.replicas", "the pods that it should have"),
            quote(stateful_set, "status.replicas", "the pods that it has created"),
        ),
        affects=(ref(blocking),),
        fixes=(
            Fix(
                "Recreate the StatefulSet with podManagementPolicy Parallel; its pods and volumes stay",
                command_line(parallel, stateful_set),
                Effect.DISRUPTS,
            ),
            Fix("Or let the readiness probe succeed while the member waits for its peers"),
        ),
        commands=(
            look_at_log(blocking, log.container, previous=log.previous, why="what it waits for"),
            look_at_pod(blocking, "its readiness probe and events"),
        ),
        would_disprove="If the log names these peers only in passing, another line of it says why the pod is not ready.",
    )


def _ordinals(stateful_set: StatefulSet, text: str) -> list[int]:
    """Of the pods that the StatefulSet should have, those that a text names."""
    start = first_ordinal(stateful_set)
    wanted = range(start, start + (stateful_set.spec.replicas or 0))
    name = rf"(?<![\w-]){re.escape(stateful_set.name)}-(0|[1-9]\d{{0,9}})(?![\w-])"
    return sorted({ordinal for ordinal in map(int, re.findall(name, text)) if ordinal in wanted})


def _long(pod: Pod, cluster: Cluster) -> bool:
    ready = condition(pod.status.conditions, "Ready")
    since = ready.last_transition_time if ready is not None else pod.metadata.creation_timestamp
    return since is not None and cluster.taken_at - since >= PATIENCE


def _line_about(pod: Pod, names: Callable[[str], bool], cluster: Cluster) -> tuple[LogTail, int] | None:
    """The newest complaint, or word of waiting, that names a pod which is not there, unless the program got over it."""
    for part in containers_with_status(pod):
        for previous in (False, True) if part.status.restart_count else (False,):
            log = cluster.log_tail(pod, part.container.name, previous=previous)
            index = line_about(log.lines, names) if log else None
            if log is not None and index is not None:
                return log, index
    return None
