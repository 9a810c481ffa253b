"""The hosts that a Sidecar lets its proxies know, and what a proxy logs about a request to another one (Istio,
`pilot/pkg/model/sidecar.go`, `pilot/pkg/networking/core/httproute.go`, `pilot/pkg/networking/util`, 1.31)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kubedoctor.cluster.grammar.selectors import selector_from_map
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.mesh.access_log import CONNECTION_TERMINATED, Access
from kubedoctor.replay.mesh.config import ROOT_NAMESPACE, labels, part, rows, words
from kubedoctor.replay.mesh.registry import covers

BLACK_HOLE: Final = "BlackHoleCluster"
PASSTHROUGH: Final = "PassthroughCluster"
_BLOCKED: Final = "block_all"
_DIRECT: Final = "direct_response"
_BAD_GATEWAY: Final = 502


def sidecar_of(pod: Pod, sidecars: Iterable[CustomResource], root: str = ROOT_NAMESPACE) -> CustomResource | None:
    """The Sidecar that configures the proxy of a pod: one that selects it, else that of its namespace, else of the mesh."""
    there = sorted(sidecars, key=lambda one: one.name)
    mine = [one for one in there if one.namespace == pod.namespace]
    for one in mine:
        wanted = labels(one.spec, "workloadSelector", "labels")
        if wanted and selector_from_map(wanted).matches(pod.labels):
            return one
    wide = [one for one in mine if not part(one.spec, "workloadSelector")]
    wide += [one for one in there if one.namespace == root and not part(one.spec, "workloadSelector")]
    return wide[0] if wide else None


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
