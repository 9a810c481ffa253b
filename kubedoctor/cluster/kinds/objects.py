"""Which struct stands for which kind."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Final

from kubedoctor.cluster.kinds.meta import CustomResource, KubernetesObject
from kubedoctor.cluster.kinds.references import kind_name
from kubedoctor.cluster.kinds.resources import kind_named

_MODULES: Final = {
    "": ("pods", "core", "storage"),
    "admissionregistration.k8s.io": ("control",),
    "apiextensions.k8s.io": ("control",),
    "apiregistration.k8s.io": ("control",),
    "apps": ("apps",),
    "autoscaling": ("autoscaling",),
    "batch": ("apps",),
    "certificates.k8s.io": ("certificates",),
    "coordination.k8s.io": ("coordination",),
    "discovery.k8s.io": ("networking",),
    "flowcontrol.apiserver.k8s.io": ("flow_control",),
    "karpenter.sh": ("karpenter",),
    "kubedoctor.dev": ("manifests",),
    "metrics.k8s.io": ("metrics",),
    "networking.k8s.io": ("networking",),
    "node.k8s.io": ("control",),
    "policy": ("policy",),
    "policy.networking.k8s.io": ("admin_policies",),
    "rbac.authorization.k8s.io": ("control",),
    "resource.k8s.io": ("control",),
    "scheduling.k8s.io": ("control",),
    "storage.k8s.io": ("storage",),
}
"""By group, the modules that hold its structs; each is imported for the first object of it."""


@cache
def struct_for(kind: str) -> type[KubernetesObject]:
    """The struct of a kind as a Ref spells it; `CustomResource` for kinds that have none."""
    row = kind_named(kind)
    name, _, group = kind.partition(".")
    for module in _MODULES.get(row.group if row else group, ()):
        struct = getattr(importlib.import_module(f"kubedoctor.cluster.kinds.{module}"), name, None)
        if isinstance(struct, type) and issubclass(struct, KubernetesObject) and kind_name(struct) == kind:
            return struct
    return CustomResource
