"""Reads alerts out of what monitoring sends: webhooks of Alertmanager and Grafana, the APIs of Alertmanager and Prometheus,
PagerDuty, Opsgenie, a line such as `KubePodCrashLooping{namespace="shop",pod="web-1"}`, and text with lists of labels.

All of them carry the labels of Prometheus, in one of three forms: an object with `alertname`, a selector, or the text of
Alertmanager's templates (`template/default.tmpl`, `__text_alert_list`): `Labels:` and then ` - name = value` lines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from kubedoctor.problems import UsageProblem

MOST_ALERTS: Final = 200
_NAME: Final = "alertname"
_DEEPEST: Final = 30
_SHARED: Final = frozenset({"commonLabels", "groupLabels", "commonAnnotations"})
"""What Alertmanager says of all alerts of a notification, each of which has it again."""
_SELECTOR: Final = re.compile(r"(?P<name>[A-Za-z_][\w:.-]*)\{(?P<labels>(?:[^{}\"]|\"(?:[^\"\\]|\\.)*\")*)\}")
_PAIR: Final = re.compile(r"(?P<key>[A-Za-z_]\w*)\s*=\s*\"(?P<value>(?:[^\"\\]|\\.)*)\"")
_LIST: Final = re.compile(r"^[ \t]*Labels:[ \t]*\n(?P<rows>(?:[ \t]*-[ \t]*[A-Za-z_]\w* = .*\n?)+)", re.MULTILINE)
_ROW: Final = re.compile(r"^[ \t]*-[ \t]*(?P<key>[A-Za-z_]\w*) = (?P<value>.*?)[ \t]*$", re.MULTILINE)
_RESOLVED: Final = frozenset({"resolved", "close", "closed", "resolve", "inactive", "ok", "normal"})


class Alert(msgspec.Struct, frozen=True):
    """labels: those of the alert, its name left out. firing: false where it is said to be over."""

    name: str
    labels: Mapping[str, str]
    firing: bool = True


def read_alerts(text: str) -> tuple[Alert, ...]:
    """The alerts of a notification, each once, at most MOST_ALERTS. Raises UsageProblem where there is none."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = text
    found: dict[tuple[str, frozenset[tuple[str, str]]], Alert] = {}
    for alert in _alerts(data, firing=True, deep=_DEEPEST):
        key = (alert.name, frozenset(alert.labels.items()))
        if key not in found or alert.firing:
            found[key] = alert
        if len(found) == MOST_ALERTS:
            break
    if not found:
        raise UsageProblem(
            "no alert is in it",
            "It reads webhooks of Alertmanager, Grafana, PagerDuty and Opsgenie, and lines such as\n"
            'KubePodCrashLooping{namespace="shop",pod="web-1"}',
        )
    return tuple(found.values())


def _alerts(data: Any, *, firing: bool, deep: int) -> Iterator[Alert]:
    if deep < 0:
        return
    if isinstance(data, str):
        yield from _of_text(data, firing=firing)
    elif isinstance(data, list):
        for one in data:
            yield from _alerts(one, firing=firing, deep=deep - 1)
    elif isinstance(data, dict):
        firing = firing and not _is_resolved(data)
        labels = data.get("labels")
        if isinstance(labels, dict) and isinstance(labels.get(_NAME), str):
            yield _alert(labels, firing=firing)
            return  # Its annotations are prose.
        if isinstance(data.get(_NAME), str):
            yield _alert(data, firing=firing)
            return
        for key, value in data.items():
            if key not in _SHARED and key != "resolved":
                yield from _alerts(value, firing=firing, deep=deep - 1)


def _is_resolved(data: dict[str, Any]) -> bool:
    status = data.get("status")
    state = status.get("state") if isinstance(status, dict) else status
    words = (state, data.get("state"), data.get("event_action"), data.get("action"))
    return any(isinstance(word, str) and word.lower() in _RESOLVED for word in words)


def _alert(labels: dict[str, Any], *, firing: bool) -> Alert:
    texts = {str(key): str(value) for key, value in labels.items() if isinstance(value, str | int | float)}
    name = texts.pop(_NAME)
    return Alert(name, texts, firing)


def _of_text(text: str, *, firing: bool) -> Iterator[Alert]:
    for block in _LIST.finditer(text):
        labels = {row["key"]: row["value"] for row in _ROW.finditer(block["rows"])}
        if _NAME in labels:
            over = "resolved" in text[: block.start()].lower().rpartition("alerts ")[2]
            yield _alert(dict(labels), firing=firing and not over)
    for found in _SELECTOR.finditer(text):
        labels = {pair["key"]: _unescaped(pair["value"]) for pair in _PAIR.finditer(found["labels"])}
        if labels:
            yield _alert({_NAME: found["name"], **labels}, firing=firing)


def _unescaped(value: str) -> str:
    return value.replace('\\"', '"').replace("\\\\", "\\")
