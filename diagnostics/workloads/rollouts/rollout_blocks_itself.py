"""Rollout waits for its own old pods.

## What it means
The pod of the new revision fits a node only after an old pod has ended, and the Deployment ends no old pod before a new
one is available. So nothing moves, however long one waits. The old pods keep serving.

## Why it happens
- `maxUnavailable` is 0, or a percentage that is rounded down to 0: the default 25 % is 0 for up to 3 replicas.
- A topology spread counts the pods of all revisions, and empty domains that the pod may not use.
- A required anti-affinity allows one pod per node, and there are as many nodes as replicas.
- A host port, a ReadWriteOncePod claim or a GPU can only be used by one pod at a time.
- The nodes are full: there is no room for the additional pod of the rollout.

## How to fix it
1. Let an old pod end first: `maxUnavailable: 1`. With one replica this is a short interruption.
2. For a topology spread: `matchLabelKeys: [pod-template-hash]` counts each revision apart, `nodeTaintsPolicy: Honor` leaves
   out nodes that the pod may not use.
3. Or add a node that fits the pod.

## References
- https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#max-unavailable
- https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.answers.rollouts.own_pods import BlockedRollout, blocked_by_own_pods
from kubedoctor.answers.rollouts.strategy import none_may_go
from kubedoctor.answers.rollouts.ways_out import ways_out
from kubedoctor.answers.rollouts.words import empty_domains, spreading, why_it_waits
from kubedoctor.cluster import WORKLOADS, Cluster, Deployment, Evidence, Pod, counted, has_path, quote, ref
from kubedoctor.findings import Command, Confidence, Explains, Finding, Severity, diagnostic, own_command, rollout
from kubedoctor.replay.autoscaling.view import AUTOSCALER_READS
from kubedoctor.replay.scheduler.observed import REPLAY_READS
from kubedoctor.replay.workloads.rolling_update import rolls_out

_MOST_OLD = 3
_UNAVAILABLE = "spec.strategy.rollingUpdate.maxUnavailable"
_MESSAGE = "status.conditions[type=PodScheduled].message"


@diagnostic(
    code="KD1213",
    subject=Deployment,
    severity=Severity.CRITICAL,
    reads=(*WORKLOADS, *AUTOSCALER_READS, *REPLAY_READS, Pod),
    when=rolls_out,
    explains=(Explains("same", ("KD1101", "KD1201")),),
    symptoms=("maxUnavailable", "FailedScheduling", "ProgressDeadlineExceeded"),
)
def rollout_blocks_itself(deployment: Deployment, cluster: Cluster) -> Iterator[Finding]:
    blocked = blocked_by_own_pods(deployment, cluster)
    if blocked is None:
        return
    available, desired = deployment.status.available_replicas, deployment.spec.desired_replicas
    yield Finding(
        about=ref(deployment),
        summary=f"rollout waits for its own old pods: {why_it_waits(blocked)}, and no old pod ends first, because "
        f"{none_may_go(deployment)}; {available} of {counted(desired, 'replica')} still available",
        evidence=tuple(_evidence(blocked)),
        confidence=Confidence.CERTAIN if blocked.answer.proven else Confidence.LIKELY,
        severity=Severity.WARNING if available >= desired else None,
        detail=empty_domains(blocked),
        affects=tuple(map(ref, blocked.pending)),
        fixes=tuple(ways_out(blocked, cluster)),
        commands=(
            Command(
                own_command("why-pending", blocked.pod.name, namespace=blocked.pod.namespace),
                "every node, and the effect of a change",
            ),
            Command(f"{rollout('status', ref(deployment))} --timeout=5s", "the state of the rollout"),
        ),
    )


def _evidence(blocked: BlockedRollout) -> Iterator[Evidence]:
    if has_path(blocked.pod, _MESSAGE):
        yield quote(blocked.pod, _MESSAGE, "the scheduler's message")
    if has_path(blocked.deployment, _UNAVAILABLE):
        yield quote(blocked.deployment, _UNAVAILABLE, "old pods that may end before a new one is available")
    for index, _ in spreading(blocked):
        yield quote(blocked.pod, f"spec.topologySpreadConstraints[{index}]", "")
    for pod in blocked.old[:_MOST_OLD]:
        yield quote(pod, "spec.nodeName", "a pod of the old revision")
