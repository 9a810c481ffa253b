"""A fix is verified where the question has its answer after the change, and nothing that was well is broken by it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from kubedoctor.answers.proof import broken, ended_work, prove, proven
from kubedoctor.cluster import (
    Cluster,
    Deployment,
    Namespace,
    NetworkPolicy,
    PersistentVolumeClaim,
    Pod,
    Ref,
    ReplicaSet,
    Service,
    Snapshot,
    Source,
    Want,
)
from kubedoctor.cluster.changes import Change, Step, delete, drop, edit, put, scale
from kubedoctor.cluster.kinds.apps import CronJob, Job
from kubedoctor.cluster.kinds.core import ServiceAccount
from kubedoctor.cluster.kinds.meta import OwnerReference
from kubedoctor.findings import Fix
from kubedoctor.replay.dns.servers import resolvers

TAKEN_AT = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
READY = [{"type": "Ready", "status": "True"}]
WEB = Ref("Service", "shop", "web")


def pod(name: str, app: str = "web", owner: str = "web-1", *, node: str = "n", **metadata: Any) -> Pod:
    owners = [{"kind": "ReplicaSet", "name": owner, "controller": True}] if owner else []
    data = {
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": app}, "ownerReferences": owners, **metadata},
        "spec": {"nodeName": node, "containers": [{"name": "a"}]},
        "status": {"phase": "Running" if node else "Pending", "conditions": READY if node else []},
    }
    return msgspec.convert(data, Pod)


def replica_set(name: str, deployment: str = "web") -> ReplicaSet:
    owners = [{"kind": "Deployment", "name": deployment, "controller": True}]
    metadata = {"name": name, "namespace": "shop", "labels": {"app": "web"}, "ownerReferences": owners}
    return msgspec.convert({"metadata": metadata, "spec": {"selector": {"matchLabels": {"app": "web"}}}}, ReplicaSet)


def deployment(name: str = "web") -> Deployment:
    spec = {"selector": {"matchLabels": {"app": "web"}}}
    return msgspec.convert({"metadata": {"name": name, "namespace": "shop"}, "spec": spec}, Deployment)


def service(**selector: str) -> Service:
    return msgspec.convert({"metadata": {"name": "web", "namespace": "shop"}, "spec": {"selector": selector}}, Service)


def seen(*objects: Any) -> Cluster:
    snapshot = Snapshot(TAKEN_AT, Source("files", "test"), complete=True)
    snapshot.add(objects)
    return Cluster(snapshot)


def helps(cluster: Cluster) -> bool:
    return True


def gone(name: str) -> Change:
    return delete(Ref("Pod", "shop", name))


def test_the_question_is_asked_of_the_changed_cluster() -> None:
    cluster = seen(deployment())
    change = scale(Ref("Deployment", "shop", "web"), 3)

    def has_three(after: Cluster) -> bool:
        found = after.get(Deployment, "shop", "web")
        return found is not None and found.spec.replicas == 3

    assert not has_three(cluster)
    assert prove(change, cluster, has_three).verified
    assert not prove(change, cluster, lambda after: not has_three(after)).verified
    assert proven(Fix("scale up"), prove(change, cluster, has_three)).verified
    assert not proven(Fix("scale up", verified=False), prove(change, cluster, lambda _: False)).verified


def test_what_is_read_for_the_answer_counts_as_read() -> None:
    cluster = seen(deployment(), service(app="web"))
    prove(gone("absent"), cluster, lambda after: bool(after.all(Service)))
    assert "Service" in cluster.reads


def test_what_must_stay_well_asks_for_nothing_more() -> None:
    """A live snapshot that holds a pod only must not be asked for Services, workloads or policies."""
    snapshot = Snapshot(TAKEN_AT, Source("live", "test"))
    snapshot.add([pod("a")])
    snapshot.cover(Want("Pod"))
    cluster = Cluster(snapshot)
    assert prove(gone("a"), cluster, helps).verified
    assert cluster.reads == set()
    assert not cluster.gaps


def test_a_pod_whose_sibling_is_pending_is_never_deleted_for_it() -> None:
    """Its controller creates a pod that is as pending as the one that it is deleted for."""
    others = (deployment(), replica_set("web-1"), pod("a"), pod("b"))
    assert broken(gone("a"), seen(*others)) == ()
    cluster = seen(*others, pod("c", node=""))
    trial = prove(gone("a"), cluster, helps)
    assert trial.breaks == ("the pod that replaces Pod shop/a would be pending like Pod shop/c",)
    assert not trial.verified


def test_the_other_revision_of_a_deployment_is_a_sibling_too() -> None:
    sets = (replica_set("web-1"), replica_set("web-2"))
    cluster = seen(deployment(), *sets, pod("a"), pod("b"), pod("c", owner="web-2", node=""))
    assert not prove(gone("a"), cluster, helps).verified


def test_siblings_are_known_by_their_controller_where_it_was_not_seen() -> None:
    assert not prove(gone("a"), seen(pod("a"), pod("b"), pod("c", node="")), helps).verified
    assert prove(gone("a"), seen(pod("a"), pod("b"), pod("c", owner="api-1", node="")), helps).verified


def test_a_running_pod_that_nothing_creates_again_is_not_deleted() -> None:
    assert broken(gone("a"), seen(pod("a", owner=""))) == ("nothing creates Pod shop/a again",)
    assert broken(gone("a"), seen(pod("a", owner="", node=""))) == ()


def test_a_service_keeps_a_ready_pod() -> None:
    lost = ("Service shop/web has no ready pod then",)
    alone = seen(pod("a"), service(app="web"))
    assert broken(gone("a"), alone) == lost
    assert broken(gone("a"), seen(pod("a"), pod("b"), service(app="web"))) == ()
    assert broken(gone("a"), seen(pod("a"), pod("b", node=""), service(app="web")))[-1:] == lost
    assert broken(put(Ref("Pod", "shop", "a"), ("metadata", "labels", "app"), "old"), alone) == lost
    assert broken(put(Ref("Pod", "shop", "a"), ("metadata", "labels", "tier"), "front"), alone) == ()
    assert broken(put(WEB, ("spec", "selector", "app"), "wbe"), alone) == lost
    assert broken(delete(WEB), alone) == lost
    assert broken(put(WEB, ("spec", "selector", "app"), "web"), seen(pod("a"), service(app="wbe"))) == ()


def test_a_bound_claim_is_not_deleted() -> None:
    name = Ref("PersistentVolumeClaim", "shop", "data")

    def claim(phase: str) -> PersistentVolumeClaim:
        data = {"metadata": {"name": "data", "namespace": "shop"}, "status": {"phase": phase}}
        return msgspec.convert(data, PersistentVolumeClaim)

    assert broken(delete(name), seen(claim("Bound"))) == (
        "PersistentVolumeClaim shop/data is deleted, which is bound to a volume",
    )
    assert broken(delete(name), seen(claim("Pending"))) == ()


def dns(*policies: NetworkPolicy) -> Cluster:
    server = {
        "metadata": {"name": "coredns", "namespace": "kube-system", "labels": {"k8s-app": "kube-dns"}},
        "spec": {
            "nodeName": "n",
            "containers": [{"name": "coredns", "ports": [{"containerPort": 53, "protocol": "UDP"}]}],
        },
        "status": {"phase": "Running", "podIP": "10.0.0.2", "conditions": READY},
    }
    entrance = {
        "metadata": {"name": "kube-dns", "namespace": "kube-system", "labels": {"k8s-app": "kube-dns"}},
        "spec": {
            "clusterIP": "10.96.0.10",
            "selector": {"k8s-app": "kube-dns"},
            "ports": [{"port": 53, "protocol": "UDP", "targetPort": 53}],
        },
    }
    spaces = [msgspec.convert({"metadata": {"name": name}}, Namespace) for name in ("shop", "kube-system")]
    return seen(pod("a"), *spaces, msgspec.convert(server, Pod), msgspec.convert(entrance, Service), *policies)


def policy(**spec: Any) -> NetworkPolicy:
    return msgspec.convert(
        {"metadata": {"name": "p", "namespace": "shop"}, "spec": {"podSelector": {}, **spec}}, NetworkPolicy
    )


def test_a_pod_that_can_ask_the_dns_still_can() -> None:
    """Whoever adds egress rules to a policy that was for ingress alone shuts in the pods that it selects."""
    about = Ref("NetworkPolicy", "shop", "p")
    assert resolvers(dns()) is not None
    shut_in = ("Pod shop/a cannot ask the cluster's DNS then",)
    inward = dns(policy(policyTypes=["Ingress"]))
    assert broken(put(about, ("spec", "policyTypes"), ["Ingress", "Egress"]), inward) == shut_in
    assert broken(put(about, ("spec", "policyTypes"), ["Ingress"]), inward) == ()
    to_dns = {"ports": [{"protocol": "UDP", "port": 53}]}
    allowing = dns(policy(policyTypes=["Egress"], egress=[to_dns]))
    assert broken(drop(about, ("spec", "egress", 0)), allowing) == shut_in
    shut = dns(policy(policyTypes=["Egress"], egress=[]))
    assert broken(edit(about, Step(("spec", "egress", "-"), to_dns)), shut) == ()


@pytest.mark.parametrize("change", [scale(Ref("Deployment", "shop", "web"), 1), delete(Ref("Node", "", "n"))])
def test_what_touches_nothing_that_is_well_breaks_nothing(change: Change) -> None:
    assert broken(change, dns()) == ()


def account(name: str) -> ServiceAccount:
    return msgspec.convert({"metadata": {"name": name, "namespace": "shop"}}, ServiceAccount)


def job(name: str, owner: str = "") -> Job:
    owners = [{"kind": "CronJob", "name": owner, "controller": True}] if owner else []
    return msgspec.convert({"metadata": {"name": name, "namespace": "shop", "ownerReferences": owners}}, Job)


def of_job(pod: Pod, name: str) -> Pod:
    owner = msgspec.convert([{"kind": "Job", "name": name, "controller": True}], tuple[OwnerReference, ...])
    return msgspec.structs.replace(pod, metadata=msgspec.structs.replace(pod.metadata, owner_references=owner))


def test_an_account_that_pods_use_and_a_schedule_are_missed() -> None:
    user = pod("a")
    user = msgspec.structs.replace(user, spec=msgspec.structs.replace(user.spec, service_account_name="web"))
    cluster = seen(user, account("web"), account("idle"), account("default"))
    (clause,) = broken(delete(Ref("ServiceAccount", "shop", "web")), cluster)
    assert clause.startswith("ServiceAccount shop/web is deleted, which 1 pod (Pod shop/a) use")
    assert not broken(delete(Ref("ServiceAccount", "shop", "idle")), cluster)
    assert broken(delete(Ref("ServiceAccount", "shop", "default")), cluster)
    nightly = msgspec.convert(
        {"metadata": {"name": "nightly", "namespace": "shop"}, "spec": {"schedule": "0 3 * * *"}}, CronJob
    )
    paused = msgspec.structs.replace(nightly, spec=msgspec.structs.replace(nightly.spec, suspend=True))
    name = Ref("CronJob", "shop", "nightly")
    assert "'0 3 * * *'" in broken(delete(name), seen(nightly))[0]
    assert not broken(delete(name), seen(paused))


def test_a_job_that_runs_loses_its_work_but_may_be_deleted_to_help() -> None:
    cluster = seen(job("copy"), of_job(pod("copy-1", owner=""), "copy"))
    change = delete(Ref("Job", "shop", "copy"))
    assert not broken(change, cluster)
    assert ended_work(change, cluster) == ("Job shop/copy is deleted while Pod shop/copy-1 runs: its work is lost",)
    assert not ended_work(delete(Ref("Job", "shop", "copy"), orphans=True), cluster)
    assert not ended_work(change, seen(job("copy")))


def test_what_is_left_behind_goes_on() -> None:
    cluster = seen(deployment(), replica_set("web-1"), pod("a"))
    name = Ref("Deployment", "shop", "web")
    assert broken(delete(name), cluster) == ("Deployment shop/web is deleted, which has 1 ready pod",)
    assert not broken(delete(name, orphans=True), cluster)
