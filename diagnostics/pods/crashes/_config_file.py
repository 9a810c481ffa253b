"""A file of a ConfigMap that the program's log names and that the program cannot parse."""

from __future__ import annotations

import json
import posixpath
import re

from diagnostics.pods.crashes._ends import End
from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import REDACTED, Cluster, ConfigMap, Pod, Volume, looks_secret
from kubedoctor.findings import Confidence, Finding, Fix, edit_command, has_path, look_at, quote, ref
from kubedoctor.replay.logs.faults import LogFault

LONGEST_QUOTE = 400
_LINE = re.compile(r"(?::\d+)*:?$")


def broken_config_file(pod: Pod, end: End, story: Story, cluster: Cluster) -> Finding | None:
    """The ConfigMap has the fault if one of its keys is the file that the program could not parse."""
    cause = story.cause
    if cause is None or cause.fault is not LogFault.BAD_SETTING or not cause.subject.startswith("/"):
        return None
    path = _LINE.sub("", cause.subject)
    source = source_of(pod, end, path)
    if source is None:
        return None
    name, key, volume = source
    config = cluster.maybe.get(ConfigMap, pod.namespace, name)
    text = (config.data or {}).get(key) if config is not None else None
    if config is None or text is None or text == REDACTED:
        return None
    error = _json_error(text) if key.endswith(".json") else ""
    if key.endswith(".json") and not error:
        return None  # The current content is valid: the pod may still mount the previous content.
    evidence = [*story.evidence[:1], quote(pod, f"spec.volumes[name={volume}].name", f"mounts ConfigMap {name}")]
    value = f"data[{key}]"
    # Longer texts are not quoted, and neither are secrets.
    if len(text) <= LONGEST_QUOTE and not looks_secret(text) and has_path(config, value):
        evidence.append(quote(config, value, error))
    problem = f"key {key} is not valid JSON: {error}" if error else f"key {key} cannot be parsed"
    return Finding(
        about=ref(config),
        summary=f"{problem}; container `{end.name}` reads it as {path} and exits",
        confidence=Confidence.LIKELY,
        evidence=tuple(evidence),
        fixes=(Fix(f"Correct {key}, then restart the pods that mount it", edit_command(ref(config))),),
        commands=(look_at(ref(config), "the content of the file"),),
        aspect=key,
    )


def source_of(pod: Pod, end: End, path: str) -> tuple[str, str, str] | None:
    """The ConfigMap, the key and the volume behind a path in a container."""
    volumes = {volume.name: volume for volume in pod.spec.volumes or ()}
    mounts = sorted(end.part.container.volume_mounts or (), key=lambda mount: -len(mount.mount_path))
    for mount in mounts:
        volume = volumes.get(mount.name)
        inside = posixpath.relpath(path, mount.mount_path or "/")
        if volume is None or inside.startswith(".."):
            continue
        if inside == ".":
            inside = mount.sub_path or posixpath.basename(path)
        map_and_key = _key_of(volume, inside)
        return (*map_and_key, volume.name) if map_and_key else None
    return None


def _key_of(volume: Volume, inside: str) -> tuple[str, str] | None:
    sources = [volume.config_map] if volume.config_map else []
    if volume.projected is not None:
        sources += [source.config_map for source in volume.projected.sources or () if source.config_map]
    for source in sources:
        for item in source.items or ():
            if item.path == inside:
                return source.name, item.key
        if not source.items:
            return source.name, inside
    return None


def _json_error(text: str) -> str:
    try:
        json.loads(text)
    except ValueError as error:
        return str(error)
    except RecursionError:
        return "nested too deeply"
    return ""
