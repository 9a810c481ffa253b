"""A scenario names every difference between what it expects and what was found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kubedoctor.cluster import Cluster, Node, Pod, quote, ref
from kubedoctor.engine import Catalogue
from kubedoctor.findings import Confidence, Finding
from kubedoctor.testing import ScenarioError, load_scenario
from tests.engine.clinic import made

STORY = """
scenario: A pod has failed
taken_at: 2026-01-15T10:00:00Z
cluster:
  - {apiVersion: v1, kind: Pod, metadata: {name: web-1, namespace: shop}, status: {phase: Failed}}
"""
EXPECT = "expect: [{code: KD9001, about: Pod/shop/web-1, confidence: certain, says: failed, evidence: {status.phase: Failed}}]"


def failed(one: Pod, cluster: Cluster) -> Iterator[Finding]:
    if one.status.phase == "Failed":
        cluster.maybe.all(Node)
        yield Finding(ref(one), "it has failed", (quote(one, "status.phase"),), Confidence.CERTAIN)


CATALOGUE = Catalogue((made(failed, code="KD9001", subject=Pod),))


def differences(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "story.yaml"
    path.write_text(text)
    scenario = load_scenario(path)
    return scenario.differences(scenario.run(CATALOGUE), CATALOGUE)


def test_what_is_expected_and_found_is_no_difference(tmp_path: Path) -> None:
    assert differences(tmp_path, STORY + EXPECT) == []


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ("expect: []", "not expected: KD9001 about Pod/shop/web-1: it has failed"),
        (EXPECT.replace("web-1", "web-2"), "missing: KD9001 about Pod/shop/web-2"),
        (EXPECT.replace("certain", "likely"), "confidence is certain, expected likely"),
        (EXPECT.replace("says: failed", "says: exploded"), "does not say 'exploded'"),
        (
            EXPECT.replace("status.phase: Failed", "status.phase: Running"),
            "status.phase is 'Failed', expected 'Running'",
        ),
        (EXPECT.replace("status.phase: Failed", "status.reason: x"), "no evidence at status.reason"),
        (EXPECT + "\nincidents: 2", "1 incidents, expected 2"),
        (EXPECT + "\nnot_ready: [Pod/shop/web-1]", "not ready: [], expected ['Pod/shop/web-1']"),
        (EXPECT + "\nnot_checked: [KD9001]", "not checked: [], expected ['KD9001']"),
        (EXPECT + "\nunreadable: {Pod: pods is forbidden}", "not checked: ['KD9001'], expected []"),
        (
            EXPECT.replace("}]", "}, suggests: [Scale]}]", 1).replace("}}, suggests", "}, suggests"),
            "no fix has 'Scale': []",
        ),
        (EXPECT.replace("}]", "}, gaps: [Node]}]", 1).replace("}}, gaps", "}, gaps"), "no gap 'Node'"),
    ],
)
def test_every_difference_is_named(tmp_path: Path, expect: str, said: str) -> None:
    assert any(said in one for one in differences(tmp_path, STORY + expect))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("just text", "it has no list `cluster`"),
        (STORY + "surprise: 1", "the key surprise is unknown; known are cluster, expect, incidents"),
        (STORY + "surprise: 1\n7: 1", "the keys 7, surprise are unknown"),
        (STORY.replace("taken_at", "taken"), "the key taken is unknown"),
        (
            STORY + EXPECT.replace("says:", "say:"),
            "expect, entry 1 (KD9001): the key say is unknown; known are about, affects, aspect, because_of, code, confidence, "
            "evidence, fixes, gaps, says, severity, suggests",
        ),
        (STORY + "expect: [KD9001]", "expect, entry 1: 'KD9001' is not a mapping"),
        (STORY + "expect: {code: KD9001}", "`expect` is not a list"),
        (STORY.replace("2026-01-15T10:00:00Z", "yesterday"), "taken_at is missing or is not a timestamp"),
        (STORY.replace("phase: Failed", "phase: {}"), "status.phase cannot be decoded"),
    ],
)
def test_what_is_no_scenario_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=r"story\.yaml") as raised:
        differences(tmp_path, text)
    assert said in str(raised.value)
