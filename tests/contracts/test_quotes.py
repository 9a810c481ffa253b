"""What evidence quotes stands in the object as the cluster or the file has it, not only in the struct's defaults."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.cluster import Snapshot, quote
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.decoding import convert_object, kind_of_data
from kubedoctor.cluster.seen.quoting import EmptyQuote, Evidence, has_path, read_path
from kubedoctor.cluster.seen.snapshot import Source
from kubedoctor.collect.recording import plain, read_state, whole_state
from kubedoctor.engine import Report, load_catalogue, scan
from kubedoctor.testing import find_scenarios, load_scenario
from tests.shared import SHARED

CATALOGUE = load_catalogue()
SCENARIOS = Path(__file__).resolve().parent.parent / "scenarios"
DEFAULTS = ({"protocol": "TCP"}, {"scheme": "HTTP"}, {"maxSkew": 1}, {"whenUnsatisfiable": "DoNotSchedule"})
"""What an API server fills in (`pkg/apis/core/v1/defaults.go`, v1.37): scenarios leave it out of objects with a time."""


def not_there(report: Report, objects: Iterable[Any]) -> Iterator[str]:
    """The evidence of a report that quotes what no object has."""
    raw: dict[Ref, Any] = {}
    for data in objects:
        if isinstance(data, dict) and isinstance(meta := data.get("metadata"), dict):
            raw[Ref(kind_of_data(data), meta.get("namespace") or "", meta.get("name") or "")] = plain(data)
    for fact in _facts(report):
        if fact.path.startswith(("log[", "previous log[", "stats/summary[")):
            continue
        try:
            value = read_path(raw[fact.object], fact.path)
        except EmptyQuote:
            value = None
        if value is None or not _holds(value, fact.value):
            yield f"{fact.object} {fact.path}: quoted {fact.value!r}, has {value!r}"


def _facts(report: Report) -> Iterator[Evidence]:
    for finding in report.findings:
        yield from finding.evidence
    for left in (*report.unexplained, *report.not_ready):
        yield from left.evidence


def _holds(value: Any, quoted: Any) -> bool:
    """Whether all that is quoted is there: structs leave fields out, times are written in one way, secrets are hidden."""
    if isinstance(quoted, dict) and isinstance(value, dict):
        return all(
            _holds(value[key], part) if key in value else {key: part} in DEFAULTS for key, part in quoted.items()
        )
    if isinstance(quoted, list) and isinstance(value, list):
        return len(quoted) == len(value) and all(map(_holds, value, quoted))
    if isinstance(quoted, str) and isinstance(value, str) and quoted != value:
        return "redacted" in quoted.lower() or _is_same_time(value, quoted)
    return bool(quoted == value)


def _is_same_time(value: str, quoted: str) -> bool:
    try:
        return datetime.fromisoformat(value) == datetime.fromisoformat(quoted)
    except ValueError:
        return False


def as_manifest(data: dict[str, Any]) -> dict[str, Any]:
    """The object as a file has it before any cluster has seen it."""
    data = {key: deepcopy(value) for key, value in data.items() if key != "status"}
    for field in ("uid", "generation", "creationTimestamp", "resourceVersion"):
        data["metadata"].pop(field, None)
    return data


@pytest.mark.parametrize("form", ["as it is", "as manifests"])
def test_every_quote_of_a_scenario_is_in_an_object(form: str) -> None:
    wrong = []
    for path in find_scenarios(SCENARIOS):
        story = load_scenario(path)
        objects = story.objects if form == "as it is" else tuple(map(as_manifest, story.objects))
        snapshot = whole_state(story.taken_at, Source("files", path.stem, story.kubernetes), deepcopy(objects))
        report = scan(CATALOGUE, snapshot, lambda wants: None)
        assert not [gap.traceback for gap in report.not_checked if gap.traceback], path.name
        wrong += [f"{path.name}: {line}" for line in not_there(report, objects)]
    assert wrong == []


@pytest.mark.long
@pytest.mark.skipif(
    not (SHARED / "captures").is_dir(),
    reason=f"no recorded states in {SHARED}: set KUBEDOCTOR_SHARED to the folder that holds them",
)
@pytest.mark.parametrize("folder", ["captures", "reports"])
def test_every_quote_of_a_recorded_state_is_in_an_object(folder: str) -> None:
    wrong = []
    paths = sorted((SHARED / folder).glob("*.json"))
    assert paths
    for path in paths:
        data = json.loads(path.read_text())
        snapshot: Snapshot = read_state(data, path.name)
        report = scan(CATALOGUE, snapshot, lambda wants: None)
        wrong += [f"{path.name}: {line}" for line in not_there(report, data["objects"])]
    assert wrong == []


DAEMON = {"kind": "DaemonSet", "metadata": {"name": "agent", "namespace": "shop"}}
PROBED = {
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"containers": [{"name": "app", "readinessProbe": {"httpGet": {"port": 80}}}]},
}
ABSENT = {
    "a number of a status that is absent": (DAEMON, "status.desiredNumberScheduled"),
    "a status that is absent": (DAEMON, "status"),
    "a list that is absent": (PROBED, "spec.volumes"),
    "a text of a part that is absent": (PROBED, "spec.securityContext.seLinuxOptions"),
}


@pytest.mark.parametrize("name", ABSENT)
def test_what_is_absent_is_not_quoted(name: str) -> None:
    data, path = ABSENT[name]
    (obj,) = convert_object(str(data["kind"]), data).objects
    assert not has_path(obj, path)
    with pytest.raises(EmptyQuote):
        quote(obj, path)


@pytest.mark.parametrize("created", [None, "2026-01-15T10:00:00Z"], ids=["a manifest", "an object of a cluster"])
def test_a_quoted_part_has_the_fields_that_the_object_has(created: str | None) -> None:
    data = deepcopy(PROBED)
    if created:
        data["metadata"]["creationTimestamp"] = created  # type: ignore[index]  # plain data
    (obj,) = convert_object("Pod", data).objects
    probe = quote(obj, "spec.containers[name=app].readinessProbe.httpGet").value
    assert probe == ({"port": 80, "scheme": "HTTP"} if created else {"port": 80}), "an API server writes its defaults"
