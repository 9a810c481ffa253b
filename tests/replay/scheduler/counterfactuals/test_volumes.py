"""Changes to claims, volumes and the places where they are."""

from __future__ import annotations

from typing import Any

from msgspec import convert

from kubedoctor.answers.placement.fixing.words import remedy_words
from kubedoctor.cluster.kinds.core import Node
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.kinds.storage import (
    CSIDriver,
    CSINode,
    CSIStorageCapacity,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeAttachment,
)
from kubedoctor.replay.scheduler.counterfactuals import Counterfactual, Kind
from kubedoctor.replay.scheduler.snapshot import ClusterState
from tests.replay.scheduler.counterfactuals.cases import found, node, pod, summaries

ZONE = "topology.kubernetes.io/zone"
HOST = "kubernetes.io/hostname"
DRIVER = "csi.example.com"
NONE = "kubernetes.io/no-provisioner"
Terms = list[dict[str, Any]]


def at(key: str, *values: str) -> dict[str, Any]:
    expressions = [{"key": key, "operator": "In", "values": list(values)}]
    return {"required": {"nodeSelectorTerms": [{"matchExpressions": expressions}]}}


def storage_class(name: str, provisioner: str = NONE, *, waits: bool = False, default: bool = False) -> StorageClass:
    mark = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    mode = "WaitForFirstConsumer" if waits else "Immediate"
    data = {"metadata": {"name": name, "annotations": mark}, "provisioner": provisioner, "volumeBindingMode": mode}
    return convert(data, StorageClass)


def claim(name: str = "data", size: str = "5Gi", modes: tuple[str, ...] = ("ReadWriteOnce",), **spec: Any) -> Any:
    metadata = {"name": name, "namespace": "d", "uid": f"uid-{name}", **spec.pop("metadata", {})}
    asked = {"accessModes": list(modes), "resources": {"requests": {"storage": size}}, **spec}
    return convert({"metadata": metadata, "spec": asked, "status": {"phase": "Pending"}}, PersistentVolumeClaim)


def bound(name: str, volume: str) -> PersistentVolumeClaim:
    done = {"annotations": {"pv.kubernetes.io/bind-completed": "yes"}}
    found: PersistentVolumeClaim = claim(name, volumeName=volume, metadata=done)
    return found


def volume(name: str, size: str = "5Gi", modes: tuple[str, ...] = ("ReadWriteOnce",), **spec: Any) -> PersistentVolume:
    metadata = {"name": name, "labels": spec.pop("labels", {})}
    status = {"phase": spec.pop("phase", "Available")}
    data = {"capacity": {"storage": size}, "accessModes": list(modes), **spec}
    return convert({"metadata": metadata, "spec": data, "status": status}, PersistentVolume)


def mounting(*names: str, **more: Any) -> Pod:
    volumes = [{"name": f"v-{name}", "persistentVolumeClaim": {"claimName": name}} for name in names]
    return pod(volumes=volumes, **more)


def state(*nodes: Node, pods: tuple[Pod, ...] = (), **objects: Any) -> ClusterState:
    return ClusterState.of(nodes or [node("a")], pods, **objects)


def only(waiting: Pod, seen: ClusterState) -> Counterfactual:
    (change,) = found(waiting, seen)
    return change


def test_a_misspelt_class_is_corrected_before_the_default_is_taken() -> None:
    classes = [storage_class("fast-ssd"), storage_class("standard", default=True), storage_class("empty")]
    volumes = [volume("x", storageClassName="fast-ssd"), volume("y", storageClassName="standard")]
    seen = state(claims=[claim(storageClassName="fast-sdd")], volumes=volumes, classes=classes)
    assert summaries(mounting("data"), seen) == [
        "recreate claim data: storage class fast-ssd instead of fast-sdd (volume x then fits)",
        "recreate claim data: storage class standard instead of fast-sdd (volume y then fits)",
    ]


def test_the_first_class_of_a_claim_may_be_set_without_making_it_anew() -> None:
    seen = state(claims=[claim()], volumes=[volume("x", storageClassName="m")], classes=[storage_class("m")])
    change = only(mounting("data"), seen)
    assert change.kind is Kind.CHANGE_CLAIM
    assert remedy_words(change) == "change claim data: storage class m (volume x then fits)"


def test_a_provisioner_is_an_assumption() -> None:
    for waits in (True, False):
        classes = [storage_class("cloud", DRIVER, waits=waits)]
        change = only(mounting("data"), state(claims=[claim(storageClassName="cluod")], classes=classes))
        assert remedy_words(change) == "recreate claim data: storage class cloud instead of cluod"
        assert change.provisioners == (DRIVER,)
        assert change.nodes == ("a",)


def test_what_is_proven_comes_before_what_is_assumed() -> None:
    classes = [storage_class("cloud", DRIVER), storage_class("manual")]
    seen = state(
        claims=[claim(storageClassName="clou")], volumes=[volume("x", storageClassName="manual")], classes=classes
    )
    assert [one.provisioners for one in found(mounting("data"), seen)] == [(), (DRIVER,)]


