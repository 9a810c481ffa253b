"""Ports of a Service that no EndpointSlice has: kube-proxy finds endpoints by the name and the protocol of the port."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from kubedoctor.cluster.kinds.core import Service
from kubedoctor.cluster.kinds.networking import EndpointSlice

PortKey = tuple[str, str]
"""Name and protocol; the only port of a Service may have no name."""


class SlicePorts(NamedTuple):
    """unserved: places in `spec.ports` of the Service. unused: the ports of slices that no port of the Service has, as the
    slice and the place in its `ports`."""

    unserved: tuple[int, ...]
    unused: tuple[tuple[EndpointSlice, int], ...]


def compare_ports(service: Service, slices: Iterable[EndpointSlice]) -> SlicePorts:
    """Of the slices with a ready endpoint (`pkg/proxy/endpointslicecache.go`, v1.37)."""
    wanted = [(port.name or "", port.protocol or "TCP") for port in service.spec.ports or ()]
    useful = [row for row in slices if any(endpoint.is_ready for endpoint in row.endpoints or ())]
    keys = [(row, at, key) for row in useful for at, key in enumerate(_keys(row))]
    given = {key for _, _, key in keys}
    return SlicePorts(
        tuple(at for at, key in enumerate(wanted) if useful and key not in given),
        tuple((row, at) for row, at, key in keys if key not in wanted),
    )


def _keys(row: EndpointSlice) -> list[PortKey]:
    return [(port.name or "", port.protocol or "TCP") for port in row.ports or ()]
