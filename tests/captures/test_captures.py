"""States recorded from real components: the true cause is the first incident, and health is silence."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.cluster import Ref
from kubedoctor.collect.recording import read_recording
from kubedoctor.engine import Report, focus, load_catalogue, scan
from kubedoctor.findings import Severity
from tests.captures.expectations import EXPECTED, EXPECTED_WITHOUT_EVENTS, OUT_OF_REACH


@cache
def recording(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


def report_of(path: Path, *, events: bool = True) -> Report:
    data = recording(path)
    if not events:
        data = {**data, "objects": [one for one in data["objects"] if one["kind"] != "Event"]}
    snapshot = read_recording(data, path.stem)
    assert snapshot.problems == []

    def gather(wants: frozenset[Any]) -> None:
        for want in wants:
            snapshot.refuse(want, "not in this recording")

    report = scan(load_catalogue(), snapshot, gather)
    assert not [one for one in report.not_checked if one.traceback]
    return report


def captures(shared: Path) -> list[Path]:
    return sorted((shared / "captures").glob("*.json"))


def test_the_table_names_every_capture(shared: Path) -> None:
    causes = {path.stem: recording(path)["expect"]["cause"] for path in captures(shared)}
    sick = {name for name, cause in causes.items() if cause != "healthy"}
    assert sick == set(EXPECTED) | set(OUT_OF_REACH)
    assert not set(EXPECTED) & set(OUT_OF_REACH)


def test_healthy_clusters_are_silent(shared: Path) -> None:
    healthy = [path for path in captures(shared) if recording(path)["expect"]["cause"] == "healthy"]
    assert healthy
    for path in healthy:
        for events in (True, False):
            loud = [one for one in report_of(path, events=events).findings if one.severity is not Severity.NOTICE]
            assert not loud, (path.stem, events, [(one.code, str(one.about), one.summary) for one in loud])


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_cause_is_the_first_incident(name: str, shared: Path) -> None:
    _check(shared / "captures" / f"{name}.json", EXPECTED[name], events=True)


@pytest.mark.parametrize("name", sorted(EXPECTED_WITHOUT_EVENTS))
def test_the_cause_is_found_when_all_events_have_expired(name: str, shared: Path) -> None:
    _check(shared / "captures" / f"{name}.json", EXPECTED_WITHOUT_EVENTS[name], events=False)


def _check(path: Path, wanted: tuple[str, str], *, events: bool) -> None:
    code, deciding = wanted
    report = report_of(path, events=events)
    assert report.incidents, "nothing was found"
    first = report.finding(report.incidents[0].cause)
    culprits = {(one["kind"], one["namespace"] or "", one["name"]) for one in recording(path)["expect"]["culprit"]}
    assert first.code == code, f"{first.code} {first.about}: {first.summary}"
    assert (first.about.kind, first.about.namespace, first.about.name) in culprits, str(first.about)
    said = "\n".join((first.summary, first.detail, *(f"{one.path}={one.text}" for one in first.evidence)))
    assert deciding in said, said


@pytest.mark.parametrize("name", sorted(OUT_OF_REACH))
def test_out_of_reach_says_nothing_false_of_healthy_workloads(name: str, shared: Path) -> None:
    """What no diagnostic covers yet must at least not blame what is well: only the culprit or what it drags along."""
    report = report_of(shared / "captures" / f"{name}.json")
    healthy = {"api", "web", "worker", "db"} - {
        one["name"] for one in recording(shared / "captures" / f"{name}.json")["expect"]["culprit"]
    }
    loud = [one for one in report.findings if one.severity is not Severity.NOTICE and one.about.name in healthy]
    assert not loud, [(one.code, str(one.about), one.summary) for one in loud]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_focus_on_the_culprit_is_never_falsely_healthy(name: str, shared: Path) -> None:
    data = recording(shared / "captures" / f"{name}.json")
    snapshot = read_recording(data, name)
    one = data["expect"]["culprit"][0]
    subject = Ref(one["kind"], one["namespace"] or "", one["name"])

    def gather(wants: frozenset[Any]) -> None:
        for want in wants:
            snapshot.refuse(want, "not in this recording")

    report = focus(load_catalogue(), subject, snapshot, gather)
    assert report.findings or not report.complete
