"""API server is not ready (/readyz).

## What it means
The API server checks itself: its store (etcd), its informers, its start-up hooks. With a check that fails, `/readyz` answers
500, and a load balancer before several API servers sends no requests to this one. Requests that reach it may still be
answered, from its cache.

## Why it happens
- `etcd`, `etcd-readiness`: etcd does not answer, has no leader, or is slow.
- `informer-sync`, `poststarthook/…`: the API server has just started; for long, it cannot read what it needs.
- `shutdown`: it is being stopped, as by an upgrade.

## How to fix it
1. `kubectl get --raw='/readyz?verbose'`; the reason is withheld there, and stands in the log of kube-apiserver.
2. For etcd: its pods, their logs, the disk that it writes to.

## References
- https://kubernetes.io/docs/reference/using-api/health-checks/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.control_plane._triage import of_the_control_plane
from kubedoctor.cluster import Cluster, Evidence, LogTail, Namespace, counted, listed, ref
from kubedoctor.findings import Command, Confidence, Explains, Finding, Fix, Severity, diagnostic, kubectl, quote_line
from kubedoctor.replay.status.readyz import ReadyzCheck, checks_of

MOST_NAMES = 4
_STORE = "etcd"
_STOPS = "shutdown"


@diagnostic(
    code="KD4106",
    subject=Namespace,
    severity=Severity.CRITICAL,
    reads=(),
    when=of_the_control_plane,
    explains=(Explains("same", ("KD4105",)),),
    also_known_as=("readyz check failed", "livez check failed"),
    symptoms=("[-]etcd failed: reason withheld", "[-]poststarthook", "[-]informer-sync failed"),
)
def api_server_not_ready(namespace: Namespace, cluster: Cluster) -> Iterator[Finding]:
    tail = cluster.readyz() if of_the_control_plane(namespace) else None
    checks = checks_of(tail.lines) if tail is not None else ()
    failed = [check for check in checks if not check.passed]
    if tail is None or not failed:
        return
    names = listed((check.name for check in failed), MOST_NAMES)
    stops = any(check.name == _STOPS for check in failed)
    store = any(check.name.startswith(_STORE) for check in failed)
    yield Finding(
        about=ref(namespace),
        aspect="readyz",
        severity=Severity.NOTICE if stops else None if store else Severity.WARNING,
        summary=f"API server is not ready: {len(failed)} of {counted(len(checks), 'check')} failed (/readyz): {names}",
        detail="It is being stopped." if stops else "",
        evidence=tuple(_lines(tail, failed)),
        confidence=Confidence.CERTAIN,
        fixes=(Fix(_fix(store=store, stops=stops)),),
        commands=(
            Command("kubectl get --raw='/readyz?verbose'", "all of its checks"),
            Command(
                kubectl("get", "pods", "-l", "component=kube-apiserver", namespace=namespace.name), "whether it runs"
            ),
        ),
    )


def _lines(tail: LogTail, failed: list[ReadyzCheck]) -> Iterator[Evidence]:
    for check in failed[:MOST_NAMES]:
        yield quote_line(tail, check.place, "the API server's own check")


def _fix(*, store: bool, stops: bool) -> str:
    if stops:
        return "Wait until it has stopped, and another answers"
    if store:
        return "Repair etcd: look at its pods, their logs, and the disk that it writes to"
    return "Read in the log of kube-apiserver what the check waits for"
