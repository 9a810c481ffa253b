"""The server behind a Service listens on its loopback address only.

## What it means
The program binds 127.0.0.1 or ::1, so that only containers of its own pod reach it. The Service sends to the address of the
pod, where nothing listens: each client is refused, although the pods run and no probe fails.

## Why it happens
- Many programs bind `localhost` unless their settings name another address: development servers, databases, admin and metrics ports.
- The address came from a file or a variable that was written for one machine.

## How to fix it
1. Let the program listen on all addresses: `0.0.0.0`, or `::` for both families, in its arguments, variables or file.
2. Give it a readiness probe on that port, which would have shown it.
3. If only a proxy in the same pod is meant to be called, send the Service to the port of the proxy.

## References
- https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/#are-the-pods-working
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from diagnostics.services._triage import selects_pods
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    Container,
    LogTail,
    Pod,
    Service,
    ServicePort,
    finished,
    pods_selected_by,
    ready,
    ref,
    terminating,
    workload_of,
)
from kubedoctor.findings import (
    Confidence,
    Evidence,
    Finding,
    Severity,
    diagnostic,
    fix_by_hand,
    look_at_log,
    quote,
    quote_line,
    quote_spec,
)
from kubedoctor.replay.logs.listening import loopback_ports, ports_listened_on
from kubedoctor.replay.services.ports import find_port
from kubedoctor.replay.services.refusals import ConnectionRefusal, refused_by

_LOGS: Final = 2
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


@diagnostic(
    code="KD2030",
    subject=Service,
    severity=Severity.CRITICAL,
    reads=(Service, Pod, *WORKLOADS),
    when=selects_pods,
    symptoms=("connection refused", "ECONNREFUSED", "127.0.0.1", "localhost"),
)
def server_on_loopback(service: Service, cluster: Cluster) -> Iterator[Finding]:
    pods = [pod for pod in pods_selected_by(service, cluster) if ready(pod) and not finished(pod)]
    pods = [pod for pod in pods if not terminating(pod) and not pod.spec.host_network]
    for port in service.spec.ports or () if pods else ():
        if (port.protocol or "TCP") != "TCP":
            continue
        refused = refused_by(service, port, pods, cluster, optional=True)
        if refused is not None:
            yield from _judge(service, port, pods[:_LOGS], refused, cluster)


def _judge(
    service: Service, port: ServicePort, pods: Sequence[Pod], refused: ConnectionRefusal, cluster: Cluster
) -> Iterator[Finding]:
    containers = [(pod, container) for pod in pods for container in pod.spec.containers]
    cluster.together(
        *(partial(cluster.log_tail, pod, container.name, optional=True) for pod, container in containers),
        *(partial(workload_of, pod, cluster) for pod in pods),
    )
    for pod, container in containers:
        tail, number = cluster.log_tail(pod, container.name, optional=True), find_port(pod, port)
        line = _loopback_line(tail, number) if tail is not None and number else None
        if tail is None or line is None:
            continue
        about = workload_of(pod, cluster)
        yield Finding(
            about=about,
            aspect=str(number),
            summary=f"container `{container.name}` listens on port {number} of its loopback address only (127.0.0.1):"
            f" clients of {ref(service).title} are refused",
            confidence=Confidence.CERTAIN,
            evidence=(
                quote_line(tail, line, "where it listens"),
                *_settings(pod, container, cluster),
                quote(service, "spec.ports", f"port {port.port} leads to the address of the pod"),
                quote_line(refused.tail, refused.index, "log of a client of this Service"),
            ),
            affects=(ref(refused.pod),),
            fixes=(fix_by_hand(about, f"Let the program listen on 0.0.0.0:{number} instead of 127.0.0.1"),),
            commands=(look_at_log(pod, container.name, previous=False, why="the address on which it listens"),),
        )
        return


def _loopback_line(tail: LogTail, number: int) -> int | None:
    """The line with the port at the loopback address, unless another states the port without it."""
    alone = loopback_ports(tail.lines)
    named = [index for index, port in ports_listened_on(tail.lines).items() if port == number]
    return named[0] if named and all(index in alone for index in named) else None


def _settings(pod: Pod, container: Container, cluster: Cluster) -> Iterator[Evidence]:
    """The words that set the address, where the pod has them."""
    for field in ("command", "args"):
        words: Sequence[str] = getattr(container, field) or ()
        if any(address in word for word in words for address in _LOOPBACK):
            yield from quote_spec(pod, cluster, workload_of(pod, cluster), container.name, field, "sets the address")
