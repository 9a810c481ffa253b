"""Which changes are proposed, and that each is proven and minimal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import convert
from msgspec.structs import replace

from kubedoctor.answers.placement.fixing.words import edit_words, remedy_words
from kubedoctor.cluster.changes import apply_to_data
from kubedoctor.cluster.grammar.quantities import parse_quantity
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.kinds.storage import PersistentVolume, PersistentVolumeClaim
from kubedoctor.replay.scheduler.counterfactuals import Kind, apply_to_state
from kubedoctor.replay.scheduler.cycle import schedule
from kubedoctor.replay.scheduler.snapshot import ClusterState
from kubedoctor.testing.oracle import question
from tests.replay.scheduler.counterfactuals.cases import found, node, pending, pod, summaries

GPU = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}
NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
ZONE = "topology.kubernetes.io/zone"
HOST = "kubernetes.io/hostname"
WEB = {"matchLabels": {"app": "web"}}


def apart(key: str) -> dict[str, Any]:
    terms = [{"labelSelector": WEB, "topologyKey": key}]
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


def test_nothing_to_change_where_the_pod_fits() -> None:
    assert found(pod(), ClusterState.of([node("a")], [])) == ()


def test_a_request_is_lowered_to_all_that_is_left_of_the_roomiest_node() -> None:
    running = [pod("r", "a", {"cpu": "3500m"}), pod("s", "b", {"cpu": "3200m"})]
    state = ClusterState.of([node("a"), node("b")], running)
    first, more = found(pod(requests={"cpu": "1"}), state)
    assert remedy_words(first) == "lower the cpu request of container app from 1 to 800m (all that is free on b)"
    assert first.nodes == ("b",)
    assert first.edits[0].arguments == ("app", "cpu", "800m")
    assert (more.kind, more.about) == (Kind.ADD_NODE, Ref("Node", "", "b"))


def test_daemon_sets_take_their_part_of_a_new_node() -> None:
    owner = {"kind": "DaemonSet", "name": "agent", "uid": "u", "controller": True}
    agent = pod("agent", "a", {"cpu": "500m"}, metadata={"ownerReferences": [owner]})
    state = ClusterState.of([node("a")], [agent, pod("r", "a", {"cpu": "3"})])
    assert [one.kind for one in found(pod(requests={"cpu": "3500m"}), state)] == [Kind.LOWER_REQUEST, Kind.ADD_NODE]
    assert [one.kind for one in found(pod(requests={"cpu": "3600m"}), state)] == [Kind.LOWER_REQUEST]
    (_, more) = found(pod(requests={"cpu": "1"}), state)
    objects = [
        {"kind": "Node", "metadata": {"name": "a", "labels": {}}, "spec": {}},
        {"kind": "Pod", "metadata": {"name": "agent", "namespace": "d"}, "spec": {"nodeName": "a"}},
    ]
    names = [(one["kind"], one["metadata"]["name"]) for one in apply_to_data(objects, more.outcome)]
    assert names == [("Node", "a"), ("Pod", "agent"), ("Node", "a-1"), ("Pod", "agent-a-1")]


def test_what_is_lowered_for_a_new_node_is_lowered_to_all_that_is_free_there() -> None:
    """Which is more than the node that it is like has left."""
    owner = {"kind": "DaemonSet", "name": "agent", "uid": "u", "controller": True}
    agent = pod("agent", "a", {"cpu": "500m"}, metadata={"ownerReferences": [owner]})
    cordoned = node("a", unschedulable=True)
    more = "add a node like a"
    lower = "lower the cpu request of container app from 5 to 3500m (all that is free on the new node)"
    state = ClusterState.of([cordoned], [agent, pod("r", "a", {"cpu": "2593m"})])
    assert summaries(pod(requests={"cpu": "5"}), state) == [
        "lower the cpu request of container app from 5 to 907m (all that is free on a), and uncordon a",
        f"{lower}, and {more}",
    ]
    assert summaries(pod(requests={"cpu": "3"}), state) == [more]
    full = ClusterState.of([node("a")], [agent, pod("r", "a", {"cpu": "3500m"})])
    assert summaries(pod(requests={"cpu": "5"}), full) == [f"{lower}, and {more}"]


def test_memory_is_lowered_to_whole_mebibytes() -> None:
    running = [pod("r", "a", {"memory": "1000M"})]
    (change,) = found(pod(requests={"memory": "5Gi"}), ClusterState.of([node("a")], running))
    assert change.edits[0].arguments == ("app", "memory", f"{((4 << 30) - 10**9) >> 20}Mi")


def test_what_all_containers_ask_for_counts() -> None:
    containers = [
        {"name": "side", "resources": {"requests": {"cpu": "1"}}},
        {"name": "app", "resources": {"requests": {"cpu": "4"}}},
    ]
    (change,) = found(pod(containers=containers), ClusterState.of([node("a")], []))
    assert change.edits[0].arguments == ("app", "cpu", "3")


def test_a_taint_is_tolerated_or_removed() -> None:
    state = ClusterState.of([node("a", taints=[GPU])], [])
    tolerate, remove = found(pod(), state)
    assert remedy_words(tolerate) == "tolerate taint gpu=yes:NoSchedule"
    assert tolerate.edits[0].operations[0].steps[0].value == {
        "key": "gpu",
        "operator": "Equal",
        "value": "yes",
        "effect": "NoSchedule",
    }
    assert (remove.kind, remove.about) == (Kind.REMOVE_TAINT, Ref("Node", "", "a"))


def test_taints_by_which_kubernetes_says_how_a_node_is_are_left_alone() -> None:
    (change,) = found(pod(), ClusterState.of([node("a", taints=[NOT_READY])], []))
    assert change.kind is Kind.ADD_NODE


def test_a_cordon_and_its_taint_are_one_thing() -> None:
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    state = ClusterState.of([node("a", unschedulable=True, taints=[GPU, taint])], [])
    waiting = pod(tolerations=[{"key": "gpu", "operator": "Exists"}])
    assert summaries(waiting, state) == ["uncordon a", "add a node like a"]


def test_others_whom_an_uncordon_lets_in_are_named() -> None:
    state = ClusterState.of([node("a", unschedulable=True)], [])
    others = (pod("q"), pod("big", requests={"cpu": "5"}), pod("p"))
    assert found(pod(), state, others)[0].affects == (Ref("Pod", "d", "q"),)


def test_the_nearest_label_value_comes_first() -> None:
    nodes = [node("a", labels={"disk": "nvme"}), node("b", labels={"disk": "ssd"}), node("c")]
    assert summaries(pod(nodeSelector={"disk": "sdd"}), ClusterState.of(nodes, [])) == [
        "set nodeSelector disk=ssd instead of disk=sdd",
        "set nodeSelector disk=nvme instead of disk=sdd",
        "drop nodeSelector disk=sdd",
    ]


def test_of_a_node_affinity_no_more_than_needed_is_dropped() -> None:
    expressions = [
        {"key": "disk", "operator": "In", "values": ["sdd"]},
        {"key": "arch", "operator": "Exists"},
    ]
    required = {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": expressions}]}
    }
    state = ClusterState.of([node("a", labels={"disk": "ssd", "arch": "arm"})], [])
    assert summaries(pod(affinity={"nodeAffinity": required}), state) == [
        "allow disk=ssd in the required node affinity",
        "drop disk In sdd from the required node affinity",
    ]


def test_the_smallest_skew_that_works() -> None:
    running = [pod(f"r{n}", "a") for n in range(3)]
    cordoned = node("b", labels={ZONE: "z2"}, unschedulable=True)
    state = ClusterState.of([node("a", labels={ZONE: "z1"}), cordoned], running)
    assert summaries(pod(topologySpreadConstraints=[spread(ZONE)]), state) == [
        f"set maxSkew of the topology spread over {ZONE} to 4",
        "uncordon b",
        f"set whenUnsatisfiable of the topology spread over {ZONE} to ScheduleAnyway",
        "add a node like b",
    ]


def spread(key: str, when: str = "DoNotSchedule", **more: Any) -> dict[str, Any]:
    return {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": when, "labelSelector": WEB, **more}


def test_no_key_gets_two_wishes() -> None:
    """As the API server refuses: "{topologyKey, whenUnsatisfiable}" may not be there twice."""
    nodes = [node("a", labels={ZONE: "z1"}), node("b", labels={ZONE: "z2"}, unschedulable=True)]
    state = ClusterState.of(nodes, [pod("r", "a")])
    wish = f"set whenUnsatisfiable of the topology spread over {ZONE} to ScheduleAnyway"
    assert wish not in summaries(pod(topologySpreadConstraints=[spread(ZONE), spread(ZONE, "ScheduleAnyway")]), state)
    assert wish in summaries(pod(topologySpreadConstraints=[spread(ZONE), spread(HOST, "ScheduleAnyway")]), state)


def test_a_wish_has_no_least_number_of_domains() -> None:
    """As the API server refuses: minDomains goes with DoNotSchedule only."""
    state = ClusterState.of([node("a", labels={ZONE: "z1"})], [pod("r", "a")])
    (wish,) = (
        one.edits[0]
        for one in found(pod(topologySpreadConstraints=[spread(ZONE, minDomains=3)]), state)
        if "ScheduleAnyway" in one.edits[0].arguments
    )
    assert edit_words(wish).endswith("to ScheduleAnyway and drop its minDomains")
    path = ("spec", "topologySpreadConstraints", 0)
    steps = wish.operations[0].steps
    assert [(one.path, one.value, one.remove) for one in steps] == [
        ((*path, "whenUnsatisfiable"), "ScheduleAnyway", False),
        ((*path, "minDomains"), None, True),
    ]


def test_anti_affinity_is_narrowed_before_it_is_dropped() -> None:
    nodes = [node(name, labels={ZONE: "z1"}) for name in "ab"]
    state = ClusterState.of(nodes, [pod("r", "a")])
    narrow, drop = found(pod(affinity=apart(ZONE)), state)
    assert remedy_words(narrow) == f"require the pod anti-affinity per node instead of per {ZONE}"
    assert narrow.nodes == ("b",)
    assert remedy_words(drop) == f"drop the required pod anti-affinity over {ZONE}"
    assert drop.nodes == ("a", "b")


def test_a_pod_that_keeps_others_away_is_named() -> None:
    state = ClusterState.of([node("a")], [pod("r", "a", affinity=apart(HOST))])
    first, second = found(pod(), state)
    assert (first.kind, second.kind) == (Kind.ADD_NODE, Kind.DELETE_POD)
    assert second.affects == (Ref("Pod", "d", "r"),)


def test_a_host_port_is_given_up_or_freed() -> None:
    containers = [{"name": "app", "ports": [{"containerPort": 80, "hostPort": 8080}]}]
    holder = pod("r", "a", containers=containers)
    changes = found(pod(containers=containers), ClusterState.of([node("a")], [holder]))
    assert [one.kind for one in changes] == [Kind.FREE_HOST_PORT, Kind.ADD_NODE, Kind.DELETE_POD]
    owner = {"kind": "DaemonSet", "name": "r", "uid": "u", "controller": True}
    holder = pod("r", "a", containers=containers, metadata={"ownerReferences": [owner]})
    changes = found(pod(containers=containers), ClusterState.of([node("a")], [holder]))
    assert [one.kind for one in changes] == [Kind.FREE_HOST_PORT]


def claim(name: str, mode: str) -> PersistentVolumeClaim:
    metadata = {"name": name, "namespace": "d", "annotations": {"pv.kubernetes.io/bind-completed": "yes"}}
    data = {"metadata": metadata, "spec": {"accessModes": [mode], "volumeName": name}, "status": {"phase": "Bound"}}
    return convert(data, PersistentVolumeClaim)


def volume(name: str) -> PersistentVolume:
    return convert({"metadata": {"name": name}}, PersistentVolume)


def mounting(name: str) -> list[dict[str, Any]]:
    return [{"name": "data", "persistentVolumeClaim": {"claimName": name}}]


def test_a_claim_for_one_pod_is_taken_from_the_other() -> None:
    claims, volumes = [claim("data", "ReadWriteOncePod")], [volume("data")]
    state = ClusterState.of([node("a")], [pod("r", "a", volumes=mounting("data"))], claims=claims, volumes=volumes)
    assert summaries(pod(volumes=mounting("data")), state) == ["delete pod d/r, which uses the same volume"]


def test_a_misspelt_claim_is_corrected() -> None:
    claims, volumes = [claim("postgres-data", "ReadWriteOnce")], [volume("postgres-data")]
    state = ClusterState.of([node("a")], [], claims=claims, volumes=volumes)
    assert summaries(pod(volumes=mounting("postgers-data")), state) == [
        "use claim postgres-data instead of postgers-data"
    ]


def test_gates_come_first_and_alone_where_that_is_enough() -> None:
    gates = [{"name": "example.com/wait"}]
    waiting = pod(schedulingGates=gates)
    assert summaries(waiting, ClusterState.of([node("a")], [])) == ["remove the scheduling gate example.com/wait"]
    both = "remove the scheduling gate example.com/wait, and uncordon a"
    assert summaries(waiting, ClusterState.of([node("a", unschedulable=True)], []))[0] == both


def test_pairs_only_where_nothing_single_helps() -> None:
    state = ClusterState.of([node("a", taints=[GPU], labels={"disk": "ssd"})], [])
    changes = found(pod(nodeSelector={"disk": "sdd"}), state)
    assert remedy_words(changes[0]) == (
        "set nodeSelector disk=ssd instead of disk=sdd, and tolerate taint gpu=yes:NoSchedule"
    )
    assert {len(one.edits) for one in changes} == {2}


def test_the_state_is_left_as_it_was() -> None:
    state = ClusterState.of([node("a", unschedulable=True)], [])
    (uncordon, *_) = found(pod(), state)
    changed = apply_to_state(pod(), state, uncordon.edits)
    assert changed.feasible() == ("a",)
    assert not schedule(pod(), state).feasible


def test_every_change_is_proven_and_minimal(shared: Path) -> None:
    rows = changes = pairs = 0
    for row in pending(shared, 300, every=5):
        rows += 1
        for change in found(row.situation.pod, row.situation.state):
            changes += 1
            pairs += len(change.edits) > 1
            objects = [{"kind": "Pod", **row.request["pod"]}, *row.request["objects"]]
            for index in (None, *range(len(change.edits))):
                part = change if index is None else change.without(index)
                first, *others = apply_to_data(objects, part.outcome)
                request = {"pod": first, "objects": others}
                verdict = schedule(*question(json.dumps(request).encode()))
                assert verdict.feasible == (change.nodes if index is None else ()), (row.id, remedy_words(part))
    assert rows > 200
    assert changes > 250
    assert pairs > 20


def one_more_unit(resource: str, text: str) -> str:
    """The next larger amount of those that are proposed."""
    amount = parse_quantity(text)
    if resource == "cpu":
        return f"{amount.milli_value() + 1}m"
    value = amount.value()
    unit = 1 << 20 if value >= 1 << 20 else 1 << 10 if value >= 1 << 10 else 1
    return str(value + (unit if resource in ("memory", "ephemeral-storage") else 1))


@pytest.mark.long
def test_no_larger_request_would_do(shared: Path) -> None:
    tried = 0
    for row in pending(shared, 1000, every=1):
        pending_pod, state = row.situation.pod, row.situation.state
        for change in found(pending_pod, state):
            for index, edit in enumerate(change.edits):
                if edit.kind is Kind.LOWER_REQUEST:
                    _, resource, text = edit.arguments
                    (operation,) = edit.operations
                    steps = tuple(replace(step, value=one_more_unit(resource, text)) for step in operation.steps)
                    larger = replace(edit, operations=(replace(operation, steps=steps),))
                    edits = (*change.edits[:index], larger, *change.edits[index + 1 :])
                    assert not apply_to_state(pending_pod, state, edits).feasible(), (row.id, remedy_words(change))
                    tried += 1
    assert tried > 30
