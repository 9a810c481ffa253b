"""What a missing target rests on: all objects were read, or the controller tells."""

from __future__ import annotations

import pytest

from kubedoctor.cluster import Snapshot, Source
from kubedoctor.cluster.seen.wants import Want
from kubedoctor.engine import scan
from kubedoctor.engine.catalogue import load_catalogue
from tests.answers.scaling.test_why_replicas import autoscaler
from tests.engine.clinic import TAKEN_AT, complete, deployment, objects


@pytest.mark.parametrize("whole", [False, True])
def test_a_target_is_missing_only_where_all_were_read(whole: bool) -> None:
    snapshot = Snapshot(TAKEN_AT, Source("bundle", "file"), closed=True, complete=whole)
    snapshot.add(objects(deployment("other"), autoscaler(60, current=3)))
    if not whole:
        for kind in ("Deployment", "HorizontalPodAutoscaler"):
            snapshot.limit(Want(kind), "only objects of the file")
    report = scan(load_catalogue(), snapshot, lambda wants: None)
    assert ("KD1301" in {finding.code for finding in report.findings}) is whole
    assert whole or any(entry.diagnostic == "autoscaling/target-missing" for entry in report.not_checked)


@pytest.mark.parametrize(
    ("message", "fix"),
    [
        ('deployments.apps "web" is forbidden', "Delete the autoscaler, if Deployment shop/web is not to be scaled"),
        ('deployments.apps "web" not found', "Delete the autoscaler, if Deployment shop/web is not to come back"),
    ],
)
def test_only_what_is_gone_may_come_back(message: str, fix: str) -> None:
    failed = {
        "type": "AbleToScale",
        "status": "False",
        "reason": "FailedGetScale",
        "message": f"the HPA controller was unable to get the target's current scale: {message}",
    }
    there = (deployment("web"),) if "forbidden" in message else ()
    report = scan(load_catalogue(), complete(*there, autoscaler(60, conditions=(failed,))), lambda wants: None)
    (finding,) = (finding for finding in report.findings if finding.code == "KD1301")
    assert [offered.summary for offered in finding.fixes] == [fix]
