"""The ConfigMaps and Secrets that a pod cannot start without (`pkg/kubelet/kubelet_pods.go
makeEnvironmentVariables`, `pkg/volume/{configmap,secret,projected}`, v1.37)."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from kubedoctor.cluster.kinds.containers import Container
from kubedoctor.cluster.kinds.core import ConfigMap, Secret
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.volumes import KeyToPath, Volume
from kubedoctor.cluster.triage import all_containers, container_path


class Reference(msgspec.Struct, frozen=True):
    """A ConfigMap or Secret, or a key of one, that must be there. `path`: where the pod names it."""

    kind: str
    name: str
    path: str
    key: str = ""
    container: str = ""
    volume: str = ""


def keys_of(obj: ConfigMap | Secret) -> set[str]:
    """The keys of a ConfigMap or Secret."""
    keys = set(obj.data or ())
    keys.update((obj.binary_data if isinstance(obj, ConfigMap) else obj.string_data) or ())
    return keys


def references(pod: Pod) -> Iterator[Reference]:
    """What a pod cannot start without; optional references are left out."""
    for container in all_containers(pod):
        yield from _of_environment(pod, container)
    for volume in pod.spec.volumes or ():
        base = f"spec.volumes[name={volume.name}]"
        for kind, name, path, items in volume_sources(volume):
            yield Reference(kind, name, f"{base}.{path}", volume=volume.name)
            for index, item in enumerate(items):
                # Only a list of keys makes a key necessary: a volume without one has the existing keys.
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
        for kind, place, referrer in (
            ("ConfigMap", "configMapRef", group.config_map_ref),
            ("Secret", "secretRef", group.secret_ref),
        ):
            if referrer is not None and referrer.name and not referrer.optional:
                yield Reference(kind, referrer.name, f"{base}.envFrom[{index}].{place}.name", container=container.name)


def volume_sources(volume: Volume) -> Iterator[tuple[str, str, str, tuple[KeyToPath, ...]]]:
    """Kind, name, path of the name, and the requested keys."""
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
