"""Recorded states: the whole of a small cluster in one JSON document, with its logs.

`{"name", "kubernetes", "captured_at", "objects": [...], "logs": {"namespace/pod/container": {"current", "previous",
"error"?}}}`. The objects are one `kubectl get KINDS -A -o json`: what is not there did not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kubedoctor.cluster.decoding import by_kind, convert_object
from kubedoctor.cluster.references import Ref
from kubedoctor.cluster.snapshot import Snapshot, Source
from kubedoctor.cluster.wants import LogTail, LogWant, Want
from kubedoctor.problems import BundleProblem

NOT_RECORDED = ("PodMetrics", "NodeMetrics")
MOST_LOG_LINES = 200


def is_recording(data: Any) -> bool:
    """Whether a JSON document is a recorded state."""
    return isinstance(data, Mapping) and "objects" in data and "captured_at" in data


def read_recording(data: Mapping[str, Any], name: str) -> Snapshot:
    """The snapshot of a recorded state. Raises BundleProblem if it is none."""
    try:
        taken_at = datetime.fromisoformat(str(data["captured_at"]).replace("Z", "+00:00"))
    except (KeyError, ValueError):
        raise BundleProblem(f"{name}: captured_at is missing or is no time") from None
    objects = data.get("objects")
    if not isinstance(objects, list):
        raise BundleProblem(f"{name}: objects is not a list")
    version = str(data.get("kubernetes") or "")
    snapshot = Snapshot(taken_at, Source("bundle", name, version), complete=True)
    kinds, problems = by_kind(objects)
    for kind, items in kinds.items():
        for item in items:
            decoded = convert_object(kind, item)
            snapshot.add(decoded.objects)
            problems.extend(decoded.problems)
    for kind in NOT_RECORDED:
        if kind not in kinds:
            snapshot.refuse(Want(kind), "not in this recording")
    snapshot.problems.extend(problems)
    add_logs(snapshot, data.get("logs"))
    return snapshot


def add_logs(snapshot: Snapshot, logs: Any) -> None:
    """Logs by `namespace/pod/container`; a log of a container that is not named cannot be seen."""
    for place, texts in (logs.items() if isinstance(logs, Mapping) else ()):
        parts = str(place).split("/")
        if len(parts) != 3 or not isinstance(texts, Mapping):
            continue
        for which, previous in (("current", False), ("previous", True)):
            want = LogWant(parts[0], parts[1], parts[2], previous)
            text = texts.get(which)
            if isinstance(text, str):
                snapshot.add_log(want, tail_of(text, want))


def tail_of(text: str, want: LogWant) -> LogTail:
    """The last lines of a log."""
    lines = text.splitlines()
    pod = Ref("Pod", want.namespace, want.pod)
    kept = tuple(lines[-MOST_LOG_LINES:])
    return LogTail(pod, want.container, want.previous, kept, truncated=len(lines) > MOST_LOG_LINES)
