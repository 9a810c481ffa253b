"""Linkerd: a server that speaks first is on a port that is not opaque.

## What it means
The proxy of a client waits for the client's first bytes, to see which protocol it speaks. With MySQL, SMTP and other
protocols the server speaks first, so both sides wait. After 10 seconds the proxy goes on as with plain TCP; most clients have
given up by then.

## Why it happens
- The server listens on another port than the usual one: Linkerd skips the detection for its list of opaque ports only
  (25, 587, 3306, 4444, 5432, 6379, 9300, 11211, or what was set when it was installed).
- The server is outside the cluster, where no annotation of a Service says it.

## How to fix it
Annotate the Service with `config.linkerd.io/opaque-ports`. For a server outside the cluster, annotate the client's pod
template with `config.linkerd.io/skip-outbound-ports`. Restart the clients.

## References
- https://linkerd.io/2/features/protocol-detection/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from kubedoctor.answers.reach.attempts import stated_causes
from kubedoctor.cluster import WORKLOADS, Cluster, LogTail, Namespace, Pod, Service, not_ready
from kubedoctor.findings import (
    Command,
    Confidence,
    Effect,
    Explains,
    Finding,
    Fix,
    Ref,
    Severity,
    at_fault,
    diagnostic,
    fix_by_hand,
    kubectl,
    quote,
    quote_line,
    ref,
)
from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.mesh.linkerd.proxies import PROXY, has_proxy
from kubedoctor.replay.services.hosts import service_with_address, split_address

OPAQUE_PORTS: Final = "config.linkerd.io/opaque-ports"
_TIMED_OUT: Final = re.compile(r"protocol detection timed out after (?P<after>\S+)")
_SENT_TO: Final = re.compile(
    r"\boutbound:.*?[{ ](?:addr|orig_dst|target\.addr)=(?P<address>[\d.]+:\d+|\[[0-9a-f:]+\]:\d+)"
)
"""`linkerd/detect/src/lib.rs` of linkerd2-proxy; the span before it names the destination."""


class _Waited(NamedTuple):
    tail: LogTail
    line: int
    address: str
    after: str
    times: int


@diagnostic(
    code="KD6104",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(Pod, Service, Namespace, *WORKLOADS),
    when=not_ready,
    explains=(Explains("affects", ("KD1003", "KD1012", "KD1013", "KD1014", "KD1016", "KD1029", "KD1201", "KD1204")),),
    symptoms=("protocol detection timed out", "Handshake inactivity timeout"),
)
def linkerd_port_not_opaque(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    gave_up = has_proxy(pod) and any(cause.fault in _GAVE_UP for cause in stated_causes(pod, cluster))
    waited = _waited(pod, cluster) if gave_up else None
    if waited is None:
        return
    host, port = split_address(waited.address)
    service = service_with_address(host, cluster.maybe.all(Service))
    client = at_fault(pod, cluster)
    if service is not None and _is_opaque(service, port, cluster):
        return  # It was set since the client started.
    named = f"Service {service.namespace}/{service.name}" if service is not None else f"server {host}"
    yield Finding(
        about=ref(service) if service is not None else client,
        aspect=f"{client.title}-{port}",
        summary=(
            f"Linkerd's protocol detection of {client.title} waits {waited.after} for it to speak first on port {port} of"
            f" {named}: {_WHY}"
        ),
        detail=f"Its proxy's log has {waited.times} such connections." if waited.times > 1 else "",
        evidence=(
            quote_line(waited.tail, waited.line, "the client's proxy saw no bytes of the client"),
            *((quote(service, "spec.clusterIP", "the address is this Service's"),) if service is not None else ()),
        ),
        confidence=Confidence.LIKELY,
        affects=(ref(pod), client),
        would_disprove="The port is opaque for the proxy, and the client was slow to speak.",
        fixes=(_fix(service, client, port),),
        commands=(
            Command(
                kubectl("logs", pod.name, "-c", PROXY, namespace=pod.namespace),
                "the connections that the proxy waited for",
            ),
        ),
    )


_GAVE_UP: Final = frozenset({LogFault.CONNECTION_TIMEOUT, LogFault.CONNECTION_RESET, LogFault.UNKNOWN})
"""How a program may fail whose server sends no byte."""
_WHY: Final = "the port is not opaque, and with MySQL, SMTP and the like the server speaks first"


def _waited(pod: Pod, cluster: Cluster) -> _Waited | None:
    """The newest connection of the client that the proxy waited for."""
    tail = cluster.log_tail(pod, PROXY)
    found = [
        (index, sent["address"], timed_out["after"].rstrip(".,"))
        for index, line in enumerate(tail.lines if tail is not None else ())
        if (timed_out := _TIMED_OUT.search(line)) and (sent := _SENT_TO.search(line))
    ]
    if tail is None or not found:
        return None
    line, address, after = found[-1]
    return _Waited(tail, line, address, after, sum(row[1] == address for row in found))


def _is_opaque(service: Service, port: int, cluster: Cluster) -> bool:
    """By the annotation of the Service, else of its namespace: numbers and ranges, parted by commas."""
    namespace = cluster.maybe.get(Namespace, "", service.namespace)
    listed = service.annotations.get(OPAQUE_PORTS) or (namespace.annotations.get(OPAQUE_PORTS) if namespace else "")
    for entry in (listed or "").split(","):
        first, _, last = entry.strip().partition("-")
        if first.isdigit() and int(first) <= port <= int(last if last.isdigit() else first):
            return True
    return False


def _fix(service: Service | None, client: Ref, port: int) -> Fix:
    if service is None:
        return fix_by_hand(client, f"Annotate its pod template with config.linkerd.io/skip-outbound-ports={port}")
    kept = service.annotations.get(OPAQUE_PORTS, "")
    ports = ",".join(filter(None, (kept, str(port))))
    words = ("annotate", ref(service).argument, f"{OPAQUE_PORTS}={ports}", *(("--overwrite",) if kept else ()))
    return Fix(
        f"Make port {port} opaque, then restart {client.title}",
        kubectl(*words, namespace=service.namespace),
        Effect.CHANGES,
    )
