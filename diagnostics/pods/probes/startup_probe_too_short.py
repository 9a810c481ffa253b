"""Startup probe fails before the program has started.

## What it means
A startup probe limits how long a start may take: `initialDelaySeconds` plus `failureThreshold` × `periodSeconds`. If
it has not succeeded by then, the kubelet kills the container and restarts it every time.

## Why it happens
- The start takes longer: migrations, large caches, a slow or throttled CPU.
- The probe checks the wrong port or path, and can never succeed.
- The program does not start at all: read its log.

## How to fix it
1. Read in the log how long a start takes, and whether it completes.
2. Raise `failureThreshold`; a quick start is not slowed down by it.
3. Check the CPU limit: a throttled program starts many times slower.

## References
- https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.pods._consequences import CONSEQUENCES
from diagnostics.pods.crashes._ends import ends_of
from diagnostics.pods.crashes._story_kinds import STORY_KINDS
from diagnostics.pods.probes._probe_kills import killed_by_probe
from kubedoctor.cluster import WORKLOADS, Cluster, Pod, human_duration, restarted
from kubedoctor.findings import Explains, Finding, Severity, diagnostic
from kubedoctor.replay.kubelet.outcomes import Cause
from kubedoctor.replay.kubelet.probes import gives_up_after


@diagnostic(
    code="KD1014",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(*STORY_KINDS, *WORKLOADS),
    when=restarted,
    explains=(Explains("same", ("KD1003",)), *CONSEQUENCES),
    symptoms=("Startup probe failed", "Unhealthy", "Killing", "CrashLoopBackOff", "exit code 143", "exit code 137"),
)
def startup_probe_too_short(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    for end in ends_of(pod, cluster, lambda part: part.container.startup_probe is not None):
        probe = end.part.container.startup_probe
        if end.cause is not Cause.STARTUP_PROBE or probe is None:
            continue
        window = human_duration(gives_up_after(probe))
        start = f"startup probe fails for {window}, before the program has started"
        yield killed_by_probe(pod, end, probe, "Startup", start, cluster)
