"""Istio: the waypoint that a Service uses does not exist or does not serve it.

## What it means
In ambient mode a waypoint proxy applies the rules of layer 7: routes, retries, AuthorizationPolicies with methods or paths.
The label `istio.io/use-waypoint` of a Service or its Namespace names the Gateway of the waypoint. Without that Gateway the
traffic goes directly from ztunnel to the pods: these rules have no effect, also those that protect the Service.

## Why it happens
- The name in the label is misspelled, or the Gateway is in another namespace (label `istio.io/use-waypoint-namespace`).
- The Gateway was deleted or never created (`istioctl waypoint apply`).
- The Gateway is no waypoint: its class is `istio`, say, instead of `istio-waypoint`, or it has no listener of protocol HBONE.
- The listener admits no routes of this namespace (`allowedRoutes`), or the waypoint serves workloads only.

## How to fix it
Name the waypoint that exists, or create it with `istioctl waypoint apply -n NAMESPACE --name NAME`.

## References
- https://istio.io/latest/docs/ambient/usage/waypoint/
- https://istio.io/latest/docs/ambient/usage/troubleshoot-waypoints/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from diagnostics.mesh._config import settling
from kubedoctor.cluster import (
    Cluster,
    CustomResource,
    KubernetesObject,
    Namespace,
    Ref,
    Service,
    condition,
    listed,
    misspellings,
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
    ref,
)
from kubedoctor.replay.mesh.roles import OTHER_CLASSES, WAYPOINT_CLASS, is_waypoint

GATEWAY: Final = "Gateway.gateway.networking.k8s.io"
USE: Final = "istio.io/use-waypoint"
_ELSEWHERE: Final = "istio.io/use-waypoint-namespace"
_NONE: Final = "none"
_BOUND: Final = "istio.io/WaypointBound"
_REFUSED: Final = ("AttachmentDenied", "UnsupportedTrafficType")
"""`pilot/pkg/serviceregistry/kube/controller/ambient/statusqueue`, 1.25."""


def names_waypoint(service: Service) -> bool:
    """Istio gives such a Service a condition, whether it or its Namespace has the label."""
    return USE in service.labels or condition(service.status.conditions, _BOUND) is not None


@diagnostic(
    code="KD6014",
    subject=Service,
    severity=Severity.WARNING,
    reads=(GATEWAY, Namespace),
    when=names_waypoint,
    symptoms=("WaypointIsNotReady", "istio.io/WaypointBound", "AttachmentDenied"),
)
def waypoint_missing(service: Service, cluster: Cluster) -> Iterator[Finding]:
    stated = condition(service.status.conditions, _BOUND)
    if stated is not None and stated.status == "True":
        return
    namespace = cluster.maybe.get(Namespace, "", service.namespace)
    asker: KubernetesObject | None = service if USE in service.labels else namespace
    name = asker.labels.get(USE, "") if asker is not None else ""
    if asker is None or name in ("", _NONE):
        return
    place = asker.labels.get(_ELSEWHERE, "") or service.namespace
    gateway = cluster.get_ref(Ref(GATEWAY, place, name))
    evidence = [quote(asker, f"metadata.labels[{USE}]", "the waypoint that it uses")]
    if stated is not None and has_path(service, "status.conditions"):
        evidence.append(quote(service, f"status.conditions[type={_BOUND}].message", stated.reason))
    if gateway is None:
        yield _missing(service, asker, Ref(GATEWAY, place, name), tuple(evidence), cluster)
    elif isinstance(gateway, CustomResource) and not settling(gateway, cluster):
        yield from _unfit(service, gateway, tuple(evidence), stated.reason if stated is not None else "")


def _missing(
    service: Service, asker: KubernetesObject, named: Ref, evidence: tuple[Evidence, ...], cluster: Cluster
) -> Finding:
    gateways = [one for one in cluster.maybe.custom("Gateway", "gateway.networking.k8s.io") if is_waypoint(one)]
    mine = [one for one in gateways if one.namespace == named.namespace]
    near = misspellings(named.name, [one.name for one in mine], 1) or [one.name for one in mine if len(mine) == 1]
    text = f"its waypoint, Gateway {named.namespace}/{named.name}, does not exist: rules of layer 7 have no effect"
    fix = Fix(f"Create waypoint {named.name} in namespace {named.namespace}, by istioctl waypoint apply")
    if near:
        text += f"; did you mean {near[0]}?"
        line = command_line(put(ref(asker), ("metadata", "labels", USE), near[0]), asker)
        fix = Fix(f"Name Gateway {near[0]} in the label", line)
    elif gateways:
        text += f"; waypoints: {listed([f'{one.namespace}/{one.name}' for one in gateways], 3)}"
    return Finding(
        about=ref(service),
        aspect=named.name,
        summary=text,
        evidence=evidence,
        confidence=Confidence.CERTAIN if len(evidence) > 1 else Confidence.LIKELY,
        fixes=(fix,),
        commands=(_look(),),
    )


def _unfit(service: Service, gateway: CustomResource, evidence: tuple[Evidence, ...], reason: str) -> Iterator[Finding]:
    if has_path(gateway, "spec.gatewayClassName") and not is_waypoint(gateway):
        named = quote(gateway, "spec.gatewayClassName", "class of the Gateway")
        text = f"{ref(gateway).title} is no waypoint: its class is {named.text}, not {WAYPOINT_CLASS}"
        if named.text not in OTHER_CLASSES:
            text += ", and it has no listener of protocol HBONE"
        fix = Fix("Name a Gateway of class istio-waypoint in the label")
        evidence = (*evidence, named)
    elif reason in _REFUSED:
        text = f"waypoint {ref(gateway).title} does not serve it: {evidence[-1].text}"
        fix = Fix(
            "Let allowedRoutes of the waypoint's listener admit the namespace"
            if reason == _REFUSED[0]
            else "Set label istio.io/waypoint-for of the waypoint to service or all"
        )
    else:
        return
    yield Finding(
        about=ref(service),
        aspect=gateway.name,
        summary=text,
        evidence=evidence,
        confidence=Confidence.CERTAIN if reason else Confidence.LIKELY,
        fixes=(fix,),
        commands=(_look(),),
    )


def _look() -> Command:
    return Command(kubectl("get", "gateways.gateway.networking.k8s.io", "-A"), "the Gateways, waypoints among them")
