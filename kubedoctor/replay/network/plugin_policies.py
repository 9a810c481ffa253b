"""Policies of network plug-ins themselves: whom they isolate, and whether one of their rules plainly admits a connection. They
are not replayed: orders, tiers, entities and layer 7 are left out, so that only what plainly admits rules a policy out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.grammar.selectors import SelectorError, selector_of
from kubedoctor.cluster.kinds.meta import CustomResource, LabelSelector
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.network.policies import EGRESS, INGRESS

PLUGIN_POLICIES: Final = (
    ("CiliumNetworkPolicy", "cilium.io"),
    ("CiliumClusterwideNetworkPolicy", "cilium.io"),
    ("NetworkPolicy", "crd.projectcalico.org"),
    ("GlobalNetworkPolicy", "crd.projectcalico.org"),
)
"""Policies of network plug-ins themselves, which decide beside Kubernetes' own."""
PLUGIN_KINDS: Final = tuple(f"{kind}.{group}" for kind, group in PLUGIN_POLICIES)
_SOURCE: Final = compiled_later(r"^(?:k8s|any|container)[:.](?!io\.kubernetes\.pod\.namespace)")
_NAMESPACE: Final = compiled_later(r"^(?:k8s[:.])?io\.kubernetes\.pod\.namespace$")
_COMPARED: Final = compiled_later(r"^(?P<key>[\w./-]+)\s*(?P<how>==|!=)\s*['\"](?P<value>[^'\"]*)['\"]$")
_LISTED: Final = compiled_later(r"^(?P<key>[\w./-]+)\s+(?P<how>not in|in)\s*\{(?P<values>[^}]*)\}$")
_HAS: Final = compiled_later(r"^(?P<no>!?)\s*has\(\s*(?P<key>[\w./-]+)\s*\)$")
_SPACE_NAME: Final = ("projectcalico.org/name", "kubernetes.io/metadata.name", "projectcalico.org/namespace")


def isolates(policy: CustomResource, pod: Pod, direction: str) -> bool:
    """Whether a policy isolates a pod in a direction; what cannot be read isolates nothing."""
    if policy.namespace and policy.namespace != pod.namespace:
        return False
    return any(
        direction in _directions(policy, spec) and _selects(policy, spec, pod, direction) for spec in _specs(policy)
    )


def admits(policy: CustomResource, direction: str, other: Pod | None, port: int, protocol: str) -> bool:
    """Whether a rule of a policy plainly admits the other end; None is an end that is no pod."""
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


def _selects(policy: CustomResource, spec: Mapping[str, Any], pod: Pod, direction: str) -> bool:
    if _of_cilium(policy):
        return "endpointSelector" in spec and _cilium_selects(spec["endpointSelector"], pod)
    spaces = str(spec.get("namespaceSelector") or "")
    return _calico_selects(str(spec.get("selector") or ""), pod.labels) and _calico_selects(
        spaces, dict.fromkeys(_SPACE_NAME, pod.namespace)
    )


def _cilium_selects(selector: object, pod: Pod) -> bool:
    if not isinstance(selector, dict):
        return selector is None
    labels = dict(pod.labels)
    named = dict(selector.get("matchLabels") or {})
    spaces = {key for key in named if _NAMESPACE.match(key)}
    if any(named[key] != pod.namespace for key in spaces):
        return False
    plain = {_SOURCE.sub("", key): value for key, value in named.items() if key not in spaces}
    rows = [
        {**row, "key": _SOURCE.sub("", str(row.get("key", "")))}
        for row in selector.get("matchExpressions") or ()
        if isinstance(row, dict)
    ]
    try:
        wanted = msgspec.convert({"matchLabels": plain, "matchExpressions": rows}, LabelSelector)
        return selector_of(wanted).matches({**labels, "k8s:io.kubernetes.pod.namespace": pod.namespace})
    except (SelectorError, msgspec.ValidationError):
        return False


def _calico_selects(text: str, labels: Mapping[str, str]) -> bool:
    """Of Calico's language what policies commonly use: comparisons, lists and `has`, joined by `&&` and `||`."""
    bare = text.strip()
    if bare in ("", "all()", "global()"):
        return True
    return any(all(_calico_term(term.strip(), labels) for term in part.split("&&")) for part in re.split(r"\|\|", bare))


def _calico_term(term: str, labels: Mapping[str, str]) -> bool:
    if term == "all()":
        return True
    if (match := _COMPARED.match(term)) is not None:
        return (labels.get(match["key"]) == match["value"]) == (match["how"] == "==")
    if (match := _LISTED.match(term)) is not None:
        values = {value.strip(" '\"") for value in match["values"].split(",")}
        return (labels.get(match["key"]) in values) == (match["how"] == "in")
    if (match := _HAS.match(term)) is not None:
        return (match["key"] in labels) != bool(match["no"])
    return False


def _admits(
    policy: CustomResource, rule: Mapping[str, Any], direction: str, other: Pod | None, port: int, protocol: str
) -> bool:
    if not _of_cilium(policy):
        return _calico_admits(rule, direction, other, port, protocol)
    word = "from" if direction == INGRESS else "to"
    ports = [row for part in rule.get("toPorts") or () for row in part.get("ports") or ()]
    if ports and not any(str(row.get("port")) == str(port) and _over(row, protocol) for row in ports):
        return False
    peers = [key for key in rule if key.startswith(word) and key != "toPorts"]
    if not peers:
        return True
    entities = set(rule.get(f"{word}Entities") or ())
    if entities & {"all", "cluster"}:
        return True
    chosen = rule.get(f"{word}Endpoints") or ()
    return other is not None and any(_cilium_selects(selector, other) for selector in chosen)


def _over(row: Mapping[str, Any], protocol: str) -> bool:
    return str(row.get("protocol") or "ANY").upper() in ("ANY", protocol)


def _calico_admits(rule: Mapping[str, Any], direction: str, other: Pod | None, port: int, protocol: str) -> bool:
    if rule.get("action") not in ("Allow", "Pass"):
        return False
    if str(rule.get("protocol") or protocol).upper() != protocol:
        return False
    here, there = rule.get("source") or {}, rule.get("destination") or {}
    ports = there.get("ports") or ()
    if ports and not any(_has_port(part, port) for part in ports):
        return False
    peer = here if direction == INGRESS else there
    if any(peer.get(name) for name in ("nets", "notNets", "serviceAccounts", "services", "notSelector")):
        return False
    if not (peer.get("selector") or peer.get("namespaceSelector")):
        return True
    spaces = dict.fromkeys(_SPACE_NAME, other.namespace) if other is not None else {}
    return (
        other is not None
        and _calico_selects(str(peer.get("selector") or ""), other.labels)
        and _calico_selects(str(peer.get("namespaceSelector") or ""), spaces)
    )


def _has_port(part: object, port: int) -> bool:
    first, colon, last = str(part).partition(":")
    if colon and first.isdigit() and last.isdigit():
        return int(first) <= port <= int(last)
    return first == str(port)
