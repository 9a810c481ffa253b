"""Faults of rollouts, Jobs and autoscalers, and faults that a change of some minutes ago made."""

from __future__ import annotations

import json
import time

from tests.real.cluster.layout import Document
from tests.real.namespace import Namespace
from tests.real.recording.fault import Fault, event, restarts
from tests.real.recording.parts import CHECKOUT, memory, service
from tests.real.recording.workloads import condition, container, cron_job, job, new_revision
from tests.real.workloads import deployment, manifest

APART = {
    "affinity": {
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "checkout"}}}
            ]
        }
    }
}


def behind_its_claim(namespace: str) -> list[Document]:
    volume = f"orders-{namespace}"
    modes, size = ["ReadWriteOncePod"], {"storage": "1Gi"}
    source = {"hostPath": {"path": "/tmp/orders", "type": "DirectoryOrCreate"}}
    held = {"accessModes": modes, "capacity": size, "storageClassName": "manual", **source}
    claim = {
        "accessModes": modes,
        "storageClassName": "manual",
        "volumeName": volume,
        "resources": {"requests": size},
    }
    pod = {"volumes": [{"name": "orders", "persistentVolumeClaim": {"claimName": "orders"}}]}
    return [
        manifest("PersistentVolume", volume, None, spec=held),
        manifest("PersistentVolumeClaim", "orders", namespace, spec=claim),
        deployment("checkout", namespace, pod=pod),
    ]


def nightly(namespace: str) -> list[Document]:
    return [cron_job("report", namespace, "0 3 * * *", container("exit", "-after", "4s"))]


def two_runs_then_one_that_hangs(at: Namespace) -> None:
    for number in (1, 2):
        at.cluster.kubectl("create", "job", "--from=cronjob/report", f"report-{number}", "-n", at.name)
        at.cluster.kubectl("wait", "--for=condition=complete", f"job/report-{number}", "-n", at.name, "--timeout=90s")
    at.apply(cron_job("report", at.name, "0 3 * * *", container("wait", "-dial", "192.0.2.1:5432")))
    at.cluster.kubectl("create", "job", "--from=cronjob/report", "report-3", "-n", at.name)


def first_index_decides(namespace: str) -> list[Document]:
    rules = [{"succeededIndexes": "0"}]
    body = {"completionMode": "Indexed", "completions": 3, "parallelism": 3, "successPolicy": {"rules": rules}}
    leader = container("exit", "-after", "3s")
    leader["env"] = [{"name": "RANK", "value": "0"}]
    return [job("train", namespace, leader, **body)]


def autoscaler(namespace: str, least: int, most: int) -> Document:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout"}
    usage = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    metrics = [{"type": "Resource", "resource": usage}]
    spec = {"scaleTargetRef": target, "minReplicas": least, "maxReplicas": most, "metrics": metrics}
    return manifest("HorizontalPodAutoscaler", "checkout", namespace, "autoscaling/v2", spec=spec)


def canary(namespace: str) -> list[Document]:
    found = []
    for track, arguments, replicas in (("stable", (), 3), ("canary", ("require", "-env", "DATABASE_URL"), 1)):
        item = deployment(f"checkout-{track}", namespace, *arguments, replicas=replicas)
        labels = {"app": "checkout", "track": track}
        item["spec"]["selector"] = {"matchLabels": labels}
        item["spec"]["template"]["metadata"]["labels"] = labels
        found.append(item)
    return [service(namespace, "checkout"), *found]


def owner_of_another_namespace(at: Namespace) -> None:
    owner = at.cluster.get("deployment", "coredns", "kube-system")["metadata"]
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "coredns", "uid": owner["uid"]}
    settings = manifest("ConfigMap", "checkout-settings", at.name, data={"currency": "EUR"})
    settings["metadata"]["ownerReferences"] = [reference]
    at.apply(settings)


def limit_lowered(at: Namespace) -> None:
    at.wait_until_available("checkout")
    time.sleep(5)
    at.cluster.kubectl("set", "resources", "deployment/checkout", "--limits=memory=64Mi", "-n", at.name)


def quota_lowered(at: Namespace) -> None:
    at.wait_until_available("checkout")
    lowered = json.dumps({"spec": {"hard": {"pods": "2"}}})
    at.cluster.kubectl("patch", "resourcequota", "team", "-n", at.name, "--type=merge", "-p", lowered)
    at.cluster.kubectl("delete", "pod", at.pod_name("checkout"), "-n", at.name, "--wait=false")


def owner_deleted_alone(at: Namespace) -> None:
    at.wait_until_available("checkout")
    at.cluster.kubectl("delete", "deployment", "checkout", "-n", at.name, "--cascade=orphan")


def held_port(namespace: str) -> list[Document]:
    return [
        deployment("checkout", namespace, "serve", container={"ports": [{"containerPort": 8080, "hostPort": 18080}]})
    ]


