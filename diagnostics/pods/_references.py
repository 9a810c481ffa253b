"""What the diagnostics of configuration share: the ConfigMaps and Secrets that a stuck pod needs, and which are absent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from diagnostics.pods._containers import at_fault, parts_of, quote_pod_spec, quote_status, stays
from kubedoctor.cluster import Cluster, ConfigMap, Container, Event, Pod, Secret
from kubedoctor.cluster.pods import KeyToPath, Volume
from kubedoctor.cluster.relations import workload_of
from kubedoctor.cluster.triage import all_containers, container_path
from kubedoctor.cluster.wants import CannotSee
from kubedoctor.findings import Evidence, Ref, has_path, quote, ref
from kubedoctor.replay.kubelet.container_errors import Missing, missing_reference, volume_named

CONFIG_ERROR = "CreateContainerConfigError"
_STARTING = ("", "ContainerCreating", "PodInitializing")


@dataclass(frozen=True)
class Reference:
    """A ConfigMap or Secret, or a key of one, that must be there. `path`: where the pod names it."""

    kind: str
    name: str
    path: str
    key: str = ""
    container: str = ""
    volume: str = ""


@dataclass(frozen=True)
class Absent:
    """A reference that leads nowhere. `stated`: the kubelet itself says so, in `evidence`."""

    reference: Reference
    about: Ref
    stated: bool
    evidence: tuple[Evidence, ...]


@dataclass
class _Stuck:
    """What of a pod waits for configuration."""

    containers: set[str] = field(default_factory=set)
    volumes: bool = False
    said: list[tuple[Missing, Evidence]] = field(default_factory=list)


def absent(pod: Pod, cluster: Cluster, kind: type[ConfigMap] | type[Secret]) -> Iterator[Absent]:
    """The objects of a kind that a stuck pod needs and that do not exist."""
    yield from _absent(pod, cluster, kind, keys=False)


def absent_keys(pod: Pod, cluster: Cluster) -> Iterator[Absent]:
    """The keys that a stuck pod needs and that their ConfigMaps and Secrets do not have."""
    for kind in (ConfigMap, Secret):
        yield from _absent(pod, cluster, kind, keys=True)


def _absent(pod: Pod, cluster: Cluster, kind: type[ConfigMap] | type[Secret], *, keys: bool) -> Iterator[Absent]:
    if _may_be_stuck(pod):
        readings = [partial(cluster.get, kind, pod.namespace, name) for name in sorted(_names(pod, kind.__name__))]
        cluster.together(partial(cluster.events_about, ref(pod)), partial(workload_of, pod, cluster), *readings)
    stuck = _stuck(pod, cluster)
    if not (stuck.containers or stuck.volumes):
        return
    seen: set[tuple[str, str]] = set()
    unseen: CannotSee | None = None
    found = False
    for one in references(pod):
        waits = one.container in stuck.containers or (one.volume and stuck.volumes)
        if one.kind != kind.__name__ or not waits or bool(one.key) < keys or (one.name, one.key * keys) in seen:
            continue
        stated = [evidence for missing, evidence in stuck.said if _is(missing, one, keys)]
        try:
            there = cluster.get(kind, pod.namespace, one.name)
        except CannotSee as blind:
            unseen = blind
            if not stated:
                continue
        else:
            gone = there is None if not keys else there is not None and one.key not in keys_of(there)
            if not gone:
                continue
        seen.add((one.name, one.key * keys))
        found = True
        about = at_fault(pod, cluster)
        where = quote_pod_spec(pod, cluster, about, one.path, "where it is named")
        yield Absent(one, about, bool(stated), (*where, *stated[:2]))
    if unseen is not None and not found:
        raise unseen


def _may_be_stuck(pod: Pod) -> bool:
    return stays(pod) and bool(pod.spec.node_name) and pod.status.phase in ("", "Pending")


def _names(pod: Pod, kind: str) -> set[str]:
    return {one.name for one in references(pod) if one.kind == kind}


def _stuck(pod: Pod, cluster: Cluster) -> _Stuck:
    stuck = _Stuck()
    if not stays(pod) or not pod.spec.node_name:
        return stuck
    begun = False
    for part in parts_of(pod):
        state = part.status.state
        waiting = state.waiting if state else None
        begun = begun or bool(part.status.container_id) or (waiting is not None and waiting.reason not in _STARTING)
        if waiting is not None and waiting.reason == CONFIG_ERROR:
            stuck.containers.add(part.container.name)
            missing = missing_reference(waiting.message)
            if missing is not None:
                evidence = quote_status(pod, part.container.name, "state.waiting.message")
                stuck.said += [(missing, one) for one in evidence]
    stuck.volumes = not begun and pod.status.phase in ("", "Pending")
    if stuck.volumes:
        stuck.said += _mount_events(pod, cluster.events_about(ref(pod)))
    return stuck


def _mount_events(pod: Pod, events: tuple[Event, ...]) -> Iterator[tuple[Missing, Evidence]]:
    for event in reversed(events):
        missing = missing_reference(event.message) if event.reason == "FailedMount" else None
        if missing is None or not has_path(event, "message"):
            continue
        if not missing.name:
            volume = next((v for v in pod.spec.volumes or () if v.name == volume_named(event.message)), None)
            sources = list(_volume_sources(volume)) if volume else []
            names = [name for kind, name, *_ in sources if kind == missing.kind or len(sources) == 1]
            missing = missing._replace(name=names[0] if names else "")
        yield missing, quote(event, "message")


def _is(missing: Missing, one: Reference, keys: bool) -> bool:
    if (missing.kind, missing.name) != (one.kind, one.name):
        return False
    return missing.key == one.key if keys else not missing.key


def keys_of(obj: ConfigMap | Secret) -> set[str]:
    """The keys of a ConfigMap or Secret."""
    found = set(obj.data or ())
    found.update((obj.binary_data if isinstance(obj, ConfigMap) else obj.string_data) or ())
    return found


def references(pod: Pod) -> Iterator[Reference]:
    """What a pod cannot start without; optional references are left out."""
    for container in all_containers(pod):
        yield from _of_environment(pod, container)
    for volume in pod.spec.volumes or ():
        base = f"spec.volumes[name={volume.name}]"
        for kind, name, path, items in _volume_sources(volume):
            yield Reference(kind, name, f"{base}.{path}", volume=volume.name)
            for index, item in enumerate(items):
                # Only a list of keys makes a key necessary: a whole volume holds what there is.
                at = f"{base}.{path.rpartition('.')[0]}.items[{index}].key"
                yield Reference(kind, name, at, item.key, volume=volume.name)


def _of_environment(pod: Pod, container: Container) -> Iterator[Reference]:
    base = container_path(pod, container.name)
    for variable in container.env or ():
        source = variable.value_from
        for kind, place, key in (
            ("ConfigMap", "configMapKeyRef", source.config_map_key_ref if source else None),
            ("Secret", "secretKeyRef", source.secret_key_ref if source else None),
        ):
            if key is not None and key.name and not key.optional:
                path = f"{base}.env[name={variable.name}].valueFrom.{place}"
                yield Reference(kind, key.name, f"{path}.name", container=container.name)
                if key.key:
                    yield Reference(kind, key.name, f"{path}.key", key.key, container=container.name)
    for index, group in enumerate(container.env_from or ()):
        for kind, place, named in (
            ("ConfigMap", "configMapRef", group.config_map_ref),
            ("Secret", "secretRef", group.secret_ref),
        ):
            if named is not None and named.name and not named.optional:
                yield Reference(kind, named.name, f"{base}.envFrom[{index}].{place}.name", container=container.name)


def _volume_sources(volume: Volume) -> Iterator[tuple[str, str, str, tuple[KeyToPath, ...]]]:
    """Kind, name, path of the name, and the keys asked for."""
    if volume.config_map is not None and volume.config_map.name and not volume.config_map.optional:
        yield "ConfigMap", volume.config_map.name, "configMap.name", volume.config_map.items or ()
    if volume.secret is not None and volume.secret.secret_name and not volume.secret.optional:
        yield "Secret", volume.secret.secret_name, "secret.secretName", volume.secret.items or ()
    for index, source in enumerate((volume.projected.sources if volume.projected else None) or ()):
        base = f"projected.sources[{index}]"
        config, secret = source.config_map, source.secret
        if config is not None and config.name and not config.optional:
            yield "ConfigMap", config.name, f"{base}.configMap.name", config.items or ()
        if secret is not None and secret.name and not secret.optional:
            yield "Secret", secret.name, f"{base}.secret.name", secret.items or ()
