"""References into another namespace that no ReferenceGrant allows."""

from __future__ import annotations

from itertools import chain, count
from typing import Final

from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster import Cluster, CustomResource, Evidence, listed
from kubedoctor.cluster.changes import Change, create, put
from kubedoctor.findings import Command, Confidence, Finding, Fix, command_line, edit_command, kubectl, quote, ref
from kubedoctor.replay.gateway.attachment import GROUP
from kubedoctor.replay.gateway.grants import Crossing, allows_source, allows_target, crossings, is_granted, is_only_for

_SHOWN: Final = 3


def not_granted(obj: CustomResource, cluster: Cluster) -> Finding | None:
    """Which references no grant has, the grant that comes nearest, and the smallest grant that allows them, proven; None
    where the replay finds each granted."""
    missing = _missing(obj, cluster)
    if not missing:
        return None
    namespace = missing[0].namespace
    grants = cluster.maybe.custom("ReferenceGrant", GROUP, namespace)
    here: dict[tuple[str, str, str], Crossing] = {}
    for one in missing:
        if one.namespace == namespace:
            # Two rules may refer to one object.
            here.setdefault((one.group, one.kind, one.name), one)
    elsewhere = sorted({one.namespace for one in missing} - {namespace})
    return _finding(obj, tuple(here.values()), elsewhere, grants, cluster)


def _missing(obj: CustomResource, cluster: Cluster) -> tuple[Crossing, ...]:
    return tuple(
        crossing
        for crossing in crossings(obj)
        if not is_granted(obj, crossing, cluster.maybe.custom("ReferenceGrant", GROUP, crossing.namespace))
    )


def _finding(
    obj: CustomResource,
    missing: tuple[Crossing, ...],
    elsewhere: list[str],
    grants: tuple[CustomResource, ...],
    cluster: Cluster,
) -> Finding:
    """missing: into one namespace. elsewhere: further namespaces that it may not refer to."""
    first = missing[0]
    source = f"{obj.kind}s of namespace {obj.metadata.namespace}"
    evidence: list[Evidence] = [quote(obj, one.path, f"of namespace {one.namespace}") for one in missing[:_SHOWN]]
    only = next((grant for grant in grants if all(is_only_for(grant, one) for one in missing)), None)
    near = only or next((grant for grant in grants if allows_target(grant, first)), None)
    also = f"; namespace {listed(elsewhere, _SHOWN)} needs one too" if elsewhere else ""
    it = "it" if len(missing) == 1 else "them"
    clause = f"no ReferenceGrant of namespace {first.namespace} allows {it}"
    if near is not None:
        it = "it" if len(missing) == 1 else f"{first.kind} {first.name}"
        clause = f"{ref(near).title} allows {it} to others, not to {source}"
        evidence.append(quote(near, "spec.from", "who may refer to it"))
    if only is not None:
        row = {"group": GROUP, "kind": obj.kind, "namespace": obj.metadata.namespace}
        change = put(ref(only), ("spec", "from", "-"), row)
        fix = Fix(f"Add {source} to {ref(only).title}{also}", command_line(change, only))
    else:
        change = _grant(obj, missing, {grant.metadata.name for grant in grants})
        text = f"Create a ReferenceGrant in namespace {first.namespace} for {source}{also}"
        fix = Fix(text, command_line(change))
    if near is None:
        almost = next((grant for grant in grants if allows_source(grant, obj)), None)
        if almost is not None:
            others = listed([f"{one.kind} {one.name}" for one in missing], _SHOWN)
            clause = f"{ref(almost).title} is for {source}, but not for {others}"
            evidence.append(quote(almost, "spec.to", "what they may refer to"))
    return Finding(
        about=ref(obj),
        summary=f"it may not refer to {listed([one.title for one in missing], _SHOWN)}: {clause}",
        evidence=tuple(evidence),
        confidence=Confidence.CERTAIN,
        fixes=(
            # The controller resolves the references only when it may refer to each, of other namespaces too.
            proven(fix, prove(change, cluster, lambda after: not _missing(obj, after))),
            Fix(f"Or use a {first.kind} of namespace {obj.metadata.namespace}", edit_command(ref(obj))),
        ),
        commands=(
            Command(kubectl("get", "referencegrants", "-o", "yaml", namespace=first.namespace), "what they allow"),
        ),
    )


def _grant(obj: CustomResource, missing: tuple[Crossing, ...], taken: set[str]) -> Change:
    usual = f"{obj.kind.lower()}s-of-{obj.metadata.namespace}"
    further = f"{usual}-to-{missing[0].kind.lower()}-{missing[0].name}"
    names = chain((usual, further), (f"{further}-{number}" for number in count(2)))
    return create(
        {
            "apiVersion": f"{GROUP}/v1beta1",
            "kind": "ReferenceGrant",
            "metadata": {
                "name": next(name for name in names if name not in taken),
                "namespace": missing[0].namespace,
            },
            "spec": {
                "from": [{"group": GROUP, "kind": obj.kind, "namespace": obj.metadata.namespace}],
                "to": [{"group": one.group, "kind": one.kind, "name": one.name} for one in missing],
            },
        }
    )
