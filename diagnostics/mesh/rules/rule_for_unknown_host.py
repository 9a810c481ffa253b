"""Istio: DestinationRule for a host that the mesh does not know.

## What it means
The host of the DestinationRule is neither a Service nor a host of a ServiceEntry, so no proxy uses the rule: its subsets, TLS
settings and limits have no effect on any request.

## Why it happens
- The name is misspelled, or the Service is in another namespace: a short name means the namespace of the rule.
- `name.namespace` is not completed to a full name: write `name.namespace.svc.cluster.local`.

## How to fix it
Write the full name of the Service in `spec.host`.

## References
- https://istio.io/latest/docs/reference/config/analysis/ist0174/
- https://istio.io/latest/docs/reference/config/networking/destination-rule/#DestinationRule
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.mesh._config import registry, settling
from kubedoctor.cluster import Cluster, CustomResource, Service, misspellings
from kubedoctor.cluster.changes import put
from kubedoctor.findings import (
    Command,
    Confidence,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
    has_path,
    quote,
    ref,
)
from kubedoctor.replay.mesh.config import DESTINATION_RULE, SERVICE_ENTRY, text
from kubedoctor.replay.mesh.registry import DOMAIN, full_name, service_host


@diagnostic(
    code="KD6022",
    subject=DESTINATION_RULE,
    severity=Severity.WARNING,
    reads=(Service, SERVICE_ENTRY),
    also_known_as=("IST0174",),
    symptoms=("subset not found", "NC"),
)
def rule_for_unknown_host(rule: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    written = text((rule.spec or {}).get("host"))
    if settling(rule, cluster) or not written or "*" in written or not has_path(rule, "spec.host"):
        return
    host = full_name(written, rule.namespace)
    if registry(cluster).find(host, rule.namespace) is not None:
        return
    right = _meant(written, host, rule, cluster)
    if not right:
        return  # Left over, or for a host outside of the mesh: no client misses it.
    fix = Fix(f"Write {right} in spec.host", command_line(put(ref(rule), ("spec", "host"), right), rule))
    yield Finding(
        about=ref(rule),
        summary=f"is for host {written}, which no Service and no ServiceEntry has: no proxy uses it; did you mean {right}?",
        evidence=(quote(rule, "spec.host", f"means {host}" if host != written else "no such host"),),
        confidence=Confidence.CERTAIN,
        fixes=(fix,),
        commands=(Command("kubectl get services -A", "the Services of all namespaces"),),
    )


def _meant(written: str, host: str, rule: CustomResource, cluster: Cluster) -> str:
    """The full name of the Service that is meant: misspelled, of another namespace, or not completed."""
    services = cluster.maybe.all(Service)
    named = service_host(host)
    name, _, space = written.partition(".")
    if named is None and any((one.name, one.namespace) == (name, space) for one in services):
        return f"{written}.{DOMAIN}"
    if named is None:
        return ""
    mine = [one.name for one in services if one.namespace == named.namespace]
    if near := misspellings(named.name, mine, 1):
        return f"{near[0]}.{named.namespace}.{DOMAIN}"
    elsewhere = [one for one in services if one.name == named.name]
    return f"{named.name}.{elsewhere[0].namespace}.{DOMAIN}" if len(elsewhere) == 1 else ""
