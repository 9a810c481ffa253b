"""The cluster-autoscaler's status: the text under `status` in the ConfigMap `kube-system/cluster-autoscaler-status`.

YAML since 1.30 (`cluster-autoscaler/clusterstate/api/types.go`), before that text for people (`api/utils.go`,
GetReadableString, 1.29). Which ConfigMap and annotation: `clusterstate/utils/status.go`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec

from kubedoctor.cluster.kinds.core import ConfigMap

NAMESPACE = "kube-system"
"""The namespace of the ConfigMap, unless the autoscaler is started with another (`--namespace`)."""
NAME = "cluster-autoscaler-status"
KEY = "status"
LAST_UPDATED = "cluster-autoscaler.kubernetes.io/last-updated"
_MOST_CUTS = 5
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d+)?\s*(Z|[+-]\d\d:?\d\d)?")
_CUT_NUMBER = re.compile(r"\n[^\n]*\d\Z")
"""Every line ends with a line feed, so a number at the very end may be truncated."""
_NUMBER = re.compile(r"(\w+)=(\d+)")
_NAME_LINE = re.compile(r"[ \t]*(- )?[nN]ame:")
_LINE = re.compile(r"\s*(Name|Health|ScaleUp):\s*(.*?)\s*$")


class NodeGroup(msgspec.Struct, frozen=True):
    """Numbers are nodes. Values that are not reported are None or empty. target: the size requested from the cloud.
    error_code and error: why the last scale-up failed, in the cloud's words; only while the group is in backoff, and
    since 1.30."""

    name: str
    health: str = ""
    scale_up: str = ""
    ready: int | None = None
    target: int | None = None
    maximum: int | None = None
    error_code: str = ""
    error: str = ""

    @property
    def at_maximum(self) -> bool:
        return self.maximum is not None and self.target is not None and self.target >= self.maximum

    @property
    def in_backoff(self) -> bool:
        return self.scale_up == "Backoff"

    @property
    def unhealthy(self) -> bool:
        """Too many of its nodes are not ready."""
        return self.health == "Unhealthy"

    @property
    def scaling_up(self) -> bool:
        """The cloud was asked for more nodes than are ready, and has not yet failed."""
        awaited = self.target is None or self.ready is None or self.target > self.ready
        return self.scale_up == "InProgress" and awaited

    @property
    def short_name(self) -> str:
        """Without the URL that some clouds put before it."""
        return self.name.rstrip("/").rpartition("/")[2]


class AutoscalerStatus(msgspec.Struct, frozen=True):
    """state: `Running` or `Initializing`, empty where it is not reported. readable: False where a part was invalid;
    then groups may be missing. written_at: when it last reported, None where that is not reported."""

    written_at: datetime | None = None
    state: str = ""
    message: str = ""
    health: str = ""
    ready: int | None = None
    registered: int | None = None
    groups: tuple[NodeGroup, ...] = ()
    readable: bool = True

    @property
    def unhealthy(self) -> bool:
        """Too many nodes are not ready: no nodes are added until that changes."""
        return self.health == "Unhealthy"


def read_status(config: ConfigMap) -> AutoscalerStatus:
    """The status in a ConfigMap, in either format; unreadable parts are left out."""
    text = (config.data or {}).get(KEY) or ""
    status = parse_status(text)
    times = [status.written_at, moment(config.annotations.get(LAST_UPDATED, ""))]
    return msgspec.structs.replace(status, written_at=max(filter(None, times), default=None))


def parse_status(text: str) -> AutoscalerStatus:
    """The status in either format. Never raises: invalid parts are left out, and `readable` is False."""
    text = _CUT_NUMBER.sub("", text)
    if text.lstrip().startswith("Cluster-autoscaler status at"):
        return _from_text(text)
    data, whole = _loaded(text)
    if not isinstance(data, dict):
        return AutoscalerStatus(readable=False)
    return _from_data(data, whole=whole)


def line_of(text: str, group: str, *keys: str) -> int:
    """The line, from 1, where the status has the first of these keys for a node group (for the whole cluster where
    `group` is empty); 0 if it has none."""
    lines = text.splitlines()
    names = [number for number, line in enumerate(lines) if _NAME_LINE.match(line)]
    begin = next(
        (number for number in names if group and _named(lines[number]) == group), 0 if not group else len(lines)
    )
    end = next((number for number in names if number > begin), len(lines))
    for key in keys:
        for number in range(begin, end):
            if key in lines[number]:
                return number + 1
    return 0


def _named(line: str) -> str:
    return line.partition(":")[2].strip().strip("\"'")


def moment(text: object) -> datetime | None:
    """A time as Go prints it (`2023-11-24 04:28:19.54 +0000 UTC m=+48.1`) or RFC 3339 has it; None if it is none, or
    Go's zero time."""
    match = _TIME.search(text) if isinstance(text, str) else None
    if match is None:
        return None
    day, clock, _, zone = match.groups()
    try:
        at = datetime.fromisoformat(f"{day}T{clock}")
        offset = UTC if zone in (None, "Z") else _zone(zone)
        return at.replace(tzinfo=offset).astimezone(UTC) if at.year > 1 else None
    except (ValueError, OverflowError):
        return None


