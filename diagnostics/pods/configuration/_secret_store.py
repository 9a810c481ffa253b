"""Secrets that the Secrets Store CSI driver creates from what it mounts: why one is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from kubedoctor.cluster import Cluster, CustomResource, Evidence, Pod, finished, misspellings, visible_end
from kubedoctor.cluster.changes import put
from kubedoctor.findings import Fix, command_line, has_path, quote, ref
from kubedoctor.replay.storage.secret_stores import mounted_files

CLASS: Final = "SecretProviderClass.secrets-store.csi.x-k8s.io"
_DRIVER: Final = "secrets-store.csi.k8s.io"
_FAILED: Final = "FailedToCreateSecret"
_LONGEST: Final = 200


class Sync(NamedTuple):
    """Why the class does not create the Secret. `words`: what follows `should create it`, empty where nothing is known."""

    words: str
    evidence: tuple[Evidence, ...]
    fix: Fix


class Syncing(NamedTuple):
    """A class that creates a Secret while a pod mounts it, and those pods."""

    creator: CustomResource
    pods: tuple[Pod, ...]


class _Entry(NamedTuple):
    """An element of `secretObjects[].data`: where it stands, and the object that it names."""

    at: tuple[int, int]
    named: str

    @property
    def path(self) -> str:
        return f"spec.secretObjects[{self.at[0]}].data[{self.at[1]}].objectName"


def class_of(name: str, pod: Pod, cluster: Cluster) -> CustomResource | None:
    """The class whose secretObjects name the Secret, one that the pod mounts first; None where no such class is seen."""
    short, _, group = CLASS.partition(".")
    classes = [one for one in cluster.maybe.custom(short, group, pod.namespace) if any(_objects(one, name))]
    mounted = _mounted_classes(pod)
    return next((one for one in classes if one.name in mounted), next(iter(classes), None))


def syncing(name: str, namespace: str, cluster: Cluster) -> Syncing | None:
    """The class that should create a Secret which no pod has to read itself, and the pods that mount the class."""
    short, _, group = CLASS.partition(".")
    creator = next((one for one in cluster.maybe.custom(short, group, namespace) if any(_objects(one, name))), None)
    if creator is None:
        return None
    pods = (pod for pod in cluster.maybe.all(Pod, namespace) if creator.name in _mounted_classes(pod))
    return Syncing(creator, tuple(pod for pod in pods if not finished(pod)))


def sync_of(creator: CustomResource, name: str, pod: Pod, cluster: Cluster) -> Sync:
    """The replay of what the driver does: it copies files that it has mounted, while a pod mounts the class
    (`secrets-store-csi-driver`, `controllers/secretproviderclasspodstatus_controller.go`, 1.5)."""
    title = ref(creator).title
    events = [
        event
        for event in cluster.events_about(ref(pod))
        if event.reason == _FAILED and f" for secret {name}," in event.message and has_path(event, "message")
    ]
    said = tuple(quote(event, "message", "the answer of the driver") for event in events[-1:])
    files = mounted_files(creator.spec or {})
    for entry in _entries(creator, name) if files is not None else ():
        if files and entry.named not in files.values():
            return _mismatch(creator, entry, files, said)
    if creator.name not in _mounted_classes(pod):
        return Sync(
            " only while a pod mounts it, and no container of this pod does",
            said,
            Fix(f"Mount {title} in a container: a csi volume of driver {_DRIVER} that names it, and its volumeMount"),
        )
    words = f": {visible_end(events[-1].message, _LONGEST)}" if events else ""
    return Sync(words, said, Fix(f"Fix {title}: the driver creates Secret {name} from what it mounts"))


def _mismatch(creator: CustomResource, entry: _Entry, files: dict[str, str], said: tuple[Evidence, ...]) -> Sync:
    title = ref(creator).title
    alias = files.get(entry.named, "")
    near = (alias,) if alias else misspellings(entry.named, files.values(), 1) or tuple(files.values())[:2]
    words = f": its secretObjects name {entry.named}, "
    words += f"which is mounted as {alias}" if alias else f"but it mounts {', '.join(files.values())}"
    fix = Fix(f"Name in secretObjects of {title} a file that it mounts: {', '.join(files.values())}")
    if len(near) == 1:
        at, inner = entry.at
        change = put(ref(creator), ("spec", "secretObjects", at, "data", inner, "objectName"), near[0])
        fix = Fix(f"Set objectName in secretObjects of {title} to {near[0]}", command_line(change, creator))
    lists = (f"spec.parameters.{field}" for field in ("objects", "secrets"))
    listed = tuple(quote(creator, path, "what it mounts") for path in lists if has_path(creator, path))
    return Sync(words, (quote(creator, entry.path, "no file has this name"), *listed, *said), fix)


def _objects(creator: CustomResource, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    listed = (creator.spec or {}).get("secretObjects")
    for at, item in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(item, dict) and item.get("secretName") == name:
            yield at, item


def _entries(creator: CustomResource, name: str) -> Iterator[_Entry]:
    for at, item in _objects(creator, name):
        data = item.get("data")
        for inner, entry in enumerate(data if isinstance(data, list) else ()):
            if isinstance(entry, dict) and isinstance(entry.get("objectName"), str):
                yield _Entry((at, inner), entry["objectName"].strip())


def _mounted_classes(pod: Pod) -> frozenset[str]:
    """The kubelet mounts only volumes that a container mounts (`pkg/volume/util`, GetPodVolumeNames, v1.37)."""
    containers = (*(pod.spec.init_containers or ()), *pod.spec.containers)
    used = {mount.name for container in containers for mount in container.volume_mounts or ()}
    return frozenset(
        (volume.csi.volume_attributes or {}).get("secretProviderClass", "")
        for volume in pod.spec.volumes or ()
        if volume.csi is not None and volume.csi.driver == _DRIVER and volume.name in used
    )
