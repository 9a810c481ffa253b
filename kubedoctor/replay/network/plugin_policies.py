"""Policies of network plug-ins themselves: whom they isolate, and whether one of their rules may admit a connection. They
are not replayed: orders, tiers, what denies and layer 7 are left out. What cannot be read isolates no pod and admits: no policy
is blamed for what is not known."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.grammar.selectors import SelectorError, selector_of
from kubedoctor.cluster.kinds.meta import CustomResource, LabelSelector
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.network.calico_selectors import calico_selects
from kubedoctor.replay.network.policies import EGRESS, INGRESS

PLUGIN_POLICIES: Final = (
    ("CiliumNetworkPolicy", "cilium.io"),
    ("CiliumClusterwideNetworkPolicy", "cilium.io"),
    ("NetworkPolicy", "crd.projectcalico.org"),
    ("GlobalNetworkPolicy", "crd.projectcalico.org"),
    ("NetworkPolicy", "projectcalico.org"),
    ("GlobalNetworkPolicy", "projectcalico.org"),
)
"""Policies of network plug-ins themselves, which decide beside Kubernetes' own."""
PLUGIN_KINDS: Final = tuple(f"{kind}.{group}" for kind, group in PLUGIN_POLICIES)
_SOURCE: Final = compiled_later(r"^(?:k8s|any|container)[:.](?!io\.kubernetes\.pod\.namespace)")
_NAMESPACE: Final = compiled_later(r"^(?:k8s[:.])?io\.kubernetes\.pod\.namespace$")
_COMPUTED: Final = compiled_later(r"^io\.cilium\.|:")
"""Labels that Cilium adds to pods: their namespace's, their ServiceAccount's; those of other sources."""
_NUMBERS: Final = {"6": "TCP", "17": "UDP", "132": "SCTP"}
_SPACE_NAME: Final = ("projectcalico.org/name", "kubernetes.io/metadata.name", "projectcalico.org/namespace")


def isolates(policy: CustomResource, pod: Pod, direction: str) -> bool:
    """Whether a policy isolates a pod in a direction; what cannot be read isolates nothing."""
    if policy.namespace and policy.namespace != pod.namespace:
        return False
    return any(direction in _directions(policy, spec) and _selects(policy, spec, pod) for spec in _specs(policy))


def may_decide(policy: CustomResource, pod: Pod) -> bool:
    """Whether a policy may be for a pod, so that it may allow or deny what no other does; also where its selector cannot be
    read. Policies of Calico that are only staged are of other kinds."""
    if policy.namespace and policy.namespace != pod.namespace:
        return False
    if not any(True for _ in _specs(policy)):
        return True
    if _of_cilium(policy):
        specs = [spec for spec in _specs(policy) if "endpointSelector" in spec]  # The others are for nodes.
        return any(_cilium_selects(spec["endpointSelector"], pod) is not False for spec in specs)
    return any(_calico_selects(spec, pod) is not False for spec in _specs(policy))


class OtherEnd(msgspec.Struct, frozen=True):
    """The end of a connection that a policy does not isolate. pod: None for an end that is no pod. addresses: empty where
    they are not known."""

    pod: Pod | None
    addresses: tuple[str, ...] = ()


def other_end(pod: Pod | None, address: str = "") -> OtherEnd:
    """address: of an end that is no pod."""
    if pod is None:
        return OtherEnd(None, (address,) if address else ())
    addresses = (pod.status.pod_ip, *(ip.ip for ip in pod.status.pod_ips or ()))
    return OtherEnd(pod, tuple(dict.fromkeys(filter(None, addresses))))


def admits(policy: CustomResource, direction: str, other: OtherEnd, port: int, protocol: str) -> bool:
    """Whether a rule of a policy may admit the other end; False is sure."""
    return any(
        _admits(policy, rule, direction, other, port, protocol)
        for spec in _specs(policy)
        for rule in spec.get(direction.lower()) or ()
        if isinstance(rule, dict)
    )


