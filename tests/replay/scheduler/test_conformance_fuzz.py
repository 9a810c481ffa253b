"""Whole scheduling cycles, by Kubernetes 1.37.2's own answers to generated questions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kubedoctor.replay.scheduler.cycle import Objection, Verdict, schedule
from kubedoctor.replay.scheduler.preemption import Preemption, preempt
from tests.replay.scheduler.upstream import Case, fuzz_cases, said

KEYS = ("preEnqueue", "preFilter", "nodes", "blockers", "feasible", "message", "event", "preemption")


def objection(found: Objection) -> dict[str, Any]:
    return said(found.status, found.plugin)


def in_upstreams_form(verdict: Verdict) -> dict[str, Any]:
    answer: dict[str, Any] = {"feasible": sorted(verdict.feasible)}
    if verdict.pre_enqueue:
        answer["preEnqueue"] = objection(verdict.pre_enqueue)
    if verdict.pre_filter:
        answer["preFilter"] = objection(verdict.pre_filter)
    if verdict.nodes:
        answer["nodes"] = {one.node: objection(one.first) if one.first else said(one.status) for one in verdict.nodes}
        blockers = {
            one.node: {each.plugin: said(each.status) for each in one.blockers} for one in verdict.nodes if one.blockers
        }
        if blockers:
            answer["blockers"] = blockers
    if verdict.message:
        answer["message"] = verdict.message
    return answer


def preemption_in_upstreams_form(found: Preemption | None, verdict: Verdict) -> dict[str, Any]:
    if found is None:
        return {"event": verdict.message} if verdict.message else {}
    answer: dict[str, Any] = {"code": found.code.value}
    if found.not_eligible:
        answer["notEligible"] = found.not_eligible
    if found.rejected:
        answer["rejected"] = {node: objection(one) for node, one in found.rejected}
    if found.candidates:
        answer["candidates"] = {
            one.node: {
                "victims": [f"{victim.namespace}/{victim.name}" for victim in one.victims],
                "pdbViolations": one.violations,
            }
            for one in found.candidates
        }
        answer["best"] = list(found.best)
    return {"event": found.event, "preemption": answer}


def disagreements(cases: tuple[Case, ...]) -> list[Any]:
    wrong = []
    for case in cases:
        verdict = schedule(case.pod, case.state)
        ours = in_upstreams_form(verdict)
        ours |= preemption_in_upstreams_form(preempt(case.pod, case.state, verdict), verdict)
        theirs = {key: case.answer[key] for key in KEYS if key in case.answer}
        if ours != theirs:
            wrong.append(
                (case.id, {key: (ours.get(key), theirs.get(key)) for key in KEYS if ours.get(key) != theirs.get(key)})
            )
    return wrong


@pytest.mark.parametrize(("name", "rows"), [("scheduling", 3000), ("preemption", 600)])
def test_every_verdict_and_every_reason_of_every_node(shared: Path, name: str, rows: int) -> None:
    cases = fuzz_cases(shared, name)
    assert len(cases) == rows
    wrong = disagreements(cases)
    assert not wrong, f"{len(wrong)} of {rows}: {wrong[:3]}"
