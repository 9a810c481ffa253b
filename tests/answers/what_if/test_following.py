"""What controllers make of a change: pods that are created, ended, replaced and placed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kubedoctor.answers.what_if import Following, UnreadChange, followed, read_change
from kubedoctor.cluster import Cluster, Pod, Ref, Snapshot, Source
from kubedoctor.cluster.seen.decoding import convert_object

TAKEN_AT = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
WEB = Ref("Deployment", "shop", "web")


def thing(kind: str, name: str, api: str = "v1", *, namespace: str = "shop", **fields: Any) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **fields.pop("metadata", {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


def node(name: str, cpu: str, **spec: Any) -> dict[str, Any]:
    amounts = {"cpu": cpu, "memory": "8Gi", "pods": "110"}
    ready = [{"type": "Ready", "status": "True"}]
    return thing(
        "Node", name, namespace="", spec=spec, status={"allocatable": amounts, "capacity": amounts, "conditions": ready}
    )


def template(cpu: str, **more: Any) -> dict[str, Any]:
    container = {"name": "app", "image": "web:1", "resources": {"requests": {"cpu": cpu}}}
    return {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container], **more}}


def pod(name: str, cpu: str, *, at: str = "", is_ready: bool = True) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": "True" if is_ready else "False"}] if at else []
    status = {"phase": "Running" if at else "Pending", "conditions": conditions, "podIP": "10.0.0.1" if at else ""}
    owner = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "uid": "u", "controller": True}]
    spec = {**template(cpu)["spec"], **({"nodeName": at} if at else {})}
    return thing("Pod", name, metadata={"labels": {"app": "web"}, "ownerReferences": owner}, spec=spec, status=status)


def shop(cpu: str, replicas: int, *more: dict[str, Any]) -> Cluster:
    selector = {"matchLabels": {"app": "web"}}
    spec = {"replicas": replicas, "selector": selector, "template": template(cpu)}
    owner = [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "d", "controller": True}]
    revision = {"deployment.kubernetes.io/revision": "1"}
    snapshot = Snapshot(TAKEN_AT, Source("files", "t", "v1.33.0"), closed=True, complete=True)
    for data in (
        thing("Deployment", "web", "apps/v1", spec=spec),
        thing(
            "ReplicaSet",
            "web-1",
            "apps/v1",
            spec=spec,
            metadata={"ownerReferences": owner, "annotations": revision, "labels": {"app": "web"}},
        ),
        *more,
    ):
        snapshot.add(convert_object(data["kind"], data).objects)
    return Cluster(snapshot)


def after(line: str, cluster: Cluster) -> Following:
    return followed(read_change(line, cluster, WEB), cluster)


def pods(following: Following) -> list[str]:
    return [obj.metadata.name for obj in following.snapshot.of_kind("Pod")]


def test_a_new_pod_is_placed_where_there_is_room() -> None:
    cluster = shop("1", 1, node("n1", "1"), node("n2", "2"), pod("a", "1", at="n1"))
    found = after("replicas=3", cluster)
    assert found.created == ((WEB, 2),)
    assert [name for _, name in found.placed] == ["n2", "n2"]
    assert found.moved == {WEB}
    assert not found.refused


def test_each_placed_pod_takes_its_room() -> None:
    cluster = shop("1", 1, node("n1", "1"), node("n2", "2"), pod("a", "1", at="n1"))
    found = after("replicas=4", cluster)
    assert len(found.placed) == 2
    (sentence,) = found.refused
    assert sentence.startswith(
        "no node takes a pod of Deployment shop/web: 0/2 nodes are available: 2 Insufficient cpu"
    )


def test_a_quota_creates_no_more_than_it_admits() -> None:
    quota = thing(
        "ResourceQuota", "small", spec={"hard": {"pods": "2"}}, status={"hard": {"pods": "2"}, "used": {"pods": "1"}}
    )
    found = after("replicas=3", shop("1", 1, node("n1", "8"), pod("a", "1", at="n1"), quota))
    assert found.created == ((WEB, 1),)
    assert found.refused == ("1 pod of Deployment shop/web would not be created: ResourceQuota shop/small has no room",)


def test_too_many_pods_end_those_that_do_not_run_first() -> None:
    cluster = shop(
        "1", 3, node("n1", "8"), pod("a", "1", at="n1"), pod("b", "1", at="n1", is_ready=False), pod("c", "1")
    )
    assert pods(after("replicas=2", cluster)) == ["a", "b"]
    assert pods(after("replicas=1", cluster)) == ["a"]


def test_a_pending_pod_has_what_changed_and_what_admission_gave_it() -> None:
    waiting = pod("a", "4")
    waiting["spec"]["tolerations"] = [{"key": "node.kubernetes.io/not-ready", "operator": "Exists"}]
    found = after("requests.cpu=1", shop("4", 1, node("n1", "2"), waiting))
    assert found.placed == ((Ref("Pod", "shop", "a"), "n1"),)
    placed = found.snapshot.get(Ref("Pod", "shop", "a"))
    assert isinstance(placed, Pod)
    assert placed.spec.containers[0].resources is not None
    assert placed.spec.containers[0].resources.requests == {"cpu": "1"}
    assert placed.spec.tolerations is not None
    assert not found.restarts


def test_what_still_fits_no_node_is_held() -> None:
    found = after("requests.cpu=3", shop("4", 1, node("n1", "2"), pod("a", "4")))
    assert not found.placed
    assert found.held == {WEB}
    assert found.unplaced[0].startswith("no node takes a pod of Deployment shop/web")


def test_pods_that_run_are_replaced_by_a_new_template() -> None:
    found = after("image=web:2", shop("1", 2, node("n1", "8"), pod("a", "1", at="n1"), pod("b", "1", at="n1")))
    assert found.restarts == ((WEB, 2),)
    assert pods(found) == ["a", "b"]


def earlier(image: str, number: int) -> dict[str, Any]:
    """The ReplicaSet that keeps a template from before."""
    kept = template("1")
    kept["metadata"]["labels"]["pod-template-hash"] = "old"
    kept["spec"]["containers"][0]["image"] = image
    owner = [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "d", "controller": True}]
    annotations = {"deployment.kubernetes.io/revision": "0"}
    metadata = {"ownerReferences": owner, "annotations": annotations, "labels": {"app": "web"}}
    spec = {"replicas": number, "selector": {"matchLabels": {"app": "web"}}, "template": kept}
    return thing("ReplicaSet", "web-0", "apps/v1", metadata=metadata, spec=spec)


def of_earlier(name: str) -> dict[str, Any]:
    made = pod(name, "1", at="n1")
    made["metadata"]["ownerReferences"][0]["name"] = "web-0"
    return made


def test_pods_of_the_template_that_is_rolled_back_to_run_on() -> None:
    """A rollout that is stuck with one new pod: nothing is created, and only that pod ends."""
    well = [of_earlier(name) for name in "abc"]
    stuck = pod("new", "1", at="n1", is_ready=False)
    found = after("image=web:0", shop("1", 3, node("n1", "8"), earlier("web:0", 3), *well, stuck))
    assert not found.restarts
    assert pods(found) == ["a", "b", "c"]


def test_only_what_the_earlier_template_lacks_is_replaced() -> None:
    running = [pod("x", "1", at="n1"), pod("y", "1", at="n1")]
    found = after("image=web:0", shop("1", 3, node("n1", "8"), earlier("web:0", 1), of_earlier("a"), *running))
    assert found.restarts == ((WEB, 2),)
    assert pods(found) == ["a", "x", "y"]


def test_a_pod_that_waits_for_something_else_is_not_placed() -> None:
    """It fitted before, and no change of another object moves it."""
    found = after("labels.tier=front", shop("1", 1, node("n1", "8"), pod("a", "1")))
    assert not found.placed


def test_a_deleted_pod_is_created_again() -> None:
    found = after("kubectl delete pod a -n shop", shop("1", 1, node("n1", "8"), pod("a", "1", at="n1")))
    assert pods(found) == ["a"]
    assert found.again == {Ref("Pod", "shop", "a")}
    assert found.restarts == ((WEB, 1),)
    assert found.placed == ((Ref("Pod", "shop", "a"), "n1"),)


def test_the_end_of_a_workload_is_the_end_of_its_pods() -> None:
    assert not pods(after("delete", shop("1", 1, node("n1", "8"), pod("a", "1", at="n1"))))


def test_endpoints_follow_the_selector() -> None:
    service = thing("Service", "web", spec={"selector": {"app": "wbe"}, "ports": [{"port": 80}]})
    slices = thing(
        "EndpointSlice",
        "web-x",
        "discovery.k8s.io/v1",
        metadata={"labels": {"kubernetes.io/service-name": "web"}},
        addressType="IPv4",
        endpoints=[],
    )
    cluster = shop("1", 1, node("n1", "8"), pod("a", "1", at="n1"), service, slices)
    line = """kubectl patch svc/web -n shop --type=merge -p '{"spec": {"selector": {"app": "web"}}}'"""
    (item,) = followed(read_change(line, cluster), cluster).snapshot.of_kind("EndpointSlice")
    assert [endpoint.addresses for endpoint in item.endpoints] == [("10.0.0.1",)]  # type: ignore[attr-defined]  # a slice
    gone = after("replicas=0", cluster)
    assert not pods(gone)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("kubectl delete ns shop", "everything in Namespace shop is deleted with it"),
        ("kubectl delete node n1", "it would delete 1 pod on Node n1"),
        ("kubectl taint nodes n1 a=b:NoExecute", "it would evict 1 pod on Node n1"),
        ("kubectl delete crd widgets.acme.example", "all objects of the kind are deleted"),
    ],
)
def test_what_deletes_more_than_it_names_is_refused(line: str, why: str) -> None:
    definition = thing("CustomResourceDefinition", "widgets.acme.example", "apiextensions.k8s.io/v1", namespace="")
    shared = thing("Namespace", "shop", namespace="")
    cluster = shop("1", 1, node("n1", "8"), node("n2", "8"), pod("a", "1", at="n1"), shared, definition)
    with pytest.raises(UnreadChange, match=why):
        after(line, cluster)


@pytest.mark.parametrize(
    "line",
    [
        "kubectl delete node n2",
        "kubectl taint nodes n2 a=b:NoExecute",
        "kubectl taint nodes n1 a=b:NoSchedule",
        "kubectl cordon n1",
    ],
)
def test_a_node_without_pods_and_a_taint_that_evicts_none_are_tried(line: str) -> None:
    assert pods(after(line, shop("1", 1, node("n1", "8"), node("n2", "8"), pod("a", "1", at="n1")))) == ["a"]