def _zone(text: str) -> timezone:
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))


# Since 1.30


def _loaded(text: str) -> tuple[Any, bool]:
    """YAML with every value as text; for invalid YAML the part before the error, and False."""
    import yaml  # takes 29 ms, and only clusters with this autoscaler need it

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    lines = text.splitlines()
    for cut in range(_MOST_CUTS + 1):
        try:
            return yaml.load("\n".join(lines), Loader=loader), cut == 0
        except yaml.MarkedYAMLError as error:
            mark = error.context_mark or error.problem_mark
            keep = len(lines) - 1 if mark is None else min(mark.line, len(lines) - 1)
            lines = lines[: max(keep, 0)]
        except (yaml.YAMLError, RecursionError, ValueError):
            return None, False
    return None, False


def _from_data(data: dict[str, Any], *, whole: bool) -> AutoscalerStatus:
    wide = _map(data, "clusterWide")
    counts = _map(_map(_map(wide, "health"), "nodeCounts"), "registered")
    groups = data.get("nodeGroups")
    listed = groups if isinstance(groups, list) else []
    node_groups = tuple(_group(group) for group in listed if isinstance(group, dict) and _text(group, "name"))
    return AutoscalerStatus(
        written_at=moment(data.get("time")),
        state=_text(data, "autoscalerStatus"),
        message=_text(data, "message"),
        health=_text(_map(wide, "health"), "status"),
        ready=_number(counts, "ready"),
        registered=_number(counts, "total"),
        groups=node_groups,
        readable=whole and len(node_groups) == len(listed),
    )


def _group(data: dict[str, Any]) -> NodeGroup:
    health, scale_up = _map(data, "health"), _map(data, "scaleUp")
    backoff = _map(scale_up, "backoffInfo")
    return NodeGroup(
        name=_text(data, "name"),
        health=_text(health, "status"),
        scale_up=_text(scale_up, "status"),
        ready=_number(_map(_map(health, "nodeCounts"), "registered"), "ready"),
        target=_number(health, "cloudProviderTarget"),
        maximum=_number(health, "maxSize"),
        error_code=_text(backoff, "errorCode"),
        error=_text(backoff, "errorMessage"),
    )


def _map(data: dict[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _text(data: dict[str, Any], key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) and value not in ("null", "~") else ""


def _number(data: dict[str, Any], key: str) -> int | None:
    value = data.get(key)
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10 else None


# Before 1.30


def _from_text(text: str) -> AutoscalerStatus:
    first, _, rest = text.lstrip().partition("\n")
    blocks: list[dict[str, str]] = [{}]
    for line in rest.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        key, value = match.groups()
        if key == "Name":
            blocks.append({})
        blocks[-1].setdefault(key, value)
    wide, *groups = blocks
    counts = dict(_NUMBER.findall(wide.get("Health", "")))
    starting = rest.strip() == "Initializing"
    return AutoscalerStatus(
        written_at=moment(first),
        state="Running" if wide else "Initializing" if starting else "",
        message="" if wide or starting else rest.strip().partition("\n")[0],
        health=_first_word(wide, "Health"),
        ready=_number(counts, "ready"),
        registered=_number(counts, "registered"),
        groups=tuple(_text_group(group) for group in groups if group.get("Name")),
    )


def _text_group(block: dict[str, str]) -> NodeGroup:
    counts = dict(_NUMBER.findall(block.get("Health", "")))
    return NodeGroup(
        name=block["Name"],
        health=_first_word(block, "Health"),
        scale_up=_first_word(block, "ScaleUp"),
        ready=_number(counts, "ready"),
        target=_number(counts, "cloudProviderTarget"),
        maximum=_number(counts, "maxSize"),
    )


def _first_word(block: dict[str, str], key: str) -> str:
    word = block.get(key, "").partition(" ")[0]
    return "" if word.startswith("<") else word
