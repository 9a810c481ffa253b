"""Which struct stands for which kind."""

from __future__ import annotations

from kubedoctor.cluster.kinds import (
    admin_policies,
    apps,
    autoscaling,
    certificates,
    control,
    coordination,
    core,
    karpenter,
    metrics,
    networking,
    pods,
    policy,
    storage,
)
from kubedoctor.cluster.kinds.meta import CustomResource, KubernetesObject
from kubedoctor.cluster.kinds.references import kind_name

STRUCTS: dict[str, type[KubernetesObject]] = {
    kind_name(value): value
    for module in (
        pods,
        core,
        apps,
        storage,
        networking,
        control,
        autoscaling,
        certificates,
        coordination,
        metrics,
        policy,
        admin_policies,
        karpenter,
    )
    for value in vars(module).values()
    if isinstance(value, type) and issubclass(value, KubernetesObject) and value is not KubernetesObject
}


def struct_for(kind: str) -> type[KubernetesObject]:
    """The struct of a kind as a Ref spells it; `CustomResource` for kinds that have none."""
    return STRUCTS.get(kind, CustomResource)
