"""Pools of addresses for load balancers, of MetalLB and Cilium, and the Services that have their addresses."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from kubedoctor.cluster import (
    Cluster,
    ConfigMap,
    CustomResource,
    LabelSelector,
    SelectorError,
    Service,
    controller_of,
    listed,
    selector_of,
)
from kubedoctor.cluster.changes import put
from kubedoctor.findings import Evidence, Fix, command_line, edit_command, has_path, quote, ref

METALLB: Final = "IPAddressPool.metallb.io"
CILIUM: Final = "CiliumLoadBalancerIPPool.cilium.io"
_FIELDS: Final = {METALLB: ("spec.addresses",), CILIUM: ("spec.blocks", "spec.cidrs")}
_CONFLICT: Final = "status.conditions[type=cilium.io/PoolConflict]"
_SHARED: Final = (
    "metallb.io/allow-shared-ip",
    "metallb.universe.tf/allow-shared-ip",
    "lbipam.cilium.io/sharing-key",
    "io.cilium/lb-ipam-sharing-key",
)
_MOST: Final = 3
_NONE_OF_KUBE_VIP: Final = "no address pools could be found"


class Pools(NamedTuple):
    """fix: where addresses alone would not help. mended: the controller's words are no longer true of the pools."""

    words: str = ""
    evidence: tuple[Evidence, ...] = ()
    fix: Fix | None = None
    mended: bool = False


def pools(service: Service, controller: str, message: str, cluster: Cluster) -> Pools:
    """What the pools of a controller have, where it found no address; nothing for one that has none of these."""
    kind = METALLB if "metallb" in controller else CILIUM if "cilium" in controller else ""
    if not kind:
        return _of_kube_vip(service, cluster) if _NONE_OF_KUBE_VIP in message else Pools()
    name, _, group = kind.partition(".")
    found = [(one, field) for one in cluster.maybe.custom(name, group) if (field := _field(one, kind))]
    if not found:
        return Pools()
    ranges = [text for one, field in found for text in _ranges(one, field)]
    users = [other for other in cluster.maybe.all(Service) if ref(other) != ref(service) and _has_of(other, ranges)]
    named = [f"{one.name} ({', '.join(_ranges(one, field))})" for one, field in found]
    words = f"; pool {listed(named, _MOST)}"
    words += f", used by {listed((ref(one).title for one in users), _MOST)}" if users else ""
    evidence = [quote(one, field, "the addresses of the pool") for one, field in found[:_MOST]]
    if kind == CILIUM:
        closed = _closed([one for one, _ in found], service)
        words += closed.words
        evidence += closed.evidence
        if closed.fix is not None:
            return Pools(words, tuple(evidence), closed.fix)
    mine = _key(service)
    other = next((one for one in users if _key(one) is not None), None)
    theirs = _key(other) if other is not None else None
    if mine is not None and other is not None and theirs is not None and mine[1] != theirs[1]:
        words += f"; they share an address only with equal sharing keys: {mine[1]} here, {theirs[1]} there"
        evidence += [quote(service, mine[0], "its sharing key"), quote(other, theirs[0], "the other's sharing key")]
    return Pools(words, tuple(evidence))


def _closed(found: Sequence[CustomResource], service: Service) -> Pools:
    """The pools of Cilium that give a Service no address, however many they have; a fix where none is left
    (`operator/pkg/lbipam`, allocateIPAddress)."""
    words = ""
    evidence = []
    disabled = [one for one in found if (one.spec or {}).get("disabled") is True]
    overlapping = [one for one in found if _overlaps(one) and one not in disabled]
    others = [one for one in found if not _is_for(one, service)]
    for one in disabled[:_MOST]:
        words += f"; pool {one.name} is disabled"
        evidence.append(quote(one, "spec.disabled", "it gives out no new addresses"))
    for one in others[:_MOST]:
        whom = "with other labels" if _labels_help(one, service) else "of other namespaces or names"
        words += f"; pool {one.name} is for Services {whom} (serviceSelector)"
        evidence.append(quote(one, "spec.serviceSelector", "the Services that get its addresses"))
    for one in overlapping[:_MOST]:
        says = quote(one, f"{_CONFLICT}.message", "Cilium takes no address from it")
        words += f"; pool {one.name} is out of use: {says.text}"
        evidence.append(says)
    shut = {one.name for one in (*disabled, *others, *overlapping)}
    if len(shut) < len(found):
        return Pools(words, tuple(evidence))
    mine = next((one for one in overlapping if one not in others), None)
    if mine is not None:
        fix = Fix(f"Change the blocks of pool {mine.name}, so that they overlap no other pool", edit_command(ref(mine)))
        return Pools(words, tuple(evidence), fix)
    return Pools(words, tuple(evidence), _opening(disabled, others, service))


def _overlaps(pool: CustomResource) -> bool:
    """Whether Cilium has marked it as one that overlaps another: it then gives out none of its addresses."""
    path = f"{_CONFLICT}.status"
    return has_path(pool, path) and quote(pool, path).value == "True" and has_path(pool, f"{_CONFLICT}.message")


