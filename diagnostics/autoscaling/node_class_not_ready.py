"""Node class of Karpenter is not ready, and its pools make no nodes.

## What it means
A NodePool makes nodes by a node class of the cloud: EC2NodeClass, AKSNodeClass, GCENodeClass, NodeClass of EKS Auto Mode.
Karpenter ignores each pool whose node class is not ready: pods that only its nodes suit stay Pending.

## Why it happens
- What the class selects does not exist: no subnet, security group or image has the tags, the name or the id.
- The role or instance profile does not exist, or Karpenter may not use it.
- Karpenter lacks a permission of the cloud that it tries beforehand.
- The pool names a class that does not exist.

## How to fix it
1. Read the condition of the class that is False: it names the part.
2. Correct the selector in the class, or tag what it should select.
3. The class gets ready by itself, and Karpenter goes on.

## References
- https://karpenter.sh/docs/concepts/nodeclasses/
- https://karpenter.sh/docs/troubleshooting/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubedoctor.cluster import (
    Cluster,
    CustomResource,
    Evidence,
    NodePool,
    has_path,
    listed,
    quote,
    ref,
    visible_ends,
)
from kubedoctor.findings import Command, Confidence, Explains, Finding, Fix, Severity, diagnostic
from kubedoctor.replay.autoscaling.karpenter import node_class_of
from kubedoctor.replay.status.conditions import lasting_conditions
from kubedoctor.replay.status.messages import says_why
from kubedoctor.replay.status.stated import StatedCondition

_KIND: Final = "NodeClass"
_WHOLE: Final = "Ready"
_LONGEST: Final = 300
_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "Subnet": ("subnetSelectorTerms", "vnetSubnetID", "networkConfig.subnetwork", "vSwitchSelectorTerms"),
    "VSwitch": ("vSwitchSelectorTerms",),
    "SecurityGroup": ("securityGroupSelectorTerms",),
    "AMI": ("amiSelectorTerms",),
    "Image": ("imageSelectorTerms", "imageFamily", "imageID"),
    "InstanceProfile": ("instanceProfile", "role"),
    "CapacityReservation": ("capacityReservationSelectorTerms",),
    "PlacementGroup": ("placementGroupSelector",),
    "KubernetesVersion": ("kubernetesVersion",),
}
"""By the start of a condition's type: what it is computed from (`karpenter-provider-aws`, pkg/apis/v1, v1.8;
`karpenter-provider-azure`, pkg/apis/v1beta1; those of Google and Alibaba Cloud)."""


def is_node_class(obj: CustomResource) -> bool:
    """The class of any cloud: their groups differ, the ending of the kind does not."""
    return obj.kind.endswith(_KIND) and bool(obj.status)


@diagnostic(
    code="KD1314",
    subject=CustomResource,
    severity=Severity.WARNING,
    reads=(NodePool,),
    when=is_node_class,
    explains=(Explains("affects", ("KD1315",)),),
    also_known_as=("NodeClassNotReady",),
    symptoms=("SubnetsNotFound", "SecurityGroupsNotFound", "AMINotFound", "ignoring nodepool, not ready"),
)
def node_class_not_ready(node_class: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    if node_class.metadata.deletion_timestamp is not None:
        return
    bad = [stated for _, stated, _ in lasting_conditions(node_class, cluster.taken_at)]
    if all(stated.type != _WHOLE for stated in bad):
        return
    pools = tuple(pool for pool in cluster.maybe.all(NodePool) if node_class_of(pool) == ref(node_class))
    if not pools and not any(gap.kind.startswith("NodePool") for gap in cluster.gaps):
        return  # Nothing makes nodes by it.
    parts = [stated for stated in bad if stated.type != _WHOLE] or bad
    first = next((stated for stated in parts if stated.message), parts[0])
    chosen = tuple(_chosen(node_class, parts))
    wants = f"; {chosen[0].path}: {_short(chosen[0].value)}" if chosen else ""
    yield Finding(
        about=ref(node_class),
        summary=f"not ready: {_said(first)}{wants}{_effect(pools)}",
        confidence=Confidence.CERTAIN if says_why(first.message) or chosen else Confidence.LIKELY,
        evidence=(
            *(fact for stated in parts for fact in _quoted(node_class, stated)),
            *chosen,
        ),
        fixes=(_fix(node_class, chosen),),
        affects=tuple(ref(pool) for pool in pools),
        commands=(Command(ref(node_class).describe_command, "its conditions, and what it found so far"),),
    )


def _effect(pools: tuple[NodePool, ...]) -> str:
    if not pools:
        return ""
    names = listed([pool.name for pool in pools], 3)
    return f"; so NodePool{'s' if len(pools) > 1 else ''} {names} {'make' if len(pools) > 1 else 'makes'} no nodes"


def _said(stated: StatedCondition) -> str:
    """The condition, its reason, and the message in full."""
    words = " ".join(stated.message.split()).rstrip(".") or stated.reason
    return f"{stated.type} is {stated.status}: {visible_ends(words, _LONGEST)}"


def _quoted(node_class: CustomResource, stated: StatedCondition) -> Iterator[Evidence]:
    yield quote(node_class, f"{stated.path}.status", stated.reason)
    if has_path(node_class, message := f"{stated.path}.message") and stated.message:
        yield quote(node_class, message)


def _chosen(node_class: CustomResource, parts: list[StatedCondition]) -> Iterator[Evidence]:
    """What the spec selects, of the parts that are not ready."""
    types = " ".join(stated.type for stated in parts)
    for start, fields in _FIELDS.items():
        field = next((field for field in fields if has_path(node_class, f"spec.{field}")), None)
        if start in types and field is not None:
            yield quote(node_class, f"spec.{field}", "what it is computed from")


def _short(value: Any) -> str:
    """`tags karpenter.sh/discovery=prod; id subnet-1`: selector terms as people say them."""
    if not isinstance(value, list):
        return str(value)
    terms = []
    for term in value:
        fields = term.items() if isinstance(term, dict) else ()
        terms.append(
            ", ".join(
                f"{key} {', '.join(f'{tag}={text}' for tag, text in part.items())}"
                if isinstance(part, dict)
                else f"{key} {part}"
                for key, part in fields
            )
        )
    return visible_ends("; or ".join(terms), _LONGEST)


def _fix(node_class: CustomResource, chosen: tuple[Evidence, ...]) -> Fix:
    if not chosen:
        return Fix(f"Correct what the condition of {ref(node_class).title} names; it gets ready by itself")
    path = chosen[0].path
    if "Selector" in path:
        return Fix(f"Correct {path} of {ref(node_class).title}, or give what it should select the tags that it names")
    return Fix(f"Correct {path} of {ref(node_class).title}, or create what it names")
