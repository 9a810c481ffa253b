"""Linkerd's part of a connection: the Server that selects the port and who is authorized, else the proxy's default policy."""

from __future__ import annotations

from functools import partial
from typing import Final

from kubedoctor.answers.reach.connections import ConnectionTarget
from kubedoctor.answers.reach.mesh.verdict import MeshHop
from kubedoctor.answers.sheet import Mark
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.replay.mesh.linkerd.policy import (
    DENY,
    GROUP,
    LinkerdClient,
    authorized,
    default_policy,
    lets_in,
    server_of,
    skips,
)
from kubedoctor.replay.mesh.linkerd.proxies import has_proxy

_AUTHENTICATIONS: Final = ("MeshTLSAuthentication", "NetworkAuthentication")
_DENIED: Final = "403, over TCP the connection is closed"


def linkerd_hop(client: Pod | None, dialed: int, target: ConnectionTarget, cluster: Cluster) -> MeshHop | None:
    """None where the target has no proxy of Linkerd, or the port does not pass it. dialed: the port as the client's program
    names it, that of the Service."""
    pod = target.pod
    if pod is None or not has_proxy(pod) or skips(pod, "inbound", target.port):
        return None
    known = set(cluster.gaps)
    servers = cluster.maybe.custom("Server", GROUP, pod.namespace)
    server = server_of(pod, target.port, servers)
    meshed = client is not None and has_proxy(client)
    past = client is not None and meshed and skips(client, "outbound", dialed)
    caller = LinkerdClient(
        client.namespace if client is not None else "",
        (client.spec.service_account_name or "default") if client is not None else "",
        client.status.pod_ip if client is not None else "",
        meshed and not past,
    )
    without = f"the source's proxy is skipped for port {dialed}" if past else "the source has no proxy of Linkerd"
    found = _by_server(server, caller, without, cluster) if server is not None else _by_default(pod, caller, without)
    unread = sorted(cluster.gaps - known, key=str)
    cluster.gaps.intersection_update(known)  # The hop says it.
    if unread:
        return MeshHop(Mark.UNKNOWN, f"mesh: the policies of Linkerd could not be read: {unread[0].why}")
    return found


def _by_server(server: CustomResource, caller: LinkerdClient, without: str, cluster: Cluster) -> MeshHop:
    maybe, title = cluster.maybe, ref(server).title
    kinds = ("AuthorizationPolicy", "ServerAuthorization", *_AUTHENTICATIONS)
    cluster.together(*(partial(maybe.custom, kind, GROUP) for kind in kinds))
    allowed = authorized(
        server,
        caller,
        maybe.custom("AuthorizationPolicy", GROUP, server.namespace),
        maybe.custom("ServerAuthorization", GROUP, server.namespace),
        [row for kind in _AUTHENTICATIONS for row in maybe.custom(kind, GROUP)],
    )
    if allowed:
        return MeshHop(Mark.YES, f"mesh: {title} authorizes the source (Linkerd)", ref(server))
    if allowed is None:
        text = f"mesh: {title} decides by the route or address of a request (Linkerd): not replayed"
        return MeshHop(Mark.UNKNOWN, text, ref(server))
    who = (
        f"service account {caller.namespace}/{caller.account}"
        if caller.mutual
        else f"a client without identity: {without}"
    )
    text = f"mesh: no authorization of {title} is for {who}: {_DENIED}"
    return MeshHop(Mark.NO, text, ref(server), "403", f"{title} denies it{'' if caller.mutual else f', as {without}'}")


def _by_default(pod: Pod, caller: LinkerdClient, without: str) -> MeshHop:
    policy = default_policy(pod)
    allowed = lets_in(policy, caller.mutual)
    if allowed:
        return MeshHop(Mark.YES, "mesh: the target has a proxy of Linkerd, and no Server is for the port")
    if allowed is None:
        return MeshHop(Mark.UNKNOWN, f"mesh: the default policy of the target's proxy is {policy}: not replayed")
    why = "no Server is for the port" if policy == DENY else without
    text = f"mesh: the default policy of the target's proxy is {policy}, and {why}: {_DENIED}"
    return MeshHop(Mark.NO, text, ref(pod), "403", "Linkerd denies it")
