"""What becomes of incidents after a change: gone, following, decided later, staying, new."""

from __future__ import annotations

from functools import cache

import pytest

from kubedoctor.answers.sheet import Conclusion
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.engine import Report, load_catalogue, scan
from kubedoctor.engine.rehearsal import Rehearsal, rehearsal_sheet, rehearse
from kubedoctor.engine.rehearsal.rehearsed import CauseFate
from kubedoctor.problems import UsageProblem
from kubedoctor.sandbox import recording_path

NIGHT = "shop-at-night"


@cache
def opened(name: str) -> tuple[ReadableCluster, Report]:
    source = open_source(Options(from_=(str(recording_path(name)),)))
    return source, scan(load_catalogue(), source.snapshot, source.gather)


def rehearsed(name: str, line: str) -> Rehearsal:
    source, before = opened(name)
    return rehearse(load_catalogue(), source.snapshot, source.gather, line, before=before)


def fates(rehearsal: Rehearsal) -> dict[str, list[str]]:
    return {
        fate.value: [cause.finding.about.title for cause in rehearsal.of(fate)]
        for fate in CauseFate
        if rehearsal.of(fate)
    }


def test_a_verified_fix_is_gone_in_the_scan_too() -> None:
    found = rehearsed(
        "service-selector-typo",
        """kubectl patch svc checkout -n shop --type=merge -p '{"spec": {"selector": {"app": "checkout"}}}'""",
    )
    assert fates(found) == {"gone": ["Service shop/checkout"]}
    sheet = rehearsal_sheet(found)
    assert sheet.verdict == "1 incident gone; nothing breaks"
    assert sheet.conclusion is Conclusion.WELL


def test_a_pending_pod_is_placed() -> None:
    found = rehearsed("insufficient-cpu", "kubectl set resources deploy/checkout -n shop --requests=cpu=2")
    assert fates(found) == {"gone": ["Deployment shop/checkout"]}
    assert {node for _, node in found.following.placed} <= {"worker-a", "worker-b", "worker-c"}


def test_too_small_a_change_leaves_the_incident() -> None:
    found = rehearsed("insufficient-cpu", "kubectl set resources deploy/checkout -n shop --requests=cpu=5")
    assert fates(found) == {"stays": ["Deployment shop/checkout"]}
    (before,) = found.before.incidents
    sheet = rehearsal_sheet(found, before.cause)
    assert sheet.conclusion is Conclusion.TROUBLE
    assert sheet.verdict.startswith("this incident stays")


def test_whether_a_program_starts_is_not_known() -> None:
    found = rehearsed("oom-killed", "kubectl set resources deploy/checkout -n shop --limits=memory=1Gi")
    assert fates(found) == {"open": ["Deployment shop/checkout"]}
    sheet = rehearsal_sheet(found)
    assert sheet.conclusion is Conclusion.UNKNOWN
    assert ("not known", "whether the new pods of Deployment shop/checkout start and become ready") in [
        (fact.label, fact.text) for fact in sheet.facts
    ]


def test_what_breaks_is_new() -> None:
    found = rehearsed("oom-killed", "kubectl scale deploy/checkout --replicas=0 -n shop")
    assert found.of(CauseFate.NEW)
    assert rehearsal_sheet(found).conclusion is Conclusion.TROUBLE


def test_what_follows_from_the_cause_follows_it() -> None:
    found = rehearsed("lost-connections", "kubectl label namespace/orders db-access=granted")
    assert fates(found)["gone"] == ["NetworkPolicy data/db-clients"]
    (follows,) = found.of(CauseFate.RECOVERS)
    assert follows.why == "NetworkPolicy data/db-clients"
    assert rehearsal_sheet(found).verdict == "1 incident gone; 1 incident follows; nothing breaks"


def test_a_change_that_changes_nothing() -> None:
    found = rehearsed("oom-killed", "kubectl label ns shop team=shop")
    sheet = rehearsal_sheet(found)
    assert sheet.verdict == "no incident changes"
    assert sheet.conclusion is Conclusion.ACCOUNT


def test_what_cannot_be_tried_is_a_problem() -> None:
    with pytest.raises(UsageProblem, match="this change cannot be tried"):
        rehearsed("oom-killed", "kubectl get pods")


def test_an_object_that_was_not_recorded_is_said() -> None:
    source, before = opened("oom-killed")
    snapshot = source.snapshot.with_changes(())
    snapshot.complete = False
    snapshot._objects.pop("Deployment")  # as if the kind were not in the recording
    snapshot._covered.pop("Deployment", None)
    with pytest.raises(UsageProblem, match="this change cannot be tried: Deployment: not in this recording"):
        rehearse(
            load_catalogue(), snapshot, source.gather, "kubectl scale deploy/x --replicas=1 -n shop", before=before
        )


class Over(Exception):
    """Raised by what heeds."""


def test_it_ends_when_it_is_told_to() -> None:
    source, _ = opened(NIGHT)
    calls = 0

    def heed() -> None:
        nonlocal calls
        calls += 1
        if calls > 5:
            raise Over

    with pytest.raises(Over):
        rehearse(load_catalogue(), source.snapshot, source.gather, "kubectl label ns shop a=b", heed=heed)
    assert calls == 6


def test_every_fix_of_a_recording_is_tried_or_says_why_not() -> None:
    _, before = opened(NIGHT)
    for incident in before.incidents:
        for fix in before.finding(incident.cause).fixes:
            if not fix.command:
                continue
            try:
                found = rehearsed(NIGHT, fix.command)
            except UsageProblem as problem:
                assert "made by hand" in problem.what, fix.command  # noqa: PT017  # most do not raise
            else:
                fate = found.cause(incident.cause)
                sheet = rehearsal_sheet(found, incident.cause, proven=fix.verified)
                assert fate is not None
                assert not (fix.verified and sheet.conclusion is Conclusion.TROUBLE), (fix.command, sheet.verdict)


def test_a_workload_that_serves_is_missed() -> None:
    found = rehearsed("oom-killed", "kubectl delete sts db -n shop")
    assert "StatefulSet shop/db is deleted, which has 1 ready pod" in found.breaks
    assert rehearsal_sheet(found).conclusion is Conclusion.TROUBLE
