"""Who wrote an object last, and which change is blamed for a fault."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kubedoctor.answers.timeline.changed import NewestChange, newest_change
from kubedoctor.answers.timeline.entries import entries
from kubedoctor.answers.timeline.revisions import rollouts
from kubedoctor.answers.timeline.writes import writes, written_by
from kubedoctor.cluster import Cluster, Deployment, Family, KubernetesObject, Ref
from tests.engine.clinic import TAKEN_AT, complete, objects

OWNER = {"controller": True, "kind": "Deployment", "name": "web"}
LIMIT: dict[str, Any] = {"f:containers": {'k:{"name":"app"}': {"f:resources": {"f:limits": {"f:memory": {}}}}}}


def stamp(minutes: float) -> str:
    return (TAKEN_AT - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def entry(manager: str, minutes: float, fields: dict[str, Any] | None = None, subresource: str = "") -> dict[str, Any]:
    return {
        "manager": manager,
        "operation": "Update",
        "time": stamp(minutes),
        "fieldsV1": fields or {},
        "subresource": subresource,
    }


def manifest(kind: str, name: str, *written: dict[str, Any], created: float = 120, **body: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "shop", "creationTimestamp": stamp(created), "managedFields": written}
    return {"kind": kind, "metadata": metadata, **body}


def one(document: dict[str, Any]) -> KubernetesObject:
    (found,) = objects(document)
    return found


def template(memory: str, **annotations: str) -> dict[str, Any]:
    read = {"configMapRef": {"name": "settings"}}
    app = {"name": "app", "envFrom": [read], "resources": {"limits": {"memory": memory}}}
    return {"metadata": {"labels": {"app": "web"}, "annotations": annotations}, "spec": {"containers": [app]}}


def replica_set(number: int, minutes: float, memory: str, **annotations: str) -> dict[str, Any]:
    metadata = {
        "name": f"web-{number}",
        "namespace": "shop",
        "creationTimestamp": stamp(minutes),
        "labels": {"app": "web"},
        "annotations": {"deployment.kubernetes.io/revision": str(number)},
        "ownerReferences": [OWNER],
    }
    return {"kind": "ReplicaSet", "metadata": metadata, "spec": {"template": template(memory, **annotations)}}


def pod(number: int, minutes: float) -> dict[str, Any]:
    labels = {"app": "web", "pod-template-hash": str(number)}
    owner = {"controller": True, "kind": "ReplicaSet", "name": f"web-{number}"}
    metadata = {"name": "web-x", "namespace": "shop", "labels": labels, "ownerReferences": [owner]}
    metadata |= {"creationTimestamp": stamp(minutes)}
    return {"kind": "Pod", "metadata": metadata, "spec": template("1Gi")["spec"]}


WEB = manifest(
    "Deployment",
    "web",
    entry("helm", 120, {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"app"}': {"f:image": {}}}}}}}),
    entry("kubectl-set", 10, {"f:spec": {"f:template": {"f:spec": LIMIT}}}),
    entry("kube-controller-manager", 1, {"f:status": {}}, "status"),
    spec={"selector": {"matchLabels": {"app": "web"}}, "template": template("256Mi")},
)


def test_writes_are_those_of_people_after_the_creation() -> None:
    (write,) = writes(one(WEB))
    assert (write.by, write.operation) == ("kubectl set", "Update")
    assert write.fields == ("spec.template.spec.containers[app].resources.limits.memory",)
    assert write.text == "changed by kubectl set: spec.template.spec.containers[app].resources.limits.memory"


@pytest.mark.parametrize(
    ("manager", "by"),
    [
        ("kubectl-client-side-apply", "kubectl apply"),
        ("kubectl-edit", "kubectl edit"),
        ("kubectl", "kubectl"),
        ("argocd-controller", "argocd-controller"),
    ],
)
def test_writers_by_the_name_that_people_know(manager: str, by: str) -> None:
    found = one(manifest("ConfigMap", "settings", entry(manager, 5)))
    assert [write.text for write in writes(found)] == [f"changed by {by}"]


def test_of_two_writers_of_one_moment_the_owner_of_the_field_made_the_change() -> None:
    fields = {"f:spec": {"f:template": {"f:spec": LIMIT}}}
    both = one(manifest("Deployment", "web", entry("helm", 10, fields), entry("kubectl-scale", 10)))
    at = TAKEN_AT - timedelta(minutes=10)
    assert written_by(both, at, "resources.limits.memory") == "helm"
    assert written_by(both, at, "resources.limits.cpu") == ""
    assert written_by(both, at - timedelta(minutes=1), "resources.limits.memory") == ""


def test_a_rollout_names_its_writer() -> None:
    cluster = Cluster(complete(WEB, replica_set(1, 120, "512Mi"), replica_set(2, 10, "256Mi")))
    deployment = cluster.get(Deployment, "shop", "web")
    assert deployment is not None
    (rollout,) = rollouts(deployment, cluster)
    assert rollout.text(3) == "rollout 1 → 2: limits.memory 512Mi → 256Mi by kubectl set"
    texts = [found.text for found in entries((deployment,), cluster)]
    assert texts.count(rollout.text(50)) == 1
    assert not any(text.startswith("changed by") for text in texts)


def blamed(about: Ref, *manifests: dict[str, Any], affects: tuple[Ref, ...] = ()) -> NewestChange | None:
    return newest_change(about, affects, (), None, Family(complete(*manifests)))


DEPLOYMENT, POD = Ref("Deployment", "shop", "web"), Ref("Pod", "shop", "web-x")
SETTINGS = manifest("ConfigMap", "settings", entry("kubectl-edit", 5, {"f:data": {"f:url": {}}}))


def test_the_configuration_that_the_pod_reads_is_a_change() -> None:
    sets = (replica_set(1, 120, "512Mi"), replica_set(2, 10, "256Mi"))
    found = blamed(DEPLOYMENT, WEB, *sets, pod(2, 10), SETTINGS, affects=(POD,))
    assert found is not None
    assert found.text == "ConfigMap shop/settings changed by kubectl edit: data.url"
    other = manifest("ConfigMap", "other", entry("kubectl-edit", 5))
    found = blamed(DEPLOYMENT, WEB, *sets, pod(2, 10), other, affects=(POD,))
    assert found is not None
    assert found.text.startswith("rollout 1 → 2")


def test_a_restart_is_blamed_only_where_nothing_else_changed() -> None:
    again = {"kubectl.kubernetes.io/restartedAt": "2026-01-15T09:58:00Z"}
    sets = (replica_set(1, 120, "512Mi"), replica_set(2, 2, "512Mi", **again))
    found = blamed(DEPLOYMENT, WEB, *sets, pod(2, 2), affects=(POD,))
    assert found is not None
    assert found.text == "rollout 1 → 2: a restart"
    found = blamed(DEPLOYMENT, WEB, *sets, pod(2, 2), SETTINGS, affects=(POD,))
    assert found is not None
    assert found.text.startswith("ConfigMap shop/settings")


def test_an_object_that_is_at_fault_itself_names_its_last_write() -> None:
    quota = manifest("ResourceQuota", "team", entry("kubectl-patch", 4, {"f:spec": {"f:hard": {"f:pods": {}}}}))
    found = blamed(Ref("ResourceQuota", "shop", "team"), quota)
    assert found == NewestChange(
        Ref("ResourceQuota", "shop", "team"),
        datetime(2026, 1, 15, 9, 56, tzinfo=UTC),
        "changed by kubectl patch: spec.hard.pods",
    )
