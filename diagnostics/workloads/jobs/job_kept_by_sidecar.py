"""Job is kept running by a sidecar.

## What it means
The program of the Job has ended with exit code 0, but another container of the pod is still running. The pod is not
complete before all its containers have ended, so the Job is not either.

## Why it happens
- An injected proxy (Istio, Linkerd, Cloud SQL Proxy, Vault Agent) or a log shipper runs until it is stopped.
- The container that is still running is itself part of the work and takes longer.

## How to fix it
1. Make it a native sidecar: an init container with `restartPolicy: Always` (1.29 and later); the kubelet then ends it.
   Istio and Linkerd can inject their proxies so.
2. Or have the program end the proxy at its end (`/quitquitquit`), or exclude the pod from the injection.

## References
- https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#jobs-with-sidecar-containers
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from diagnostics.workloads.jobs._runs import running
from kubedoctor.cluster import (
    Cluster,
    ContainerStatus,
    Job,
    Pod,
    human_duration,
    listed,
    pods_of,
    quote,
    ref,
    status_path,
    terminating,
)
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic, look_at_log

_ENDS_TOO: Final = timedelta(minutes=2)
"""How long the others may take to end after the program."""
_SIDECARS: Final = (
    "istio-proxy",
    "linkerd-proxy",
    "envoy",
    "consul-dataplane",
    "kuma-sidecar",
    "cloud-sql-proxy",
    "cloudsql-proxy",
    "vault-agent",
    "fluent-bit",
    "fluentd",
    "filebeat",
    "daprd",
    "otc-container",
)
"""Containers that are known to run until they are stopped."""


def runs_a_pod(job: Job) -> bool:
    """The Job has a pod and is not finished."""
    return job.status.active > 0 and running(job)


@diagnostic(
    code="KD1212",
    subject=Job,
    severity=Severity.WARNING,
    reads=(Job, Pod),
    when=runs_a_pod,
    symptoms=("1/2", "sidecar"),
)
def job_kept_by_sidecar(job: Job, cluster: Cluster) -> Iterator[Finding]:
    template = {container.name for container in job.spec.template.spec.containers}
    for pod in pods_of(job, cluster):
        statuses = pod.status.container_statuses or ()
        ends = [end for status in statuses if (end := _succeeded_at(status)) is not None]
        left = [status.name for status in statuses if status.state is not None and status.state.running is not None]
        if pod.status.phase != "Running" or terminating(pod) or not ends or len(ends) + len(left) != len(statuses):
            continue
        since = cluster.taken_at - max(ends)
        known = [name for name in left if name in _SIDECARS or (template and name not in template)]
        if not left or since < _ENDS_TOO:
            continue
        sure = len(known) == len(left)
        done = [status.name for status in statuses if status.name not in left]
        remaining = f"{listed(left, 2)} {'is' if len(left) == 1 else 'are'}"
        yield Finding(
            about=ref(job),
            severity=None if sure else Severity.NOTICE,
            summary=f"Job is not complete: container {listed(done, 2)} ended with exit code 0 "
            f"{human_duration(since)} ago, and {remaining} still running",
            evidence=(
                *(quote(pod, f"{status_path(pod, name)}.state.terminated.exitCode", "") for name in done),
                *(quote(pod, f"{status_path(pod, name)}.state.running", "") for name in left),
            ),
            confidence=Confidence.LIKELY if sure else Confidence.POSSIBLE,
            would_disprove="" if sure else f"A log that shows work: {remaining} then part of the Job",
            affects=(ref(pod),),
            fixes=(
                Fix(f"Make {listed(left, 2)} a native sidecar: an init container with restartPolicy Always"),
                Fix(f"Or let the program stop {listed(left, 2)} when it ends"),
            ),
            commands=(
                look_at_log(pod, left[0], previous=False, why="whether it works or waits"),
                Command(ref(job).describe_command, "the Job, its pods and events"),
            ),
        )
        return


def _succeeded_at(status: ContainerStatus) -> datetime | None:
    ended = status.state.terminated if status.state is not None else None
    return ended.finished_at if ended is not None and ended.exit_code == 0 else None
