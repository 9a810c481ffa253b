"""One of equal subjects speaks for all: a scan that examines each subject reports the same as one that compares them
first, in every scenario, with twins of every pod beside it."""

from __future__ import annotations

import copy
import dataclasses
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kubedoctor.cluster import Pod
from kubedoctor.cluster.triage import WIDER
from kubedoctor.engine import Catalogue, load_catalogue, scan
from kubedoctor.engine.report import Report
from kubedoctor.testing import Scenario, find_scenarios, load_scenario

FOLDER = Path(__file__).parent.parent / "scenarios"
CATALOGUE = load_catalogue()
TOGETHER = Catalogue(tuple(check for check in CATALOGUE.diagnostics if check.alike is not None))
"""The checks that compare their subjects; a scan runs the others in any case for each, and independently of these."""
ONE_BY_ONE = Catalogue(tuple(msgspec.structs.replace(check, alike=None) for check in TOGETHER.diagnostics))
EVERYTHING_ALONE = Catalogue(tuple(msgspec.structs.replace(check, alike=None) for check in CATALOGUE.diagnostics))
WHOLE_EVERY = 16
"""Of so many scenarios one is read by the whole catalogue: causes, incidents and what is not explained are equal too."""
PARTS = 4
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@pytest.fixture(scope="module", params=range(PARTS))
def crowds(request: pytest.FixtureRequest) -> tuple[Scenario, ...]:
    """A part of the scenarios, with twins of their pods, each with one difference or none."""
    stories = map(load_scenario, find_scenarios(FOLDER)[request.param :: PARTS])
    return tuple(dataclasses.replace(story, objects=(*story.objects, *twins(story))) for story in stories)


def twins(story: Scenario) -> Iterator[dict[str, Any]]:
    pods = [obj for obj in story.objects if obj["kind"] == "Pod"]
    for number, (minutes, change) in enumerate(VARIATIONS):
        for pod in pods:
            name, namespace = pod["metadata"]["name"], pod["metadata"].get("namespace")
            yield from twin(pod, name, number, minutes, change)
            for event in story.objects:
                if event["kind"] == "Event" and is_about(event["involvedObject"], name, namespace):
                    yield from twin(event, name, number, minutes, change)


def is_about(subject: dict[str, Any], name: str, namespace: str) -> bool:
    return (subject.get("kind"), subject.get("name")) == ("Pod", name) and subject.get(
        "namespace", namespace
    ) == namespace


def twin(
    obj: dict[str, Any], name: str, number: int, minutes: float, change: Callable[[dict[str, Any]], Any]
) -> Iterator[dict[str, Any]]:
    other = aged(copy.deepcopy(obj), timedelta(minutes=minutes))
    other["metadata"]["name"] += f"-twin{number}"
    other["metadata"].pop("uid", None)
    if other["kind"] == "Event":
        other["involvedObject"] = {**other["involvedObject"], "name": f"{name}-twin{number}"}
    if change(other) is not NOT_AT_ALL:
        yield other


NOT_AT_ALL = object()


def not_changed(obj: dict[str, Any]) -> None:
    pass


def says_otherwise(obj: dict[str, Any]) -> None:
    for condition in (obj.get("status") or {}).get("conditions") or ():
        if condition.get("message"):
            condition["message"] = "0/7 nodes are available: 7 Insufficient memory."


def is_larger(obj: dict[str, Any]) -> None:
    for container in (obj.get("spec") or {}).get("containers") or ():
        container["resources"] = {"requests": {"cpu": "3333m"}}


def has_no_events(obj: dict[str, Any]) -> object:
    return NOT_AT_ALL if obj["kind"] == "Event" else None


def autoscaler_says_otherwise(obj: dict[str, Any]) -> None:
    if obj["kind"] == "Event" and obj["reason"] in ("NotTriggerScaleUp", "TriggeredScaleUp"):
        obj["reason"], obj["message"] = (
            "NotTriggerScaleUp",
            "pod didn't trigger scale-up: 1 max node group size reached",
        )


VARIATIONS: list[tuple[float, Callable[[dict[str, Any]], Any]]] = [
    *((minutes, not_changed) for minutes in (0, 0, 1 / 60, 4, -4, 12, 70, 60 * 24 * 300)),
    *((0, change) for change in (says_otherwise, is_larger, has_no_events, autoscaler_says_otherwise)),
]


def aged(value: Any, by: timedelta) -> Any:
    """Every time in it is earlier."""
    if isinstance(value, dict):
        return {key: aged(part, by) for key, part in value.items()}
    if isinstance(value, list):
        return [aged(part, by) for part in value]
    if isinstance(value, datetime):
        return value - by
    if isinstance(value, str) and TIME.fullmatch(value):
        return (datetime.fromisoformat(value) - by).isoformat().replace("+00:00", "Z")
    return value


def report_of(story: Scenario, catalogue: Catalogue) -> Report:
    return scan(catalogue, story.snapshot(), lambda wants: None)


def test_one_of_equals_speaks_for_all(crowds: tuple[Scenario, ...]) -> None:
    compared = 0
    for story in crowds:
        together, alone = report_of(story, TOGETHER), report_of(story, ONE_BY_ONE)
        assert together == alone, story.path.relative_to(FOLDER)
        compared += any(len(finding.affects) > 1 for finding in together.findings)
    assert compared > 10
    for story in crowds[::WHOLE_EVERY]:
        assert report_of(story, CATALOGUE) == report_of(story, EVERYTHING_ALONE), story.path.relative_to(FOLDER)


def test_a_wider_predicate_is_true_wherever_the_narrower_one_is(crowds: tuple[Scenario, ...]) -> None:
    pods = [pod for story in crowds for pod in story.snapshot().of_kind("Pod") if isinstance(pod, Pod)]
    pods += [
        msgspec.structs.replace(pod, status=msgspec.structs.replace(pod.status, resize="Deferred"))
        for pod in pods[::20]
    ]
    for narrower, wider in WIDER.items():
        selected = [pod for pod in pods if narrower(pod)]
        assert 25 < len(selected) < len(pods)
        assert all(map(wider, selected)), (narrower, wider)
