"""Service targetPort does not match the ports of its pods.

## What it means
The Service has pods, but its `targetPort` is wrong. With a port name that no pod declares, the Service has no endpoint
for this port; with a wrong number, the pods refuse each connection.

## Why it happens
- `targetPort` is a name, but the containers use another port name, or declare it for another protocol.
- `targetPort` is not set, so it equals `port`, but the program listens on another port.
- The port of the program was changed, but not the Service.

## How to fix it
Set `targetPort` to the port on which the program listens. A number needs no `containerPort`; a name must stand under
`containers[].ports[]` with the same protocol.

## References
- https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster import (
    Cluster,
    EndpointSlice,
    Pod,
    Service,
    finished,
    pods_selected_by,
    ready,
    selected_so_far,
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
from kubedoctor.replay.services import find_port, unknown_name
from kubedoctor.replay.services.refusals import may_listen, refused_by, undeclared_number, wrong_number
from kubedoctor.replay.services.staleness import kept_by_controller, ready_addresses

MOST_PORTS = 4


def _selects(service: Service) -> bool:
    return bool(service.spec.selector and service.spec.ports) and service.spec.type != "ExternalName"


@diagnostic(
    code="KD2002",
    subject=Service,
    severity=Severity.CRITICAL,
    reads=(Service, Pod, EndpointSlice),
    when=_selects,
    symptoms=("targetPort", "connection refused", "no endpoints"),
)
def target_port_mismatch(service: Service, cluster: Cluster) -> Iterator[Finding]:
    ports = service.spec.ports or ()
    if _served(service, cluster):
        return
    pods = [pod for pod in pods_selected_by(service, cluster) if not finished(pod) and not terminating(pod)]
    if not pods:
        return
    lost = [at for at, port in enumerate(ports) if all(find_port(pod, port) is None for pod in pods)]
    lost = [at for at in lost if not _has_endpoints(service, ports[at].name, cluster)]
    for at in lost:
        yield _unknown_name(service, at, pods, cluster, nothing_left=len(lost) == len(ports))
    for at, port in enumerate(ports):
        if at not in lost and isinstance(port.target_port or port.port, int):
            yield from _wrong_number(service, at, pods, cluster)


def _has_endpoints(service: Service, port: str, cluster: Cluster) -> bool:
    """Whether somebody else keeps ready addresses for the port: then connections are answered all the same."""
    return any(
        ready_addresses((slice_,)) and any((entry.name or "") == port and entry.port for entry in slice_.ports or ())
        for slice_ in cluster.maybe.slices_of(service.namespace, service.name)
        if not kept_by_controller(slice_)
    )


def _served(service: Service, cluster: Cluster) -> bool:
    """Each port, by some pod that was seen so far: then the others need not be known."""
    return all(
        any(
            may_listen(pod, port)
            for pod in selected_so_far(service, cluster)
            if not finished(pod) and not terminating(pod)
        )
        for port in service.spec.ports or ()
    )


def _unknown_name(service: Service, at: int, pods: list[Pod], cluster: Cluster, *, nothing_left: bool) -> Finding:
    port = (service.spec.ports or ())[at]
    unknown = unknown_name(service, port, pods)
    if unknown.protocols:
        declared = f"the pods declare it for {', '.join(unknown.protocols)}"
    elif unknown.names:
        declared = (
            f"the {'port name' if len(unknown.names) == 1 else 'port names'} of the pods: {', '.join(unknown.names)}"
        )
    else:
        declared = "the pods have no named port"
    headless = service.spec.is_headless
    severity = None if nothing_left else Severity.WARNING
    return Finding(
        about=ref(service),
        aspect=port.name or str(port.port),
        summary=f"targetPort {unknown.target} of port {port.port} matches no {unknown.protocol} port of the pods; {declared}",
        confidence=Confidence.CERTAIN,
        severity=Severity.NOTICE if headless else severity,
        detail="The addresses of a headless Service still resolve; only the SRV records of the port are missing."
        if headless
        else "",
        evidence=(
            quote(service, f"spec.ports[{at}].targetPort", "no selected pod declares this port name"),
            *_declared(pods[0], "name"),
        ),
        fixes=(_fix(service, at, unknown.meant, cluster),) if unknown.meant else (),
        commands=(_slices(service), _ports_of(pods[0])),
    )


def _wrong_number(service: Service, at: int, pods: list[Pod], cluster: Cluster) -> Iterator[Finding]:
    port = (service.spec.ports or ())[at]
    probed = wrong_number(service, port, pods, cluster)
    wrong = probed or undeclared_number(port, pods)
    if wrong is None:
        return
    refused = refused_by(service, port, pods, cluster)
    if refused is None and (probed is None or wrong.others_lead_there):
        return
    pod = next((pod for pod in pods if ready(pod)), pods[0])
    container = wrong.container
    path = f"spec.containers[name={container}]"
    probes = [f"{path}.readinessProbe.{action}.port" for action in ("httpGet", "tcpSocket", "grpc")]
    evidence = [
        quote(
            service,
            f"spec.ports[{at}].targetPort" if port.target_port else f"spec.ports[{at}].port",
            "port to which the Service sends",
        ),
        *_declared(pod, "containerPort"),
    ]
    evidence += [quote(pod, probe, "port of the readiness probe") for probe in probes if has_path(pod, probe)]
    if refused is not None:
        evidence.append(quote_line(refused.tail, refused.index, "log of a client of this Service"))
    declared = ", ".join(map(str, wrong.declared))
    yield Finding(
        about=ref(service),
        aspect=port.name or str(port.port),
        summary=f"the Service sends to port {wrong.target}, but its pods declare port {declared}",
        confidence=Confidence.LIKELY if refused is not None else Confidence.POSSIBLE,
        severity=None if refused is not None else Severity.WARNING,
        would_disprove=f"port {wrong.target} of a pod accepts a connection",
        evidence=tuple(evidence),
        affects=(ref(refused.pod),) if refused is not None else (),
        fixes=(_fix(service, at, wrong.declared[0], cluster),) if len(wrong.declared) == 1 else (),
        commands=(
            Command(
                kubectl("port-forward", f"pod/{pod.name}", f"18080:{wrong.target}", namespace=pod.namespace),
                "forward the port, then connect to localhost:18080 to see whether it answers",
            ),
            _slices(service),
        ),
    )


def _declared(pod: Pod, field: str) -> list[Evidence]:
    """The names or numbers of the ports that a pod's containers declare."""
    return [
        quote(pod, f"spec.containers[name={container.name}].ports[{at}].{field}", "declared by the pod")
        for container in pod.spec.containers
        for at, port in enumerate(container.ports or ())
        if port.name or field != "name"
    ][:MOST_PORTS]


