"""Pods that wait for nodes of a real scheduler, all at once: the replay says what the scheduler says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from kubedoctor.cluster import Cluster, Pod
from kubedoctor.collect.opening import Options, open_source
from kubedoctor.replay.scheduler.observed import REPLAY_READS
from kubedoctor.replay.scheduler.pending import explain_pending
from kubedoctor.replay.scheduler.self_check import Agreement
from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.layout import Document
from tests.real.cluster.requirements import why_not_run
from tests.real.cluster.simulated_nodes import SimulatedNodes
from tests.real.diagnosis import diagnose, said
from tests.real.namespace import Namespace
from tests.real.pending import CASES, GROUND, NAMESPACE, NODES, RUNNING, Case
from tests.real.workloads import manifest

pytestmark = pytest.mark.real

UNHEARD = "nobody-schedules"
SPOKEN = tuple(case for case in CASES if case.name != UNHEARD)
BY_PATIENCE = sorted(CASES, key=lambda case: case.patience)


@pytest.fixture(scope="module")
def pending() -> Iterator[Namespace]:
    """All cases at once on a control plane of their own, when the scheduler has spoken about each."""
    if reason := why_not_run():
        pytest.skip(reason)
    with RealCluster(f"pytest-pending-{os.getpid()}", node=False) as cluster, SimulatedNodes(cluster, *NODES):
        namespace = Namespace(cluster, NAMESPACE)
        namespace.apply(manifest("Namespace", NAMESPACE, None))
        cluster.wait_for("service account", lambda: bool(cluster.get("serviceaccount", "default", NAMESPACE)))
        namespace.apply(*GROUND)
        namespace.apply(*RUNNING)
        cluster.wait_for("bound claim", lambda: cluster.get("pvc", "single", NAMESPACE)["status"]["phase"] == "Bound")
        namespace.apply(*(one for case in CASES for one in case.manifests))
        cluster.wait_for("the scheduler's word about every pod", lambda: _all_spoken(namespace), 60)
        yield namespace


def _all_spoken(namespace: Namespace) -> bool:
    pods = namespace.cluster.items("pods", NAMESPACE)
    return all(_message(_pod_of(case, pods)) for case in SPOKEN)


def _pod_of(case: Case, pods: list[Document]) -> Document:
    """The case's pod; empty while there is none."""
    return next((pod for pod in pods if pod["metadata"].get("labels", {}).get("app") == case.name), {})


def _message(pod: Document) -> str:
    conditions = pod.get("status", {}).get("conditions", [])
    return next((row.get("message", "") for row in conditions if row["type"] == "PodScheduled"), "")


def test_the_replay_agrees_with_the_real_scheduler_about_every_pod(pending: Namespace) -> None:
    source = open_source(Options(kubeconfig=str(pending.cluster.visitor_kubeconfig)))
    try:
        source.list_all([kind.__name__ for kind in (*REPLAY_READS,)] + ["Event"])
    finally:
        source.close()
    cluster = Cluster(source.snapshot)
    waiting = [pod for pod in cluster.all(Pod) if not pod.spec.node_name]
    answers = {pod.labels["app"]: explain_pending(pod, cluster) for pod in waiting}

    assert set(answers) == {case.name for case in CASES}
    heard = {name: answer for name, answer in answers.items() if name != UNHEARD}
    wrong = {
        name: (answer.agreement, answer.said and answer.said.text, answer.verdict.message, answer.comparison)
        for name, answer in heard.items()
        if answer.agreement is not Agreement.AGREES
    }
    assert wrong == {}
    assert answers[UNHEARD].agreement is Agreement.NO_MESSAGE


@pytest.mark.parametrize("case", BY_PATIENCE, ids=lambda case: case.name)
def test_the_first_incident_is_the_reason(pending: Namespace, case: Case) -> None:
    pod = _pod_of(case, pending.cluster.items("pods", NAMESPACE))
    assert [part for part in case.said if part not in _message(pod)] == [], _message(pod)
    enough = datetime.fromisoformat(pod["metadata"]["creationTimestamp"]) + timedelta(seconds=case.patience + 1)
    pending.cluster.wait_for("a pod that is old enough", lambda: datetime.now(UTC) > enough)

    culprit = diagnose(pending.cluster.visitor_kubeconfig, *case.subject, "-n", NAMESPACE).culprit

    assert (culprit["code"], (culprit["about"]["kind"], culprit["about"]["name"])) == (case.code, case.culprit)
    assert culprit["confidence"] == ("likely" if case.name == UNHEARD else "certain"), said(culprit)