def selector_path(policy: CustomResource) -> str:
    """Where it says whom it is for."""
    spec = policy.spec or {}
    return next(
        (f"spec.{name}" for name in ("endpointSelector", "selector", "namespaceSelector") if spec.get(name)), ""
    )


def _specs(policy: CustomResource) -> Iterator[Mapping[str, Any]]:
    yield from (spec for spec in (policy.spec, *(getattr(policy, "specs", None) or ())) if isinstance(spec, dict))


def _of_cilium(policy: CustomResource) -> bool:
    return policy.kind.startswith("Cilium")


def _directions(policy: CustomResource, spec: Mapping[str, Any]) -> set[str]:
    """Cilium isolates in the direction of each list that stands there, also an empty one, unless `enableDefaultDeny` is
    false; Calico by `types`, else by the lists, else ingress."""
    if _of_cilium(policy):
        off = spec.get("enableDefaultDeny") or {}
        pairs = ((INGRESS, "ingress"), (EGRESS, "egress"))
        return {
            way
            for way, name in pairs
            if (spec.get(name) is not None or spec.get(f"{name}Deny") is not None) and off.get(name) is not False
        }
    types = spec.get("types")
    if types:
        return {str(one) for one in types}
    found = {way for way, name in ((INGRESS, "ingress"), (EGRESS, "egress")) if spec.get(name)}
    return found or {INGRESS}


def _selects(policy: CustomResource, spec: Mapping[str, Any], pod: Pod) -> bool:
    """What cannot be read selects no pod."""
    if _of_cilium(policy):
        return "endpointSelector" in spec and _cilium_selects(spec["endpointSelector"], pod) is True
    return _calico_selects(spec, pod) is True


def _cilium_selects(selector: object, pod: Pod) -> bool | None:
    """None where it requires labels that are not known."""
    if not isinstance(selector, dict):
        return True if selector is None else None
    asked: list[tuple[str, dict[str, Any]]] = [
        (str(key), {"operator": "In", "values": [value]}) for key, value in (selector.get("matchLabels") or {}).items()
    ]
    rows = (row for row in selector.get("matchExpressions") or () if isinstance(row, dict))
    asked += [(str(row.get("key", "")), row) for row in rows]
    judged = [_cilium_row(key, row, pod) for key, row in asked]
    return False if False in judged else None if None in judged else True


def _cilium_row(key: str, row: Mapping[str, Any], pod: Pod) -> bool | None:
    labels = pod.labels
    if _NAMESPACE.match(key):
        key, labels = "namespace", {"namespace": pod.namespace}
    else:
        key = _SOURCE.sub("", key)
        if _COMPUTED.search(key):
            return None
    try:
        wanted = msgspec.convert({"matchExpressions": [{**row, "key": key}]}, LabelSelector)
        return selector_of(wanted).matches(labels)
    except (SelectorError, msgspec.ValidationError):
        return None


def _calico_selects(part: Mapping[str, Any], pod: Pod) -> bool | None:
    """By `selector` and `namespaceSelector`. Of a namespace only the name is known."""
    judged = [
        calico_selects(str(part.get("selector") or ""), {**pod.labels, "projectcalico.org/namespace": pod.namespace}),
        calico_selects(
            str(part.get("namespaceSelector") or ""), dict.fromkeys(_SPACE_NAME, pod.namespace), whole=False
        ),
    ]
    return False if False in judged else None if None in judged else True


def _admits(
    policy: CustomResource, rule: Mapping[str, Any], direction: str, other: OtherEnd, port: int, protocol: str
) -> bool:
    if not _of_cilium(policy):
        return _calico_admits(rule, direction, other, port, protocol)
    parts = rule.get("toPorts") or ()
    if parts and not any(_cilium_port(part, port, protocol) for part in parts if isinstance(part, dict)):
        return False
    word = "from" if direction == INGRESS else "to"
    peers = [key for key in rule if key.startswith(word) and key != "toPorts"]
    return not peers or any(_cilium_peer(key.removeprefix(word), rule[key] or (), other) for key in peers)


