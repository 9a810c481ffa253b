"""A Service sends to a port on which its pods do not listen.

## What it means
The Service has pods, but the `targetPort` leads nowhere. With a name that no pod declares the
Service has no port at all; with a wrong number the pods refuse each connection.

## Why it happens
- `targetPort` is a name, and the containers call their port differently, or declare it for
  another protocol.
- `targetPort` is left out, so it is the same as `port`, and the program listens elsewhere.
- The program's port was changed and the Service was forgotten.

## How to fix it
Set `targetPort` to the port that the program listens on. A number needs no `containerPort`;
a name must be one of the names under `containers[].ports[]`, with the same protocol.

## References
- https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator

from kubedoctor.cluster.kinds.core import Service
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.relations.services import pods_selected_by
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished, ready, terminating
from kubedoctor.findings import (
    Command,
    Confidence,
    Evidence,
    Finding,
    Fix,
    Severity,
    diagnostic,
    has_path,
    quote,
    quote_line,
    ref,
)
from kubedoctor.replay.services import find_port, unknown_name
from kubedoctor.replay.services.refusals import refused_by, wrong_number

MOST_PORTS = 4


def _selects(service: Service) -> bool:
    return bool(service.spec.selector and service.spec.ports) and service.spec.type != "ExternalName"


@diagnostic(
    code="KD2002",
    subject=Service,
    severity=Severity.CRITICAL,
    reads=(Service, Pod),
    when=_selects,
    symptoms=("targetPort", "connection refused", "no endpoints"),
)
def target_port_mismatch(service: Service, cluster: Cluster) -> Iterator[Finding]:
    pods = [each for each in pods_selected_by(service, cluster) if not finished(each) and not terminating(each)]
    if not pods:
        return
    ports = service.spec.ports or ()
    lost = [at for at, port in enumerate(ports) if all(find_port(pod, port) is None for pod in pods)]
    for at in lost:
        yield _unknown_name(service, at, pods, nothing_left=len(lost) == len(ports))
    for at, port in enumerate(ports):
        if at not in lost and isinstance(port.target_port or port.port, int):
            yield from _unheard_number(service, at, pods, cluster)


def _unknown_name(service: Service, at: int, pods: list[Pod], *, nothing_left: bool) -> Finding:
    port = (service.spec.ports or ())[at]
    unknown = unknown_name(service, port, pods)
    if unknown.protocols:
        says = f"the pods declare it for {', '.join(unknown.protocols)}"
    elif unknown.names:
        says = f"the pods call {'it' if len(unknown.names) == 1 else 'their ports'} {', '.join(unknown.names)}"
    else:
        says = "the pods name no port"
    headless = service.spec.is_headless
    severity = None if nothing_left else Severity.WARNING
    return Finding(
        about=ref(service),
        aspect=port.name or str(port.port),
        summary=f"port {port.port} targets the port name {unknown.target}, which no selected pod has for"
        f" {unknown.protocol}; {says}",
        confidence=Confidence.CERTAIN,
        severity=Severity.NOTICE if headless else severity,
        detail="A headless Service's addresses still resolve; only SRV records lack the port." if headless else "",
        evidence=(
            quote(service, f"spec.ports[{at}].targetPort", "a name that no selected pod has"),
            *_declared(pods[0], "name"),
        ),
        fixes=(_fix(service, at, unknown.meant),) if unknown.meant else (),
        commands=(_slices(service), _ports_of(pods[0])),
    )


def _unheard_number(service: Service, at: int, pods: list[Pod], cluster: Cluster) -> Iterator[Finding]:
    port = (service.spec.ports or ())[at]
    found = wrong_number(service, port, pods, cluster)
    if found is None:
        return
    refused = refused_by(service, port, pods, cluster)
    if refused is None and found.others_lead_there:
        return
    pod = next((each for each in pods if ready(each)), pods[0])
    container = found.container
    path = f"spec.containers[name={container}]"
    probes = [f"{path}.readinessProbe.{action}.port" for action in ("httpGet", "tcpSocket", "grpc")]
    evidence = [
        quote(
            service, f"spec.ports[{at}].targetPort" if port.target_port else f"spec.ports[{at}].port", "where it sends"
        ),
        *_declared(pod, "containerPort"),
    ]
    evidence += [quote(pod, probe, "answers the readiness probe") for probe in probes if has_path(pod, probe)]
    if refused is not None:
        evidence.append(quote_line(refused.tail, refused.index, "a client of this Service"))
    declared = ", ".join(str(each) for each in found.declared)
    yield Finding(
        about=ref(service),
        aspect=port.name or str(port.port),
        summary=f"it sends to port {found.target}, but its pods declare {declared}",
        confidence=Confidence.LIKELY if refused is not None else Confidence.POSSIBLE,
        severity=None if refused is not None else Severity.WARNING,
        would_disprove=f"a connection to port {found.target} of a pod that is answered",
        evidence=tuple(evidence),
        affects=(ref(refused.pod),) if refused is not None else (),
        fixes=(_fix(service, at, found.declared[0]),) if len(found.declared) == 1 else (),
        commands=(
            Command(
                f"kubectl port-forward -n {pod.namespace} pod/{pod.name} 18080:{found.target}",
                "does anything answer on this port",
            ),
            _slices(service),
        ),
    )


def _declared(pod: Pod, field: str) -> list[Evidence]:
    """The names or numbers of the ports that a pod's containers declare."""
    return [
        quote(pod, f"spec.containers[name={container.name}].ports[{at}].{field}", "what the pod declares")
        for container in pod.spec.containers
        for at, port in enumerate(container.ports or ())
        if port.name or field != "name"
    ][:MOST_PORTS]


def _fix(service: Service, at: int, target: int | str) -> Fix:
    patch = json.dumps(
        [{"op": "replace", "path": f"/spec/ports/{at}/targetPort", "value": target}], separators=(",", ":")
    )
    return Fix(
        summary=f"set targetPort to {target}",
        command=f"kubectl patch service {service.name} -n {service.namespace} --type=json -p {shlex.quote(patch)}",
        verified=isinstance(target, str),
    )


def _slices(service: Service) -> Command:
    return Command(
        f"kubectl get endpointslices -n {service.namespace} -l kubernetes.io/service-name={service.name}",
        "the addresses and ports that traffic goes to",
    )


def _ports_of(pod: Pod) -> Command:
    return Command(
        f"kubectl get pod -n {pod.namespace} {pod.name} -o jsonpath='{{.spec.containers[*].ports}}'",
        "the ports that the pod declares",
    )
