"""The issuer that a Certificate names and that does not exist: one of the name of the other kind, or in another namespace."""

from __future__ import annotations

from typing import Final, NamedTuple

from kubedoctor.cluster import Cluster, CustomResource, Evidence, Ref, has_path, misspellings, quote, ref
from kubedoctor.cluster.changes import Change, Operation, Step, edit
from kubedoctor.findings import Fix, command_line

GROUP: Final = "cert-manager.io"
ISSUER: Final = f"Issuer.{GROUP}"
CLUSTER_ISSUER: Final = f"ClusterIssuer.{GROUP}"
_MARKS: Final = {"Issuer": f"{GROUP}/issuer", "ClusterIssuer": f"{GROUP}/cluster-issuer"}
"""Annotations of an Ingress or Gateway that a Certificate is made of (`pkg/apis/certmanager/v1/types.go`, 1.16)."""
_SHIMS: Final = ("Ingress", "Gateway")


class MeantIssuer(NamedTuple):
    """`words`: to follow what cert-manager says."""

    words: str
    fixes: tuple[Fix, ...]
    evidence: tuple[Evidence, ...]


def meant_issuer(obj: CustomResource, cluster: Cluster) -> MeantIssuer | None:
    """Of an object of the chain with a reference to an issuer of cert-manager itself; None where that issuer exists, or
    none like it does."""
    named = (obj.spec or {}).get("issuerRef")
    if not isinstance(named, dict) or named.get("group", GROUP) != GROUP or not isinstance(named.get("name"), str):
        return None
    name, kind = named["name"], str(named.get("kind") or "Issuer")
    issuers = cluster.maybe.custom("Issuer", GROUP)
    wide = cluster.maybe.custom("ClusterIssuer", GROUP)
    mine = [one for one in issuers if one.namespace == obj.namespace]
    asked, others = (wide, mine) if kind == "ClusterIssuer" else (mine, wide)
    if any(one.name == name for one in asked):
        return None
    evidence = (quote(obj, "spec.issuerRef", "the issuer that it names"),)
    other = next((one for one in others if one.name == name), None)
    if other is not None:
        default = "" if has_path(obj, "spec.issuerRef.kind") else ", which the reference means without a kind"
        words = f"; {ref(other).title} exists, and no {kind} of this name{default}"
        return MeantIssuer(words, _corrected(obj, other, cluster), evidence)
    near = misspellings(name, [one.name for one in asked], 1)
    if near:
        right = next(one for one in asked if one.name == near[0])
        return MeantIssuer(f"; did you mean {near[0]}?", _corrected(obj, right, cluster), evidence)
    elsewhere = next((one for one in issuers if one.name == name), None)
    if elsewhere is not None:
        words = f"; {ref(elsewhere).title} exists: an Issuer serves its own namespace only"
        fix = Fix(f"Create the Issuer in namespace {obj.namespace}, or a ClusterIssuer and name that")
        return MeantIssuer(words, (fix,), evidence)
    return None


def _corrected(obj: CustomResource, issuer: CustomResource, cluster: Cluster) -> tuple[Fix, ...]:
    """At the Certificate, or at the Ingress or Gateway that it is made of. None for a request that was made by hand."""
    certificate = obj
    if obj.kind != "Certificate":
        owner = next((one for one in obj.metadata.owner_references or () if one.kind == "Certificate"), None)
        found = cluster.maybe.get_ref(Ref(f"Certificate.{GROUP}", obj.namespace, owner.name)) if owner else None
        if not isinstance(found, CustomResource):
            return (Fix(f"Create the request again with issuer {ref(issuer).title}"),)
        certificate = found
    for owner in certificate.metadata.owner_references or ():
        if owner.kind in _SHIMS:
            kind = owner.kind if owner.kind == "Ingress" else f"{owner.kind}.{owner.api_version.rpartition('/')[0]}"
            source = Ref(kind, certificate.namespace, owner.name)
            return (Fix(f"Name {ref(issuer).title} at the {owner.kind}", command_line(_marked(source, issuer))),)
    change = edit(
        ref(certificate),
        Step(("spec", "issuerRef", "kind"), issuer.kind),
        Step(("spec", "issuerRef", "name"), issuer.name),
    )
    return (Fix(f"Name {ref(issuer).title} in issuerRef", command_line(change, certificate)),)


def _marked(source: Ref, issuer: CustomResource) -> Change:
    other = next(mark for kind, mark in _MARKS.items() if kind != issuer.kind)
    steps = (
        Step(("metadata", "annotations", other), remove=True),
        Step(("metadata", "annotations", _MARKS[issuer.kind]), issuer.name),
    )
    return Change((Operation(source, steps),))
