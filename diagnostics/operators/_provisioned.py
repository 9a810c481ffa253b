"""Objects that stand for something outside of the cluster (a database, a machine), and what Crossplane makes them of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kubedoctor.cluster import CustomResource

_MACHINES: Final = "infrastructure.cluster.x-k8s.io"
_GROUPS: Final = (_MACHINES, "bootstrap.cluster.x-k8s.io", "services.k8s.aws", "cnrm.cloud.google.com")
"""Of the Cluster API's providers, AWS Controllers for Kubernetes, and Config Connector of Google."""
_AZURE: Final = ".azure.com"
_KARPENTER: Final = "karpenter."
_COMPOSED: Final = ("compositionRef", "compositionSelector")
"""In the spec of a composite resource or claim; since Crossplane 2 below `crossplane`."""


def is_managed(obj: CustomResource) -> bool:
    """A provider makes something outside of the cluster of it."""
    if any(field in (obj.spec or {}) for field in ("providerConfigRef", "forProvider")):
        return True
    azure = obj.group.endswith(_AZURE) and not obj.group.startswith(_KARPENTER)
    return azure or obj.group.endswith(_GROUPS)


def is_composite(obj: CustomResource) -> bool:
    """Crossplane makes other objects of it: a composite resource, or a claim."""
    spec = obj.spec or {}
    return any(field in part for part in (spec, _dict(spec, "crossplane")) for field in _COMPOSED)


def _dict(part: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = part.get(name)
    return value if isinstance(value, dict) else {}
