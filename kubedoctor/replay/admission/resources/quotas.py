"""Whether a ResourceQuota admits a new object, and what the object uses of it.

`apiserver/pkg/admission/plugin/resourcequota/controller.go` and `pkg/quota/v1/evaluator/core`, v1.37.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from kubedoctor.cluster.grammar.quantities import Quantity
from kubedoctor.cluster.kinds.core import ResourceQuota, Service
from kubedoctor.cluster.kinds.pods import PodSpec
from kubedoctor.cluster.kinds.storage import PersistentVolumeClaim
from kubedoctor.replay.admission.resources.created_pod import HUGE_PAGES, PodAmounts, limits_of, requests_of
from kubedoctor.replay.admission.resources.scopes import selects_claim, selects_pod
from kubedoctor.replay.scheduler.requests import Amounts, amounts
from kubedoctor.replay.storage.matching import class_of

_ONE: Final = Quantity.of(1)
_NATIVE: Final = ("cpu", "memory", "ephemeral-storage")
_SERVICES: Final = ("count/services", "services", "services.nodeports", "services.loadbalancers")
_CLAIMS: Final = ("persistentvolumeclaims", "requests.storage")
_OF_CLASS: Final = ".storageclass.storage.k8s.io/"
_MUST_BE_SET: Final = ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
"""What every container must set where a quota limits it."""
_DEVICE_CLASS: Final = "requests.deviceclass.resource.kubernetes.io/"
Created = PodSpec | PersistentVolumeClaim | Service


class Over(NamedTuple):
    """A resource that one more pod would exceed: the amounts used, allowed, and needed."""

    resource: str
    used: Quantity
    hard: Quantity
    needed: Quantity


class QuotaVerdict(msgspec.Struct, frozen=True):
    """quota: the name of the one that refuses; text: the API server's reason. Otherwise both are empty, and `used` is
    what each quota uses afterwards, by its name."""

    quota: str = ""
    text: str = ""
    over: tuple[Over, ...] = ()
    used: Mapping[str, Amounts] = msgspec.field(default_factory=dict)


def usage_of(created: Created) -> dict[str, Quantity]:
    """What an object uses, by the names that quotas use."""
    if isinstance(created, Service):
        return _service_usage(created)
    return _claim_usage(created) if isinstance(created, PersistentVolumeClaim) else pod_usage(created)


def pod_usage(spec: PodSpec) -> dict[str, Quantity]:
    """The usage of a pod. A request also counts under its name without `requests.`."""
    pod = PodAmounts(spec)
    pod.fill_in_whole()
    requests, limits = (
        pod.of_containers(requests_of) | _whole(pod.requests),
        pod.of_containers(limits_of) | _whole(pod.limits),
    )
    for name, amount in pod.overhead.items():
        requests[name] = requests[name] + amount if name in requests else amount
        if name in limits and not limits[name].is_zero:
            limits[name] = limits[name] + amount
    return {"count/pods": _ONE, **_computed(requests, limits)}


def _whole(given: Amounts) -> Amounts:
    return {name: amount for name, amount in given.items() if name in _NATIVE[:2] or name.startswith(HUGE_PAGES)}


def _computed(requests: Amounts, limits: Amounts) -> Amounts:
    """`podComputeUsageHelper`."""
    usage: Amounts = {"pods": _ONE}
    for name in _NATIVE:
        if name in requests:
            usage[name] = usage[f"requests.{name}"] = requests[name]
        if name in limits:
            usage[f"limits.{name}"] = limits[name]
    for name, amount in requests.items():
        if name.startswith(HUGE_PAGES):
            usage[name] = usage[f"requests.{name}"] = amount
        elif not _is_native(name):
            usage[f"requests.{name}"] = amount
    return usage


def _is_native(name: str) -> bool:
    return "/" not in name or "kubernetes.io/" in name


def _claim_usage(claim: PersistentVolumeClaim) -> Amounts:
    usage: Amounts = {"persistentvolumeclaims": _ONE, "count/persistentvolumeclaims": _ONE}
    storage = amounts(claim.spec.resources.requests).get("storage")
    if storage is not None:
        usage["requests.storage"] = Quantity.of(storage.value(), storage.format)
    if name := class_of(claim):
        usage |= {f"{name}{_OF_CLASS}{part}": usage[part] for part in _CLAIMS if part in usage}
    return usage


def _service_usage(service: Service) -> Amounts:
    spec = service.spec
    ports = spec.ports or ()
    balanced = spec.type == "LoadBalancer"
    nodes = len(ports) if balanced or spec.type == "NodePort" else 0
    if balanced and spec.allocate_load_balancer_node_ports is False:
        nodes = sum(1 for port in ports if port.node_port)
    return {
        "count/services": _ONE,
        "services": _ONE,
        "services.loadbalancers": Quantity.of(int(balanced)),
        "services.nodeports": Quantity.of(nodes),
    }


def admit(created: Created, quotas: Iterable[ResourceQuota]) -> QuotaVerdict:
    """The first quota that refuses a new object, or what all use afterwards."""
    all_quotas = tuple(quotas)
    matching = [quota for quota in all_quotas if matches(quota, created)]
    for quota in matching:
        names = _limited(quota, created)
        if text := _not_set(created, names):
            return QuotaVerdict(quota.name, f"failed quota: {quota.name}: must specify {text}")
        if not names <= amounts(quota.status.used).keys():
            listed = ",".join(sorted(names))
            return QuotaVerdict(quota.name, f"status unknown for quota: {quota.name}, resources: {listed}")
    usage = {name: amount for name, amount in usage_of(created).items() if not amount.is_zero}
    used = {quota.name: amounts(quota.status.used) for quota in all_quotas}
    for quota in matching:
        if over := exceeded(quota, usage):
            return QuotaVerdict(quota.name, _exceeding(quota.name, over), over)
        hard, before = amounts(quota.status.hard), used[quota.name]
        used[quota.name] = before | {
            name: before[name] + amount if name in before else amount for name, amount in usage.items() if name in hard
        }
    return QuotaVerdict(used=used)


def matches(quota: ResourceQuota, created: Created) -> bool:
    """Whether a quota counts the object: it limits something that the object uses, and all its scopes select it."""
    if not _limited(quota, created):
        return False
    if isinstance(created, Service):
        return not (quota.spec.scopes or quota.spec.scope_selector)
    if isinstance(created, PersistentVolumeClaim):
        return selects_claim(quota, created)
    return selects_pod(quota, created)


def would_exceed(quota: ResourceQuota, usage: Mapping[str, Quantity], spec: PodSpec | None = None) -> tuple[Over, ...]:
    """The resources that one more pod of that usage would exceed; none where the scopes do not select the pod. Without
    the pod quotas with scopes are left out."""
    if spec is None and (quota.spec.scopes or quota.spec.scope_selector):
        return ()
    if spec is not None and not matches(quota, spec):
        return ()
    return exceeded(quota, usage)


def exceeded(quota: ResourceQuota, usage: Mapping[str, Quantity]) -> tuple[Over, ...]:
    """The resources of which less is left than the usage."""
    used = amounts(quota.status.used)
    limits = (
        Over(name, used.get(name, Quantity()), hard, usage[name])
        for name, hard in amounts(quota.status.hard).items()
        if name in usage
    )
    return tuple(limit for limit in limits if limit.used + limit.needed > limit.hard)


def _exceeding(name: str, over: Iterable[Over]) -> str:
    rows = sorted(over)
    requested = ",".join(f"{row.resource}={row.needed}" for row in rows)
    used = ",".join(f"{row.resource}={row.used}" for row in rows)
    limited = ",".join(f"{row.resource}={row.hard}" for row in rows)
    return f"exceeded quota: {name}, requested: {requested}, used: {used}, limited: {limited}"


def _limited(quota: ResourceQuota, created: Created) -> frozenset[str]:
    """What a quota limits of objects of this kind."""
    return frozenset(name for name in quota.status.hard or () if _counts(name, created))


def _counts(name: str, created: Created) -> bool:
    if isinstance(created, Service):
        return name in _SERVICES
    if isinstance(created, PersistentVolumeClaim):
        return name in (*_CLAIMS, "count/persistentvolumeclaims") or name.endswith(
            tuple(_OF_CLASS + part for part in _CLAIMS)
        )
    if name in ("count/pods", "pods", *_NATIVE) or name.startswith((HUGE_PAGES, f"requests.{HUGE_PAGES}")):
        return True
    side, _, resource = name.partition(".")
    if side in ("requests", "limits") and resource in _NATIVE:
        return True
    return side == "requests" and (not _is_native(name) or name.startswith(_DEVICE_CLASS))


def _not_set(created: Created, names: frozenset[str]) -> str:
    """`limits.cpu for: a,b; requests.memory for: a`: what containers must set and do not."""
    if not isinstance(created, PodSpec):
        return ""
    pod = PodAmounts(created)
    if pod.sets_whole:
        return ""
    missing: dict[str, set[str]] = {}
    for container in pod.each:
        for name in names.intersection(_MUST_BE_SET) - _computed(container.requests, container.limits).keys():
            missing.setdefault(name, set()).add(container.name)
    return "; ".join(f"{name} for: {','.join(sorted(missing[name]))}" for name in sorted(missing))
