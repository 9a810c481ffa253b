"""A liveness probe has its container killed.

## What it means
The kubelet asks the program now and then whether it is alive. After `failureThreshold` bad answers it stops the
container, with SIGTERM, and with SIGKILL when the grace period is over, and starts it again. Exit code 137 or 143
comes from there, and has nothing to do with memory unless the reason is `OOMKilled`.

## Why it happens
- The program hangs: a deadlock, a full event loop, a long garbage collection. Then the probe does its duty.
- The probe is too strict: a timeout of 1 s, too few tries, no time to start.
- It asks the wrong port or path, or something that depends on a database: a slow database then kills every pod.

## How to fix it
1. See what the probe got: `kubectl describe pod POD`, and what the program wrote: `kubectl logs POD --previous`.
2. Let the probe ask only whether the program itself lives. Dependencies belong in the readiness probe.
3. Give slow starters a `startupProbe`; raise `timeoutSeconds` and `failureThreshold`.

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
from kubedoctor.findings.containers import CONSEQUENCES
from kubedoctor.replay.kubelet.killers import Killer


@diagnostic(
    code="KD1013",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(Event, *WORKLOADS),
    when=restarted,
    explains=(Explains("same", ("KD1003",)), *CONSEQUENCES),
    symptoms=("Liveness probe failed", "Unhealthy", "Killing", "exit code 137", "exit code 143", "CrashLoopBackOff"),
)
def liveness_kills(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    for end in ends_of(pod, cluster, lambda part: part.container.liveness_probe is not None):
        probe = end.part.container.liveness_probe
        if end.killer is not Killer.LIVENESS_PROBE or probe is None:
            continue
        said = "the liveness probe fails"
        fix = "Correct the liveness probe, or make it more patient: timeoutSeconds, failureThreshold"
        yield killed_by_probe(pod, end, probe, "Liveness", said, fix, cluster)
