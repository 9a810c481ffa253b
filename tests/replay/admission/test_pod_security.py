"""Pod Security against upstream's evaluator, and the changes that it admits."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.changes import apply_steps
from kubedoctor.cluster.kinds.pods import Pod, PodSpec
from kubedoctor.replay.admission.pod_security import (
    BASELINE,
    RESTRICTED,
    PodSecurityLevel,
    enforced_level,
    in_whole_contexts,
    parse_level,
    repair,
    violations,
)
from kubedoctor.testing.oracle import answer_line

ROWS = 1000


def rows(shared: Path) -> list[tuple[bytes, Any]]:
    with gzip.open(shared / "conformance/fuzz/podsecurity.jsonl.gz", "rb") as lines:
        return [(line, json.loads(line)) for line in lines]


def test_generated_questions(shared: Path) -> None:
    asked = rows(shared)
    assert len(asked) == ROWS
    assert [row["id"] for line, row in asked if answer_line(line)["answer"] != row["answer"]] == []


def _as_restricted(version: str) -> PodSecurityLevel:
    level = parse_level(f"{RESTRICTED}:{version}")
    assert level is not None
    return level


def test_what_is_repaired_is_admitted(shared: Path) -> None:
    """Applied to the pod, the steps leave exactly what they do not settle, at every version of restricted."""
    whole = some = 0
    for _, row in rows(shared):
        data, level = row["request"]["pod"], _as_restricted(row["request"]["version"])
        pod = msgspec.convert(data, Pod)
        found = repair(pod.spec, pod.annotations, level)
        changed = msgspec.convert(apply_steps(data["spec"], found.steps), PodSpec)
        left = violations(changed, pod.annotations, level)
        assert {one.check for one in left} == {one.check for one in found.left}, row["id"]
        whole += bool(found.steps and not found.left)
        some += bool(found.steps)
    assert some > 500
    assert whole > 20


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({}, None),
        ({"pod-security.kubernetes.io/warn": "restricted"}, None),
        ({"pod-security.kubernetes.io/enforce": "baseline"}, PodSecurityLevel(BASELINE)),
        (
            {"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/enforce-version": "v1.25"},
            PodSecurityLevel(RESTRICTED, 25),
        ),
        (
            {"pod-security.kubernetes.io/enforce": "strict", "pod-security.kubernetes.io/enforce-version": "1.25"},
            PodSecurityLevel(RESTRICTED),
        ),
    ],
)
def test_what_a_namespace_enforces(labels: dict[str, str], expected: PodSecurityLevel | None) -> None:
    assert enforced_level(labels) == expected


@pytest.mark.parametrize("text", ["restricted:v1.x", "strict:latest", "", "baseline:1.30"])
def test_what_is_no_level(text: str) -> None:
    assert parse_level(text) is None


def test_an_api_server_knows_no_newer_checks() -> None:
    """The host of a probe is checked since 1.34."""
    probe = {"httpGet": {"port": 80, "host": "127.0.0.1"}}
    spec = msgspec.convert({"containers": [{"name": "app", "image": "app:1", "livenessProbe": probe}]}, PodSpec)
    level = PodSecurityLevel(BASELINE)
    assert violations(spec, {}, level, 33) == ()
    assert [one.reason for one in violations(spec, {}, level, 34)] == ["probe or lifecycle host"]
    assert violations(spec, {}, PodSecurityLevel(BASELINE, 33), 37) == ()


def test_whole_contexts_are_the_same_change() -> None:
    data = {
        "containers": [{"name": "app", "image": "app:1"}, {"name": "b", "image": "b:1", "securityContext": {}}],
        "initContainers": [{"name": "first", "image": "first:1"}],
    }
    spec = msgspec.convert(data, PodSpec)
    steps = repair(spec, {}, PodSecurityLevel(RESTRICTED)).steps
    whole = in_whole_contexts(steps, spec)
    assert len(whole) == 5 < len(steps)
    changed = apply_steps(data, steps)
    assert apply_steps(data, whole) == changed
    assert violations(msgspec.convert(changed, PodSpec), {}, PodSecurityLevel(RESTRICTED)) == ()