CHANGES = (
    Fault(
        "rollout-behind-its-own-host-port",
        "One replica with a host port and the strategy that Deployments have by default, on one node.",
        "rollout-deadlock",
        "The old pod holds host port 18080, and maxUnavailable 25% of 1 is 0.",
        CHECKOUT,
        held_port,
        event("FailedScheduling", "free ports"),
        steps=new_revision,
    ),
    Fault(
        "rollout-behind-its-own-anti-affinity",
        "One pod per node, and one node.",
        "rollout-deadlock",
        "The required anti-affinity keeps the new pod from the node of the old one, and maxUnavailable 25% of 1 is 0.",
        CHECKOUT,
        lambda namespace: [deployment("checkout", namespace, pod=APART)],
        event("FailedScheduling", "anti-affinity"),
        steps=new_revision,
    ),
    Fault(
        "rollout-behind-its-own-claim",
        "A claim that one pod at a time may use, and a rolling update.",
        "rollout-deadlock",
        "The old pod uses the ReadWriteOncePod claim orders, and maxUnavailable 25% of 1 is 0.",
        CHECKOUT,
        behind_its_claim,
        event("FailedScheduling", "ReadWriteOncePod"),
        steps=new_revision,
    ),
    Fault(
        "job-runs-longer-than-ever",
        "A CronJob's runs take seconds; this one waits for a database that does not answer, without a deadline.",
        "job-never-ends",
        "Job report-3 runs for minutes, its predecessors took 4 s; it waits for 192.0.2.1:5432.",
        (("Job", "report-3"), ("CronJob", "report")),
        nightly,
        lambda at: any(
            pod["metadata"]["name"].startswith("report-3") and pod["status"]["phase"] == "Running"
            for pod in at.pods("report")
        ),
        steps=two_runs_then_one_that_hangs,
        settle=240,
    ),
    Fault(
        "healthy-job-success-policy",
        "The first index decides the Job; the others are ended.",
        "healthy",
        "Nothing is wrong.",
        (),
        first_index_decides,
        condition("job", "train", "Complete"),
    ),
    Fault(
        "autoscaler-pinned",
        "minReplicas and maxReplicas are equal, so the autoscaler can change nothing.",
        "hpa-pinned",
        "The autoscaler may only have 2 replicas.",
        (("HorizontalPodAutoscaler", "checkout"),),
        lambda namespace: [deployment("checkout", namespace, replicas=2), autoscaler(namespace, 2, 2)],
        event("FailedGetResourceMetric"),
        settle=20,
    ),
    Fault(
        "healthy-autoscaler-at-zero",
        "Scaled to zero by hand: the autoscaler is disabled by that.",
        "healthy",
        "Nothing is wrong.",
        (),
        lambda namespace: [deployment("checkout", namespace, replicas=0), autoscaler(namespace, 1, 4)],
        condition("horizontalpodautoscaler", "checkout", "AbleToScale"),
        settle=20,
    ),
    Fault(
        "canary-crashes",
        "A canary beside three well pods of the stable version, behind one Service.",
        "crash",
        "The canary lacks DATABASE_URL; the Service serves from the 3 stable pods.",
        (("Deployment", "checkout-canary"),),
        canary,
        restarts("checkout", 2),
    ),
    Fault(
        "owner-in-another-namespace",
        "A ConfigMap whose owner reference names a Deployment of another namespace.",
        "owner-reference",
        "Owners must be in the same namespace, so the garbage collector deletes the ConfigMap.",
        (("ConfigMap", "checkout-settings"),),
        lambda _: [],
        event("OwnerRefInvalidNamespace"),
        steps=owner_of_another_namespace,
    ),
    Fault(
        "memory-limit-lowered",
        "Somebody lowered the memory limit below what the program needs.",
        "oom-killed",
        "The memory limit was lowered from 256Mi to 64Mi by kubectl set.",
        CHECKOUT,
        lambda namespace: [deployment("checkout", namespace, "eat", "-mb", "120", container=memory("256Mi"))],
        restarts("checkout", 2),
        steps=limit_lowered,
    ),
    Fault(
        "quota-lowered",
        "The quota was lowered below what runs, and a pod was replaced.",
        "quota",
        "Quota team was lowered to 2 pods; 2 of 3 run.",
        (("ResourceQuota", "team"), *CHECKOUT),
        lambda namespace: [
            manifest("ResourceQuota", "team", namespace, spec={"hard": {"pods": "5"}}),
            deployment("checkout", namespace, replicas=3),
        ],
        event("FailedCreate", "exceeded quota"),
        steps=quota_lowered,
    ),
    Fault(
        "healthy-orphan-replica-set",
        "The Deployment was deleted without its ReplicaSet.",
        "healthy",
        "The pods run; nothing rolls them out any more.",
        (),
        lambda namespace: [deployment("checkout", namespace)],
        lambda at: not at.cluster.get("deployment", "checkout", at.name),
        steps=owner_deleted_alone,
        settle=15,
    ),
)
