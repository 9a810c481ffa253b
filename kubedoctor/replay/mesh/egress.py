"""The hosts that a Sidecar lets its proxies know, and what a proxy logs about a request to another one (Istio,
`pilot/pkg/model/sidecar.go`, `pilot/pkg/networking/core/httproute.go`, `pilot/pkg/networking/util`, 1.31)."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.replay.mesh.access_log import CONNECTION_TERMINATED, Access
from kubedoctor.replay.mesh.config import rows, words
from kubedoctor.replay.mesh.registry import covers

BLACK_HOLE: Final = "BlackHoleCluster"
PASSTHROUGH: Final = "PassthroughCluster"
_BLOCKED: Final = "block_all"
_DIRECT: Final = "direct_response"
_BAD_GATEWAY: Final = 502


def lets_know(sidecar: CustomResource, namespace: str, host: str) -> bool:
    """Whether one of its egress listeners takes a full host of a namespace in (`ns/host`; `.` its own, `*` all, `~` none).
    A Sidecar without egress takes all in."""
    listeners = [row for _, row in rows(sidecar.spec, "egress")]
    return not listeners or any(
        _takes(written, sidecar.namespace, namespace, host) for row in listeners for written in words(row, "hosts")
    )


def _takes(written: str, own: str, namespace: str, host: str) -> bool:
    space, _, name = written.partition("/")
    return (space == "*" or (own if space == "." else space) == namespace) and covers(name, host)


def is_blocked(access: Access) -> bool:
    """The proxy knows no such host, and forwards only to hosts that it knows (`REGISTRY_ONLY`)."""
    direct = access.code == _BAD_GATEWAY and access.details == _DIRECT and not access.flags
    return (
        access.cluster == BLACK_HOLE
        or access.route == _BLOCKED
        or (direct and not access.route and access.cluster in ("", "-"))
    )


def is_passed_on(access: Access) -> bool:
    """The proxy knows no such host, passed the connection on as it was, and the server closed it: not one that was
    refused or timed out (`UF`), nor one that the client left (`DC`)."""
    return access.cluster == PASSTHROUGH and CONNECTION_TERMINATED in access.flags