def _cilium_port(part: Mapping[str, Any], port: int, protocol: str) -> bool:
    """By `port` and `endPort`; a name may be any port's, and 0 is every port."""
    rows = part.get("ports") or ()
    return not rows or any(_over(row, protocol) and _between(row, port) for row in rows)


def _between(row: Mapping[str, Any], port: int) -> bool:
    first = str(row.get("port") or "0")
    if not first.isdigit() or first == "0":
        return True
    return int(first) <= port <= max(int(first), int(row.get("endPort") or 0))


def _over(row: Mapping[str, Any], protocol: str) -> bool:
    return str(row.get("protocol") or "ANY").upper() in ("ANY", protocol)


def _cilium_peer(kind: str, chosen: Iterable[Any], other: OtherEnd) -> bool:
    """Blocks of addresses and names of hosts are not for pods; groups and Services are not resolved."""
    pod = other.pod
    outside = pod is None or bool(pod.spec.host_network)
    if kind == "Entities":
        entities = set(chosen) - {"none"}
        return bool(entities) if outside else bool(entities & {"all", "cluster"})
    if kind == "Endpoints":
        return pod is not None and any(_cilium_selects(selector, pod) is not False for selector in chosen)
    if kind in ("CIDR", "CIDRSet"):
        return outside and any(_in_block(block, other) for block in chosen)
    if kind in ("FQDNs", "Nodes"):
        return outside
    return bool(chosen)


def _in_block(block: object, other: OtherEnd) -> bool:
    if not isinstance(block, dict):
        return _within((block,), other) is not False
    if not block.get("cidr"):
        return True
    return _within((block["cidr"],), other) is not False and _within(block.get("except") or (), other) is not True


def _within(blocks: Iterable[object], other: OtherEnd) -> bool | None:
    """Whether an address of the other end is in one of the blocks; None where that is not known."""
    try:
        networks = [ipaddress.ip_network(str(block), strict=False) for block in blocks]
        addresses = [ipaddress.ip_address(address) for address in other.addresses]
    except ValueError:
        return None
    if not networks:
        return False
    return any(address in network for address in addresses for network in networks) if addresses else None


def _calico_admits(rule: Mapping[str, Any], direction: str, other: OtherEnd, port: int, protocol: str) -> bool:
    if rule.get("action") not in ("Allow", "Pass"):
        return False
    if rule.get("protocol") and _protocol(rule["protocol"]) != protocol:
        return False
    if rule.get("notProtocol") and _protocol(rule["notProtocol"]) == protocol:
        return False
    here, there = rule.get("source") or {}, rule.get("destination") or {}
    ports = there.get("ports") or ()
    if ports and not any(_has_port(part, port) is not False for part in ports):
        return False
    if any(_has_port(part, port) is True for part in there.get("notPorts") or ()):
        return False
    peer = here if direction == INGRESS else there
    if peer.get("nets") and _within(peer["nets"], other) is False:
        return False
    if _within(peer.get("notNets") or (), other) is True:
        return False
    return other.pod is None or _calico_peer(peer, other.pod)


def _calico_peer(peer: Mapping[str, Any], pod: Pod) -> bool:
    unwanted = str(peer.get("notSelector") or "")
    if unwanted and calico_selects(unwanted, pod.labels) is True:
        return False
    names = (peer.get("serviceAccounts") or {}).get("names")
    if names and (pod.spec.service_account_name or "default") not in names:
        return False
    return _calico_selects(peer, pod) is not False


def _protocol(value: object) -> str:
    text = str(value).upper()
    return _NUMBERS.get(text, text)


def _has_port(part: object, port: int) -> bool | None:
    """None for a name, which may be any port's."""
    first, colon, last = str(part).partition(":")
    if colon and first.isdigit() and last.isdigit():
        return int(first) <= port <= int(last)
    return int(first) == port if first.isdigit() else None
