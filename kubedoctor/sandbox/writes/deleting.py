"""Deletion: preconditions, finalizers, and what goes with an owner (`apiserver/pkg/registry/generic/registry/store.go`,
`pkg/controller/garbagecollector`, v1.37)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from kubedoctor.sandbox.exchange import FailureStatus, Object
from kubedoctor.sandbox.resources import Resource, Resources
from kubedoctor.sandbox.store import Store

ORPHAN: Final = "Orphan"
FOREGROUND: Final = "Foreground"
_POLICIES: Final = frozenset({ORPHAN, FOREGROUND, "Background"})
_CLAIM_IN_USE: Final = "kubernetes.io/pvc-protection"
_VOLUME_IN_USE: Final = "kubernetes.io/pv-protection"
_GONE: Final = frozenset({"Succeeded", "Failed"})


class Deleting:
    """Deletes from a store, at once where no controller or kubelet that does not run here has to do something first.

    removed: called with each object that is gone.
    """

    def __init__(
        self,
        store: Store,
        resources: Resources,
        clock: Callable[[], datetime],
        removed: Callable[[Resource, Object], None],
    ) -> None:
        self._store, self._resources, self._clock, self._removed = store, resources, clock, removed

    def delete(self, resource: Resource, obj: Object, options: Object) -> Object | None:
        """The object as it stays while something holds it; None where it is gone."""
        policy = _policy(options)
        metadata = obj["metadata"]
        _check_preconditions(resource, obj, options.get("preconditions") or {})
        dependents = list(self._dependents(obj))
        if policy == ORPHAN:
            for its_resource, dependent in dependents:
                self._disown(its_resource, dependent, metadata["uid"])
            dependents = []
        held = self._marked(resource, obj, options)
        if resource.kind == "Namespace":
            self._empty(metadata["name"])
            still = self._store.find(resource, "", metadata["name"])
            if still is None or not self._is_empty(metadata["name"]):
                return still
        for its_resource, dependent in dependents:
            if self._store.find(
                its_resource, dependent["metadata"].get("namespace", ""), dependent["metadata"]["name"]
            ):
                self._disown_or_delete(its_resource, dependent, metadata["uid"])
        held = self.released(resource, held)
        if held["metadata"].get("finalizers") or self._runs_where_no_kubelet_reports(resource, held):
            return held
        self.remove(resource, held)
        return None

    def remove(self, resource: Resource, obj: Object) -> None:
        """Takes an object away that nothing holds any more, and looks again at what it may have held."""
        metadata = obj["metadata"]
        self._store.delete(resource, metadata.get("namespace", ""), metadata["name"])
        self._removed(resource, obj)
        if resource.kind in ("Pod", "PersistentVolumeClaim"):
            self._release_unused()
        if resource.namespaced:
            self._release_namespace(metadata["namespace"])

    def _release_namespace(self, name: str) -> None:
        """A namespace that is going needs the finalizer of its controller no more once nothing is in it."""
        resource = self._resources.named("Namespace")
        namespace = self._store.find(resource, "", name) if resource is not None else None
        if resource is None or namespace is None or not namespace["metadata"].get("deletionTimestamp"):
            return
        if self._is_empty(name) and not namespace["metadata"].get("finalizers"):
            self.remove(resource, namespace)

    def _release_unused(self) -> None:
        """Removes claims and volumes that only waited for what is gone now."""
        for kind in ("PersistentVolumeClaim", "PersistentVolume"):
            if (resource := self._resources.named(kind)) is None:
                continue
            for obj in self._store.list(resource):
                if obj["metadata"].get("deletionTimestamp"):
                    left = self.released(resource, obj)
                    if not left["metadata"].get("finalizers"):
                        self.remove(resource, left)

    def _marked(self, resource: Resource, obj: Object, options: Object) -> Object:
        """With the time of its deletion, which a second request can only bring nearer."""
        metadata = obj["metadata"]
        seconds = options.get("gracePeriodSeconds")
        if metadata.get("deletionTimestamp") and (
            seconds is None or seconds >= metadata.get("deletionGracePeriodSeconds", 0)
        ):
            return obj
        if seconds is None:
            seconds = (obj.get("spec") or {}).get("terminationGracePeriodSeconds", 30) if resource.kind == "Pod" else 0
        ends = self._clock() + timedelta(seconds=float(seconds))
        marked = {
            **metadata,
            "deletionTimestamp": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "deletionGracePeriodSeconds": seconds,
        }
        changed = {**obj, "metadata": marked}
        if resource.kind == "Namespace":
            changed["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}
        if metadata.get("finalizers") or resource.kind in ("Namespace", "Pod"):
            return self._store.put(resource, changed)
        return changed

    def released(self, resource: Resource, obj: Object) -> Object:
        """Without the finalizers that Kubernetes' own controllers take away once nothing uses the object."""
        finalizers = obj["metadata"].get("finalizers") or []
        free = {"foregroundDeletion", ORPHAN.lower()}
        if resource.kind == "PersistentVolumeClaim" and not self._uses_claim(obj):
            free.add(_CLAIM_IN_USE)
        if resource.kind == "PersistentVolume" and (obj.get("status") or {}).get("phase") != "Bound":
            free.add(_VOLUME_IN_USE)
        left = [each for each in finalizers if each not in free]
        if left == finalizers:
            return obj
        metadata = {**obj["metadata"], "finalizers": left}
        return self._store.put(resource, {**obj, "metadata": metadata})

    def _uses_claim(self, claim: Object) -> bool:
        metadata = claim["metadata"]
        for pod in self._all("Pod", metadata["namespace"]):
            if (pod.get("status") or {}).get("phase") in _GONE:
                continue
            for volume in (pod.get("spec") or {}).get("volumes") or ():
                if (volume.get("persistentVolumeClaim") or {}).get("claimName") == metadata["name"]:
                    return True
        return False

    def _runs_where_no_kubelet_reports(self, resource: Resource, pod: Object) -> bool:
        """A kubelet confirms that the containers have ended; one that does not report never does."""
        node_name = (pod.get("spec") or {}).get("nodeName") if resource.kind == "Pod" else ""
        if not node_name or pod["metadata"].get("deletionGracePeriodSeconds") == 0:
            return False
        node = next((each for each in self._all("Node") if each["metadata"]["name"] == node_name), None)
        conditions = (node or {}).get("status", {}).get("conditions") or ()
        return any(each.get("type") == "Ready" and each.get("status") != "True" for each in conditions)

    def _all(self, kind: str, namespace: str = "") -> list[Object]:
        resource = self._resources.named(kind)
        return self._store.list(resource, namespace) if resource is not None else []

    def _dependents(self, owner: Object) -> Iterator[tuple[Resource, Object]]:
        uid, namespace = owner["metadata"].get("uid"), owner["metadata"].get("namespace", "")
        for resource in list(self._resources):
            if namespace and not resource.namespaced:
                continue
            for obj in self._store.list(resource, namespace):
                if any(each.get("uid") == uid for each in obj["metadata"].get("ownerReferences") or ()):
                    yield resource, obj

    def _disown(self, resource: Resource, obj: Object, uid: str) -> None:
        kept = [each for each in obj["metadata"].get("ownerReferences") or () if each.get("uid") != uid]
        metadata = {name: value for name, value in obj["metadata"].items() if name != "ownerReferences"}
        self._store.put(resource, {**obj, "metadata": {**metadata, **({"ownerReferences": kept} if kept else {})}})

    def _disown_or_delete(self, resource: Resource, obj: Object, uid: str) -> None:
        """An object with another owner stays."""
        if any(each.get("uid") != uid for each in obj["metadata"].get("ownerReferences") or ()):
            self._disown(resource, obj, uid)
        else:
            self.delete(resource, obj, {})

    def _empty(self, namespace: str) -> None:
        for resource in list(self._resources):
            for obj in self._store.list(resource, namespace) if resource.namespaced else ():
                name = obj["metadata"]["name"]
                if (still := self._store.find(resource, namespace, name)) is not None:
                    self.delete(resource, still, {})

    def _is_empty(self, namespace: str) -> bool:
        return not any(self._store.list(row, namespace) for row in list(self._resources) if row.namespaced)


def _policy(options: Object) -> str:
    policy = options.get("propagationPolicy") or (ORPHAN if options.get("orphanDependents") else "Background")
    if policy not in _POLICIES:
        raise FailureStatus(
            422,
            "Invalid",
            f'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "{policy}": supported values:'
            ' "Background", "Foreground", "Orphan"',
        )
    return str(policy)


def _check_preconditions(resource: Resource, obj: Object, wanted: Object) -> None:
    metadata = obj["metadata"]
    for field, what in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        value = wanted.get(field)
        if value and value != metadata.get(field):
            message = (
                f'Operation cannot be fulfilled on {resource.qualified} "{metadata["name"]}": Precondition failed: {what} in'
                f" precondition: {value}, {what} in object meta: {metadata.get(field)}"
            )
            raise FailureStatus(409, "Conflict", message, {"name": metadata["name"], "kind": resource.plural})
