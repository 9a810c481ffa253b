"""Service and pods disagree on TCP or UDP.

## What it means
The Service forwards a port over one protocol, and the pods use this port with another. Clients that speak the protocol of
the program find no such port at the Service: their connections are refused or time out.

## Why it happens
- `protocol` was left out: the default is TCP, also for DNS, syslog, StatsD, game servers and QUIC.
- A port was copied from a Service of another protocol.

A declared port is only information, and TCP is its default. The kubelet has no probes for UDP, so that programs that use UDP
often have a TCP probe on the same port: a UDP Service is only called wrong if the log of a client shows that TCP is refused,
or perhaps wrong if a probe speaks HTTP or gRPC there.

## How to fix it
Set the `protocol` of the Service's port. A program that uses both needs two ports in the Service, with two names.

## References
- https://kubernetes.io/docs/reference/networking/service-protocols/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from diagnostics.services._triage import has_numbers
from kubedoctor.cluster import (
    Cluster,
    Pod,
    Service,
    finished,
    pods_selected_by,
    ready,
    selected_so_far,
    services_selecting,
    terminating,
)
from kubedoctor.cluster.changes import put
from kubedoctor.findings import (
    Command,
    Confidence,
    Evidence,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
    has_path,
    kubectl,
    quote,
    quote_line,
    ref,
)
from kubedoctor.replay.services import find_port
from kubedoctor.replay.services.ports import declared_ports
from kubedoctor.replay.services.refusals import probed_port, refused_by

_ACTIONS = ("httpGet", "tcpSocket", "grpc")
_PROBES = ("readinessProbe", "livenessProbe", "startupProbe")


class _Other(NamedTuple):
    """The protocol of the pods' port. declared, probed: what shows it. speaks: a probe gets answers by HTTP or gRPC."""

    protocol: str
    declared: Evidence
    probed: Evidence | None
    speaks: bool


@diagnostic(
    code="KD2009",
    subject=Service,
    severity=Severity.WARNING,
    reads=(Service, Pod),
    when=has_numbers,
    symptoms=("UDP", "protocol", "connection refused", "timed out"),
)
def protocol_mismatch(service: Service, cluster: Cluster) -> Iterator[Finding]:
    ports = service.spec.ports or ()
    if _agree(service, selected_so_far(service, cluster)):
        return  # One pod that was seen is enough.
    pods = [pod for pod in pods_selected_by(service, cluster) if ready(pod) and not finished(pod)]
    pods = [pod for pod in pods if not terminating(pod)]
    for at, port in enumerate(ports):
        protocol = port.protocol or "TCP"
        if not pods or isinstance(port.target_port, str):
            continue
        found = [_other_protocol(pod, port.target_port or port.port, protocol) for pod in pods]
        other = found[0]
        # A probe of a ready pod shows that the port takes TCP connections, whatever is declared.
        if other is None or None in found or (protocol == "TCP") == (other.probed is not None):
            continue
        if _leads_there(other.protocol, port.target_port or port.port, pods[0], cluster):
            continue
        refused = refused_by(service, port, pods, cluster)
        if protocol != "TCP" and refused is None and not other.speaks:
            continue
        # TCP is the default, so that it need not be written.
        shown = f"spec.ports[{at}].{'port' if protocol == 'TCP' else 'protocol'}"
        change = put(ref(service), ("spec", "ports", at, "protocol"), other.protocol)
        line = command_line(change, service) if refused is not None or protocol == "TCP" else ""
        yield Finding(
            about=ref(service),
            aspect=port.name or str(port.port),
            summary=f"port {port.port} of the Service is {protocol}, but the pods use port"
            f" {port.target_port or port.port} with {other.protocol}",
            severity=Severity.CRITICAL if refused is not None else None,
            confidence=Confidence.LIKELY if refused is not None else Confidence.POSSIBLE,
            evidence=(
                quote(service, shown, f"port {port.port} of the Service, {protocol}"),
                other.declared,
                *((other.probed,) if other.probed is not None else ()),
                *((quote_line(refused.tail, refused.index, "log of a client of this Service"),) if refused else ()),
            ),
            would_disprove=f"the program answers {protocol} on this port too",
            affects=(ref(refused.pod),) if refused is not None else (),
            fixes=(_fix(protocol, other.protocol, line),),
            commands=(
                Command(
                    kubectl("get", "service", service.name, "-o", "yaml", namespace=service.namespace),
                    "its ports and protocols",
                ),
            ),
        )


def _fix(protocol: str, other: str, line: str) -> Fix:
    """Without a line where the program may well use the Service's protocol, which a change would cut off."""
    if line:
        return Fix(f"Set the protocol of the port to {other}", line)
    return Fix(f"If the program does not use {protocol}, set the protocol of the port to {other}")


def _agree(service: Service, seen: Iterable[Pod]) -> bool:
    """Whether a pod that was seen has each port for the Service's protocol, or does not tell."""
    numbers = [(port.target_port or port.port, port.protocol or "TCP") for port in service.spec.ports or ()]
    return any(
        all(isinstance(number, str) or _other_protocol(pod, number, protocol) is None for number, protocol in numbers)
        for pod in seen
        if ready(pod)
    )


def _other_protocol(pod: Pod, number: int, protocol: str) -> _Other | None:
    """None where the pod declares the port for the Service's protocol, or not at all."""
    rows = [(container, port) for container, port in declared_ports(pod) if port.container_port == number]
    if not rows or any((port.protocol or "TCP") == protocol for _, port in rows):
        return None
    container, declared = rows[0]
    kind = "containers" if any(row is container for row in pod.spec.containers) else "initContainers"
    path = f"spec.{kind}[name={container.name}]"
    at = next(at for at, row in enumerate(container.ports or ()) if row is declared)
    field = "containerPort" if (declared.protocol or "TCP") == "TCP" else "protocol"
    shown = quote(pod, f"{path}.ports[{at}].{field}", f"container port {number}, {declared.protocol or 'TCP'}")
    probed, speaks = None, False
    for name, probe in zip(
        _PROBES, (container.readiness_probe, container.liveness_probe, container.startup_probe), strict=True
    ):
        action = next((row for row in _ACTIONS if has_path(pod, f"{path}.{name}.{row}.port")), "")
        if probed is None and action and probed_port(container, probe) == number:
            probed = quote(
                pod, f"{path}.{name}.{action}.port", "the kubelet connects to it with TCP, and the pod is ready"
            )
            speaks = action != "tcpSocket"
    return _Other(declared.protocol or "TCP", shown, probed, speaks)


def _leads_there(protocol: str, number: int, pod: Pod, cluster: Cluster) -> bool:
    """Whether a port of a Service leads there with the other protocol: then the program uses both, or the two Services are
    one for each."""
    return any(
        find_port(pod, port) == number and (port.protocol or "TCP") == protocol
        for service in services_selecting(pod, cluster)
        for port in service.spec.ports or ()
    )
