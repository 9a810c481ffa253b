"""Which listeners of a Gateway the references of a route select, and which of them take it (gateway-api, `apis/v1/gateway_types.go` and
`shared_types.go`, v1.3)."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from kubedoctor.cluster.grammar.label_requirements import SelectorError
from kubedoctor.cluster.grammar.selectors import selector_of
from kubedoctor.cluster.kinds.core import Namespace
from kubedoctor.cluster.kinds.meta import CustomResource, LabelSelector
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.seen.wants import Want

GROUP: Final = "gateway.networking.k8s.io"
GATEWAY: Final = f"Gateway.{GROUP}"
GATEWAY_CLASS: Final = f"GatewayClass.{GROUP}"


class Refused(enum.Enum):
    """Why a listener does not take a route."""

    KIND = enum.auto()
    OTHER_NAMESPACE = enum.auto()
    EVERY_ROUTE = enum.auto()
    LABELS_OF_NAMESPACE = enum.auto()
    HOSTNAME = enum.auto()


class Listener(NamedTuple):
    """A listener of a Gateway. `path`: in the Gateway; `spec`: as it stands there."""

    gateway: CustomResource
    name: str
    path: str
    spec: Mapping[str, Any]

    @property
    def hostname(self) -> str:
        """Empty for every name."""
        return _text(self.spec.get("hostname"))


class Parent(NamedTuple):
    """A reference of a route to a Gateway. `section`, `port`: empty and None for every listener."""

    gateway: Ref
    section: str
    port: object
    path: str


def is_unused_class(obj: CustomResource, snapshot: Snapshot) -> bool:
    """Whether it is a GatewayClass that no Gateway names, so that no controller is needed. False where the Gateways were
    not listed."""
    if ref(obj).kind != GATEWAY_CLASS or not snapshot.covers(Want(GATEWAY)):
        return False
    gateways = snapshot.of_kind(GATEWAY)
    return not any(
        isinstance(gateway, CustomResource) and (gateway.spec or {}).get("gatewayClassName") == obj.name
        for gateway in gateways
    )


def parents(route: CustomResource) -> Iterator[Parent]:
    """The Gateways that a route names; other parents are left out."""
    rows = (route.spec or {}).get("parentRefs")
    for number, row in enumerate(rows if isinstance(rows, list) else ()):
        if isinstance(row, dict) and row.get("kind", "Gateway") == "Gateway" and row.get("group", GROUP) == GROUP:
            name = Ref(GATEWAY, _text(row.get("namespace")) or route.metadata.namespace, _text(row.get("name")))
            if name.name:
                yield Parent(name, _text(row.get("sectionName")), row.get("port"), f"spec.parentRefs[{number}]")


def listeners_of(gateway: CustomResource) -> Iterator[Listener]:
    """The listeners of a Gateway, in its order."""
    rows = (gateway.spec or {}).get("listeners")
    for number, row in enumerate(rows if isinstance(rows, list) else ()):
        if isinstance(row, dict):
            name = _text(row.get("name"))
            yield Listener(
                gateway,
                name,
                f"spec.listeners[name={name}]" if name and "]" not in name else f"spec.listeners[{number}]",
                row,
            )


def selected_listeners(parent: Parent, gateway: CustomResource) -> tuple[Listener, ...]:
    """The listeners that a reference selects by section and port."""
    return tuple(
        listener
        for listener in listeners_of(gateway)
        if parent.section in ("", listener.name) and parent.port in (None, listener.spec.get("port"))
    )


def refused(route: CustomResource, listener: Listener, namespace: Namespace | None) -> tuple[Refused, str] | None:
    """Why the listener does not take the route, with the path in the Gateway that decides; None if it takes it, or if
    that is unknown. `namespace`: that of the route, None if it was not seen."""
    allowed = _part(listener.spec, "allowedRoutes")
    kinds = allowed.get("kinds")
    names = [row.get("kind") for row in kinds if isinstance(row, dict)] if isinstance(kinds, list) else []
    if names and route.kind not in names:
        return Refused.KIND, f"{listener.path}.allowedRoutes.kinds"
    namespaces = _part(allowed, "namespaces")
    path = f"{listener.path}.allowedRoutes.namespaces"
    match namespaces.get("from"):
        case "None":
            return Refused.EVERY_ROUTE, f"{path}.from"
        case "Selector":
            if namespace is not None and _selects(namespaces.get("selector"), namespace) is False:
                return Refused.LABELS_OF_NAMESPACE, f"{path}.selector"
        case None | "" | "Same" as stated:
            if route.metadata.namespace != listener.gateway.metadata.namespace:
                return Refused.OTHER_NAMESPACE, f"{path}.from" if stated else listener.path
    if not _share_a_hostname(listener.hostname, route):
        return Refused.HOSTNAME, f"{listener.path}.hostname"
    return None


def hostnames_of(route: CustomResource) -> tuple[str, ...]:
    """The names that a route is for; empty for all of its listener."""
    names = (route.spec or {}).get("hostnames")
    return tuple(name for name in names if isinstance(name, str)) if isinstance(names, list) else ()


def _share_a_hostname(listener: str, route: CustomResource) -> bool:
    names = hostnames_of(route)
    return not listener or not names or any(_intersect(listener.lower(), name.lower()) for name in names)


def _intersect(listener: str, name: str) -> bool:
    """A wildcard stands for one label or more."""
    if listener.startswith("*.") and name.startswith("*."):
        return listener.endswith(name[1:]) or name.endswith(listener[1:])
    if listener.startswith("*."):
        return name.endswith(listener[1:])
    return listener == name or (name.startswith("*.") and listener.endswith(name[1:]))


def _selects(selector: object, namespace: Namespace) -> bool | None:
    """None for a selector that cannot be read."""
    try:
        return selector_of(msgspec.convert(selector or {}, LabelSelector)).matches(namespace.metadata.labels)
    except (msgspec.ValidationError, SelectorError):
        return None


def _part(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = value.get(name)
    return part if isinstance(part, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
