"""What admission says of a new object of the sandbox, and the eviction of a pod: the replay decides (`replay/admission`,
`replay/disruption`)."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from datetime import datetime
from typing import Any, Final

from kubedoctor.cluster.changes import as_data
from kubedoctor.cluster.kinds.core import ResourceQuota, Service
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.policy import PodDisruptionBudget
from kubedoctor.cluster.kinds.storage import PersistentVolumeClaim
from kubedoctor.cluster.seen.decoding import convert_object
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.snapshot import Snapshot, Source
from kubedoctor.replay.admission.creation import Admitted, admit_claim, admit_pod, admit_service
from kubedoctor.replay.disruption.evictions import Eviction, evict
from kubedoctor.sandbox.exchange import FailureStatus, Object
from kubedoctor.sandbox.resources import Resource, Resources
from kubedoctor.sandbox.store import Store

_ASKED: Final = ("Namespace", "LimitRange", "ResourceQuota", "ServiceAccount", "PriorityClass", "RuntimeClass")
"""What the admission of an object depends on."""


class WriteAdmission:
    """version: of Kubernetes, as `/version` says it."""

    def __init__(self, store: Store, resources: Resources, version: str) -> None:
        self._store, self._resources, self._version = store, resources, version

    def admitted(self, obj: Object, resource: Resource, now: datetime) -> list[tuple[Resource, Object]]:
        """Fills in what admission gives a new object, in place; the quotas with what they use from now on. Raises
        FailureStatus where it is refused."""
        item = _converted(resource.kind, obj)
        answer = self._answer(item, now)
        if answer is None:
            return []
        if answer.refusal:
            details = {"name": obj["metadata"].get("name", ""), "kind": resource.plural}
            raise FailureStatus(403, "Forbidden", answer.refusal, details)
        if answer.spec is not None:
            _give_amounts(obj["spec"], as_data(answer.spec))
            self._give_priority(obj["spec"])
        return list(self._charged(answer.quotas))

    def _answer(self, item: KubernetesObject | None, now: datetime) -> Admitted | None:
        if isinstance(item, Pod):
            return admit_pod(item, self._seen(now))
        if isinstance(item, PersistentVolumeClaim):
            return admit_claim(item, self._seen(now))
        return admit_service(item, self._seen(now)) if isinstance(item, Service) else None

    def _seen(self, now: datetime) -> Cluster:
        snapshot = Snapshot(now, Source("live", "sandbox", self._version), closed=True, complete=True)
        snapshot.add(item for kind in _ASKED for _, item in self._items(kind))
        return Cluster(snapshot)

    def _items(self, kind: str) -> Iterable[tuple[Object, KubernetesObject]]:
        resource = self._resources.named(kind)
        for obj in self._store.list(resource) if resource is not None else ():
            if (item := _converted(kind, obj)) is not None:
                yield obj, item

    def _give_priority(self, spec: Object) -> None:
        """The number of the class, and the class where one is the default (`plugin/pkg/admission/priority`)."""
        for obj, _ in self._items("PriorityClass"):
            name = obj["metadata"]["name"]
            if name == spec.get("priorityClassName") or (
                not spec.get("priorityClassName") and obj.get("globalDefault")
            ):
                spec.update({"priorityClassName": name, "priority": obj.get("value", 0)})

    def _charged(self, quotas: Iterable[ResourceQuota]) -> Iterable[tuple[Resource, Object]]:
        resource = self._resources.named("ResourceQuota")
        if resource is None:
            return
        for quota in quotas:
            obj = deepcopy(self._store.get(resource, quota.namespace, quota.name))
            used = dict(quota.status.used or {})
            if (obj.get("status") or {}).get("used") != used:
                obj["status"] = {**(obj.get("status") or {}), "used": used}
                yield resource, obj

    def evicted(self, pod: Object) -> list[tuple[Resource, Object]]:
        """The budgets that an eviction spends. Raises FailureStatus where one forbids it."""
        item = _converted("Pod", pod)
        budgets = {named.name: (obj, named) for obj, named in self._items("PodDisruptionBudget")}
        assert isinstance(item, Pod)
        verdict = evict(item, [named for _, named in budgets.values() if isinstance(named, PodDisruptionBudget)])
        if not verdict.allowed:
            reason = {429: "TooManyRequests", 403: "Forbidden"}.get(verdict.code, "InternalError")
            causes = [{"reason": "DisruptionBudget", "message": cause} for cause in verdict.causes]
            raise FailureStatus(verdict.code, reason, verdict.message, {"causes": causes} if causes else None)
        resource = self._resources.named("PodDisruptionBudget")
        if verdict.outcome is not Eviction.WITHIN_BUDGET or resource is None:
            return []
        obj = deepcopy(budgets[verdict.budgets[0].name][0])
        obj["status"]["disruptionsAllowed"] -= 1
        return [(resource, obj)]


def _converted(kind: str, obj: Object) -> KubernetesObject | None:
    if kind not in ("Pod", "PersistentVolumeClaim", "Service", "PodDisruptionBudget", *_ASKED):
        return None
    found = convert_object(kind, obj).objects
    return found[0] if found else None


def _give_amounts(spec: Object, filled: Any) -> None:
    """The requests and limits that LimitRanges give."""
    for kind in ("containers", "initContainers"):
        for own, given in zip(spec.get(kind) or (), filled.get(kind) or (), strict=True):
            resources = given.get("resources") or {}
            for name in ("requests", "limits"):
                if resources.get(name):
                    own.setdefault("resources", {})[name] = {
                        key: (own["resources"].get(name) or {}).get(key, amount)
                        for key, amount in resources[name].items()
                    }
