"""States recorded from real components: the true cause is the first incident, and health is silence."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.cluster import Ref
from kubedoctor.collect.bundles import open_bundle
from kubedoctor.collect.recording import read_recording
from kubedoctor.engine import Report, focus, load_catalogue, scan
from kubedoctor.findings import Severity
from tests.captures.expectations import EXPECTED, EXPECTED_WITHOUT_EVENTS


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


def half_an_hour_later(path: Path) -> dict[str, Any]:
    data = recording(path)
    later = datetime.fromisoformat(data["captured_at"]) + timedelta(minutes=30)
    return {**data, "captured_at": later.isoformat()}


def report_on(subject: Ref | None, data: dict[str, Any]) -> Report:
    snapshot = read_recording(data, data["name"])

    def gather(wants: frozenset[Any]) -> None:
        for want in wants:
            snapshot.refuse(want, "not in this recording")

    if subject is None:
        return scan(load_catalogue(), snapshot, gather)
    return focus(load_catalogue(), subject, snapshot, gather)


def captures(shared: Path) -> list[Path]:
    return sorted((shared / "captures").glob("*.json"))


def test_the_table_names_every_capture(shared: Path) -> None:
    causes = {path.stem: recording(path)["expect"]["cause"] for path in captures(shared)}
    sick = {name for name, cause in causes.items() if cause != "healthy"}
    assert sick == set(EXPECTED)


def test_healthy_clusters_are_silent(shared: Path) -> None:
    healthy = [path for path in captures(shared) if recording(path)["expect"]["cause"] == "healthy"]
    assert healthy
    for path in healthy:
        for events in (True, False):
            loud = [one for one in report_of(path, events=events).findings if one.severity is not Severity.NOTICE]
            assert not loud, (path.stem, events, [(one.code, str(one.about), one.summary) for one in loud])


def test_of_healthy_clusters_nothing_says_that_it_is_not_well(shared: Path) -> None:
    healthy = [path for path in captures(shared) if recording(path)["expect"]["cause"] == "healthy"]
    assert healthy
    for path in healthy:
        for data in (recording(path), half_an_hour_later(path)):
            assert not report_on(None, data).unexplained, path.stem


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


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_focus_on_the_culprit_is_never_falsely_healthy(name: str, shared: Path) -> None:
    data = recording(shared / "captures" / f"{name}.json")
    one = data["expect"]["culprit"][0]
    subject = Ref(one["kind"], one["namespace"] or "", one["name"])
    report = report_on(subject, data)
    assert report.findings or not report.complete


AS_PEOPLE_HAVE_IT = ("Pod", "Event")
"""`kubectl get pods,events -A -o json > file`."""


OF_OTHER_KINDS = {"KD2001", "KD2002", "KD2101", "KD3003"}
"""Faults of Services and claims, which such a file does not have."""


def of_a_few_kinds(path: Path, tmp_path: Path) -> Report:
    items = [item for item in recording(path)["objects"] if item["kind"] in AS_PEOPLE_HAVE_IT]
    file = tmp_path / path.name
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}), encoding="utf-8")
    return scan(load_catalogue(), open_bundle((str(file),)).snapshot, lambda wants: None)


def test_a_file_of_pods_and_events_tells_what_pods_and_events_can(shared: Path, tmp_path: Path) -> None:
    """What is found of pods in the whole state is found, or left open, in such a file; never is it well."""
    silent = []
    for path in captures(shared):
        whole = [finding for finding in report_of(path).findings if finding.severity is not Severity.NOTICE]
        of_pods = {finding.code for finding in whole if any(name.kind == "Pod" for name in finding.affects)}
        few = of_a_few_kinds(path, tmp_path)
        told = {finding.code for finding in few.findings} | ({"open"} if few.unexplained or few.not_ready else set())
        if recording(path)["expect"]["cause"] == "healthy":
            assert not told, path.stem
        elif of_pods - OF_OTHER_KINDS and not told:
            silent.append(path.stem)
        assert not few.complete
    assert silent == []


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("quota-exceeded", "exceeded quota: team-quota"),
        ("webhook-no-endpoints", "failed calling webhook"),
        ("job-backoff-limit", "reached the specified backoff limit"),
        ("pod-security-restricted", "violates PodSecurity"),
        ("pvc-missing-storageclass", 'storageclass.storage.k8s.io "fast-ssd" not found'),
    ],
)
def test_events_speak_for_objects_that_the_file_lacks(name: str, sentence: str, shared: Path, tmp_path: Path) -> None:
    few = of_a_few_kinds(shared / "captures" / f"{name}.json", tmp_path)
    assert sentence in " ".join(message for item in few.unexplained for message in item.messages)


def test_no_template_is_edited_for_a_path_of_a_volume(shared: Path) -> None:
    """The path stands in the PersistentVolume, of which the Deployment knows only the claim."""
    report = report_of(shared / "captures" / "local-volume-path-missing.json")
    (fix,) = report.finding(report.incidents[0].cause).fixes
    assert fix.command == ""
