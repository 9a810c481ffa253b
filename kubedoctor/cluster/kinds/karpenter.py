"""Karpenter's kinds (`kubernetes-sigs/karpenter`, `pkg/apis/v1`; v1beta1 spells these fields alike).

They are not in the table of kinds: discovery shows whether a cluster serves them.
"""

from typing import ClassVar

from kubedoctor.cluster.kinds.affinity import NodeSelectorRequirement
from kubedoctor.cluster.kinds.core import Taint
from kubedoctor.cluster.kinds.meta import Condition, KubernetesObject, ObjectMeta, Part

GROUP = "karpenter.sh"
NODE_POOL_LABEL = "karpenter.sh/nodepool"


class NodeClassReference(Part):
    """`api_version` in v1beta1, `group` since v1."""

    group: str = ""
    api_version: str = ""
    kind: str = ""
    name: str = ""


class NodeTemplateSpec(Part):
    node_class_ref: NodeClassReference | None = None
    taints: tuple[Taint, ...] | None = None
    requirements: tuple[NodeSelectorRequirement, ...] | None = None


class NodeTemplate(Part):
    metadata: ObjectMeta = ObjectMeta()
    spec: NodeTemplateSpec = NodeTemplateSpec()


class NodePoolSpec(Part):
    """`replicas` is set for a pool of a fixed size, which does not grow for pending pods."""

    template: NodeTemplate = NodeTemplate()
    limits: dict[str, str | int] | None = None
    replicas: int | None = None


class NodePoolStatus(Part):
    """`resources`: what its nodes have together."""

    resources: dict[str, str | int] | None = None
    conditions: tuple[Condition, ...] | None = None


class NodePool(KubernetesObject):
    api_group: ClassVar[str] = GROUP
    spec: NodePoolSpec = NodePoolSpec()
    status: NodePoolStatus = NodePoolStatus()


class NodeClaimStatus(Part):
    conditions: tuple[Condition, ...] | None = None


class NodeClaim(KubernetesObject):
    """A node that Karpenter has asked the cloud for."""

    api_group: ClassVar[str] = GROUP
    status: NodeClaimStatus = NodeClaimStatus()
