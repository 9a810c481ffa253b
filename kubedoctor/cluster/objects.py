"""Which struct stands for which kind."""

from __future__ import annotations

from kubedoctor.cluster import apps, control, core, networking, pods, storage
from kubedoctor.cluster.meta import CustomResource, KubernetesObject

STRUCTS: dict[str, type[KubernetesObject]] = {
    name: value
    for module in (pods, core, apps, storage, networking, control)
    for name, value in vars(module).items()
    if isinstance(value, type) and issubclass(value, KubernetesObject) and value is not KubernetesObject
}


def struct_for(kind: str) -> type[KubernetesObject]:
    """The struct of a kind as a Ref spells it; `CustomResource` for kinds that have none."""
    return STRUCTS.get(kind, CustomResource)
