"""Linkerd's part of a connection: the Server that selects the port, else the proxy's default policy.

Authorizations of a Server are not replayed. Source: `linkerd/app/inbound/src/policy/defaults.rs` of linkerd2-proxy."""

from __future__ import annotations

from typing import Final

import msgspec

from kubedoctor.answers.reach.connections import ConnectionTarget
from kubedoctor.answers.reach.mesh.verdict import MeshHop
from kubedoctor.answers.sheet import Mark
from kubedoctor.cluster.grammar.selectors import SelectorError, selector_of
from kubedoctor.cluster.kinds.meta import CustomResource, LabelSelector
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.replay.mesh.linkerd import PROXY, has_proxy
from kubedoctor.replay.services.ports import declared_ports

_GROUP: Final = "policy.linkerd.io"
_DEFAULT: Final = "LINKERD2_PROXY_INBOUND_DEFAULT_POLICY"
_SKIPPED: Final = "config.linkerd.io/skip-inbound-ports"
_OPEN: Final = ("", "all-unauthenticated", "cluster-unauthenticated", "audit")


def linkerd_hop(client: Pod | None, target: ConnectionTarget, cluster: Cluster) -> MeshHop | None:
    """None where the target has no proxy of Linkerd, or the port does not pass it."""
    pod = target.pod
    if pod is None or not has_proxy(pod) or _is_skipped(pod, target.port):
        return None
    known = set(cluster.gaps)
    servers = cluster.maybe.custom("Server", _GROUP, pod.namespace)
    unread = sorted(cluster.gaps - known, key=str)
    cluster.gaps.intersection_update(known)  # The hop says it.
    if unread:
        return MeshHop(Mark.UNKNOWN, f"mesh: the Servers of Linkerd could not be read: {unread[0].why}")
    server = next((row for row in servers if _selects(row, pod, target.port)), None)
    if server is not None:
        text = f"mesh: {ref(server).title} requires an authorization of the source (Linkerd): not replayed"
        return MeshHop(Mark.UNKNOWN, text, ref(server))
    policy = _default_policy(pod)
    meshed = client is not None and has_proxy(client)
    if policy == "deny" or (policy.endswith("-authenticated") and not meshed):
        text = f"mesh: the default policy of the target's proxy is {policy}, and the source has no proxy of Linkerd"
        if policy == "deny":
            text = "mesh: the default policy of the target's proxy is deny, and no Server is for the port"
        return MeshHop(Mark.NO, f"{text}: 403, over TCP the connection is closed", ref(pod), "403", "Linkerd denies it")
    if policy in _OPEN or policy.endswith("-authenticated"):
        return MeshHop(Mark.YES, "mesh: the target has a proxy of Linkerd, and no Server is for the port")
    return MeshHop(Mark.UNKNOWN, f"mesh: the default policy of the target's proxy is {policy}: not replayed")


def _is_skipped(pod: Pod, port: int) -> bool:
    for word in pod.annotations.get(_SKIPPED, "").split(","):
        first, _, last = word.strip().partition("-")
        if first.isdigit() and int(first) <= port <= int(last if last.isdigit() else first):
            return True
    return False


def _default_policy(pod: Pod) -> str:
    """As the injector wrote it for the proxy; empty where it is its own default."""
    for container in (*pod.spec.containers, *(pod.spec.init_containers or ())):
        if container.name == PROXY:
            return next((row.value or "" for row in container.env or () if row.name == _DEFAULT), "")
    return ""


def _selects(server: CustomResource, pod: Pod, port: int) -> bool:
    spec = server.spec or {}
    try:
        selector = selector_of(msgspec.convert(spec.get("podSelector") or {}, LabelSelector))
    except (SelectorError, msgspec.ValidationError):
        return False
    named = {row.name: row.container_port for _, row in declared_ports(pod) if row.name}
    wanted = spec.get("port")
    return selector.matches(pod.labels) and (wanted == port or named.get(str(wanted)) == port)
