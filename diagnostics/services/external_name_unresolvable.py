"""ExternalName of a Service does not resolve.

## What it means
The Service is an alias: the cluster's DNS answers its name with a CNAME record for `externalName`. This target resolves to
nothing, so clients get "no such host", although the Service exists.

## Why it happens
- `externalName` is an IP address: a CNAME record points to a name, and no server knows an address as a name. Some Ingress
  controllers (ingress-nginx) connect to it all the same: the backend of an Ingress is not judged.
- It is a short name, such as `db` or `db.shop`: the search list of the pod does not complete the target of a CNAME record.
- It names a Service of the cluster that does not exist, or the Service itself.

## How to fix it
Write the full name: `db.shop.svc.cluster.local` for a Service of the cluster. For an IP address create a Service without a
selector, and an EndpointSlice with the address.

A program that uses TLS or HTTP sends the name that it was given: the external server has to know the Service's name as well.

## References
- https://kubernetes.io/docs/concepts/services-networking/service/#externalname
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from diagnostics.services._triage import is_alias
from kubedoctor.answers.proof import prove, proven
from kubedoctor.answers.resolve.lookup_setting import USUAL_DOMAIN, cluster_domain
from kubedoctor.cluster import Cluster, ConfigMap, Ingress, Service, misspellings
from kubedoctor.cluster.changes import put
from kubedoctor.findings import (
    Command,
    Confidence,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
    kubectl,
    quote,
    ref,
)
from kubedoctor.replay.services.hosts import is_address

_OF_A_SERVICE = 3
"""The labels of `db.shop.svc`."""


class _Fault(NamedTuple):
    """right: the name that was probably meant, if one is known."""

    text: str
    right: str = ""
    confidence: Confidence = Confidence.CERTAIN


@diagnostic(
    code="KD2006",
    subject=Service,
    severity=Severity.WARNING,
    reads=(Service, ConfigMap, Ingress),
    when=is_alias,
    symptoms=("ExternalName", "no such host", "NXDOMAIN"),
)
def external_name_unresolvable(service: Service, cluster: Cluster) -> Iterator[Finding]:
    fault = _fault(service, cluster)
    if fault is None:
        return
    by_hand = "Make it a Service without a selector, and create an EndpointSlice with this address"
    if not is_address(service.spec.external_name):
        by_hand = "Correct externalName: the full name of a host or of a Service"
    yield Finding(
        about=ref(service),
        summary=f"externalName {service.spec.external_name} does not resolve: {fault.text}",
        evidence=(quote(service, "spec.externalName", "target of the CNAME record"),),
        confidence=fault.confidence,
        would_disprove="" if fault.confidence is Confidence.CERTAIN else "a lookup of this name that is answered",
        fixes=(_fix(service, fault.right, cluster) if fault.right else Fix(by_hand),),
        commands=(Command(kubectl("get", "services", "-A"), "the Services of the cluster"),),
    )


def _fix(service: Service, right: str, cluster: Cluster) -> Fix:
    change = put(ref(service), ("spec", "externalName"), right)

    def holds(after: Cluster) -> bool:
        changed = after.get(Service, service.namespace, service.name)
        return changed is not None and _fault(changed, after) is None

    fix = Fix(f"Set externalName to {right}", command_line(change, service))
    return proven(fix, prove(change, cluster, holds))


def _fault(service: Service, cluster: Cluster) -> _Fault | None:
    target = service.spec.external_name.rstrip(".").lower()
    if is_address(target):
        if _behind_an_ingress(service, cluster):
            return None
        return _Fault("it is an IP address, and a CNAME record needs a name")
    parts = target.split(".")
    if len(parts) >= _OF_A_SERVICE and parts[2] == "svc" and ".".join(parts[3:]) in ("", _domain(cluster)):
        return _of_a_service(parts, service, cluster)
    if len(parts) == 1:
        there = [row for row in cluster.maybe.all(Service, service.namespace) if row.name == target]
        right = _full(target, service.namespace, cluster) if there and target != service.name else ""
        return _Fault(
            "the target of a CNAME record has to be a full name",
            right,
            Confidence.LIKELY if right else Confidence.POSSIBLE,
        )
    if len(parts) == 2 and cluster.maybe.get(Service, parts[1], parts[0]) is not None:
        text = f"it is short for Service {parts[1]}/{parts[0]}, and the target of a CNAME record has to be a full name"
        return _Fault(text, _full(parts[0], parts[1], cluster), Confidence.LIKELY)
    return None


def _behind_an_ingress(service: Service, cluster: Cluster) -> bool:
    """Its controller connects to the address itself, without a lookup."""
    for ingress in cluster.maybe.all(Ingress, service.namespace):
        backends = [ingress.spec.default_backend]
        for rule in ingress.spec.rules or ():
            backends += [path.backend for path in (rule.http.paths if rule.http else None) or ()]
        if any(backend and backend.service and backend.service.name == service.name for backend in backends):
            return True
    return False


def _of_a_service(parts: list[str], service: Service, cluster: Cluster) -> _Fault | None:
    name, namespace = parts[0], parts[1]
    if (name, namespace) == (service.name, service.namespace):
        return _Fault("it is the Service's own name")
    if cluster.get(Service, namespace, name) is None:
        near = misspellings(name, [row.name for row in cluster.maybe.all(Service, namespace)], 1)
        guess = f"; did you mean {near[0]}?" if near else ""
        return _Fault(
            f"there is no Service {namespace}/{name}{guess}", _full(near[0], namespace, cluster) if near else ""
        )
    if len(parts) == _OF_A_SERVICE:
        text = "it lacks the domain of the cluster, and the target of a CNAME record has to be a full name"
        return _Fault(text, _full(name, namespace, cluster), Confidence.LIKELY)
    return None


def _full(name: str, namespace: str, cluster: Cluster) -> str:
    return f"{name}.{namespace}.svc.{_domain(cluster)}"


def _domain(cluster: Cluster) -> str:
    return cluster_domain(cluster) or USUAL_DOMAIN
