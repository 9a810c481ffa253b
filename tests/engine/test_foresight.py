"""What will be wanted next is fetched at once, and the report is the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
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


MOST_REQUESTS = {
    "Pod": 24,  # Pending with a claim: the replay reads nodes, pods, volumes, classes and drivers of the whole cluster
    "Service": 18,
    "Deployment": 23,
    "ReplicaSet": 24,
    "StatefulSet": 7,
    "DaemonSet": 7,
    "Job": 5,
    "CronJob": 6,
    "Node": 15,
    "PersistentVolumeClaim": 23,
    "PersistentVolume": 4,
    "NetworkPolicy": 6,
    "Namespace": 35,  # eight lists, and what its Pending pod needs
}


def test_every_object_takes_few_rounds_and_requests(served: SandboxServer) -> None:
    """Counted, not timed; with the version. A pod that runs, whose workload is not in trouble, takes eight requests."""
    source = open_source(Options(kubeconfig=str(served.kubeconfig), all_namespaces=True))
    try:
        source.list_all(MOST_REQUESTS)
    finally:
        source.close()
    spent = {}
    for kind in MOST_REQUESTS:
        for obj in source.snapshot.of_kind(kind):
            report = examined(served, ref(obj))
            running = isinstance(obj, Pod) and obj.status.phase == "Running" and not report.findings
            spent[ref(obj)] = (report.rounds, report.requests, 8 if running else MOST_REQUESTS[kind])
    assert len(spent) > 60
    assert not {name: used for name, used in spent.items() if used[0] > 4 or used[1] > used[2]}
    assert sum(most == 8 for _, _, most in spent.values()) > 8


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


def test_a_list_stands_for_what_it_holds() -> None:
    shop = Want("Pod", "shop")
    parts: set[Want | LogWant] = {
        Want("Pod", "shop", labels="app=web"),
        Want("Pod", "", fields="spec.nodeName=n1"),
        Want("Pod", "dev"),
        Want("ReplicaSet", "shop", "web-1"),
    }
    assert with_foreseen({shop, *parts}, live()) == {shop, *parts} - {Want("Pod", "shop", labels="app=web")}
    assert with_foreseen({Want("Pod"), shop, *parts}, live()) == {Want("Pod"), Want("ReplicaSet", "shop", "web-1")}


def test_a_list_of_secrets_has_only_names() -> None:
    both: set[Want | LogWant] = {Want("Secret", "shop"), Want("Secret", "shop", "password")}
    assert with_foreseen(both, live()) == both


def test_the_replay_of_an_unschedulable_pod_is_foreseen() -> None:
    manifest = pod("web-55fb-1", owner="web-55fb")
    for reason, foreseen in (("Unschedulable", True), ("SchedulingGated", False)):
        stated = {"type": "PodScheduled", "status": "False", "reason": reason}
        manifest["status"] = {"phase": "Pending", "conditions": [stated]}
        snapshot = live()
        snapshot.add(objects(manifest))
        wants = with_foreseen((Want("ReplicaSet", "shop", "web-55fb"),), snapshot)
        assert ({Want("Node"), Want("Pod")} <= wants) == foreseen


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
