"""`why-replicas`: what each metric demands, and what is left of it."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.answers.question import Choices
from kubedoctor.answers.questions.why_replicas import why_replicas
from kubedoctor.answers.sheet import Conclusion, Sheet
from kubedoctor.cluster import Cluster, Ref, Snapshot, Source
from kubedoctor.cluster.seen.wants import Want
from kubedoctor.engine.asking import ask
from tests.engine.clinic import TAKEN_AT, complete, deployment, live, objects
from tests.engine.test_examination import Server

VALID = {"type": "ScalingActive", "status": "True", "reason": "ValidMetricFound"}
Manifest = dict[str, Any]


def autoscaler(*usage: int, current: int = 5, conditions: tuple[Manifest, ...] = (VALID,), **spec: Any) -> Manifest:
    target = {"type": "Utilization", "averageUtilization": 60}
    names = ("cpu", "memory")
    return {
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 2,
            "maxReplicas": 5,
            "metrics": [
                {"type": "Resource", "resource": {"name": name, "target": target}}
                for name, _ in zip(names, usage, strict=False)
            ],
            **spec,
        },
        "status": {
            "currentReplicas": current,
            "conditions": conditions,
            "currentMetrics": [
                {"type": "Resource", "resource": {"name": name, "current": {"averageUtilization": value}}}
                for name, value in zip(names, usage, strict=False)
            ],
        },
    }


def answered(*manifests: Manifest, kind: str = "Deployment") -> Sheet:
    return why_replicas.answer(Ref(kind, "shop", "web"), Choices(), Cluster(complete(*manifests)))


@pytest.mark.parametrize(
    ("manifest", "verdict", "conclusion"),
    [
        (
            autoscaler(84),
            "would be 7, held at 5 by maxReplicas (cpu 84%, target 60%)",
            Conclusion.TROUBLE,
        ),
        (autoscaler(63, current=3), "stays at 3: cpu 63%, target 60%, within the tolerance of 10%", Conclusion.WELL),
        (autoscaler(60, current=3), "stays at 3 (cpu 60%, target 60%)", Conclusion.WELL),
        (autoscaler(30, 90, current=3), "goes from 3 to 5 (memory 90%, target 60%)", Conclusion.WELL),
        (autoscaler(10, current=3), "would be 1, goes to 2 by minReplicas (cpu 10%, target 60%)", Conclusion.WELL),
        (
            autoscaler(
                240, current=1, maxReplicas=20, minReplicas=1, behavior={"scaleUp": {"selectPolicy": "Disabled"}}
            ),
            "would be 4, held at 1 by selectPolicy Disabled (cpu 240%, target 60%)",
            Conclusion.TROUBLE,
        ),
        (
            autoscaler(
                30, conditions=(VALID, {"type": "AbleToScale", "status": "True", "reason": "ScaleDownStabilized"})
            ),
            "would be 3, stays at 5 within its stabilization window of 5m",
            Conclusion.WELL,
        ),
        (
            autoscaler(conditions=({"type": "ScalingActive", "status": "False", "reason": "ScalingDisabled"},)),
            "is disabled, because its target has 0 replicas",
            Conclusion.TROUBLE,
        ),
        (
            autoscaler(
                conditions=(
                    {
                        "type": "ScalingActive",
                        "status": "False",
                        "reason": "FailedGetResourceMetric",
                        "message": "the HPA was unable to compute the replica count: failed to get cpu utilization: "
                        "missing request for cpu in container proxy of Pod web-1",
                    },
                )
            ),
            "computes no number: container proxy has no cpu request",
            Conclusion.TROUBLE,
        ),
        (
            autoscaler(
                conditions=(
                    {
                        "type": "AbleToScale",
                        "status": "False",
                        "reason": "FailedGetScale",
                        "message": "the HPA controller was unable to get the target's current scale: not found",
                    },
                )
            ),
            "scales nothing: not found",
            Conclusion.TROUBLE,
        ),
        (autoscaler(conditions=()), "has reported no metrics yet", Conclusion.UNKNOWN),
    ],
)
def test_the_verdict(manifest: Manifest, verdict: str, conclusion: Conclusion) -> None:
    sheet = answered(deployment("web"), manifest, kind="HorizontalPodAutoscaler")
    assert (sheet.verdict, sheet.conclusion) == (verdict, conclusion)


def test_an_autoscaler_without_its_target_is_not_well() -> None:
    sheet = answered(autoscaler(60, current=3), kind="HorizontalPodAutoscaler")
    assert sheet.verdict == "scales nothing: its target Deployment shop/web does not exist"
    assert sheet.conclusion is Conclusion.TROUBLE


def test_a_target_that_was_not_read_is_not_missing() -> None:
    snapshot = Snapshot(TAKEN_AT, Source("bundle", "file"), closed=True)
    snapshot.add(objects(autoscaler(60, current=3)))
    sheet = why_replicas.answer(Ref("HorizontalPodAutoscaler", "shop", "web"), Choices(), Cluster(snapshot))
    assert sheet.verdict == "stays at 3 (cpu 60%, target 60%)"


def test_every_metric_has_a_row_the_deciding_one_first() -> None:
    (table,) = answered(deployment("web"), autoscaler(30, 90, current=3)).tables
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["memory", "90%", "60%", "5 pods"],
        ["cpu", "30%", "60%", "2 pods"],
    ]


def test_a_workload_without_an_autoscaler_decides_itself() -> None:
    sheet = answered(deployment("web"))
    assert sheet.headline == "Deployment shop/web: is to have 1 pod by its own spec: no autoscaler scales it"


def test_autoscalers_that_were_seen_in_part_leave_the_answer_open() -> None:
    snapshot = live()
    snapshot.add(objects(deployment("web")))
    snapshot.limit(Want("HorizontalPodAutoscaler", "shop"), "only some")
    sheet = why_replicas.answer(Ref("Deployment", "shop", "web"), Choices(), Cluster(snapshot))
    assert sheet.verdict == "is to have 1 pod by its own spec, unless an autoscaler that was not seen scales it"
    assert sheet.conclusion is Conclusion.UNKNOWN


def test_one_round_fetches_what_is_needed() -> None:
    server = Server(live(), deployment("web"), autoscaler(84))
    ask(why_replicas, Ref("Deployment", "shop", "web"), Choices(), server.snapshot, server.gather)
    assert len(server.rounds) == 1
