"""What became of a cause: worse, with more that suffers, below another cause, or under another name of its pods."""

from __future__ import annotations

from kubedoctor.cluster import Ref
from kubedoctor.cluster.kinds.meta import ObjectMeta
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.seen.quoting import Evidence
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.engine import Incident, Report
from kubedoctor.engine.over_time import CauseComparison, compare
from kubedoctor.engine.over_time.comparison import lasting
from kubedoctor.engine.report import NotChecked
from kubedoctor.findings import Severity
from tests.cli.test_formats import STARTING, UNWELL, finding, id_of, report
from tests.engine.test_suppressions import DEPLOYMENT, NOW, POD, owned, snapshot

CAUSE, CONSEQUENCE = finding(1, severity=Severity.WARNING), finding(2, about=Ref("Service", "shop", "web"))
NODE = finding(3, about=Ref("Node", "", "n1"))


def compared(before: Report, after: Report) -> CauseComparison:
    return compare(before, snapshot(), after, snapshot(), after)


def test_the_severity_and_the_impact_of_a_cause_that_is_still_there() -> None:
    before = report(CAUSE)
    after = report(CAUSE, CONSEQUENCE, incidents=(Incident(CAUSE.id, (CONSEQUENCE.id,), (CAUSE.id,)),))
    (still,) = compared(before, after).still
    assert (still.severity_before, still.severity_after, still.worse) == (Severity.WARNING, Severity.CRITICAL, True)
    assert (still.impact_before, still.impact_after) == (frozenset(), frozenset({CONSEQUENCE.about}))
    assert compared(before, after).worst() is Severity.CRITICAL
    assert compared(after, before).worst() is None


def test_a_cause_that_is_now_explained_is_still_there_and_its_cause_is_new() -> None:
    after = report(NODE, CAUSE, incidents=(Incident(NODE.id, (CAUSE.id,), (NODE.id,)),))
    found = compared(report(CAUSE), after)
    assert [cause.finding.id for cause in found.new] == [NODE.id]
    assert found.gone == ()
    (still,) = found.still
    assert still.because_after == NODE
    assert still.severity_after is None
    back = compared(after, report(CAUSE))
    assert [cause.finding.id for cause in back.gone] == [NODE.id]
    assert back.still[0].because_before == NODE


def test_what_nothing_explains_is_compared_too() -> None:
    found = compared(report(), report(unexplained=UNWELL, not_ready=STARTING))
    assert len(found.open_new) == 2
    assert not found.complete
    assert len(compared(report(unexplained=UNWELL), report()).open_gone) == 1
    explained = report(finding(1, about=UNWELL[0].about))
    assert compared(report(unexplained=UNWELL), explained).open_gone == ()


def test_trouble_whose_kind_was_not_read_at_the_other_time_is_unsure() -> None:
    nothing = Snapshot(NOW, snapshot().source, closed=True)
    (gone,) = compare(report(unexplained=UNWELL), snapshot(), report(), nothing, report()).open_gone
    assert gone.unsure.startswith("HorizontalPodAutoscaler: ")
    assert not compare(report(unexplained=UNWELL), snapshot(), report(), nothing, report()).complete
    (new,) = compare(report(), nothing, report(unexplained=UNWELL), snapshot(), report()).open_new
    assert new.unsure.startswith("HorizontalPodAutoscaler: ")
    sure = compared(report(unexplained=UNWELL), report())
    assert (sure.open_gone[0].unsure, sure.complete) == ("", True)


def test_a_gap_about_what_a_finding_quotes_makes_it_unsure() -> None:
    log = Evidence(POD, "previous log[app][-1]", "invalid character")
    cause = finding(1, about=Ref("ConfigMap", "shop", "web"), evidence=(log,))
    gap = NotChecked("pods/other", DEPLOYMENT, "Log: not in this recording")
    found = compared(report(cause), report(not_checked=(gap,)))
    assert [one.unsure for one in found.gone] == ["Log: not in this recording"]
    elsewhere = NotChecked("pods/other", Ref("Pod", "shop", "other"), "Log: not in this recording")
    assert [one.unsure for one in compared(report(cause), report(not_checked=(elsewhere,))).gone] == [""]
    less = finding(2, about=DEPLOYMENT, gaps=("Log: not in this recording",))
    assert [one.unsure for one in compared(report(cause), report(less)).gone] == ["Log: not in this recording"]


def test_a_pod_stands_for_its_workload_also_where_that_was_not_seen() -> None:
    assert lasting(POD, Family(snapshot())) == DEPLOYMENT
    alone = Snapshot(NOW, snapshot().source)
    replica_set = Ref("ReplicaSet", "shop", "web-5d4f")
    for labels, expected in (({"pod-template-hash": "5d4f"}, DEPLOYMENT), ({}, replica_set)):
        alone.add(
            [
                Pod(
                    metadata=ObjectMeta(
                        name=POD.name, namespace=POD.namespace, labels=labels, owner_references=owned(replica_set)
                    )
                )
            ]
        )
        assert lasting(POD, Family(alone)) == expected


def test_of_several_pods_of_one_workload_the_cause_is_one() -> None:
    pods = report(finding(1, code="KD1", about=POD), finding(2, code="KD1", about=Ref("ReplicaSet", "shop", "web-1")))
    found = compared(report(), pods)
    assert [cause.finding.id for cause in found.new] == [id_of(1)]
