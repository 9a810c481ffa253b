"""The tree of what belongs to an object."""

from __future__ import annotations

from typing import Any

from kubedoctor.cluster import Ref, Snapshot, Want
from kubedoctor.engine.health import Health
from kubedoctor.tui.tree.belongings import MOST_BRANCHES, Belongings, Branch
from kubedoctor.tui.tree.tree_page import tree_page
from tests.tui.recordings import recorded
from tests.tui.test_rows import cluster, meta, pod


def drawn(snapshot: Snapshot, name: Ref, worst: dict[Ref, Health] | None = None) -> list[str]:
    page = tree_page(Belongings(snapshot, worst or {}).tree(name), name)
    return ["".join(piece.text for piece in line) for line in page.lines(100)]


def labelled(name: str, kind: str, spec: dict[str, Any], **labels: str) -> tuple[str, Any]:
    return kind, {"metadata": {**meta(name), "labels": labels}, "spec": spec}


def shop() -> Snapshot:
    volumes = [
        {"name": "config", "configMap": {"name": "settings"}},
        {"name": "root", "projected": {"sources": [{"configMap": {"name": "kube-root-ca.crt"}}]}},
        {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
    ]
    kind, made = pod("web-0", ("StatefulSet", "web"))
    made["metadata"]["labels"] = {"app": "web"}
    made["spec"] |= {"volumes": volumes, "serviceAccountName": "web"}
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    snapshot = cluster(
        labelled(
            "web", "StatefulSet", {"replicas": 1, "template": {"metadata": {"labels": {"app": "web"}}, "spec": {}}}
        ),
        (kind, made),
        labelled("web", "Service", {"selector": {"app": "web"}}),
        labelled("front", "Ingress", {"defaultBackend": backend}),
        ("ConfigMap", {"metadata": meta("settings")}),
        labelled("data", "PersistentVolumeClaim", {"volumeName": "disk"}),
        ("PersistentVolume", {"metadata": {"name": "disk"}}),
    )
    snapshot.cover(Want("ServiceAccount"))
    return snapshot


def test_a_pod_stands_in_the_tree_of_its_workload() -> None:
    assert drawn(shop(), Ref("Pod", "shop", "web-0")) == [
        "✗ StatefulSet shop/web  0/1 none ready",
        "├─ ✓ Pod shop/web-0  1/1 Running",
        "├─ – Service shop/web  selects its pods",
        "│  └─ – Ingress shop/front  routes to it",
        "├─ ✗ ServiceAccount shop/web  does not exist  runs as",
        "├─ – ConfigMap shop/settings  mounts",
        "└─ – PersistentVolumeClaim shop/data  mounts",
        "   └─ – PersistentVolume disk  bound",
    ]


def test_from_an_ingress_to_the_pods_and_from_a_config_map_to_its_readers() -> None:
    assert drawn(shop(), Ref("Ingress", "shop", "front")) == [
        "– Ingress shop/front",
        "└─ – Service shop/web  backend",
        "   └─ ✗ StatefulSet shop/web  0/1 none ready  behind it",
        "      └─ ✓ Pod shop/web-0  1/1 Running",
    ]
    assert drawn(shop(), Ref("ConfigMap", "shop", "settings")) == [
        "– ConfigMap shop/settings",
        "└─ ✗ StatefulSet shop/web  0/1 none ready  mounts it",
        "   └─ ✓ Pod shop/web-0  1/1 Running",
    ]


def test_a_service_has_both_sides() -> None:
    lines = drawn(shop(), Ref("Service", "shop", "web"), {Ref("Service", "shop", "web"): Health.BROKEN})
    assert lines[0] == "✗ Service shop/web"
    assert [line.split()[2] for line in lines[1:3]] == ["Ingress", "StatefulSet"]


def test_many_pods_are_counted() -> None:
    pods = [pod(f"web-{number:03}", ("StatefulSet", "web")) for number in range(MOST_BRANCHES + 5)]
    web = labelled("web", "StatefulSet", {"template": {"metadata": {}, "spec": {}}})
    lines = drawn(cluster(web, *pods), Ref("StatefulSet", "shop", "web"))
    assert len(lines) == 1 + MOST_BRANCHES + 1
    assert lines[-1] == "└─ and 5 more"


def test_what_was_not_read_is_not_said_to_be_missing() -> None:
    kind, made = pod("web")
    made["spec"]["volumes"] = [{"name": "c", "configMap": {"name": "settings"}}]
    assert (
        drawn(cluster((kind, made)), Ref("Pod", "shop", "web"))[1]
        == "└─ ✗ ConfigMap shop/settings  does not exist  mounts"
    )
    partial = cluster((kind, made))
    partial.complete = False
    assert drawn(partial, Ref("Pod", "shop", "web"))[1] == "└─ ? ConfigMap shop/settings  not read  mounts"


def test_every_object_of_the_recordings_has_a_tree() -> None:
    for name in ("shop-at-night", "oom-killed"):
        snapshot = recorded(name)
        belongings = Belongings(snapshot, {})
        for kind in snapshot.kinds():
            for obj in snapshot.of_kind(kind):
                tree = belongings.tree(Ref(kind, obj.metadata.namespace, obj.metadata.name))
                assert isinstance(tree, Branch)
