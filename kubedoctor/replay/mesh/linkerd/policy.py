"""Which clients Linkerd's proxy of a server lets in: Servers, their authorizations, and the default policy.

Source: linkerd2 `policy-controller/k8s/index/src/inbound/index.rs` and `authorization_policy.rs`, edge-26; linkerd2-proxy
`linkerd/app/inbound/src/policy/defaults.rs`. Policies of single routes are not replayed.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from kubedoctor.cluster.grammar.selectors import SelectorError, selector_of
from kubedoctor.cluster.kinds.meta import CustomResource, LabelSelector
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.mesh.linkerd.proxies import PROXY
from kubedoctor.replay.services.ports import declared_ports

GROUP: Final = "policy.linkerd.io"
DENY: Final = "deny"
_INIT: Final = "linkerd-init"
_SKIP: Final = {
    "inbound": ("config.linkerd.io/skip-inbound-ports", "--inbound-ports-to-ignore"),
    "outbound": ("config.linkerd.io/skip-outbound-ports", "--outbound-ports-to-ignore"),
}
_DEFAULT: Final = "LINKERD2_PROXY_INBOUND_DEFAULT_POLICY"
_OPEN: Final = ("", "all-unauthenticated", "cluster-unauthenticated", "audit")


class LinkerdClient(NamedTuple):
    """mutual: whether the proxies of both ends speak mutual TLS, so that the client has an identity."""

    namespace: str
    account: str
    address: str
    mutual: bool


def skips(pod: Pod, direction: str, port: int) -> bool:
    """Whether connections of a port pass the proxy by. direction: inbound (the pod's own port) or outbound (the port that the
    client dials). The injector writes both the annotation and the arguments of the container that sets the rules."""
    annotation, flag = _SKIP[direction]
    texts = [pod.annotations.get(annotation, "")]
    for container in pod.spec.init_containers or ():
        words = (*(container.command or ()), *(container.args or ())) if container.name == _INIT else ()
        texts += [words[at + 1] for at, word in enumerate(words[:-1]) if word == flag]
        texts += [word.partition("=")[2] for word in words if word.startswith(f"{flag}=")]
    return any(_in_range(word.strip(), port) for text in texts for word in text.split(","))


def _in_range(word: str, port: int) -> bool:
    first, _, last = word.partition("-")
    return first.isdigit() and int(first) <= port <= int(last if last.isdigit() else first)


def default_policy(pod: Pod) -> str:
    """As the injector wrote it for the proxy; empty where it is its own default."""
    for container in (*pod.spec.containers, *(pod.spec.init_containers or ())):
        if container.name == PROXY:
            return next((row.value or "" for row in container.env or () if row.name == _DEFAULT), "")
    return ""


def lets_in(policy: str, mutual: bool) -> bool | None:
    """What a default policy, or the accessPolicy of a Server, does; None for words that are not known."""
    if policy in _OPEN:
        return True
    if policy.endswith("-authenticated"):
        return mutual
    return False if policy == DENY else None


def server_of(pod: Pod, port: int, servers: Sequence[CustomResource]) -> CustomResource | None:
    """The Server that is for a port of the pod: the oldest by name where several are. One without podSelector is for
    workloads outside of the cluster."""
    return next((row for row in servers if _selects(row, pod, port)), None)


def _selects(server: CustomResource, pod: Pod, port: int) -> bool:
    spec = server.spec or {}
    if not isinstance(spec.get("podSelector"), Mapping):
        return False
    try:
        selector = selector_of(msgspec.convert(spec["podSelector"], LabelSelector))
    except (SelectorError, msgspec.ValidationError):
        return False
    named = {row.name: row.container_port for _, row in declared_ports(pod) if row.name}
    wanted = spec.get("port")
    return selector.matches(pod.labels) and (wanted == port or named.get(str(wanted)) == port)


def authorized(
    server: CustomResource,
    client: LinkerdClient,
    policies: Sequence[CustomResource],
    older: Sequence[CustomResource],
    authentications: Sequence[CustomResource],
) -> bool | None:
    """Whether a Server lets a client in. None where something decides that is not replayed: a policy of a route, an
    address that is not known. policies: AuthorizationPolicies, older: ServerAuthorizations, both of the Server's namespace.
    authentications: what the policies refer to."""
    found: list[bool | None] = [_old_grant(row, server, client) for row in older]
    by_route = False
    for row in policies:
        target = (row.spec or {}).get("targetRef") or {}
        kind, name = str(target.get("kind") or ""), str(target.get("name") or "")
        if kind in ("HTTPRoute", "GRPCRoute"):
            by_route = True
        elif (kind == "Server" and name == server.name) or (kind == "Namespace" and name == server.namespace):
            found.append(_all(_meets(needed, row.namespace, client, authentications) for needed in _references(row)))
    if True in found:
        return True
    if None in found or by_route:
        return None
    return lets_in(str((server.spec or {}).get("accessPolicy") or DENY), client.mutual)


def _all(answers: Iterator[bool | None]) -> bool | None:
    seen = list(answers)
    return False if False in seen else None if None in seen else True


def _any(answers: Iterator[bool | None]) -> bool | None:
    seen = list(answers)
    return True if True in seen else None if None in seen else False


def _references(policy: CustomResource) -> list[Mapping[str, Any]]:
    rows = (policy.spec or {}).get("requiredAuthenticationRefs") or ()
    return [row for row in rows if isinstance(row, Mapping)]


def _meets(
    needed: Mapping[str, Any], namespace: str, client: LinkerdClient, authentications: Sequence[CustomResource]
) -> bool | None:
    kind, name = str(needed.get("kind") or ""), str(needed.get("name") or "")
    space = str(needed.get("namespace") or namespace)
    if kind == "ServiceAccount":
        return client.mutual and (client.namespace, client.account) == (space, name)
    row = next(
        (row for row in authentications if (row.kind, row.namespace, row.name) == (kind, space, name)),
        None,
    )
    if row is None:
        return False
    spec = row.spec or {}
    if kind == "NetworkAuthentication":
        return _any(_from_network(network, client) for network in spec.get("networks") or ())
    names = [str(word) for word in spec.get("identities") or ()]
    accounts = [ref for ref in spec.get("identityRefs") or () if isinstance(ref, Mapping)]
    return client.mutual and (_identified(names, client) or any(_is_account(ref, space, client) for ref in accounts))


def _is_account(named: Mapping[str, Any], namespace: str, client: LinkerdClient) -> bool:
    """A ServiceAccount, or a Namespace for all of its accounts."""
    if named.get("kind") == "Namespace":
        return str(named.get("name")) == client.namespace
    return (str(named.get("namespace") or namespace), str(named.get("name"))) == (client.namespace, client.account)


def _identified(names: Sequence[str], client: LinkerdClient) -> bool:
    """`*`, `*.NAMESPACE.serviceaccount.identity…` or the whole name. The trust domain is taken to be one."""
    own = f"{client.account}.{client.namespace}.serviceaccount.identity."
    return any(
        name == "*" or name.startswith(own) or (name.startswith("*.") and _suffixed(own, name[1:])) for name in names
    )


def _suffixed(own: str, suffix: str) -> bool:
    inside = suffix.partition(".serviceaccount.identity.")[0]
    return own.partition(".serviceaccount.identity.")[0].endswith(inside)


def _from_network(network: object, client: LinkerdClient) -> bool | None:
    if not isinstance(network, Mapping):
        return False
    try:
        inside = _within(str(network.get("cidr")), client.address)
        out = [_within(str(cidr), client.address) for cidr in network.get("except") or ()]
    except ValueError:
        return None
    return None if inside is None else inside and True not in out


def _within(cidr: str, address: str) -> bool | None:
    block = ipaddress.ip_network(cidr, strict=False)
    if block.prefixlen == 0:
        return True
    return ipaddress.ip_address(address) in block if address else None


def _old_grant(grant: CustomResource, server: CustomResource, client: LinkerdClient) -> bool | None:
    """A ServerAuthorization: of the Server by its name, or by its labels."""
    spec = grant.spec or {}
    meant = spec.get("server") or {}
    if meant.get("name") is not None:
        if meant["name"] != server.name:
            return False
    else:
        try:
            selector = selector_of(msgspec.convert(meant.get("selector") or {}, LabelSelector))
        except (SelectorError, msgspec.ValidationError):
            return False
        if not selector.matches(server.metadata.labels or {}):
            return False
    allowed = spec.get("client") or {}
    networks = allowed.get("networks")
    near = _any(_from_network(row, client) for row in networks) if networks else True
    return _all(iter((near, _old_identity(allowed, client))))


def _old_identity(allowed: Mapping[str, Any], client: LinkerdClient) -> bool | None:
    tls = allowed.get("meshTLS")
    if allowed.get("unauthenticated") or not isinstance(tls, Mapping):
        return True if allowed.get("unauthenticated") else None
    if tls.get("unauthenticatedTLS"):
        return client.mutual
    accounts = [row for row in tls.get("serviceAccounts") or () if isinstance(row, Mapping)]
    named = [str(word) for word in tls.get("identities") or ()]
    own = any(_is_account(row, client.namespace, client) for row in accounts)
    return client.mutual and (own or _identified(named, client))
