"""Liveness probe fails and the container is killed.

## What it means
The kubelet runs the liveness probe every `periodSeconds`. After `failureThreshold` failures it stops the container with
SIGTERM, after the grace period with SIGKILL, and restarts it. Exit code 137 or 143 then comes from this stop. It is
not a memory problem unless the reason is `OOMKilled`.

## Why it happens
- The program hangs: a deadlock, a blocked event loop, a long garbage collection. Then the probe works as intended.
- The probe is too strict: a timeout of 1s, a low failureThreshold, no time to start.
- The probe checks the wrong port or path, or a page that depends on a database: a slow database then restarts every
  pod.

## How to fix it
1. Read the probe's results: `kubectl describe pod POD`, and the log: `kubectl logs POD --previous`.
2. Let the probe check only the program itself. Dependencies belong in the readiness probe.
3. Add a `startupProbe` for a slow start; raise `timeoutSeconds` and `failureThreshold`.

## References
- https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.pods._consequences import CONSEQUENCES
from diagnostics.pods.crashes._ends import ends_of
from diagnostics.pods.crashes._story_kinds import STORY_KINDS
from diagnostics.pods.probes._probe_kills import killed_by_probe
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    Pod,
    restarted,
)
from kubedoctor.findings import Explains, Finding, Severity, diagnostic
from kubedoctor.replay.kubelet.outcomes import Cause


@diagnostic(
    code="KD1013",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(*STORY_KINDS, *WORKLOADS),
    when=restarted,
    explains=(Explains("same", ("KD1003",)), *CONSEQUENCES),
    symptoms=("Liveness probe failed", "Unhealthy", "Killing", "exit code 137", "exit code 143", "CrashLoopBackOff"),
)
def liveness_kills(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    for end in ends_of(pod, cluster, lambda part: part.container.liveness_probe is not None):
        probe = end.part.container.liveness_probe
        if end.cause is not Cause.LIVENESS_PROBE or probe is None:
            continue
        yield killed_by_probe(pod, end, probe, "Liveness", "liveness probe fails", cluster)
