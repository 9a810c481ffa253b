"""Pools of addresses for load balancers, of MetalLB and Cilium, and the Services that have their addresses."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
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
from kubedoctor.findings import Evidence, Fix, edit_command, has_path, quote, ref

METALLB: Final = "IPAddressPool.metallb.io"
CILIUM: Final = "CiliumLoadBalancerIPPool.cilium.io"
_FIELDS: Final = {METALLB: ("spec.addresses",), CILIUM: ("spec.blocks", "spec.cidrs")}
_SHARED: Final = (
    "metallb.io/allow-shared-ip",
    "metallb.universe.tf/allow-shared-ip",
    "lbipam.cilium.io/sharing-key",
    "io.cilium/lb-ipam-sharing-key",
)
_MOST: Final = 3
_NONE_OF_KUBE_VIP: Final = "no address pools could be found"


class Pools(NamedTuple):
    """fix: where addresses alone would not help."""

    words: str = ""
    evidence: tuple[Evidence, ...] = ()
    fix: Fix | None = None


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
    if kind == CILIUM and (others := [one for one, _ in found if not _is_for(one, service)]):
        for one in others[:_MOST]:
            words += f"; pool {one.name} is for Services with other labels (serviceSelector)"
            evidence.append(quote(one, "spec.serviceSelector", "the Services that get its addresses"))
        if len(others) == len(found):
            owner = controller_of(service)
            where = (
                f"{owner.title} (spec.infrastructure.labels)"
                if owner is not None and owner.short_kind == "Gateway"
                else "the Service"
            )
            text = f"Give {where} labels that the serviceSelector of a pool selects, or create a pool for it"
            fix = Fix(text, edit_command(owner if owner is not None else ref(service)))
            return Pools(words, tuple(evidence), fix)
    mine = _key(service)
    other = next((one for one in users if _key(one) is not None), None)
    theirs = _key(other) if other is not None else None
    if mine is not None and other is not None and theirs is not None and mine[1] != theirs[1]:
        words += f"; they share an address only with equal sharing keys: {mine[1]} here, {theirs[1]} there"
        evidence += [quote(service, mine[0], "its sharing key"), quote(other, theirs[0], "the other's sharing key")]
    return Pools(words, tuple(evidence))


def _is_for(pool: CustomResource, service: Service) -> bool:
    """Whether a pool of Cilium takes a Service (`operator/pkg/lbipam`); a selector that cannot be read takes it."""
    selector = (pool.spec or {}).get("serviceSelector")
    if not selector:
        return True
    own = {"io.kubernetes.service.namespace": service.namespace, "io.kubernetes.service.name": service.name}
    try:
        return selector_of(msgspec.convert(selector, LabelSelector)).matches({**service.labels, **own})
    except (SelectorError, msgspec.ValidationError):
        return True


def _of_kube_vip(service: Service, cluster: Cluster) -> Pools:
    """The keys of its ConfigMap: `cidr-NAMESPACE` and `range-NAMESPACE`, else `cidr-global` and `range-global`
    (`pkg/provider/loadBalancer.go`)."""
    config = cluster.maybe.get(ConfigMap, "kube-system", "kubevip")
    if config is None:
        return Pools()
    keys = sorted(key for key in config.data or {} if key.startswith(("cidr-", "range-")))
    wanted = f"cidr-{service.namespace}, range-{service.namespace}, cidr-global or range-global"
    words = f"; {ref(config).title} has no {wanted}" + (f", only {listed(keys, _MOST)}" if keys else "")
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
