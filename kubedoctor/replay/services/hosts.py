"""The Service that a host name or an address in a log line refers to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from kubedoctor.cluster.kinds.core import Service


class ServiceName(NamedTuple):
    """The Service that a host name stands for."""

    name: str
    namespace: str


def split_address(address: str) -> tuple[str, int]:
    """Host and port of `host:port`; port 0 where there is none."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit():
        return address.strip("[]"), 0
    return host.strip("[]"), int(port)


def is_local(host: str) -> bool:
    """Whether the host is the pod itself."""
    return host in ("localhost", "::1", "0.0.0.0") or host.startswith("127.")


def is_address(host: str) -> bool:
    """Whether the host is an IP address and not a name."""
    return ":" in host or (host.replace(".", "").isdigit() and host.count(".") == 3)


def service_named(host: str, namespace: str, namespaces: Iterable[str] = ()) -> ServiceName | None:
    """The Service that a host name refers to in a pod of `namespace`; None for names outside the cluster.

    Forms: `payments`, `payments.shop`, `payments.shop.svc` and longer; `db-0.db.shop.svc` is a pod of Service db.
    """
    if is_local(host) or is_address(host):
        return None
    parts = host.rstrip(".").split(".")
    if "svc" in parts[1:]:
        at = parts.index("svc", 1)
        if at >= 2:
            return ServiceName(parts[at - 2], parts[at - 1])
        return ServiceName(parts[0], namespace)
    if len(parts) == 1:
        return ServiceName(parts[0], namespace)
    if len(parts) == 2 and parts[1] in frozenset(namespaces):
        return ServiceName(parts[0], parts[1])
    return None


def service_with_address(address: str, services: Iterable[Service]) -> Service | None:
    """The Service whose cluster address this is."""
    return next(
        (service for service in services if address in (service.spec.cluster_ip, *(service.spec.cluster_ips or ()))),
        None,
    )


def no_longer_a_service(address: str, services: Iterable[Service]) -> bool:
    """Whether an IPv4 address lies among the Services' cluster addresses, and none has it.

    The range is not an object that can be read; addresses that share 16 bits with two Services are taken to be in it.
    """
    addresses = [service.spec.cluster_ip for service in services if service.spec.cluster_ip.count(".") == 3]
    near = [other for other in addresses if other.split(".")[:2] == address.split(".")[:2]]
    return len(near) > 1 and address not in near
