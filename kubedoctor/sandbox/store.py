"""The objects of the sandbox: their resourceVersions, the history that watches read, and the listeners."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from kubedoctor.sandbox.exchange import FailureStatus, Object
from kubedoctor.sandbox.resources import Resource

Key = tuple[str, str, str, str]
"""Group, plural, namespace, name."""

HISTORY = 5000


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One entry of the history. `before` is None for an added object; a deleted one has its last state in `now`."""

    version: int
    type: str
    key: Key
    now: Object
    before: Object | None


class Store:
    """Objects are replaced, never changed in place: a list that was returned does not change."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._objects: dict[tuple[str, str], dict[tuple[str, str], Object]] = {}
        self._history: deque[HistoryEntry] = deque(maxlen=HISTORY)
        self._listeners: list[Callable[[HistoryEntry], None]] = []
        self.version = 0
        self.oldest = 0
        """Changes after this version are in the history; a watch from an older one gets a 410."""

    def load(self, resource: Resource, obj: Object) -> None:
        """Adds a recorded object with its recorded resourceVersion, without notifying watches."""
        metadata = obj.setdefault("metadata", {})
        if resource.namespaced and not metadata.get("namespace"):
            metadata["namespace"] = "default"
        recorded = str(metadata.get("resourceVersion") or "")
        if recorded.isdecimal():
            self.version = max(self.version, int(recorded))
        else:
            self.version += 1
            metadata["resourceVersion"] = str(self.version)
        metadata.setdefault("uid", str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(self.key_of(resource, obj)))))
        self.oldest = self.version
        self._collection(resource)[self.key_of(resource, obj)[2:]] = obj

    def _collection(self, resource: Resource) -> dict[tuple[str, str], Object]:
        """By namespace and name."""
        return self._objects.setdefault((resource.group, resource.plural), {})

    @staticmethod
    def key_of(resource: Resource, obj: Object) -> Key:
        """The key of an object; a namespaced one without a namespace is in `default`."""
        metadata = obj["metadata"]
        namespace = (metadata.get("namespace") or "default") if resource.namespaced else ""
        return (resource.group, resource.plural, namespace, metadata["name"])

    def find(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """The object, or None."""
        return self._collection(resource).get((namespace, name))

    def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """The object; refused with the API server's message when there is none."""
        obj = self.find(resource, namespace, name)
        if obj is None:
            raise not_found(resource, name)
        return obj

    def list(self, resource: Resource, namespace: str = "") -> list[Object]:
        """By namespace and name, as etcd orders them; an empty namespace means all."""
        rows = sorted(self._collection(resource).items())
        return [obj for (its_namespace, _), obj in rows if not namespace or its_namespace == namespace]

    def put(self, resource: Resource, obj: Object) -> Object:
        """Adds or replaces an object, and notifies the watches."""
        metadata = obj["metadata"]
        if resource.namespaced and not metadata.get("namespace"):
            metadata["namespace"] = "default"
        key = self.key_of(resource, obj)
        before = self._collection(resource).get(key[2:])
        self.version += 1
        metadata["resourceVersion"] = str(self.version)
        for name, value in (
            ("uid", str(uuid.uuid4())),
            ("creationTimestamp", self._clock().strftime("%Y-%m-%dT%H:%M:%SZ")),
        ):
            metadata.setdefault(name, (before or {}).get("metadata", {}).get(name) or value)
        self._collection(resource)[key[2:]] = obj
        self._tell(HistoryEntry(self.version, "MODIFIED" if before else "ADDED", key, obj, before))
        return obj

    def delete(self, resource: Resource, namespace: str, name: str) -> Object:
        """Removes an object, and notifies the watches; a missing one is refused."""
        deleted = self.get(resource, namespace, name)
        del self._collection(resource)[(namespace, name)]
        self.version += 1
        last = {**deleted, "metadata": {**deleted["metadata"], "resourceVersion": str(self.version)}}
        key = (resource.group, resource.plural, namespace, name)
        self._tell(HistoryEntry(self.version, "DELETED", key, last, deleted))
        return last

    def _tell(self, change: HistoryEntry) -> None:
        if len(self._history) == HISTORY:
            self.oldest = self._history[0].version
        self._history.append(change)
        for listener in list(self._listeners):
            listener(change)

    def since(self, version: int) -> Iterator[HistoryEntry]:
        """The changes after a version, oldest first."""
        return (change for change in self._history if change.version > version)

    def forget_history(self) -> None:
        """Compacts the history: an earlier watch or continued list then gets a 410."""
        self._history.clear()
        self.oldest = self.version

    def listen(self, listener: Callable[[HistoryEntry], None]) -> Callable[[], None]:
        """Calls the listener at each change, until the returned function is called."""
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop


def not_found(resource: Resource, name: str) -> FailureStatus:
    """`pods "x" not found`, `deployments.apps "x" not found`."""
    details = {"name": name, "kind": resource.plural}
    if resource.group:
        details["group"] = resource.group
    return FailureStatus(404, "NotFound", f'{resource.qualified} "{name}" not found', details)
