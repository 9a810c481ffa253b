"""The content of a sandbox: the objects and logs of a cluster at one moment, mostly recorded from a real cluster."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

from kubedoctor.sandbox.exchange import Object

DEFAULT_RECORDING = "shop-at-night"
_SYSTEM = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})
_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z")
_LOG_TIMESTAMP = re.compile(r"\b(\d{4}(?:-\d\d-\d\dT|/\d\d/\d\d )\d\d:\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class SandboxState:
    """A cluster at one moment.

    `logs` maps `namespace/pod/container` to `current` and `previous`, or to `error` with what the recording client
    got. `kubernetes` is the version at `/version`. `namespace` is the one to show first. `story` describes the problem
    in a user's words.
    """

    objects: list[Object]
    logs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    kubernetes: str = "v1.37.2"
    taken_at: datetime | None = None
    namespace: str = "default"
    name: str = ""
    story: str = ""

    def rebased(self, to: datetime) -> SandboxState:
        """The same cluster as if it had been recorded at `to`: ages look as they did then.

        Every RFC 3339 timestamp that is a whole value is moved, and those in log lines.
        """
        if self.taken_at is None:
            return self
        by = timedelta(seconds=round((to - self.taken_at).total_seconds()))
        return SandboxState(
            [_moved(obj, by) for obj in self.objects],
            {key: {kind: _moved_text(text, by) for kind, text in logs.items()} for key, logs in self.logs.items()},
            self.kubernetes,
            self.taken_at + by,
            self.namespace,
            self.name,
            self.story,
        )


def _moved(value: Any, by: timedelta) -> Any:
    if isinstance(value, dict):
        return {key: _moved(item, by) for key, item in value.items()}
    if isinstance(value, list):
        return [_moved(item, by) for item in value]
    if isinstance(value, str) and (stamp := _TIMESTAMP.fullmatch(value)):
        return _shifted(stamp[1], "%Y-%m-%dT%H:%M:%S", by) + (stamp[2] or "") + "Z"
    return value


def _moved_text(text: str, by: timedelta) -> str:
    def moved(stamp: re.Match[str]) -> str:
        return _shifted(stamp[1], "%Y-%m-%dT%H:%M:%S" if "T" in stamp[1] else "%Y/%m/%d %H:%M:%S", by)

    return _LOG_TIMESTAMP.sub(moved, text)


def _shifted(text: str, form: str, by: timedelta) -> str:
    try:
        return (datetime.strptime(text, form).replace(tzinfo=UTC) + by).strftime(form)
    except (ValueError, OverflowError):
        return text


def load_recording(path: str | Path, *, rebase_to: datetime | None = None) -> SandboxState:
    """Reads a recording: `{"objects": […], "logs": {…}, "kubernetes": "v1…", "captured_at": "…"}`.

    Raises OSError when it cannot be read, and ValueError with a sentence when it is not a recording.
    """
    try:
        document = json.loads(Path(path).read_bytes())
        objects = document["objects"]
        captured = document.get("captured_at")
        state = SandboxState(
            objects,
            document.get("logs") or {},
            document.get("kubernetes") or "v1.37.2",
            datetime.fromisoformat(captured) if captured else None,
            _first_namespace(document),
            document.get("name") or Path(path).stem,
            document.get("story") or "",
        )
    except (UnicodeDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{Path(path).name} is not a recording of a cluster: {error}.") from error
    return state.rebased(rebase_to) if rebase_to else state


def _first_namespace(document: Object) -> str:
    culprits = (document.get("expect") or {}).get("culprit") or []
    culprit_namespaces: Iterable[str] = [obj["namespace"] for obj in culprits if obj.get("namespace")]
    own = [
        obj["metadata"]["name"]
        for obj in document["objects"]
        if obj.get("kind") == "Namespace" and obj["metadata"]["name"] not in _SYSTEM
    ]
    return next(iter([*culprit_namespaces, *(["shop"] if "shop" in own else own)]), "default")


def recording_names() -> tuple[str, ...]:
    """The recordings that are installed with kubedoctor, the default one first."""
    folder = files("kubedoctor.sandbox").joinpath("recordings")
    names = sorted(file.name.removesuffix(".json") for file in folder.iterdir() if file.name.endswith(".json"))
    return tuple(sorted(names, key=lambda name: name != DEFAULT_RECORDING))


def recording_path(name: str = DEFAULT_RECORDING) -> Path:
    """The path of an installed recording; ValueError lists the existing names."""
    if name not in recording_names():
        raise ValueError(f"There is no recording {name!r}. Recordings: {', '.join(recording_names())}.")
    return Path(str(files("kubedoctor.sandbox").joinpath("recordings", f"{name}.json")))
