"""What will be wanted next is fetched at once, and the report is the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.wants import LogWant, Want
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.engine import examination, focus, load_catalogue
from kubedoctor.engine.foresight import MOST_SINGLE, with_foreseen
from kubedoctor.engine.report import Report
from kubedoctor.sandbox import Sandbox, load_recording, recording_path, serve
from kubedoctor.sandbox.server import SandboxServer
from tests.engine.clinic import live, objects, pod

CRASHING = Ref("Pod", "shop", "payments-55fb65c6b5-n4klx")


@pytest.fixture(scope="module")
def served() -> Iterator[SandboxServer]:
    with serve(Sandbox(load_recording(recording_path("shop-at-night")))) as server:
        yield server


def examined(served: SandboxServer, subject: Ref) -> Report:
    source = open_source(Options(kubeconfig=str(served.kubeconfig), namespace=subject.namespace or None))
    try:
        return focus(load_catalogue(), subject, source.snapshot, source.gather)
    finally:
        source.close()


@pytest.mark.parametrize(
    ("subject", "rounds"),
    [
        (CRASHING, 4),
        (Ref("Service", "shop", "payments"), 4),
        (Ref("Deployment", "shop", "payments"), 4),
        (Ref("Node", "", "node-1"), 3),
        (Ref("Namespace", "", "shop"), 4),
    ],
    ids=str,
)
def test_the_report_is_the_same_in_fewer_rounds(
    served: SandboxServer, subject: Ref, rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreseen = examined(served, subject)
    monkeypatch.setattr(examination, "with_foreseen", lambda wants, _: frozenset(wants))
    plain = examined(served, subject)
    found = (foreseen.findings, foreseen.on_it)
    assert found == (plain.findings, plain.on_it) != ((), ())
    assert foreseen.not_checked == plain.not_checked
    assert foreseen.rounds <= rounds < plain.rounds or subject.kind == "Deployment"


def test_a_running_pod_costs_few_requests(served: SandboxServer) -> None:
    report = examined(served, Ref("Pod", "ops", "node-agent-8qgdx"))
    assert report.requests <= 8
    assert report.rounds <= 3


def test_many_of_a_kind_are_listed_unless_that_is_refused() -> None:
    snapshot = live()
    wants: set[Want | LogWant] = {Want("ReplicaSet", "shop", f"web-{number}") for number in range(MOST_SINGLE + 1)}
    assert with_foreseen(wants, snapshot) == {Want("ReplicaSet", "shop")}
    few = frozenset(list(wants)[:MOST_SINGLE])
    assert with_foreseen(few, snapshot) == few
    snapshot.refuse(Want("ReplicaSet", "shop"), "forbidden")
    assert with_foreseen(wants, snapshot) == wants


def test_nodes_secrets_and_logs_are_never_listed_for_a_few() -> None:
    nodes: set[Want | LogWant] = {Want("Node", "", f"n{number}") for number in range(9)}
    secrets: set[Want | LogWant] = {Want("Secret", "shop", f"s{number}") for number in range(9)}
    logs: set[Want | LogWant] = {LogWant("shop", f"web-{number}", "app") for number in range(9)}
    assert with_foreseen(nodes | secrets | logs, live()) == nodes | secrets | logs


def test_what_is_known_or_refused_is_not_foreseen() -> None:
    snapshot = live()
    snapshot.cover(Want("Service", "shop"))
    snapshot.refuse(Want("NetworkPolicy", "shop"), "forbidden")
    web = Want("Pod", "shop", "web-1")
    assert with_foreseen((web,), snapshot) == {web, Want("Namespace", "", "shop")}


def test_the_deployment_is_named_as_the_pods_say() -> None:
    snapshot = live()
    manifest = pod("web-55fb-1", node="n1", owner="web-55fb")
    manifest["metadata"]["labels"] = {"pod-template-hash": "55fb"}
    snapshot.add(objects(manifest))
    assert Want("Deployment", "shop", "web") in with_foreseen((Want("ReplicaSet", "shop", "web-55fb"),), snapshot)
