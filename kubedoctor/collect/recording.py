"""Recorded states: the whole of a small cluster in one JSON document, with its logs.

`{"name", "kubernetes", "captured_at", "objects": [...], "logs": {"namespace/pod/container": {"current", "previous",
"error"?}}}`. The objects are one `kubectl get KINDS -A -o json`: other objects did not exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from kubedoctor.cluster.grammar.redaction import redact_lines
from kubedoctor.cluster.seen.decoding import by_kind, convert_object, kind_of_data
from kubedoctor.cluster.seen.mending import without_marks
from kubedoctor.cluster.seen.snapshot import NOT_HERE, Snapshot, Source
from kubedoctor.cluster.seen.wants import READYZ, LogTail, LogWant, Want
from kubedoctor.problems import BundleProblem

NOT_RECORDED = ("PodMetrics", "NodeMetrics")
SCENARIO_VERSION = "v1.37.2"
MOST_LOG_LINES = 200
FIRST_TIME = datetime(1971, 1, 1, tzinfo=UTC)
LAST_TIME = datetime(2200, 1, 1, tzinfo=UTC)
_AGAIN = "Record it again: kubedoctor capture -o state.tar.gz"


def is_recording(data: Any) -> bool:
    """Whether a JSON document is a recorded state."""
    return isinstance(data, Mapping) and "objects" in data and "captured_at" in data


def read_recording(data: Mapping[str, Any], name: str) -> Snapshot:
    """The snapshot of a recorded state. Raises BundleProblem if it is not one."""
    taken_at = moment(data.get("captured_at"))
    if taken_at is None:
        raise BundleProblem(f"{name}: captured_at is missing or is not a timestamp", _AGAIN)
    objects = data.get("objects")
    if not isinstance(objects, list):
        raise BundleProblem(f"{name}: objects is not a list", _AGAIN)
    version = data.get("kubernetes")
    snapshot = whole_state(taken_at, Source("bundle", name, version if isinstance(version, str) else ""), objects)
    add_logs(snapshot, data.get("logs"))
    return snapshot


def read_state(data: Mapping[str, Any], name: str) -> Snapshot:
    """The snapshot of a recorded state, or of the cluster of a scenario. Raises BundleProblem if it is neither."""
    if is_recording(data):
        return read_recording(data, name)
    cluster, taken_at = data.get("cluster"), moment(data.get("taken_at"))
    if not isinstance(cluster, list) or taken_at is None:
        raise BundleProblem(f"{name}: not a scenario: list `cluster` or timestamp `taken_at` is missing")
    unreadable = data.get("unreadable")
    reasons = {str(kind): str(why) for kind, why in unreadable.items()} if isinstance(unreadable, Mapping) else {}
    source = Source("files", name, str(data.get("kubernetes") or SCENARIO_VERSION))
    snapshot = whole_state(taken_at, source, map(plain, cluster), reasons)
    add_logs(snapshot, data.get("logs"))
    return snapshot


def objects_of_state(data: Mapping[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    """The objects of a kind in a recorded state or a scenario, unchanged."""
    objects = data.get("objects") if is_recording(data) else data.get("cluster")
    for item in objects if isinstance(objects, list) else ():
        if isinstance(item, dict) and kind_of_data(item) == kind:
            yield without_marks(plain(item), [])


def plain(value: Any) -> Any:
    """Times as text: YAML may read them as datetime."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def whole_state(
    taken_at: datetime, source: Source, objects: Iterable[Any], unreadable: Mapping[str, str] | None = None
) -> Snapshot:
    """A complete snapshot, except for the kinds that could not be read, with their reasons."""
    snapshot = Snapshot(taken_at, source, complete=True)
    kinds, problems = by_kind(objects)
    for kind, items in kinds.items():
        for item in items:
            decoded = convert_object(kind, item)
            snapshot.add(decoded.objects)
            snapshot.lose(kind, decoded.problems)
            problems.extend(decoded.problems)
    for kind in NOT_RECORDED:
        if kind not in kinds:
            snapshot.refuse(Want(kind), NOT_HERE)
    for kind, why in (unreadable or {}).items():
        snapshot.replace_all(kind, ())
        snapshot.refuse(Want(kind), why)
    snapshot.problems.extend(problems)
    return snapshot


def moment(value: Any) -> datetime | None:
    """A time as Kubernetes writes it, or YAML reads it; None for other text and for times that no cluster has seen.
    Without a zone it is UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    value = value if value.tzinfo else value.replace(tzinfo=UTC)
    return value if is_plausible(value) else None


def is_plausible(time: datetime) -> bool:
    """Whether a cluster may have had this time: ages cannot be computed from year 1 or 9999."""
    return FIRST_TIME < time < LAST_TIME


def add_logs(snapshot: Snapshot, logs: Any) -> None:
    """Logs by `namespace/pod/container`; logs of other containers cannot be seen."""
    for place, texts in logs.items() if isinstance(logs, Mapping) else ():
        parts = str(place).split("/")
        if place == READYZ.container and isinstance(texts, str):
            snapshot.add_log(READYZ, tail_of(texts, READYZ))
        if len(parts) != 3 or not isinstance(texts, Mapping):
            continue
        for which, previous in (("current", False), ("previous", True)):
            want = LogWant(parts[0], parts[1], parts[2], previous)
            text = texts.get(which)
            if isinstance(text, str):
                snapshot.add_log(want, tail_of(text, want))


def tail_of(text: str, want: LogWant, *, is_cut: bool = False) -> LogTail:
    """The last lines of a log, with secrets redacted. is_cut: there are more before the text."""
    lines = text.splitlines()
    redacted = redact_lines(lines[-MOST_LOG_LINES:])
    return LogTail(want.about, want.container, want.previous, redacted, is_cut or len(lines) > MOST_LOG_LINES)