def test_claims_whose_volume_is_on_its_way_are_left_alone() -> None:
    """The default class is given within seconds, a fitting volume bound, a provisioner is at work."""
    other = storage_class("other", DRIVER)
    default = storage_class("standard", DRIVER, default=True)
    cloud = storage_class("cloud", DRIVER)
    assert summaries(mounting("data"), state(claims=[claim()], classes=[default, other])) == []
    asked = claim(storageClassName="cloud")
    assert summaries(mounting("data"), state(claims=[asked], classes=[cloud, other])) == []
    fits = volume("x", storageClassName="cloud")
    assert summaries(mounting("data"), state(claims=[asked], volumes=[fits], classes=[cloud, other])) == []


def test_no_change_leaves_the_claim_without_a_volume() -> None:
    """Room for the pod is worth nothing while its claim waits."""
    full = pod("r", "a", {"cpu": "4"})
    for waits in (True, False):
        classes = [storage_class("manual", waits=waits)]
        for own in (claim(storageClassName="manual"), claim(storageClassName="absent"), claim()):
            seen = state(node("a"), node("b", unschedulable=True), pods=(full,), claims=[own], classes=classes)
            assert summaries(mounting("data", requests={"cpu": "1"}), seen) == []


def test_less_is_asked_for_where_volumes_are_too_small() -> None:
    volumes = [volume("x", "2Gi", storageClassName="m"), volume("y", "3Gi", storageClassName="m")]
    for waits in (True, False):
        asked = claim(size="50Gi", storageClassName="m")
        change = only(
            mounting("data"), state(claims=[asked], volumes=volumes, classes=[storage_class("m", waits=waits)])
        )
        assert remedy_words(change) == "recreate claim data: size 3Gi instead of 50Gi (as volume y has it)"


def test_the_largest_volume_is_found_on_whichever_node_it_is() -> None:
    names = [f"n{number}" for number in range(30)]
    volumes = [
        volume(f"v{name}", f"{number + 1}Gi", storageClassName="m", nodeAffinity=at(HOST, name))
        for number, name in enumerate(names)
    ]
    asked = claim(size="50Gi", storageClassName="m")
    seen = state(*map(node, names), claims=[asked], volumes=volumes, classes=[storage_class("m", waits=True)])
    assert summaries(mounting("data"), seen) == [
        "recreate claim data: size 30Gi instead of 50Gi (as volume vn29 has it)"
    ]


def test_other_access_modes_and_volumes_that_the_selector_does_not_find() -> None:
    one, other = ("ReadWriteMany",), ("ReadWriteOnce",)
    classes = [storage_class("m")]
    asked = claim(modes=one, storageClassName="m")
    change = only(
        mounting("data"),
        state(claims=[asked], volumes=[volume("x", modes=other, storageClassName="m")], classes=classes),
    )
    assert remedy_words(change) == (
        "recreate claim data: access mode ReadWriteOnce instead of ReadWriteMany (as volume x has it)"
    )
    asked = claim(storageClassName="m", selector={"matchLabels": {"disk": "big"}})
    change = only(mounting("data"), state(claims=[asked], volumes=[volume("x", storageClassName="m")], classes=classes))
    assert change.kind is Kind.CHANGE_CLAIM
    assert remedy_words(change) == "change claim data: volume x by name (as volume x has it)"


def test_a_released_volume_is_let_go_and_the_volume_of_a_living_claim_is_not() -> None:
    held = {"namespace": "d", "name": "data", "uid": "old"}
    released = volume("x", storageClassName="m", claimRef=held, phase="Released")
    for waits in (True, False):
        classes = [storage_class("m", waits=waits)]
        seen = state(claims=[claim(storageClassName="m")], volumes=[released], classes=classes)
        change = only(mounting("data"), seen)
        assert (change.kind, change.about) == (Kind.RELEASE_VOLUME, Ref("PersistentVolume", "", "x"))
    other = claim("other", volumeName="x")
    taken = volume("x", storageClassName="m", claimRef={"namespace": "d", "name": "other", "uid": "uid-other"})
    seen = state(claims=[claim(storageClassName="m"), other], volumes=[taken], classes=[storage_class("m")])
    assert summaries(mounting("data"), seen) == []


def test_one_volume_is_not_bound_twice() -> None:
    classes, volumes = [storage_class("m")], [volume("x", storageClassName="m")]
    claims = [claim("one", storageClassName="n"), claim("two", storageClassName="n")]
    assert summaries(mounting("one", "two"), state(claims=claims, volumes=volumes, classes=classes)) == []
    volumes.append(volume("y", storageClassName="m", size="6Gi"))
    assert summaries(mounting("one", "two"), state(claims=claims, volumes=volumes, classes=classes)) == [
        "recreate claim one: storage class m instead of n (volume x then fits), "
        "and recreate claim two: storage class m instead of n (volume y then fits)"
    ]


def test_a_volume_whose_node_takes_nobody_needs_that_too() -> None:
    there = volume("x", storageClassName="m", nodeAffinity=at(HOST, "b"))
    seen = state(
        node("a"),
        node("b", unschedulable=True),
        claims=[claim(storageClassName="n")],
        volumes=[there],
        classes=[storage_class("m")],
    )
    assert summaries(mounting("data"), seen) == [
        "uncordon b, and recreate claim data: storage class m instead of n (volume x then fits)"
    ]


