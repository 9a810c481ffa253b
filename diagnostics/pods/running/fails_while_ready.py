"""Pod is ready, but its program keeps failing.

## What it means
The pod is Running and Ready, and its log keeps reporting the same failure, up to its last lines. Kubernetes sees
none of it: a readiness probe asks whether the program answers, not whether it does its work.

The failure is one that kubedoctor knows: a host that does not resolve, a connection that is refused, a right or a login
that is denied, a table that is missing. What a server reports of its clients is not counted, nor what succeeded since.

## Why it happens
- What the program needs is gone, has moved, or has another name: a Service, a database, a queue, a table.
- A right is missing: in RBAC, at a database or broker, at the cloud.
- A password, token or certificate has expired or was changed.
- The server that it asks has reached a limit of its own.

## How to fix it
1. Read the quoted line, and the object that it names.
2. Correct the setting, the right or the server, as the finding proposes.
3. Let the readiness probe ask for what the program cannot do without, if it should get no traffic then.

A scan of a live cluster reads the log of one pod of each workload, of at most 30 workloads, the newest first; `kubedoctor
pod NAME` always reads that of the pod.

## References
- https://kubernetes.io/docs/concepts/cluster-administration/logging/
- https://kubernetes.io/docs/concepts/workloads/pods/probes/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.pods.crashes._story_kinds import STORY_KINDS
from diagnostics.pods.running._chosen import with_a_log_to_read
from kubedoctor.cluster import WORKLOADS, Cluster, LogWant, Pod, ready
from kubedoctor.findings import Finding, Severity, active, diagnostic


@diagnostic(
    code="KD1029",
    subject=Pod,
    severity=Severity.WARNING,
    reads=(Pod, *STORY_KINDS, *WORKLOADS),
    when=ready,
    among=with_a_log_to_read,
    symptoms=("Running", "Ready", "level=error"),
)
def fails_while_ready(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    snapshot = cluster.snapshot
    wants = [LogWant(pod.namespace, pod.name, container.name) for container in pod.spec.containers]
    readable = any(map(snapshot.has_log, wants)) or not all(map(snapshot.refusal, wants))
    if not (readable and ready(pod) and active(pod)):
        return
    from diagnostics.pods.running._failing import failures  # most recordings have no log of such pods

    yield from failures(pod, cluster)
