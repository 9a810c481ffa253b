"""Istio's objects as plain data: the names of their kinds, and readings that do not fail on odd values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubedoctor.cluster.kinds.meta import CustomResource

NETWORKING: Final = "networking.istio.io"
SECURITY: Final = "security.istio.io"
VIRTUAL_SERVICE: Final = f"VirtualService.{NETWORKING}"
DESTINATION_RULE: Final = f"DestinationRule.{NETWORKING}"
GATEWAY: Final = f"Gateway.{NETWORKING}"
SIDECAR: Final = f"Sidecar.{NETWORKING}"
SERVICE_ENTRY: Final = f"ServiceEntry.{NETWORKING}"
PEER_AUTHENTICATION: Final = f"PeerAuthentication.{SECURITY}"
AUTHORIZATION_POLICY: Final = f"AuthorizationPolicy.{SECURITY}"
ROOT_NAMESPACE: Final = "istio-system"
"""Where policies for the whole mesh stand, unless `rootNamespace` of the mesh configuration says otherwise."""


def text(value: object) -> str:
    return value if isinstance(value, str) else ""


def number(value: object) -> int:
    """0 where it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def part(value: object, name: str) -> Mapping[str, Any]:
    """The mapping below a name; empty where there is none."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def rows(value: object, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The mappings of the list below a name, with their index."""
    found = value.get(name) if isinstance(value, dict) else None
    for at, row in enumerate(found if isinstance(found, list) else ()):
        if isinstance(row, dict):
            yield at, row


def words(value: object, name: str) -> tuple[str, ...]:
    """The texts of the list below a name."""
    found = value.get(name) if isinstance(value, dict) else None
    return tuple(word for word in found if isinstance(word, str)) if isinstance(found, list) else ()


def labels(value: object, *names: str) -> dict[str, str]:
    """The labels below a path of names."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return {key: word for key, word in value.items() if isinstance(word, str)} if isinstance(value, dict) else {}


def exported_to(obj: CustomResource, namespace: str) -> bool:
    """Whether a namespace sees the object (`exportTo`: empty and `*` mean all, `.` its own)."""
    names = words(obj.spec, "exportTo")
    return not names or "*" in names or namespace in names or ("." in names and namespace == obj.namespace)
