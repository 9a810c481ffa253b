"""The DestinationRules of a mesh, those of one host merged, and which one a sidecar uses for a service (Istio,
`pilot/pkg/model/destination_rule.go`, `push_context.go`, `sidecar.go`; 1.31)."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kubedoctor.cluster.grammar.selectors import selector_from_map
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.replay.mesh.attachment import age
from kubedoctor.replay.mesh.config import labels, rows, text, words
from kubedoctor.replay.mesh.hosts import most_specific
from kubedoctor.replay.mesh.registry import full_name
from kubedoctor.replay.mesh.scope.services import MeshService
from kubedoctor.replay.mesh.scope.settings import EVERYWHERE, OWN, MeshSettings


@dataclass
class MergedRule:
    """`origins`: the rules that it comes from, the oldest first; `spec`: what they come to; `exported`: their `exportTo`
    as written, empty for the default of the mesh."""

    origins: list[CustomResource]
    spec: dict[str, Any]
    exported: frozenset[str]

    @property
    def selects_workloads(self) -> bool:
        return self.spec.get("workloadSelector") is not None

    @property
    def selector(self) -> dict[str, str]:
        return labels(self.spec, "workloadSelector", "matchLabels")


@dataclass
class _Rules:
    by_host: dict[str, list[MergedRule]] = field(default_factory=dict)

    def add(self, rule: CustomResource, host: str, exported: frozenset[str]) -> None:
        there = self.by_host.setdefault(host, [])
        new = MergedRule([rule], dict(rule.spec or {}), exported)
        alone = True
        for known in there:
            if exported == known.exported:
                alone = False
            elif known.exported and exported >= known.exported:
                alone = True
            else:
                alone = True
                continue
            if known.selects_workloads and new.selects_workloads and known.selector != new.selector:
                alone = True
                continue
            if known.selects_workloads == new.selects_workloads:
                alone = False
            _merge(known, rule)
        if alone:
            there.append(new)

    def find(self, host: str) -> list[MergedRule] | None:
        named = most_specific(host, self.by_host)
        return None if named is None else self.by_host[named]


def _merge(known: MergedRule, rule: CustomResource) -> None:
    """Its subsets are added; its traffic policy counts where there is none yet."""
    known.origins.append(rule)
    known.spec = copy.copy(known.spec)
    names = {text(row.get("name")) for _, row in rows(known.spec, "subsets")}
    new = [row for _, row in rows(rule.spec, "subsets") if text(row.get("name")) not in names]
    if new:
        known.spec["subsets"] = [*(row for _, row in rows(known.spec, "subsets")), *new]
    policy = (rule.spec or {}).get("trafficPolicy")
    if known.spec.get("trafficPolicy") is None and policy is not None:
        known.spec["trafficPolicy"] = policy


class DestinationRules:
    """All rules of a mesh, merged by host within each namespace."""

    def __init__(self, objects: Iterable[CustomResource], settings: MeshSettings) -> None:
        self._root = settings.root
        self._own: dict[str, _Rules] = {}
        self._exported: dict[str, _Rules] = {}
        self._private_of_root = _Rules()
        for rule in sorted(objects, key=lambda one: ((one.spec or {}).get("workloadSelector") is None, age(one))):
            self._add(rule, settings)

    def _add(self, rule: CustomResource, settings: MeshSettings) -> None:
        space = rule.namespace
        host = full_name(text((rule.spec or {}).get("host")), space)
        selects = (rule.spec or {}).get("workloadSelector") is not None
        exported = frozenset((OWN,) if selects else words(rule.spec, "exportTo"))
        if not exported or exported & {EVERYWHERE, OWN, space}:
            self._own.setdefault(space, _Rules()).add(rule, host, exported)
        private = exported in (frozenset((OWN,)), frozenset((space,)))
        if not exported and OWN in settings.destination_rules:
            private = True
        if not private:
            self._exported.setdefault(space, _Rules()).add(rule, host, exported)
        elif space == self._root:
            self._private_of_root.add(rule, host, exported)

    def candidates(self, namespace: str, service: MeshService) -> list[MergedRule]:
        """The rules of the client's namespace, else those that the service's namespace or the root exports to it."""
        own = self._private_of_root if namespace == self._root else self._own.get(namespace, _Rules())
        found = own.find(service.host)
        if found is not None:
            return found
        for space in (service.namespace, self._root):
            there = self._exported.get(space, _Rules()).find(service.host) or ()
            visible = [rule for rule in there if not rule.exported or rule.exported & {EVERYWHERE, namespace}]
            if visible:
                return visible
        return []

    def chosen(self, namespace: str, pod_labels: Mapping[str, str], service: MeshService) -> MergedRule | None:
        """The rule for one workload: that which selects it, else the last one that selects none."""
        found: MergedRule | None = None
        for rule in self.candidates(namespace, service):
            if not rule.selects_workloads:
                found = rule
            elif rule.origins[0].namespace == namespace and selector_from_map(rule.selector).matches(pod_labels):
                return rule
        return found