def _opening(disabled: Sequence[CustomResource], others: Sequence[CustomResource], service: Service) -> Fix:
    """Where each pool is disabled or for other Services."""
    enable = next((one for one in disabled if _is_for(one, service)), None)
    if enable is not None:
        change = put(ref(enable), ("spec", "disabled"), False)
        return Fix(f"Enable pool {enable.name}, or create another for the Service", command_line(change))
    enabled = [one for one in others if one not in disabled]
    if any(_labels_help(one, service) for one in enabled):
        owner = controller_of(service)
        where = (
            f"{owner.title} (spec.infrastructure.labels)"
            if owner is not None and owner.short_kind == "Gateway"
            else "the Service"
        )
        text = f"Give {where} labels that the serviceSelector of a pool selects, or create a pool for it"
        return Fix(text, edit_command(owner if owner is not None else ref(service)))
    if enabled:
        text = f"Let the serviceSelector of pool {enabled[0].name} select the Service too, or create a pool for it"
        return Fix(text, edit_command(ref(enabled[0])))
    return Fix("Create a CiliumLoadBalancerIPPool for the Service")


def _is_for(pool: CustomResource, service: Service) -> bool:
    """Whether a pool of Cilium takes a Service; a selector that cannot be read takes it."""
    try:
        return selector_of(_selector(pool)).matches({**service.labels, **_made_labels(service)})
    except (SelectorError, msgspec.ValidationError):
        return True


def _labels_help(pool: CustomResource, service: Service) -> bool:
    """Whether labels of its own can bring a Service into a pool that does not take it."""
    selector, made = _selector(pool), _made_labels(service)
    fixed = LabelSelector(
        match_labels={key: value for key, value in (selector.match_labels or {}).items() if key in made},
        match_expressions=tuple(row for row in selector.match_expressions or () if row.key in made),
    )
    return selector_of(fixed).matches(made)


def _selector(pool: CustomResource) -> LabelSelector:
    return msgspec.convert((pool.spec or {}).get("serviceSelector") or {}, LabelSelector)


def _made_labels(service: Service) -> dict[str, str]:
    """The labels that Cilium adds, over those of the Service (svcLabels)."""
    return {"io.kubernetes.service.namespace": service.namespace, "io.kubernetes.service.name": service.name}


def _of_kube_vip(service: Service, cluster: Cluster) -> Pools:
    """The keys of its ConfigMap: `cidr-NAMESPACE` and `range-NAMESPACE`, else `cidr-global` and `range-global`
    (`pkg/provider/loadBalancer.go`)."""
    config = cluster.maybe.get(ConfigMap, "kube-system", "kubevip")
    if config is None:
        return Pools()
    keys = sorted(key for key in config.data or {} if key.startswith(("cidr-", "range-")))
    wanted = (f"cidr-{service.namespace}", f"range-{service.namespace}", "cidr-global", "range-global")
    added = [key for key in wanted if key in keys]
    if added:
        fix = Fix(
            "Wait for the next try (within 5m), or read in the log of kube-vip-cloud-provider which ConfigMap it uses"
        )
        shown = tuple(quote(config, f"data[{key}]", "a pool for the Service") for key in added)
        return Pools(f"; {ref(config).title} has {listed(added, _MOST)} now", shown, fix, mended=True)
    words = f"; {ref(config).title} has no {', '.join(wanted[:-1])} or {wanted[-1]}"
    words += f", only {listed(keys, _MOST)}" if keys else ""
    evidence = tuple(quote(config, f"data[{key}]", "a pool of another namespace") for key in keys[:_MOST])
    fix = Fix(f"Add range-{service.namespace} or range-global to {ref(config).title}", edit_command(ref(config)))
    return Pools(words, evidence, fix)


def _field(pool: CustomResource, kind: str) -> str:
    return next((path for path in _FIELDS[kind] if has_path(pool, path)), "")


def _ranges(pool: CustomResource, field: str) -> tuple[str, ...]:
    """`a-b` or a network, of MetalLB as text, of Cilium as `cidr` or `start` and `stop`."""
    rows = (pool.spec or {}).get(field.rpartition(".")[2])
    return tuple(text for row in rows if (text := _range(row))) if isinstance(rows, list) else ()


def _range(row: Any) -> str:
    if isinstance(row, dict):
        first, last = row.get("start"), row.get("stop")
        return str(row.get("cidr") or (f"{first}-{last or first}" if first else ""))
    return row if isinstance(row, str) else ""


def _has_of(service: Service, ranges: list[str]) -> bool:
    addresses = [row.ip for row in service.status.load_balancer.ingress or () if row.ip]
    return any(_within(address, text) for address in addresses for text in ranges)


def _within(address: str, text: str) -> bool:
    """Of a range `a-b` or a network."""
    try:
        own = ipaddress.ip_address(address)
        first, dash, last = (part.strip() for part in text.partition("-"))
        if not dash:
            return own in ipaddress.ip_network(first, strict=False)
        return int(ipaddress.ip_address(first)) <= int(own) <= int(ipaddress.ip_address(last))
    except ValueError:
        return False


def _key(service: Service) -> tuple[str, str] | None:
    """The path and the value of its sharing key."""
    found: Iterator[str] = (name for name in _SHARED if name in service.annotations)
    name = next(found, None)
    return (f"metadata.annotations[{name}]", service.annotations[name]) if name is not None else None
