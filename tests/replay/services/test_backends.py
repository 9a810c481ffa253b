"""What stands behind a Service: pods by what they can do, and the workloads that should make them."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.cluster import Cluster, Ref, Service
from kubedoctor.replay.services import backends, workloads_behind
from kubedoctor.replay.services.backends import Backends, has_ready_pods, wanted_replicas
from kubedoctor.replay.services.selection import selection_meant
from tests.engine.clinic import complete, deployment, pod, replica_set

SERVICE: dict[str, Any] = {
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
}
BEING_DELETED = {"deletionTimestamp": "2026-01-15T09:59:58Z"}


def endpoint(**conditions: bool) -> dict[str, Any]:
    return {
        "kind": "EndpointSlice",
        "metadata": {"name": "web-1", "namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}},
        "endpoints": [{"addresses": ["10.0.0.1"], "conditions": conditions}],
    }


def unready(name: str, **metadata: Any) -> dict[str, Any]:
    manifest = pod(name, node="n1")
    manifest["metadata"].update(metadata)
    manifest["status"] |= {
        "startTime": "2026-01-01T00:00:00Z",
        "conditions": [{"type": "Ready", "status": "False"}],
    }
    return manifest


def ready(name: str, **metadata: Any) -> dict[str, Any]:
    manifest = unready(name, **metadata)
    manifest["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
    return manifest


def service(cluster: Cluster) -> Service:
    found = cluster.get(Service, "shop", "web")
    assert found is not None
    return found


def behind(*manifests: dict[str, Any]) -> Backends:
    cluster = Cluster(complete(SERVICE, *manifests))
    return backends(service(cluster), cluster)


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"ready": True}, True),
        ({"ready": False}, False),
        ({"ready": False, "terminating": True, "serving": True}, True),
        ({"ready": False, "terminating": True, "serving": False}, False),
        ({"ready": False, "terminating": False, "serving": True}, False),
    ],
)
def test_an_endpoint_serves_while_it_is_ready_or_about_to_end(conditions: dict[str, bool], expected: bool) -> None:
    """Also where the pod's own condition says otherwise: the endpoints decide where traffic goes."""
    assert behind(unready("web-1"), endpoint(**conditions)).served is expected


def test_pods_are_sorted_by_what_they_can_do() -> None:
    found = behind(unready("web-1"), pod("web-2", phase="Succeeded"), unready("web-3", **BEING_DELETED))
    assert [one.name for one in found.live] == [one.name for one in found.failing] == ["web-1"]
    assert [one.name for one in found.finished] == ["web-2"]
    assert [one.name for one in found.leaving] == ["web-3"]
    assert not found.served


def test_a_pod_that_is_being_deleted_is_no_ready_pod_any_more() -> None:
    name = Ref("Service", "shop", "web")
    assert has_ready_pods(name, Cluster(complete(SERVICE, ready("web-1"))))
    assert not has_ready_pods(name, Cluster(complete(SERVICE, ready("web-1", **BEING_DELETED))))
    assert not has_ready_pods(name, Cluster(complete(SERVICE, unready("web-1"))))


def test_a_replica_set_stands_behind_a_service_only_without_a_deployment() -> None:
    template = {"template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app"}]}}}
    owner, owned, alone = deployment("web"), replica_set("web-abc", "web"), replica_set("old", "web")
    owner["spec"].update(template)
    owned["spec"] = alone["spec"] = template
    alone["metadata"]["ownerReferences"] = []
    cluster = Cluster(complete(SERVICE, owner, owned, alone))
    found = workloads_behind(service(cluster), cluster)
    assert [(type(one).__name__, one.name) for one in found] == [("Deployment", "web"), ("ReplicaSet", "old")]
    assert [wanted_replicas(one) for one in found] == [1, 1]


@pytest.mark.parametrize("gone", [{"phase": "Succeeded"}, BEING_DELETED])
def test_labels_are_not_compared_with_those_of_pods_that_go(gone: dict[str, Any]) -> None:
    typo = SERVICE | {"spec": {"selector": {"app": "wbe"}, "ports": [{"port": 80}]}}
    manifest = ready("web-1")
    cluster = Cluster(complete(typo, manifest))
    meant = selection_meant(service(cluster), cluster)
    assert meant is not None
    assert (meant.text, [one.name for one in meant.pods]) == ("app=web", ["web-1"])
    manifest["metadata"].update({key: value for key, value in gone.items() if key != "phase"})
    manifest["status"].update({key: value for key, value in gone.items() if key == "phase"})
    cluster = Cluster(complete(typo, manifest))
    assert selection_meant(service(cluster), cluster) is None
