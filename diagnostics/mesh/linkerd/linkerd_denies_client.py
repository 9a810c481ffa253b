"""Linkerd: the policy of a server denies a client.

## What it means
The proxy of the server answers 403 (TCP: it closes the connection). A Server selects the port, and no AuthorizationPolicy
or ServerAuthorization for it takes this client; or the default policy of the port takes none but authenticated clients.

## Why it happens
- The client has no Linkerd proxy, and so no identity: `client.tls=None` in the proxy's log.
- The identities of the MeshTLSAuthentication do not name the client's ServiceAccount.
- A Server was created for the port, and nothing authorizes its clients yet: a Server denies by default.

## How to fix it
Inject the proxy into the client, or authorize it: by its ServiceAccount (MeshTLSAuthentication), or by its network
(NetworkAuthentication), which trusts every client there.

## References
- https://linkerd.io/2/features/server-policy/
- https://linkerd.io/2/reference/authorization-policy/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from kubedoctor.answers.reach.attempts import may_tell, told_in
from kubedoctor.answers.reach.connections import targets
from kubedoctor.cluster import WORKLOADS, Cluster, CustomResource, LogTail, Pod, Service, not_ready
from kubedoctor.findings import (
    Command,
    Confidence,
    Evidence,
    Explains,
    Finding,
    Fix,
    Ref,
    Severity,
    at_fault,
    diagnostic,
    has_path,
    kubectl,
    quote,
    quote_line,
    ref,
)
from kubedoctor.replay.mesh.config import text
from kubedoctor.replay.mesh.linkerd.proxies import PROXY, has_proxy
from kubedoctor.replay.services.hosts import split_address

_GROUP: Final = "policy.linkerd.io"
SERVER: Final = f"Server.{_GROUP}"
POLICY: Final = f"AuthorizationPolicy.{_GROUP}"
_FORBIDDEN: Final = "403"
_URL: Final = re.compile(r"https?://(?P<address>[\w.\-:\[\]]+)")
_NEAR: Final = 5
"""Lines before the answer in which a program names the address."""
_DENIED: Final = re.compile(r"(?:Request|Connection) denied\b")
_SERVER: Final = re.compile(r"\bserver(?:\.name)?=(?P<name>[\w:.-]+)")
_CLIENT: Final = re.compile(r"\bclient(?:\.ip)?=(?P<address>[\d.]+|[0-9a-f:]+:[0-9a-f:]+)")
_NO_TLS: Final = re.compile(r"\b(?:client\.)?tls=None")
"""`linkerd/app/inbound/src/policy/http.rs` of linkerd2-proxy: 2.11 (`server=`, `tls=`, `client=`) and later."""


class _Denial(NamedTuple):
    """The answer in the client's log, the server's pod, and the line of its proxy."""

    told: Evidence
    server: Pod
    line: Evidence
    words: str


@diagnostic(
    code="KD6103",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(POLICY, SERVER, Pod, Service, *WORKLOADS),
    when=not_ready,
    explains=(Explains("affects", ("KD1003", "KD1012", "KD1013", "KD1014", "KD1016", "KD1029", "KD1201", "KD1204")),),
    symptoms=("403", "Request denied", "unauthorized request on route"),
)
def linkerd_denies_client(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if not may_tell(pod, cluster.taken_at):
        return
    servers = cluster.maybe.custom("Server", _GROUP)
    told = told_in(pod, _FORBIDDEN, cluster) if servers else None
    denial = _denial(pod, *told, cluster) if told is not None else None
    if denial is None:
        return
    found = _SERVER.search(denial.words)
    name = found["name"] if found is not None else ""
    here = denial.server.namespace
    server = next((one for one in servers if (one.namespace, one.name) == (here, name)), None)
    policies = [
        one
        for one in cluster.maybe.custom("AuthorizationPolicy", _GROUP, here)
        if text(((one.spec or {}).get("targetRef") or {}).get("name")) in (name, here)
    ]
    client, target = at_fault(pod, cluster), at_fault(denial.server, cluster)
    about, on = _decides(server, policies, target, name)
    plain = _NO_TLS.search(denial.words) is not None
    why = (
        "it has no Linkerd proxy and so no identity"
        if plain and not has_proxy(pod)
        else "its identity is not authorized"
    )
    yield Finding(
        about=about,
        aspect=f"{client.title}-{target.title}",
        summary=f"denies {client.title} at {target.title} (403{on}): {why}",
        evidence=(denial.line, denial.told, *_quoted(server, policies)),
        confidence=Confidence.CERTAIN,
        affects=(ref(pod), client),
        fixes=_fixes(plain and not has_proxy(pod), client, pod),
        commands=(
            Command(
                kubectl("get", f"servers.{_GROUP},authorizationpolicies.{_GROUP}", "-o", "yaml", namespace=here),
                "the policies of the server's namespace",
            ),
        ),
    )


def _denial(pod: Pod, tail: LogTail, line: int, cluster: Cluster) -> _Denial | None:
    """The server by the address that the log names near the answer; its proxy's log has to name the client."""
    for index in range(line, max(line - _NEAR, -1), -1):
        url = _URL.search(tail.lines[index])
        host, port = split_address(url["address"]) if url is not None else ("", 0)
        meant = [target.pod for target in targets(pod, host, port, cluster) if target.pod is not None] if host else []
        for server in [one for one in meant if has_proxy(one)][:2]:
            log = cluster.log_tail(server, PROXY)
            at = _about(log, pod.status.pod_ip) if log is not None else None
            if log is not None and at is not None:
                told = quote_line(tail, line, "the answer that the client got")
                return _Denial(told, server, quote_line(log, at, "the server's proxy denied it"), log.lines[at])
    return None


def _about(log: LogTail, address: str) -> int | None:
    """The newest denial of the client."""
    for at in range(len(log.lines) - 1, -1, -1):
        if _DENIED.search(log.lines[at]):
            found = _CLIENT.search(log.lines[at])
            if found is not None and address and found["address"].removesuffix(":") == address:
                return at
    return None


def _decides(server: CustomResource | None, policies: list[CustomResource], target: Ref, name: str) -> tuple[Ref, str]:
    """The object that decides, and what to add about it."""
    if len(policies) == 1:
        return ref(policies[0]), f", Server {name}" if server is not None else ""
    if server is not None:
        return ref(server), ", without an AuthorizationPolicy for it" if not policies else ""
    return target, f", policy {name}" if name else ""


def _quoted(server: CustomResource | None, policies: list[CustomResource]) -> Iterator[Evidence]:
    if server is not None and has_path(server, "spec.port"):
        yield quote(server, "spec.port", f"port of Server {server.name}")
    for policy in policies[:2]:
        if has_path(policy, "spec.requiredAuthenticationRefs"):
            yield quote(policy, "spec.requiredAuthenticationRefs", f"whom AuthorizationPolicy {policy.name} takes")


def _fixes(plain: bool, client: Ref, pod: Pod) -> tuple[Fix, ...]:
    account = f"{pod.namespace}/{pod.spec.service_account_name or 'default'}"
    if plain:
        return (
            Fix(
                f"Inject the Linkerd proxy into {client.title}: annotation linkerd.io/inject=enabled on its pod template"
            ),
            Fix("Or authorize its network with a NetworkAuthentication, which trusts every client there"),
        )
    return (Fix(f"Add ServiceAccount {account} to the MeshTLSAuthentication that the policy requires"),)
