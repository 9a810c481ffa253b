"""Istio: destination of a VirtualService does not exist.

## What it means
A rule of a VirtualService sends requests to a host, a port or a subset that the mesh does not know. The proxies have no
cluster for it: they answer 503 with the flag `NC` (`cluster_not_found`) or 404 `NR`; other rules work.

## Why it happens
- The Service is in another namespace: a host without a dot means the namespace of the VirtualService, and `web.shop` is not
  completed at all.
- The name of the host, or of the Service, is misspelled.
- The Service has no such port.
- No DestinationRule of the host defines the subset: it was not applied, or names the host differently.
- An external host has no ServiceEntry.

## How to fix it
Write the full name of the Service, `web.shop.svc.cluster.local`, a port of it, and a subset of its DestinationRule.

## References
- https://istio.io/latest/docs/reference/config/analysis/ist0101/
- https://istio.io/latest/docs/ops/common-problems/network-issues/#503-errors-after-setting-destination-rule
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.mesh._config import Seen, is_for, proxies_of, registry, requests_seen, settling
from kubedoctor.cluster import CannotSee, Cluster, CustomResource, Gap, Pod, Service, listed, misspellings
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
    kubectl,
    quote,
    ref,
)
from kubedoctor.replay.mesh.access_log import NO_CLUSTER, NO_ROUTE, Access
from kubedoctor.replay.mesh.config import DESTINATION_RULE, GATEWAY, NETWORKING, SERVICE_ENTRY, VIRTUAL_SERVICE
from kubedoctor.replay.mesh.registry import Known, Registry, service_host
from kubedoctor.replay.mesh.routes import Destination, destinations
from kubedoctor.replay.mesh.subsets import rules_for, subset_named, subsets_of


@diagnostic(
    code="KD6002",
    subject=VIRTUAL_SERVICE,
    severity=Severity.CRITICAL,
    reads=(DESTINATION_RULE, SERVICE_ENTRY, GATEWAY, Service, Pod),
    also_known_as=("IST0101",),
    symptoms=("503", "NC", "cluster_not_found"),
)
def route_destination_missing(service: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    if settling(service, cluster):
        return
    known_hosts, told = registry(cluster), set()
    found: list[Finding] = []
    blind: Gap | None = None  # not the exception: it would keep this frame, and the whole snapshot, until a collection
    for target in destinations(service):
        if not target.gets_traffic or (target.host, target.subset, target.port) in told:
            continue
        told.add((target.host, target.subset, target.port))
        try:
            found += _of_target(service, target, known_hosts, cluster)
        except CannotSee as unseen:
            blind = Gap(unseen.kind, unseen.why)
    if blind is not None and not found:
        raise CannotSee(blind.kind, blind.why)
    yield from found


def _of_target(
    service: CustomResource, target: Destination, known_hosts: Registry, cluster: Cluster
) -> Iterator[Finding]:
    known = known_hosts.find(target.host, service.namespace)
    if known is None:
        yield _unknown_host(service, target, cluster)
    elif target.port and known.ports and target.port not in known.ports:
        yield _unknown_port(service, target, known, cluster)
    elif target.subset:
        rules = rules_for(target.host, cluster.custom("DestinationRule", NETWORKING))
        if subset_named(target.subset, rules) is None:
            yield _unknown_subset(service, target, rules, cluster)


def _unknown_host(service: CustomResource, target: Destination, cluster: Cluster) -> Finding:
    meant = service_host(target.host)
    everywhere = cluster.maybe.all(Service)
    name = meant.name if meant is not None else target.written.partition(".")[0]
    namespace = meant.namespace if meant is not None else service.namespace
    near = misspellings(name, [one.name for one in everywhere if one.namespace == namespace], 1)
    wanted = target.written.split(".")[1:2] if meant is None else []
    same = [one for one in everywhere if one.name == name and (not wanted or one.namespace in wanted)]
    right = ""
    if meant is not None:
        text = f"no Service {name} in namespace {namespace} for route destination {target.written}"
    else:
        text = (
            f"route destination {target.written} does not exist in the mesh: no Service or ServiceEntry has this host"
        )
    if near:
        right, text = f"{near[0]}.{namespace}.svc.cluster.local", f"{text}; did you mean {near[0]}?"
    elif same:
        right = f"{same[0].name}.{same[0].namespace}.svc.cluster.local"
        text += f"; Service {same[0].namespace}/{same[0].name} exists: its full name is needed"
    path = f"{target.path}.host"
    fix = Fix(f"Set the host to {right}", _put(service, path, right)) if right else _by_hand(service, "the host")
    return _finding(service, target, text, (quote(service, path, "no such host in the mesh"),), fix, cluster)


def _unknown_port(service: CustomResource, target: Destination, known: Known, cluster: Cluster) -> Finding:
    ports = known.ports
    text = f"{target.host} has no port {target.port}; its ports: {listed(map(str, ports), 5)}"
    evidence = [quote(service, f"{target.path}.port.number", "the host has no such port")]
    if known.service is not None:
        evidence.append(quote(known.service, "spec.ports", "ports of the Service"))
    path = f"{target.path}.port.number"
    fix = (
        Fix(f"Set the port to {ports[0]}", _put(service, path, ports[0]))
        if len(ports) == 1
        else _by_hand(service, "the port")
    )
    return _finding(service, target, text, tuple(evidence), fix, cluster)


def _unknown_subset(
    service: CustomResource, target: Destination, rules: tuple[CustomResource, ...], cluster: Cluster
) -> Finding:
    there = [subset.name for rule in rules for subset in subsets_of(rule) if subset.name]
    near = next(iter(misspellings(target.subset, there, 1)), "")
    text = f"routes to subset {target.subset} of {target.written}, which no DestinationRule defines"
    evidence: list[Evidence] = [quote(service, f"{target.path}.subset", "no DestinationRule of the host defines it")]
    if rules:
        guess = f"; did you mean {near}?" if near else f", only {listed(there, 5)}" if there else ""
        text = (
            f"routes to subset {target.subset} of {target.written}, which {ref(rules[0]).title} does not define{guess}"
        )
        evidence.append(quote(rules[0], "spec.host", "the DestinationRule of the host"))
    path = f"{target.path}.subset"
    fix = (
        Fix(f"Set the subset to {near}", _put(service, path, near))
        if near
        else Fix(f"Define subset {target.subset} in a DestinationRule of host {target.written}", "")
    )
    return _finding(service, target, text, tuple(evidence), fix, cluster)


def _finding(
    service: CustomResource,
    target: Destination,
    text: str,
    evidence: tuple[Evidence, ...],
    fix: Fix,
    cluster: Cluster,
) -> Finding:
    seen: Seen | None = next(
        requests_seen(proxies_of(service, cluster), cluster, lambda access: _refused(access, service)), None
    )
    quoted = (seen.quoted(f"answered {seen.access.code}: no such cluster"),) if seen is not None else ()
    return Finding(
        about=ref(service),
        aspect=f"{target.host}:{target.port}:{target.subset}",
        summary=text,
        evidence=(*evidence, *quoted),
        confidence=Confidence.CERTAIN if seen is not None else Confidence.LIKELY,
        severity=None if seen is not None else Severity.WARNING,
        fixes=(fix,),
        commands=(
            Command(
                kubectl(
                    "get", f"virtualservices.{NETWORKING},destinationrules.{NETWORKING}", namespace=service.namespace
                ),
                "the rules of the mesh",
            ),
            Command("kubectl get services -A", "the Services that a host can mean"),
        ),
    )


def _refused(access: Access, service: CustomResource) -> bool:
    return bool({NO_CLUSTER, NO_ROUTE} & set(access.flags)) and is_for(service, access)


def _put(service: CustomResource, path: str, value: str | int) -> str:
    keys = tuple(int(key) if key.isdigit() else key for key in path.replace("[", ".").replace("]", "").split("."))
    return command_line(put(ref(service), keys, value), service)


def _by_hand(service: CustomResource, what: str) -> Fix:
    return Fix(f"Correct {what} in the VirtualService", edit_command(ref(service)))