def test_a_claim_asks_for_no_more_than_there_is_storage_for() -> None:
    capacity = {
        "metadata": {"name": "c", "namespace": "kube-system"},
        "storageClassName": "lvm",
        "nodeTopology": {"matchLabels": {HOST: "a"}},
        "capacity": "4Gi",
    }
    driver = {"metadata": {"name": DRIVER}, "spec": {"storageCapacity": True}}
    seen = state(
        claims=[claim(size="5Gi", storageClassName="lvm")],
        classes=[storage_class("lvm", DRIVER, waits=True)],
        csi_drivers=[convert(driver, CSIDriver)],
        capacities=[convert(capacity, CSIStorageCapacity)],
    )
    change = only(mounting("data"), seen)
    assert remedy_words(change) == "recreate claim data: size 4Gi instead of 5Gi (class lvm has so much storage near a)"
    assert change.provisioners == ()


def zoned(*zones: str, label: str = ZONE, **spec: Any) -> list[Node]:
    return [node(name, labels={label: zone}, **spec) for name, zone in zip("abcdef", zones, strict=False)]


def test_one_more_node_is_in_the_zone_of_the_volume() -> None:
    there = volume("x", nodeAffinity=at(ZONE, "z2"))
    full = pod("r", "b", {"cpu": "4"})
    waiting = mounting("data", requests={"cpu": "2"})
    seen = state(*zoned("z1", "z2"), pods=(full,), claims=[bound("data", "x")], volumes=[there])
    assert "add a node like b" in summaries(waiting, seen)
    gone = state(*zoned("z1", "z1"), claims=[bound("data", "x")], volumes=[there])
    assert summaries(waiting, gone) == ["add a node like a, but in z2"]
    labelled = state(*zoned("z1"), claims=[bound("data", "x")], volumes=[volume("x", labels={ZONE: "z3"})])
    assert summaries(waiting, labelled) == ["add a node like a, but in z3"]


def test_a_selector_for_another_zone_than_the_volumes_is_corrected_first() -> None:
    there = volume("x", nodeAffinity=at(ZONE, "z2"))
    seen = state(*zoned("z1", "z2"), claims=[bound("data", "x")], volumes=[there])
    assert summaries(mounting("data", nodeSelector={ZONE: "z1"}), seen) == [
        f"set nodeSelector {ZONE}=z2 instead of {ZONE}=z1",
        f"drop nodeSelector {ZONE}=z1",
    ]


def test_a_new_node_has_no_local_volumes() -> None:
    """Nor where a driver has its own label for the node."""
    for key in (HOST, "topology.example.com/node"):
        local = volume("x", nodeAffinity=at(key, "a"))
        full = pod("r", "a", {"cpu": "4"})
        nodes = [node(name, labels={key: name}) for name in "ab"]
        seen = state(*nodes, pods=(full,), claims=[bound("data", "x")], volumes=[local])
        assert not [one for one in summaries(mounting("data", requests={"cpu": "3"}), seen) if "one more" in one]
    gone = state(node("b"), claims=[bound("data", "x")], volumes=[volume("x", nodeAffinity=at(HOST, "a"))])
    assert summaries(mounting("data"), gone) == []


def test_a_place_for_a_volume_is_freed() -> None:
    drivers = [{"name": DRIVER, "nodeID": "a", "allocatable": {"count": 1}}]
    csi = {"driver": DRIVER}
    volumes = [volume(one, csi={**csi, "volumeHandle": one}) for one in "xy"]
    attached = {
        "metadata": {"name": "va"},
        "spec": {"attacher": DRIVER, "nodeName": "a", "source": {"persistentVolumeName": "x"}},
    }
    seen = state(
        pods=(mounting("theirs", name="r", on="a"), pod("idle", "a")),
        claims=[bound("theirs", "x"), bound("data", "y")],
        volumes=volumes,
        csi_nodes=[convert({"metadata": {"name": "a"}, "spec": {"drivers": drivers}}, CSINode)],
        attachments=[convert(attached, VolumeAttachment)],
    )
    more, free = found(mounting("data"), seen)
    assert remedy_words(more) == "add a node like a"
    assert remedy_words(free) == "delete pod d/r, which has 1 volume attached on a"
    assert free.affects == (Ref("Pod", "d", "r"),)


def test_who_else_uses_the_claim_is_named() -> None:
    classes, volumes = [storage_class("m")], [volume("x", storageClassName="m")]
    seen = state(claims=[claim(storageClassName="n")], volumes=volumes, classes=classes)
    (change,) = found(mounting("data"), seen, (mounting("data", name="q"), pod("idle")))
    assert change.affects == (Ref("Pod", "d", "q"),)


def test_nothing_gives_a_node_the_features_of_another_release() -> None:
    rules = [{"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [42]}}]
    containers = [{"name": "app", "restartPolicy": "Never", "restartPolicyRules": rules}]
    assert summaries(pod(containers=containers), state(node("a"), node("b", unschedulable=True))) == []
