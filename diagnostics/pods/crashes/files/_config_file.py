"""A file of a ConfigMap that the program's log names and that the program cannot parse."""

from __future__ import annotations

import json
import re

from diagnostics.pods.crashes._ends import End
from diagnostics.pods.crashes._story import Story
from diagnostics.pods.crashes.files._mounted import mounted_key
from kubedoctor.cluster import REDACTED, Cluster, ConfigMap, Pod, looks_secret
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
    source = mounted_key(pod, end.part.container, path)
    if source is None or source.kind != "ConfigMap":
        return None
    name, key, volume = source.name, source.key, source.volume
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


def _json_error(text: str) -> str:
    try:
        json.loads(text)
    except ValueError as error:
        return str(error)
    except RecursionError:
        return "nested too deeply"
    return ""
