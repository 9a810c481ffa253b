"""Pods that wait for nodes of a real scheduler, all at once: the replay says what the scheduler says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from kubedoctor.cluster import Cluster, Pod
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.replay.scheduler.observed import REPLAY_READS
from kubedoctor.replay.scheduler.pending import explain_pending
from kubedoctor.replay.scheduler.said.self_check import Agreement
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
BY_PATIENCE = sorted(SPOKEN, key=lambda case: case.patience)
FIXABLE = ("huge-cpu", "typo", "archive", "alone")
"""Their fixes change requests, selectors, affinities and a node, of workloads and of a bare pod; none deletes a pod that
runs, which no kubelet would confirm."""


@pytest.fixture(scope="module")
def nodes() -> Iterator[SimulatedNodes]:
    """A control plane of their own, so that they are in nobody's way."""
    if reason := why_not_run():
        pytest.skip(reason)
    with (
        RealCluster(f"pytest-pending-{os.getpid()}", node=False) as cluster,
        SimulatedNodes(cluster, *NODES) as nodes,
    ):
        yield nodes


@pytest.fixture(scope="module")
def pending(nodes: SimulatedNodes) -> Namespace:
    """All cases at once, when the scheduler has spoken about each."""
    cluster, namespace = nodes.cluster, Namespace(nodes.cluster, NAMESPACE)
    namespace.apply(manifest("Namespace", NAMESPACE, None))
    cluster.wait_for("service account", lambda: bool(cluster.get("serviceaccount", "default", NAMESPACE)))
    namespace.apply(*GROUND)
    namespace.apply(*RUNNING)
    cluster.wait_for("bound claim", lambda: cluster.get("pvc", "single", NAMESPACE)["status"]["phase"] == "Bound")
    namespace.apply(*(one for case in CASES for one in case.manifests))
    cluster.wait_for("the scheduler's word about every pod", lambda: _all_spoken(namespace), 60)
    return namespace


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
    message = _message(_wait_for_age(pending, case))
    assert [part for part in case.said if part not in message] == [], message

    culprit = diagnose(pending.cluster.visitor_kubeconfig, *case.subject, "-n", NAMESPACE).culprit

    assert (culprit["code"], (culprit["about"]["kind"], culprit["about"]["name"])) == (case.code, case.culprit)
    assert culprit["confidence"] == "certain", said(culprit)


def _wait_for_age(pending: Namespace, case: Case) -> Document:
    """The case's pod, when it is old enough to count as stuck."""
    pod = _pod_of(case, pending.cluster.items("pods", NAMESPACE))
    enough = datetime.fromisoformat(pod["metadata"]["creationTimestamp"]) + timedelta(seconds=case.patience + 1)
    pending.cluster.wait_for("a pod that is old enough", lambda: datetime.now(UTC) > enough)
    return pod


@pytest.fixture(scope="module")
def alone(pending: Namespace) -> Namespace:
    """Without the other pods that wait: a change to a node must place nobody else."""
    every = [case.name for case in SPOKEN if not case.bare]
    pending.cluster.kubectl("delete", "deployment", "-n", NAMESPACE, *every)
    pending.cluster.kubectl("delete", "pod", "-n", NAMESPACE, *[case.name for case in SPOKEN if case.bare])
    return pending


@pytest.mark.parametrize("name", FIXABLE)
def test_every_proven_fix_places_the_pod(alone: Namespace, nodes: SimulatedNodes, name: str) -> None:
    case = next(case for case in CASES if case.name == name)
    cluster = alone.cluster
    _start(alone, case)
    culprit = diagnose(cluster.visitor_kubeconfig, *case.subject, "-n", NAMESPACE).culprit
    commands = [fix["command"] for fix in culprit["fixes"] if fix["verified"] and fix["command"]]
    assert commands, culprit["fixes"]

    for number, command in enumerate(commands):
        if number:
            _start(alone, case)
        cluster.paste(command)
        cluster.wait_for(f"a placed pod of {name} after: {command}", lambda: _placed(alone, name), 15)
        owner = ("deployment", name, "--ignore-not-found", "--cascade=foreground", "--wait=false")
        cluster.kubectl("delete", *owner, "-n", NAMESPACE)
        cluster.kubectl("delete", "pods", "-n", NAMESPACE, "-l", f"app={name}", "--force", "--grace-period=0")
        cluster.wait_for(
            "no pods of the case", lambda: not alone.pods(name) and not cluster.get("deploy", name, NAMESPACE)
        )
        nodes.restore()


def _start(alone: Namespace, case: Case) -> None:
    alone.apply(*case.manifests)
    alone.cluster.wait_for("the scheduler's word", lambda: any(_message(pod) for pod in alone.pods(case.name)), 30)


def _placed(alone: Namespace, name: str) -> bool:
    return any(pod["spec"].get("nodeName") for pod in alone.pods(name))


def test_a_pod_that_no_scheduler_looks_at(pending: Namespace) -> None:
    _wait_for_age(pending, next(case for case in CASES if case.name == UNHEARD))

    culprit = diagnose(pending.cluster.visitor_kubeconfig, "deploy", UNHEARD, "-n", NAMESPACE).culprit

    assert (culprit["code"], culprit["about"]["name"]) == ("KD1101", UNHEARD)
    assert "fair-scheduler" in culprit["summary"]
