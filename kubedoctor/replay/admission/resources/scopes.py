"""The scopes of a ResourceQuota: which pods and claims it counts (`podMatchesScopeFunc`, `pvcMatchesScopeFunc`, v1.37)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kubedoctor.cluster.kinds.core import ResourceQuota
from kubedoctor.cluster.kinds.pods import PodSpec
from kubedoctor.cluster.kinds.storage import PersistentVolumeClaim
from kubedoctor.replay.kubelet.quality_of_service import quality_of_service_of


class _Scope(NamedTuple):
    name: str
    operator: str
    values: tuple[str, ...]


def selects_pod(quota: ResourceQuota, spec: PodSpec) -> bool:
    """Whether every scope selects a pod."""
    return all(_selects_pod(scope, spec) for scope in _scopes(quota))


def selects_claim(quota: ResourceQuota, claim: PersistentVolumeClaim) -> bool:
    """Whether every scope selects a new claim."""
    return all(
        scope.name == "VolumeAttributesClass" and _named(scope, claim.spec.volume_attributes_class_name or "")
        for scope in _scopes(quota)
    )


def _scopes(quota: ResourceQuota) -> Iterator[_Scope]:
    for name in quota.spec.scopes or ():
        yield _Scope(name, "Exists", ())
    for row in (quota.spec.scope_selector or {}).get("matchExpressions") or ():
        yield _Scope(row.get("scopeName", ""), row.get("operator", ""), tuple(row.get("values") or ()))


def _selects_pod(scope: _Scope, spec: PodSpec) -> bool:
    match scope.name:
        case "Terminating" | "NotTerminating":
            ends = spec.active_deadline_seconds is not None and spec.active_deadline_seconds >= 0
            return ends == (scope.name == "Terminating")
        case "BestEffort" | "NotBestEffort":
            return (quality_of_service_of(spec) == "BestEffort") == (scope.name == "BestEffort")
        case "PriorityClass":
            return _named(scope, spec.priority_class_name)
        case "CrossNamespacePodAffinity":
            return _reaches_other_namespaces(spec)
    return False


def _named(scope: _Scope, value: str) -> bool:
    match scope.operator:
        case "Exists":
            return bool(value)
        case "DoesNotExist":
            return not value
        case "In":
            return bool(value) and value in scope.values
        case "NotIn":
            return value not in scope.values
    return False


def _reaches_other_namespaces(spec: PodSpec) -> bool:
    affinity = spec.affinity
    if affinity is None:
        return False
    for side in (affinity.pod_affinity, affinity.pod_anti_affinity):
        if side is None:
            continue
        terms = [
            *(side.required_during_scheduling_ignored_during_execution or ()),
            *(one.pod_affinity_term for one in side.preferred_during_scheduling_ignored_during_execution or ()),
        ]
        if any(term.namespaces or term.namespace_selector is not None for term in terms):
            return True
    return False
