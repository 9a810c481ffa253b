"""Gateway API: BackendTLSPolicy cannot be used.

## What it means
A BackendTLSPolicy makes the proxies of a Gateway speak TLS with a Service. While it cannot be used, they must not fall back to
plain HTTP: requests for this Service get a 5xx.

## Why it happens
- The ConfigMap with the certificate of the authority does not exist, or has no key `ca.crt`.
- The Service, or the port that `sectionName` names, does not exist in the namespace of the policy.
- Another BackendTLSPolicy is for the same Service: the older one counts.

## How to fix it
Create the ConfigMap with the key `ca.crt` (`kubectl create configmap NAME --from-file=ca.crt`), or correct the reference.

## References
- https://gateway-api.sigs.k8s.io/api-types/backendtlspolicy/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from kubedoctor.cluster import Cluster, ConfigMap, CustomResource, Service, has_path, listed, misspellings, quote, ref
from kubedoctor.findings import Command, Confidence, Evidence, Finding, Fix, Severity, diagnostic, edit_command
from kubedoctor.replay.gateway.attachment import GROUP
from kubedoctor.replay.gateway.grants import numbered_rows
from kubedoctor.replay.status.vocabulary import START

_KEY: Final = "ca.crt"
_CONDITIONS: Final = ("Accepted", "ResolvedRefs")


@diagnostic(
    code="KD2313",
    subject=f"BackendTLSPolicy.{GROUP}",
    severity=Severity.CRITICAL,
    reads=(ConfigMap, Service),
    symptoms=("BackendTLSPolicy", "InvalidCACertificateRef", "NoValidCACertificate", "TLS error", "502", "503"),
)
def backend_tls_unusable(policy: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    created = policy.metadata.creation_timestamp
    if policy.metadata.deletion_timestamp is not None or (created and cluster.taken_at - created < START):
        return
    refusals = tuple(_refusals(policy))
    stated = tuple(evidence for evidence, _ in refusals)
    faults = [*_authorities(policy, cluster), *_targets(policy, cluster)]
    for text, path, fix in faults:
        yield Finding(
            about=ref(policy),
            aspect=path,
            summary=text,
            evidence=(quote(policy, path, "what the policy refers to"), *stated),
            confidence=Confidence.CERTAIN,
            fixes=(fix,),
            commands=(Command(ref(policy).describe_command, "its conditions"),),
        )
    if stated and not faults:
        yield Finding(
            about=ref(policy),
            severity=Severity.WARNING if _is_used(policy) else None,
            summary=f"the controller of {refusals[-1][1]} does not use it: {stated[-1].text}",
            evidence=stated,
            confidence=Confidence.CERTAIN,
            fixes=(Fix("Correct what the message names", edit_command(ref(policy))),),
            commands=(Command(ref(policy).describe_command, "its conditions"),),
        )


def _authorities(policy: CustomResource, cluster: Cluster) -> Iterator[tuple[str, str, Fix]]:
    validation = (policy.spec or {}).get("validation")
    refs = validation.get("caCertificateRefs") if isinstance(validation, dict) else None
    for at, row in numbered_rows(refs):
        name = row.get("name")
        if row.get("kind", "ConfigMap") != "ConfigMap" or row.get("group") or not isinstance(name, str):
            continue
        path = f"spec.validation.caCertificateRefs[{at}].name"
        found = cluster.get(ConfigMap, policy.namespace, name)
        create = Fix(f"Create ConfigMap {policy.namespace}/{name} with the certificate of the authority as {_KEY}")
        if found is None:
            near = misspellings(name, [row.name for row in cluster.maybe.all(ConfigMap, policy.namespace)], 1)
            guess = f"; did you mean {near[0]}?" if near else ""
            correct = Fix(f"Change the reference to {near[0]}", edit_command(ref(policy))) if near else create
            yield f"ConfigMap {policy.namespace}/{name} with the authority does not exist{guess}", path, correct
        elif _KEY not in (found.data or {}) and _KEY not in (found.binary_data or {}):
            there = listed(sorted({**(found.data or {}), **(found.binary_data or {})}), 3) or "none"
            yield f"ConfigMap {policy.namespace}/{name} has no key {_KEY}, only {there}", path, create


def _targets(policy: CustomResource, cluster: Cluster) -> Iterator[tuple[str, str, Fix]]:
    for at, row in numbered_rows((policy.spec or {}).get("targetRefs")):
        name, section = row.get("name"), row.get("sectionName")
        if row.get("kind") != "Service" or row.get("group") or not isinstance(name, str):
            continue
        service = cluster.get(Service, policy.namespace, name)
        fix = Fix("Correct targetRefs: the Service has to be in the namespace of the policy", edit_command(ref(policy)))
        if service is None:
            near = misspellings(name, [one.name for one in cluster.maybe.all(Service, policy.namespace)], 1)
            guess = f"; did you mean {near[0]}?" if near else ""
            yield f"Service {policy.namespace}/{name} does not exist{guess}", f"spec.targetRefs[{at}].name", fix
            continue
        names = [port.name for port in service.spec.ports or ()]
        if isinstance(section, str) and section and section not in names:
            has = listed([port or "one without a name" for port in names], 3)
            text = f"Service {policy.namespace}/{name} has no port named {section}, only {has}"
            yield text, f"spec.targetRefs[{at}].sectionName", Fix(_other_section(names), edit_command(ref(policy)))


def _other_section(names: Sequence[str | None]) -> str:
    """names: of the ports of the Service."""
    named = [name for name in names if name]
    if not named:
        return "Remove sectionName: the policy then is for every port of the Service"
    return f"Change sectionName to {named[0]}" if len(named) == 1 else "Change sectionName to the name of a port"


def _refusals(policy: CustomResource) -> Iterator[tuple[Evidence, str]]:
    """The conditions of its Gateways that are False, each with the Gateway."""
    for at, ancestor in numbered_rows((policy.status or {}).get("ancestors")):
        for kind, row in _refusing(ancestor):
            path = f"status.ancestors[{at}].conditions[type={kind}].message"
            if has_path(policy, path):
                yield quote(policy, path, str(row.get("reason") or "")), _gateway(policy, ancestor)


def _is_used(policy: CustomResource) -> bool:
    """Whether the controller of one of its Gateways accepts it."""
    return any(
        not any(_refusing(ancestor))
        and any(row.get("type") == "Accepted" and row.get("status") == "True" for _, row in _conditions(ancestor))
        for _, ancestor in numbered_rows((policy.status or {}).get("ancestors"))
    )


def _refusing(ancestor: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for _, row in _conditions(ancestor):
        if row.get("type") in _CONDITIONS and row.get("status") == "False":
            yield str(row["type"]), row


def _conditions(ancestor: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    return numbered_rows(ancestor.get("conditions"))


def _gateway(policy: CustomResource, ancestor: dict[str, Any]) -> str:
    about = ancestor.get("ancestorRef")
    if not isinstance(about, dict) or not isinstance(about.get("name"), str):
        return "the Gateway"
    return f"{about.get('kind') or 'Gateway'} {about.get('namespace') or policy.namespace}/{about['name']}"