def _fix(service: Service, at: int, target: int | str, cluster: Cluster) -> Fix:
    change = put(ref(service), ("spec", "ports", at, "targetPort"), target)
    fix = Fix(summary=f"Set targetPort to {target}", command=command_line(change, service))
    if isinstance(target, int):
        return fix  # That a port is declared does not prove that anything listens on it.
    from kubedoctor.answers.proof import prove, proven  # most Services need no fix

    return proven(fix, prove(change, cluster, lambda after: _resolves(service, at, after)))


def _resolves(service: Service, at: int, cluster: Cluster) -> bool:
    """Whether a selected pod has the port that the Service names."""
    changed = cluster.get(Service, service.namespace, service.name)
    port = (changed.spec.ports or ())[at] if changed is not None else None
    if changed is None or port is None:
        return False
    pods = [pod for pod in pods_selected_by(changed, cluster) if not finished(pod) and not terminating(pod)]
    return any(find_port(pod, port) is not None for pod in pods)


def _slices(service: Service) -> Command:
    return Command(
        kubectl(
            "get", "endpointslices", "-l", f"kubernetes.io/service-name={service.name}", namespace=service.namespace
        ),
        "the addresses and ports of the endpoints",
    )


def _ports_of(pod: Pod) -> Command:
    return Command(
        kubectl("get", "pod", pod.name, "-o", "jsonpath={.spec.containers[*].ports}", namespace=pod.namespace),
        "the declared ports of the pod",
    )
