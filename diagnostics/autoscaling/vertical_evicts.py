"""VerticalPodAutoscaler keeps evicting the pods of a workload (EvictedByVPA).

## What it means
Its updater evicts pods to give them the recommended requests. Once after a change of the load that is its work. Here it has
evicted more pods within the hour than the workload has: each was replaced more than once, and each eviction is a restart.

## Why it happens
- The recommendation moves all the time: the load comes in waves, or the history is short.
- The program uses more memory after each start, or was OOMKilled: the autoscaler raises the memory at once.
- A horizontal autoscaler changes the number of pods, and with it what each of them uses.

## How to fix it
1. Look at how the recommendation moves: `kubectl describe vpa NAME`.
2. Set `minAllowed` and `maxAllowed` in its `resourcePolicy`, so that it moves less.
3. Or `updateMode: Initial`: requests are set when pods are created, and nothing is evicted. A PodDisruptionBudget limits how
   many are evicted at once.

## References
- https://kubernetes.io/docs/concepts/workloads/autoscaling/vertical-pod-autoscale/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from diagnostics.autoscaling._vertical import EVICTING, VERTICAL, WRITTEN, evicted_lately, mode_of, target_of_vertical
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    CustomResource,
    Event,
    Pod,
    counted,
    finished,
    pods_of,
    quote,
    ref,
    times,
)
from kubedoctor.cluster.changes import put
from kubedoctor.findings import Command, Confidence, Effect, Finding, Fix, Severity, command_line, diagnostic

_OFTEN: Final = 4


@diagnostic(
    code="KD1310",
    subject=VERTICAL,
    severity=Severity.WARNING,
    reads=(Pod, Event, *WORKLOADS),
    symptoms=("EvictedByVPA", "EvictedPod", "VPA Updater evicted Pod"),
)
def vertical_evicts(vertical: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    target = target_of_vertical(vertical)
    if target is None or mode_of(vertical) not in EVICTING:
        return
    number, lately = evicted_lately(vertical, cluster)
    workload = cluster.maybe.get_ref(target) if number >= _OFTEN else None
    if workload is None:
        return
    pods = [pod for pod in pods_of(workload, cluster.maybe) if not finished(pod)]
    if number <= len(pods) or not any(WRITTEN in (pod.metadata.annotations or {}) for pod in pods):
        return  # Each once; or without effect, which is reported as not applied.
    line = command_line(put(ref(vertical), ("spec", "updatePolicy", "updateMode"), "Initial"), vertical)
    yield Finding(
        about=ref(vertical),
        summary=f"VerticalPodAutoscaler evicted {counted(number, 'pod')} of {target.title} within the hour; the workload"
        f" has {counted(len(pods), 'pod')}",
        evidence=(
            quote(lately[0], "message", f"the newest eviction, seen {times(lately[0].times)}"),
            quote(vertical, "status.recommendation"),
        )
        if (vertical.status or {}).get("recommendation")
        else (quote(lately[0], "message", "the newest eviction"),),
        confidence=Confidence.CERTAIN,
        affects=(target,),
        fixes=(
            Fix("Set minAllowed and maxAllowed in its resourcePolicy, so that the recommendation moves less"),
            Fix("Or let it evict nothing: updateMode Initial", line, Effect.CHANGES),
        ),
        commands=(Command(ref(vertical).describe_command, "its recommendation and events"),),
    )
