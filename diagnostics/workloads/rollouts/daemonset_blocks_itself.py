"""Rollout of a DaemonSet waits for its own old pods (maxSurge).

## What it means
With `maxSurge` a node gets its new pod first, and its old pod ends once the new one is available. Here both do not fit the
node at the same time, so the new pod stays Pending and the old one is never ended. The old pods keep working.

## Why it happens
- A host port or `hostNetwork` with a port: a node can give it to one pod only.
- A device (GPU, FPGA) of which the node has one.
- The node is full: there is no room for a second pod of this size.

## How to fix it
1. `maxSurge: 0` and `maxUnavailable: 1`: each node is without the pod for a moment while it is replaced.
2. Or give up the host port, where a Service or a Unix socket on the host will do.

## References
- https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.workloads.rollouts._rollout import look
from kubedoctor.answers.rollouts.daemon_surge import blocked_by_old_daemon, old_daemon_first
from kubedoctor.answers.rollouts.words import why_it_waits
from kubedoctor.cluster import Cluster, DaemonSet, Evidence, Pod, counted, has_path, quote, ref
from kubedoctor.findings import Command, Confidence, Explains, Finding, Severity, diagnostic, own_command
from kubedoctor.replay.autoscaling.view import AUTOSCALER_READS
from kubedoctor.replay.scheduler.observed import REPLAY_READS
from kubedoctor.replay.workloads.daemon_sets import surges

_SURGE = "spec.updateStrategy.rollingUpdate.maxSurge"
_MESSAGE = "status.conditions[type=PodScheduled].message"


@diagnostic(
    code="KD1217",
    subject=DaemonSet,
    severity=Severity.WARNING,
    reads=(DaemonSet, Pod, *AUTOSCALER_READS, *REPLAY_READS),
    when=surges,
    explains=(Explains("same", ("KD1101", "KD1201")),),
    symptoms=("maxSurge", "FailedScheduling", "didn't have free ports"),
)
def daemonset_blocks_itself(daemon_set: DaemonSet, cluster: Cluster) -> Iterator[Finding]:
    waits = blocked_by_old_daemon(daemon_set, cluster)
    if waits is None:
        return
    yield Finding(
        about=ref(daemon_set),
        summary=f"rollout waits for its own old pods: {why_it_waits(waits)} on node {waits.freed[0]}, and with maxSurge "
        f"{quote(daemon_set, _SURGE).text} the old pod ends after the new one is available; "
        f"{counted(len(waits.pending), 'new pod')} Pending",
        evidence=(
            quote(daemon_set, _SURGE, "new pods are created before old ones end"),
            *_message(waits.pod),
            quote(waits.old[0], "spec.nodeName", "the pod of the old revision"),
        ),
        confidence=Confidence.CERTAIN if waits.answer.proven else Confidence.LIKELY,
        affects=tuple(map(ref, waits.pending)),
        fixes=(old_daemon_first(daemon_set, waits, cluster),),
        commands=(
            Command(
                own_command("why-pending", waits.pod.name, namespace=waits.pod.namespace),
                "every node, and the effect of a change",
            ),
            look(daemon_set),
        ),
    )


def _message(pod: Pod) -> Iterator[Evidence]:
    if has_path(pod, _MESSAGE):
        yield quote(pod, _MESSAGE, "the scheduler's message")
