"""References into another namespace that no ReferenceGrant allows."""

from __future__ import annotations

from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster import Cluster, CustomResource, Evidence
from kubedoctor.cluster.changes import Change, create, put
from kubedoctor.findings import Command, Confidence, Finding, Fix, command_line, edit_command, kubectl, quote, ref
from kubedoctor.replay.gateway.attachment import GROUP
from kubedoctor.replay.gateway.grants import Crossing, allows_source, allows_target, crossings, is_granted, is_only_for


def not_granted(obj: CustomResource, cluster: Cluster) -> Finding | None:
    """Which reference no grant has, the grant that comes nearest, and the smallest grant that allows it, proven; None where
    the replay finds each granted."""
    for crossing in crossings(obj):
        grants = cluster.maybe.custom("ReferenceGrant", GROUP, crossing.namespace)
        if not is_granted(obj, crossing, grants):
            return _finding(obj, crossing, grants, cluster)
    return None


def _finding(obj: CustomResource, crossing: Crossing, grants: tuple[CustomResource, ...], cluster: Cluster) -> Finding:
    source = f"{obj.kind}s of namespace {obj.metadata.namespace}"
    evidence: list[Evidence] = [quote(obj, crossing.path, f"of namespace {crossing.namespace}")]
    only = next((grant for grant in grants if is_only_for(grant, crossing)), None)
    near = only or next((grant for grant in grants if allows_target(grant, crossing)), None)
    clause = f"no ReferenceGrant of namespace {crossing.namespace} allows it"
    if near is not None:
        clause = f"{ref(near).title} allows it to others, not to {source}"
        evidence.append(quote(near, "spec.from", "who may refer to it"))
    if only is not None:
        row = {"group": GROUP, "kind": obj.kind, "namespace": obj.metadata.namespace}
        change = put(ref(only), ("spec", "from", "-"), row)
        fix = Fix(f"Add {source} to {ref(only).title}", command_line(change, only))
    else:
        change = _grant(obj, crossing, {grant.metadata.name for grant in grants})
        text = f"Create a ReferenceGrant in namespace {crossing.namespace} for {source}"
        fix = Fix(text, command_line(change))
    if near is None:
        almost = next((grant for grant in grants if allows_source(grant, obj)), None)
        if almost is not None:
            clause = f"{ref(almost).title} is for {source}, but not for {crossing.kind} {crossing.name}"
            evidence.append(quote(almost, "spec.to", "what they may refer to"))
    return Finding(
        about=ref(obj),
        summary=f"it may not refer to {crossing.title}: {clause}",
        evidence=tuple(evidence),
        confidence=Confidence.CERTAIN,
        fixes=(
            proven(fix, prove(change, cluster, lambda after: _holds(obj, crossing, after))),
            Fix(f"Or use a {crossing.kind} of namespace {obj.metadata.namespace}", edit_command(ref(obj))),
        ),
        commands=(
            Command(kubectl("get", "referencegrants", "-o", "yaml", namespace=crossing.namespace), "what they allow"),
        ),
    )


def _holds(obj: CustomResource, crossing: Crossing, after: Cluster) -> bool:
    return is_granted(obj, crossing, after.maybe.custom("ReferenceGrant", GROUP, crossing.namespace))


def _grant(obj: CustomResource, crossing: Crossing, taken: set[str]) -> Change:
    name = f"{obj.kind.lower()}s-of-{obj.metadata.namespace}"
    if name in taken:
        name = f"{name}-to-{crossing.kind.lower()}-{crossing.name}"
    target = {"group": crossing.group, "kind": crossing.kind, "name": crossing.name}
    return create(
        {
            "apiVersion": f"{GROUP}/v1beta1",
            "kind": "ReferenceGrant",
            "metadata": {"name": name, "namespace": crossing.namespace},
            "spec": {
                "from": [{"group": GROUP, "kind": obj.kind, "namespace": obj.metadata.namespace}],
                "to": [target],
            },
        }
    )
