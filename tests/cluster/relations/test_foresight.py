"""What will be wanted next is named, and nothing twice."""

from __future__ import annotations

import pytest

from kubedoctor.cluster.relations.foresight import MOST_OF_CLUSTER, MOST_SINGLE, with_foreseen
from kubedoctor.cluster.seen.wants import LogWant, Want
from tests.engine.clinic import live, objects, pod


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


def test_the_nodes_of_many_pods_are_listed() -> None:
    nodes: set[Want | LogWant] = {Want("Node", "", f"n{number}") for number in range(MOST_OF_CLUSTER + 1)}
    assert with_foreseen(nodes, live()) == {Want("Node")}


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


DNS = Want("Service", "kube-system", "kube-dns")
WAITS = {"waiting": {"reason": "ImagePullBackOff"}}
CRASHES = {"waiting": {"reason": "CrashLoopBackOff"}}
ENDED = {"terminated": {"exitCode": 1}}


@pytest.mark.parametrize(
    ("state", "before", "asks"),
    [(WAITS, {}, False), (CRASHES, ENDED, True), ({"running": {}}, {}, True), (ENDED, {}, True), ({}, {}, False)],
    ids=["no image", "crashed", "not ready", "ended", "no state"],
)
def test_only_a_program_that_ran_may_have_waited_for_a_name(
    state: dict[str, object], before: dict[str, object], asks: bool
) -> None:
    manifest = pod("web-55fb-1", node="n1", owner="web-55fb")
    status = {"name": "app", "state": state, "lastState": before, "restartCount": 0}
    manifest["status"] = {"phase": "Pending", "containerStatuses": [status]}
    snapshot = live()
    snapshot.add(objects(manifest))
    assert (DNS in with_foreseen((Want("ReplicaSet", "shop", "web-55fb"),), snapshot)) == asks
