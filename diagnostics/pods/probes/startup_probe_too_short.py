"""A startup probe gives up before the program is up.

## What it means
A startup probe says how long a start may take: `failureThreshold` times `periodSeconds`, after
`initialDelaySeconds`. If it has no success by then, the kubelet kills the container and starts anew, and so for ever.

## Why it happens
- The program needs longer than that: migrations, large caches, a slow or throttled processor.
- The probe asks the wrong port or path, and would never succeed.
- The program does not come up at all: its log tells.

## How to fix it
1. See in the log how long a start takes, and whether it ends at all.
2. Raise `failureThreshold`; it costs nothing when the start is quick.
3. Look for CPU limits: a throttled program starts many times slower.

## References
- https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.pods.crashes._ends import ends_of
from diagnostics.pods.probes._probe_kills import killed_by_probe
from kubedoctor.cluster import Cluster, Event, Pod
from kubedoctor.cluster.relations.workloads import WORKLOADS
from kubedoctor.cluster.triage import restarted
from kubedoctor.findings import Explains, Finding, Severity, diagnostic
from kubedoctor.findings.containers import CONSEQUENCES, seconds
from kubedoctor.replay.kubelet.killers import Killer
from kubedoctor.replay.kubelet.probes import gives_up_after


@diagnostic(
    code="KD1014",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(Event, *WORKLOADS),
    when=restarted,
    explains=(Explains("same", ("KD1003",)), *CONSEQUENCES),
    symptoms=("Startup probe failed", "Unhealthy", "Killing", "CrashLoopBackOff", "exit code 143", "exit code 137"),
)
def startup_probe_too_short(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    for end in ends_of(pod, cluster, lambda part: part.container.startup_probe is not None):
        probe = end.part.container.startup_probe
        if end.killer is not Killer.STARTUP_PROBE or probe is None:
            continue
        window = seconds(gives_up_after(probe))
        said = f"the startup probe gives up after {window}, before the program is up"
        fix = f"Raise failureThreshold above {probe.failure_threshold}, so that a start may take longer than {window}"
        yield killed_by_probe(pod, end, probe, "Startup", said, fix, cluster)
