"""The objects whose operators create Secrets: which of them should create a Secret that is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kubedoctor.cluster import Cluster, CustomResource, Evidence, has_path, quote

EXTERNAL_SECRET: Final = "ExternalSecret.external-secrets.io"
SEALED_SECRET: Final = "SealedSecret.bitnami.com"
CERTIFICATE: Final = "Certificate.cert-manager.io"
CREATORS: Final = {
    EXTERNAL_SECRET: (("target", "name"),),
    SEALED_SECRET: (("template", "metadata", "name"),),
    CERTIFICATE: (("secretName",),),
}
"""The path of the Secret's name in the spec of each kind; without it the Secret has the name of the object."""


def creator_of(name: str, namespace: str, cluster: Cluster) -> CustomResource | None:
    """The object that should create the Secret; None where no such object is seen."""
    return next((creator for creator in _creators(namespace, cluster) if _secret_name(creator) == name), None)


def _creators(namespace: str, cluster: Cluster) -> Iterator[CustomResource]:
    for kind in CREATORS:
        short, _, group = kind.partition(".")
        yield from cluster.maybe.custom(short, group, namespace)


def _secret_name(creator: CustomResource) -> str:
    for path in CREATORS[f"{creator.kind}.{creator.group}"]:
        value: Any = creator.spec or {}
        for field in path:
            value = value.get(field) if isinstance(value, dict) else None
        if isinstance(value, str) and value:
            return value
    return creator.name


def state_of(creator: CustomResource) -> tuple[str, tuple[Evidence, ...]]:
    """The trouble in its status, as a clause; empty where there is none."""
    conditions = (creator.status or {}).get("conditions")
    for row in conditions if isinstance(conditions, list) else ():
        if not isinstance(row, dict) or row.get("status") != "False" or row.get("type") not in ("Ready", "Synced"):
            continue
        path = f"status.conditions[type={row['type']}]"
        field = next((field for field in ("message", "reason", "status") if has_path(creator, f"{path}.{field}")), "")
        if field:
            return f" ({row['type']} is False: {row.get(field)})", (
                quote(creator, f"{path}.{field}", "why it does not"),
            )
    return "", ()
