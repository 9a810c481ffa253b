"""Istio: VirtualService names a Gateway that does not exist.

## What it means
A VirtualService is bound to a Gateway that is not there. The gateway's proxies get none of its routes: requests for its
hosts get 404 with the flag `NR` (`route_not_found`). The sidecars have its routes only where `gateways` names `mesh` too.

## Why it happens
- The Gateway is in another namespace: a name without a namespace means the namespace of the VirtualService.
- The name is misspelled, or the Gateway was not applied.

## How to fix it
Name the Gateway as `namespace/name`.

## References
- https://istio.io/latest/docs/reference/config/networking/virtual-service/#VirtualService-gateways
- https://istio.io/latest/docs/reference/config/analysis/ist0101/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.mesh._config import requests_seen, settling
from kubedoctor.cluster import Cluster, CustomResource, Pod, Ref, finished, listed, misspellings
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
    edit_command,
    quote,
    ref,
)
from kubedoctor.replay.mesh.access_log import NO_ROUTE
from kubedoctor.replay.mesh.config import GATEWAY, VIRTUAL_SERVICE, words
from kubedoctor.replay.mesh.gateways import serving_pods
from kubedoctor.replay.mesh.routes import GatewayName, gateways_of

MOST = 3


@diagnostic(
    code="KD6003",
    subject=VIRTUAL_SERVICE,
    severity=Severity.CRITICAL,
    reads=(GATEWAY, Pod),
    also_known_as=("IST0101",),
    symptoms=("404", "NR", "route_not_found"),
)
def gateway_missing(service: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    if settling(service, cluster):
        return
    for named in gateways_of(service):
        if cluster.get_ref(Ref(GATEWAY, named.namespace, named.name)) is None:
            yield _finding(service, named, cluster)


def _finding(service: CustomResource, named: GatewayName, cluster: Cluster) -> Finding:
    others = [one for one in cluster.maybe.all_named(GATEWAY) if isinstance(one, CustomResource)]
    same = [one for one in others if one.name == named.name]
    near = misspellings(named.name, [one.name for one in others if one.namespace == named.namespace], 1)
    text, right = f"Gateway {named.namespace}/{named.name} does not exist", ""
    if near:
        right, text = f"{named.namespace}/{near[0]}", f"{text}; did you mean {near[0]}?"
    elif same:
        right = f"{same[0].namespace}/{same[0].name}"
        text += f"; Gateway {right} does: a name without a namespace means {named.namespace}"
    elif others:
        text += f", only {listed((ref(one).title for one in others), MOST)}"
    at = int(named.path.partition("[")[2].rstrip("]"))
    fix = Fix("Correct gateways of the VirtualService, or create the Gateway", edit_command(ref(service)))
    if right:
        line = command_line(put(ref(service), ("spec", "gateways", at), right), service)
        fix = Fix(f"Name the Gateway {right}", line)
    return Finding(
        about=ref(service),
        aspect=named.written,
        summary=text,
        evidence=(quote(service, named.path, "no Gateway of this name"), *_seen(service, same or others, cluster)),
        confidence=Confidence.CERTAIN,
        fixes=(fix,),
        commands=(Command("kubectl get gateways.networking.istio.io -A", "the Gateways of the mesh"),),
    )


def _seen(service: CustomResource, gateways: list[CustomResource], cluster: Cluster) -> tuple[Evidence, ...]:
    """A request for one of its hosts that a proxy of the Gateways had no route for."""
    hosts = set(words(service.spec, "hosts"))
    pods = [pod for pod in cluster.maybe.all(Pod) if not finished(pod)]
    proxies = [pod for gateway in gateways[:1] for pod in serving_pods(gateway, pods)]
    for seen in requests_seen(
        proxies[:MOST], cluster, lambda access: NO_ROUTE in access.flags and access.host in hosts
    ):
        return (seen.quoted(f"answered {seen.access.code}: the gateway has no route for the host"),)
    return ()
