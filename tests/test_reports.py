"""States written after public problem reports: the truth is the first incident, nothing misleads, health is silence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.cluster import Ref
from kubedoctor.collect.recording import read_recording
from kubedoctor.engine import Report, load_catalogue, scan
from kubedoctor.engine.report import Incident, ReportedFinding
from kubedoctor.findings import Severity

STATES = sorted((Path(__file__).parent / "reports").glob("*.json"))
NOT_YET: dict[str, str] = {
    "init-waits-for-missing-service": "the Service that the command of an init container waits for is not looked up",
    "log-laravel-cannot-write-its-storage": "a repeated failure to write to a directory of its own is not known",
    "postgres-volume-full-writes-fail": "the client that repeats the database's words comes first, its full claim second",
    "strimzi-topic-wants-more-replicas-than-brokers": "what the status of a topic says alone is listed as not explained",
    "postgres18-old-mount-path": "the path in a later line of the message is not named",
}
"""The states whose first incident does not state the truth yet, and why."""

Key = tuple[str, str, str]


def state_in(path: Path) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return state


def report_of(state: dict[str, Any]) -> Report:
    snapshot = read_recording(state, state["name"])
    assert snapshot.problems == []

    def gather(wants: frozenset[Any]) -> None:
        for want in wants:
            snapshot.refuse(want, "not in this state")

    report = scan(load_catalogue(), snapshot, gather)
    assert not [one for one in report.not_checked if one.traceback]
    return report


@pytest.mark.parametrize("path", STATES, ids=[path.stem for path in STATES])
def test_what_a_report_says(path: Path) -> None:
    state = state_in(path)
    expect, report = state["expect"], report_of(state)
    if expect["cause"] == "healthy":
        assert [one.summary for one in report.findings if one.severity is not Severity.NOTICE] == []
        assert not report.unexplained
        return
    said = "\n".join(statements(report))
    nevers = [never for one in (expect, *expect.get("cases", ())) for never in one.get("never", ())]
    assert not [never for never in nevers if re.search(never, said, re.IGNORECASE)], said
    if path.stem in NOT_YET:
        assert faults_of(report, state), f"{path.stem} is right: strike it from NOT_YET"
    else:
        assert not faults_of(report, state)


def test_the_table_names_states() -> None:
    assert {path.stem for path in STATES} >= set(NOT_YET)
    assert [state_in(path)["name"] for path in STATES] == [path.stem for path in STATES]


def faults_of(report: Report, state: dict[str, Any]) -> list[str]:
    """What the first incident lacks; with several cases, what the first incidents lack, one for each case in any order.
    Empty where they state the truth."""
    if not report.incidents:
        return ["nothing was found"]
    cases = state["expect"].get("cases") or [state["expect"]]
    first = report.incidents[: len(cases)]
    lacking = [[faults_of_one(report, incident, state, case) for incident in first] for case in cases]
    return [fault for tried in lacking if all(tried) for fault in tried[0]]


def faults_of_one(report: Report, one: Incident, state: dict[str, Any], case: dict[str, Any]) -> list[str]:
    """What an incident lacks of one case."""
    incident = [report.finding(name) for name in (one.cause, *one.consequences)]
    objects = {key_of(one): one for one in state["objects"]}
    culprits = {(one["kind"], one["namespace"] or "", one["name"]) for one in case["culprit"]}
    about = incident[0].about
    mine = (about.short_kind, about.namespace, about.name)
    if not culprits & set(owners(mine, objects)) and not any(mine in owners(one, objects) for one in culprits):
        return [f"about {about}: {incident[0].summary}"]
    text = "\n".join(fact for finding in incident for fact in facts(finding))
    return [f"lacks {must}: {text}" for must in case["must"] if not re.search(must, text, re.IGNORECASE)]


def key_of(item: dict[str, Any]) -> Key:
    return item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]


def owners(name: Key, objects: dict[Key, dict[str, Any]]) -> Iterator[Key]:
    """The object and what owns it."""
    seen: set[Key] = set()
    while name not in seen:
        seen.add(name)
        yield name
        for owner in objects.get(name, {}).get("metadata", {}).get("ownerReferences", [])[:1]:
            name = (owner["kind"], name[1], owner["name"])


def facts(finding: ReportedFinding) -> Iterator[str]:
    yield from (finding.about.title, finding.summary, finding.detail)
    for evidence in finding.evidence:
        named = evidence.object.title if isinstance(evidence.object, Ref) else ""
        yield f"{named} {evidence.path} = {evidence.text} {evidence.shows}"


def statements(report: Report) -> Iterator[str]:
    """All that a report says in its own words; the quoted values are the cluster's."""
    for finding in report.findings:
        yield from (finding.summary, finding.detail, finding.would_disprove)
        yield from (evidence.shows for evidence in finding.evidence)
        for fix in finding.fixes:
            yield from (fix.summary, fix.command)
        for command in finding.commands:
            yield from (command.line, command.why)
    yield from (one.says for one in report.unexplained)


def test_several_cases_in_one_state() -> None:
    """Each case has an incident of its own among the first."""
    state = next(state_in(path) for path in STATES if path.stem == "evicted-over-storage-limit")
    report, case = report_of(state), state["expect"]
    assert not faults_of(report, state | {"expect": {"cases": [case]}})
    assert faults_of(report, state | {"expect": {"cases": [case, case | {"must": ["no such words"]}]}})
