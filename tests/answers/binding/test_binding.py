"""`binding`: the table of volumes, who holds a volume, and what is proven to bind."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.answers.question import Choices
from kubedoctor.answers.questions.binding import binding
from kubedoctor.answers.sheet import Conclusion, Sheet
from kubedoctor.cluster import Cluster, Ref
from kubedoctor.engine.asking import ask
from tests.engine.clinic import complete, live
from tests.engine.test_examination import Server

Manifest = dict[str, Any]
CLAIM = Ref("PersistentVolumeClaim", "shop", "data")
DEFAULT = {"storageclass.kubernetes.io/is-default-class": "true"}


def claim(
    name: str = "data", *, annotations: dict[str, str] | None = None, phase: str = "Pending", **spec: Any
) -> Manifest:
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}, **spec}
    metadata = {"name": name, "namespace": "shop", "uid": f"uid-{name}", "annotations": annotations or {}}
    return {"kind": "PersistentVolumeClaim", "metadata": metadata, "spec": wanted, "status": {"phase": phase}}


def volume(name: str, size: str = "20Gi", *, phase: str = "Available", **spec: Any) -> Manifest:
    has = {
        "capacity": {"storage": size},
        "accessModes": ["ReadWriteOnce"],
        "persistentVolumeReclaimPolicy": "Retain",
        "storageClassName": "local",
        **spec,
    }
    return {"kind": "PersistentVolume", "metadata": {"name": name}, "spec": has, "status": {"phase": phase}}


def held(name: str, uid: str, namespace: str = "shop") -> dict[str, str]:
    return {"kind": "PersistentVolumeClaim", "namespace": namespace, "name": name, "uid": uid}


def storage_class(name: str, provisioner: str = "kubernetes.io/no-provisioner", **more: Any) -> Manifest:
    return {"kind": "StorageClass", "metadata": {"name": name}, "provisioner": provisioner, **more}


def pod(name: str, node: str = "") -> Manifest:
    volumes = [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]
    spec = {"containers": [{"name": "app"}], "volumes": volumes, **({"nodeName": node} if node else {})}
    return {"kind": "Pod", "metadata": {"name": name, "namespace": "shop"}, "spec": spec}


def asked(*manifests: Manifest, about: Ref = CLAIM) -> Sheet:
    space = {"kind": "Namespace", "metadata": {"name": "shop"}}
    return binding.answer(about, Choices(), Cluster(complete(space, *manifests)))


LOCAL = storage_class("local", volumeBindingMode="Immediate")
CLOUD = storage_class("cloud", "ebs.csi.aws.com", volumeBindingMode="WaitForFirstConsumer")
FAST = storage_class("fast", "ebs.csi.aws.com", volumeBindingMode="Immediate")


@pytest.mark.parametrize(
    ("manifests", "verdict", "conclusion"),
    [
        (
            (claim(storageClassName="local"), LOCAL, volume("a", "5Gi")),
            "is not bound: no existing volume matches, and class local provisions none",
            Conclusion.TROUBLE,
        ),
        (
            (claim(storageClassName="local"), LOCAL, volume("a")),
            "gets PersistentVolume a: the volume controller binds it at its next look",
            Conclusion.WELL,
        ),
        (
            (claim(storageClassName="cloud"), CLOUD),
            "waits for its first pod (class cloud: WaitForFirstConsumer)",
            Conclusion.WELL,
        ),
        (
            (claim(storageClassName="cloud"), CLOUD, pod("p")),
            "waits until its pod is scheduled (class cloud: WaitForFirstConsumer)",
            Conclusion.UNKNOWN,
        ),
        (
            (claim(storageClassName="fast"), FAST),
            "waits for a volume that ebs.csi.aws.com has to create (class fast)",
            Conclusion.UNKNOWN,
        ),
        (
            (claim(), LOCAL),
            "is not bound: it sets no class, no class is the default, and no existing volume matches",
            Conclusion.TROUBLE,
        ),
        (
            (claim(storageClassName="lokal"), LOCAL),
            "is not bound: its class lokal does not exist, and no existing volume matches",
            Conclusion.TROUBLE,
        ),
        (
            (claim(volumeName="gone"), LOCAL),
            "is not bound: PersistentVolume gone, which it requests by name, does not exist",
            Conclusion.TROUBLE,
        ),
        (
            (claim(storageClassName="local", volumeName="a"), LOCAL, volume("a", claimRef=held("other", "u2"))),
            "is not bound: PersistentVolume a is reserved for claim shop/other",
            Conclusion.TROUBLE,
        ),
        (
            (claim(phase="Bound", volumeName="gone", annotations={"pv.kubernetes.io/bind-completed": "yes"}), LOCAL),
            "is Lost: its PersistentVolume gone does not exist any more",
            Conclusion.TROUBLE,
        ),
        (
            (
                claim(phase="Bound", volumeName="a", annotations={"pv.kubernetes.io/bind-completed": "yes"}),
                volume("a", phase="Bound", claimRef=held("data", "earlier")),
                LOCAL,
            ),
            "is Lost: PersistentVolume a belongs to claim shop/data (uid earlier)",
            Conclusion.TROUBLE,
        ),
        (
            (
                claim(phase="Bound", volumeName="a", annotations={"pv.kubernetes.io/bind-completed": "yes"}),
                volume("a", phase="Bound", claimRef=held("data", "uid-data")),
                LOCAL,
            ),
            "is bound to PersistentVolume a",
            Conclusion.WELL,
        ),
        ((), "does not exist", Conclusion.UNKNOWN),
    ],
)
def test_the_verdict_on_a_claim(manifests: tuple[Manifest, ...], verdict: str, conclusion: Conclusion) -> None:
    sheet = asked(*manifests)
    assert (sheet.verdict, sheet.conclusion) == (verdict, conclusion)


def test_every_volume_stands_in_the_table_the_nearest_first() -> None:
    sheet = asked(
        claim(storageClassName="local"),
        LOCAL,
        volume("small", "5Gi"),
        volume("kept", phase="Released", claimRef=held("old", "u9")),
        volume("other", accessModes=["ReadOnlyMany"], storageClassName="fast"),
    )
    (table,) = sheet.tables
    assert table.columns == ("volume", "free", "class", "size", "access mode", "reached from")
    shown = [[cell.shown for cell in row.cells] for row in table.rows]
    assert shown == [
        ["kept", "✗ Released, held by deleted claim shop/old", "✓", "✓", "✓", "every node"],
        ["small", "✓", "✓", "✗ 5Gi of 10Gi", "✓", "every node"],
        ["other", "✓", "✗ fast, not local", "✓", "✗ ReadOnlyMany, not ReadWriteOnce", "every node"],
    ]
    assert [(fix.verified, fix.summary.partition(",")[0].partition(" (")[0]) for fix in sheet.fixes] == [
        (True, "Remove the claimRef of volume kept"),
        (True, "Recreate the claim with size 5Gi"),
    ]


def test_a_volume_that_another_claim_uses_is_never_taken_away() -> None:
    sheet = asked(
        claim(storageClassName="local"),
        LOCAL,
        claim("other", phase="Bound", volumeName="a"),
        volume("a", phase="Bound", claimRef=held("other", "uid-other")),
    )
    assert sheet.fixes == ()


def test_the_newest_of_two_default_classes_is_named() -> None:
    older = {**FAST, "metadata": {"name": "a", "annotations": DEFAULT, "creationTimestamp": "2026-01-01T00:00:00Z"}}
    newer = {**FAST, "metadata": {"name": "b", "annotations": DEFAULT, "creationTimestamp": "2026-01-02T00:00:00Z"}}
    sheet = asked(claim(), older, newer)
    assert sheet.verdict == "is about to get the default class b"
    assert ("class", "2 classes are the default (b, a): the newest is used, b") in [
        (fact.label, fact.text) for fact in sheet.facts
    ]


def test_the_controllers_own_event_is_told() -> None:
    sheet = asked(claim(storageClassName="cloud"), CLOUD, pod("p1"), pod("p2"))
    assert ("controller", "WaitForPodScheduled: waiting for pods p1,p2 to be scheduled") in [
        (fact.label, fact.text) for fact in sheet.facts
    ]


@pytest.mark.parametrize(
    ("manifests", "verdict", "fixes"),
    [
        ((volume("a"),), "is free: any claim that matches it gets it", 0),
        (
            (volume("a", phase="Released", claimRef=held("old", "u9")),),
            "is Released: claim shop/old (uid u9) was deleted; its data is kept, and no claim gets it before its claimRef"
            " is removed",
            0,
        ),
        (
            (volume("a", phase="Released", claimRef=held("old", "u9")), claim(storageClassName="local")),
            "is Released: claim shop/old (uid u9) was deleted; its data is kept, and no claim gets it before its claimRef"
            " is removed",
            1,
        ),
        (
            (volume("a", claimRef=held("data", "uid-data")), claim(volumeName="b", phase="Bound")),
            "is reserved for claim shop/data, which is bound to b",
            0,
        ),
        (
            (volume("a", phase="Bound", claimRef=held("data", "uid-data")), claim(volumeName="a", phase="Bound")),
            "is bound to claim shop/data",
            0,
        ),
        ((volume("a", claimRef=held("data", "")),), "is reserved for claim shop/data, which does not exist", 0),
        (
            (volume("a", volumeMode="Block", claimRef=held("data", "uid-data")), claim(storageClassName="local")),
            'is not bound to claim shop/data: Cannot bind PersistentVolume to requested PersistentVolumeClaim "data" due'
            " to incompatible volumeMode.",
            0,
        ),
    ],
)
def test_the_verdict_on_a_volume(manifests: tuple[Manifest, ...], verdict: str, fixes: int) -> None:
    sheet = asked(LOCAL, *manifests, about=Ref("PersistentVolume", "", "a"))
    assert sheet.verdict == verdict
    assert [fix.verified for fix in sheet.fixes] == [True] * fixes


def test_where_the_volume_is_attached_is_shown() -> None:
    affinity = {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["a", "b"]}
    disk = volume(
        "a",
        phase="Bound",
        claimRef=held("data", "uid-data"),
        nodeAffinity={"required": {"nodeSelectorTerms": [{"matchExpressions": [affinity]}]}},
    )
    attachment = {
        "kind": "VolumeAttachment",
        "metadata": {"name": "va"},
        "spec": {"attacher": "x", "nodeName": "n1", "source": {"persistentVolumeName": "a"}},
        "status": {"attached": False, "attachError": {"message": "it is full"}},
    }
    bound = claim(phase="Bound", volumeName="a", annotations={"pv.kubernetes.io/bind-completed": "yes"})
    sheet = asked(LOCAL, bound, disk, attachment, pod("p", "n1"))
    assert [link.text for link in sheet.chain] == [
        "PersistentVolumeClaim shop/data",
        "PersistentVolume a (zone a, b)",
        "Pod shop/p on node n1",
    ]
    assert [[cell.shown for cell in row.cells] for row in sheet.tables[0].rows] == [
        ["n1", "✗ not attached", "it is full"]
    ]


def test_a_few_rounds_fetch_all() -> None:
    server = Server(live(), claim(storageClassName="local"), LOCAL, volume("a", "5Gi"))
    answered = ask(binding, CLAIM, Choices(), server.snapshot, server.gather)
    assert answered.sheet.conclusion is Conclusion.TROUBLE
    assert len(server.rounds) <= 3, server.rounds


def test_volumes_that_cannot_be_read_leave_the_answer_open() -> None:
    server = Server(live(), claim(storageClassName="local"), LOCAL, refused=("PersistentVolume",))
    answered = ask(binding, CLAIM, Choices(), server.snapshot, server.gather)
    assert answered.sheet.conclusion is Conclusion.UNKNOWN
