"""How objects belong together, and what is examined with what."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from kubedoctor.cluster import (
    Cluster,
    Deployment,
    LogWant,
    PersistentVolumeClaim,
    Pod,
    Ref,
    Service,
    Snapshot,
    Source,
    Want,
    ref,
)
from kubedoctor.cluster.relations.claims import pods_mounting
from kubedoctor.cluster.relations.neighbours import NEIGHBOURS
from kubedoctor.cluster.relations.related import related_objects
from kubedoctor.cluster.relations.services import pods_selected_by, ready_endpoints, services_selecting
from kubedoctor.cluster.relations.workloads import owner_chain, pods_of, replica_sets_of, workload_of
from kubedoctor.cluster.seen.decoding import convert_object

TAKEN_AT = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)


def meta(name: str, owner: tuple[str, str] | None = None, **more: Any) -> dict[str, Any]:
    owners = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    return {"name": name, "namespace": "shop", "labels": {"app": "web"}, "ownerReferences": owners, **more}


def revision(number: int) -> dict[str, dict[str, str]]:
    return {"annotations": {"deployment.kubernetes.io/revision": str(number)}}


SELECTOR = {"matchLabels": {"app": "web"}}
MANIFESTS: tuple[dict[str, Any], ...] = (
    {"kind": "Deployment", "metadata": meta("web"), "spec": {"selector": SELECTOR}},
    {"kind": "ReplicaSet", "metadata": meta("web-1", ("Deployment", "web"), **revision(9))},
    {"kind": "ReplicaSet", "metadata": meta("web-2", ("Deployment", "web"), **revision(10))},
    {"kind": "Pod", "metadata": meta("web-1-a", ("ReplicaSet", "web-1")), "spec": {"nodeName": "n1"}},
    {"kind": "Pod", "metadata": meta("web-2-a", ("ReplicaSet", "web-2")), "spec": {"nodeName": "n1"}},
    {"kind": "Pod", "metadata": meta("stranger", ("ReplicaSet", "other")), "spec": {}},
    {"kind": "Service", "metadata": meta("web"), "spec": {"selector": {"app": "web"}}},
    {"kind": "Service", "metadata": meta("headless")},
    {
        "kind": "EndpointSlice",
        "metadata": meta("web-x", None, labels={"kubernetes.io/service-name": "web"}),
        "endpoints": [
            {"addresses": ["10.0.0.1"], "conditions": {"ready": True}},
            {"addresses": ["10.0.0.2"], "conditions": {"ready": False}},
            {"addresses": ["10.0.0.3"]},
        ],
    },
)


def cluster(*, complete: bool = True) -> Cluster:
    snapshot = Snapshot(TAKEN_AT, Source("files", "test"), complete=complete)
    for manifest in MANIFESTS:
        snapshot.add(convert_object(manifest["kind"], manifest).objects)
    return Cluster(snapshot)


def the(kind: type[Any], name: str, where: Cluster) -> Any:
    found = where.get(kind, "shop", name)
    assert found is not None
    return found


def test_the_chain_of_owners_ends_at_the_workload() -> None:
    here = cluster()
    pod = the(Pod, "web-2-a", here)
    assert [str(one) for one in owner_chain(pod, here)] == ["ReplicaSet/shop/web-2", "Deployment/shop/web"]
    assert workload_of(pod, here) == Ref("Deployment", "shop", "web")


def test_an_owner_that_is_gone_still_names_the_workload() -> None:
    here = cluster()
    assert workload_of(the(Pod, "stranger", here), here) == Ref("ReplicaSet", "shop", "other")


def test_the_newest_replica_set_comes_first_by_number_not_by_text() -> None:
    here = cluster()
    assert [one.name for one in replica_sets_of(the(Deployment, "web", here), here)] == ["web-2", "web-1"]


def test_the_pods_of_a_deployment_are_those_of_its_replica_sets() -> None:
    here = cluster()
    assert [one.name for one in pods_of(the(Deployment, "web", here), here)] == ["web-1-a", "web-2-a"]


def test_a_service_selects_by_labels_whoever_owns_the_pods() -> None:
    here = cluster()
    service = the(Service, "web", here)
    assert {one.name for one in pods_selected_by(service, here)} == {"web-1-a", "web-2-a", "stranger"}
    assert not pods_selected_by(the(Service, "headless", here), here)
    assert [one.name for one in services_selecting(the(Pod, "stranger", here), here)] == ["web"]


def test_an_endpoint_that_says_nothing_is_ready() -> None:
    here = cluster()
    ready = ready_endpoints(the(Service, "web", here), here)
    assert [one.addresses for one in ready] == [("10.0.0.1",), ("10.0.0.3",)]


def test_with_a_deployment_its_pods_services_and_replica_sets_are_examined() -> None:
    here = cluster()
    names = {str(one) for one in related_objects(the(Deployment, "web", here), here, set(), NEIGHBOURS)}
    assert {"ReplicaSet/shop/web-2", "Pod/shop/web-1-a", "Service/shop/web"} <= names
    assert "Pod/shop/stranger" not in names


def test_what_is_not_there_yet_is_asked_for_in_one_round() -> None:
    here = cluster(complete=False)
    wants: set[Want | LogWant] = set()
    related_objects(the(Deployment, "web", here), here, wants, NEIGHBOURS)
    assert {want.kind for want in wants if isinstance(want, Want)} >= {"ReplicaSet", "Pod", "Service", "NetworkPolicy"}


def test_a_refused_relation_is_a_gap_and_the_others_are_kept() -> None:
    here = cluster()
    here.snapshot.refuse(Want("Service"), "list services is forbidden")
    names = related_objects(the(Deployment, "web", here), here, set(), NEIGHBOURS)
    assert Ref("Pod", "shop", "web-1-a") in names
    assert any("list services is forbidden" in str(gap) for gap in here.gaps)


def test_references_print_as_people_write_them() -> None:
    here = cluster()
    name = ref(the(Deployment, "web", here))
    assert (str(name), name.title, name.argument) == ("Deployment/shop/web", "Deployment shop/web", "deployment/web")
    assert Ref("VirtualService.networking.istio.io", "shop", "web").title == "VirtualService shop/web"
    assert Ref("Node", "", "n1").title == "Node n1"


def test_the_pods_that_mount_a_claim_are_those_of_its_namespace_that_are_not_finished() -> None:
    mount = {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]}
    manifests: tuple[dict[str, Any], ...] = (
        {"kind": "Pod", "metadata": meta("user"), "spec": mount},
        {"kind": "Pod", "metadata": meta("done"), "spec": mount, "status": {"phase": "Succeeded"}},
        {"kind": "Pod", "metadata": meta("elsewhere") | {"namespace": "other"}, "spec": mount},
        {"kind": "Pod", "metadata": meta("without"), "spec": {}},
        {"kind": "PersistentVolumeClaim", "metadata": meta("data")},
    )
    snapshot = Snapshot(TAKEN_AT, Source("files", "test"), complete=True)
    for manifest in manifests:
        snapshot.add(convert_object(manifest["kind"], manifest).objects)
    here = Cluster(snapshot)
    claim = the(PersistentVolumeClaim, "data", here)
    assert [pod.name for pod in pods_mounting(claim, here)] == ["user"]
