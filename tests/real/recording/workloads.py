"""Faults of workloads and their controllers, each in a namespace of its own."""

from __future__ import annotations

from datetime import timedelta

from tests.real.cluster.layout import Document, image
from tests.real.namespace import Namespace
from tests.real.recording.fault import Fault, Test, event, restarts
from tests.real.recording.parts import CHECKOUT, memory, phase
from tests.real.workloads import deployment, manifest


def container(*arguments: str, name: str = "app") -> Document:
    return {"name": name, "image": image("checkout"), "args": list(arguments), **memory("64Mi")}


def template(app: str, *containers: Document, restart: str = "Always") -> Document:
    spec: Document = {"containers": list(containers)}
    if restart != "Always":
        spec["restartPolicy"] = restart
    return {"metadata": {"labels": {"app": app}}, "spec": spec}


def job(name: str, namespace: str, *containers: Document, **spec: object) -> Document:
    body = {"template": template(name, *containers, restart="Never"), **spec}
    return manifest("Job", name, namespace, "batch/v1", spec=body)


def cron_job(name: str, namespace: str, schedule: str, *containers: Document, **spec: object) -> Document:
    body = {"template": template(name, *containers, restart="Never"), "backoffLimit": 0}
    fields = {"schedule": schedule, "jobTemplate": {"spec": body}, **spec}
    return manifest("CronJob", name, namespace, "batch/v1", spec=fields)


def stateful_set(name: str, namespace: str, service: str, *arguments: str, replicas: int = 3) -> Document:
    spec = {
        "serviceName": service,
        "replicas": replicas,
        "selector": {"matchLabels": {"app": name}},
        "template": template(name, container(*arguments)),
    }
    return manifest("StatefulSet", name, namespace, "apps/v1", spec=spec)


def headless(name: str, namespace: str) -> Document:
    spec = {"clusterIP": "None", "selector": {"app": name}, "ports": [{"port": 8080}]}
    return manifest("Service", name, namespace, spec=spec)


def condition(kind: str, name: str, type_: str, reason: str = "") -> Test:
    """The object has the condition with status True and a reason with this text."""
    return lambda at: any(
        row["type"] == type_ and row["status"] == "True" and reason in row.get("reason", "")
        for row in at.cluster.get(kind, name, at.name).get("status", {}).get("conditions", [])
    )


def no_room_to_surge(namespace: str) -> list[Document]:
    quota = manifest("ResourceQuota", "pods", namespace, spec={"hard": {"pods": "2"}})
    careful = deployment("checkout", namespace, replicas=2)
    careful["spec"]["strategy"] = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    return [quota, careful]


def new_revision(at: Namespace) -> None:
    at.wait_until_available("checkout")
    at.cluster.kubectl("set", "env", "deployment/checkout", "RELEASE=2", "-n", at.name)


def daemons(namespace: str) -> list[Document]:
    arguments = ("exit", "-code", "1", "-after", "300ms", "-say", "failed to open /dev/kmsg: operation not permitted")
    spec = {"selector": {"matchLabels": {"app": "agent"}}, "template": template("agent", container(*arguments))}
    return [manifest("DaemonSet", "agent", namespace, "apps/v1", spec=spec)]


def names_without_service(namespace: str) -> list[Document]:
    name = f"db-0.db.{namespace}.svc.cluster.local"
    return [
        stateful_set("db", namespace, "db", "serve", replicas=1),
        deployment("checkout", namespace, "resolve", "-name", name),
    ]


def failure_policy(namespace: str) -> list[Document]:
    rule = {"action": "FailJob", "onExitCodes": {"containerName": "app", "operator": "In", "values": [42]}}
    say = container("exit", "-code", "42", "-after", "300ms", "-say", "schema version 7 is newer than this program")
    return [job("migrate", namespace, say, backoffLimit=6, podFailurePolicy={"rules": [rule]})]


def failed_indexes(namespace: str) -> list[Document]:
    say = container("exit", "-code", "1", "-after", "300ms", "-say", "ERROR shard is locked by another worker")
    body = {"completionMode": "Indexed", "completions": 3, "parallelism": 3, "backoffLimitPerIndex": 0}
    return [job("reindex", namespace, say, **body, maxFailedIndexes=1)]


def kept_by_a_sidecar(namespace: str) -> list[Document]:
    return [job("export", namespace, container("exit", "-code", "0"), container("serve", name="proxy"))]


def never_fires(namespace: str) -> list[Document]:
    return [cron_job("report", namespace, "0 0 31 2 *", container("exit"))]


def runs_fail(namespace: str) -> list[Document]:
    say = container("exit", "-code", "1", "-after", "300ms", "-say", 'ERROR: relation "invoices" does not exist')
    return [cron_job("invoices", namespace, "* * * * *", say)]


def two_scalers(namespace: str) -> list[Document]:
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
    }
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout"}
    spec = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 3, "metrics": [metric]}
    kind, version = "HorizontalPodAutoscaler", "autoscaling/v2"
    both = [manifest(kind, name, namespace, version, spec=spec) for name in ("checkout", "checkout-web")]
    return [deployment("checkout", namespace), *both]


def asleep_on_purpose(namespace: str) -> list[Document]:
    service = manifest(
        "Service", "checkout", namespace, spec={"selector": {"app": "checkout"}, "ports": [{"port": 8080}]}
    )
    suspended = job("cleanup", namespace, container("exit"), suspend=True)
    nightly = cron_job("report", namespace, "0 3 * * *", container("exit"), suspend=True)
    return [deployment("checkout", namespace, replicas=0), service, suspended, nightly]


def budgets_that_never_yield(namespace: str) -> list[Document]:
    def budget(name: str, **spec: object) -> Document:
        body = {"selector": {"matchLabels": {"app": "checkout"}}, **spec}
        return manifest("PodDisruptionBudget", name, namespace, "policy/v1", spec=body)

    return [
        deployment("checkout", namespace, replicas=2),
        budget("checkout", maxUnavailable=0),
        budget("web", minAvailable=1),
    ]


def old_enough(app: str, seconds: int) -> Test:
    return lambda at: at.running_for(app) > timedelta(seconds=seconds)


def slow_end(at: Namespace) -> None:
    at.cluster.wait_for("the pod runs", lambda: at.running_for("checkout") > timedelta(seconds=3))
    at.cluster.kubectl("set", "env", "deployment/checkout", "RELEASE=2", "-n", at.name)


WORKLOADS = (
    Fault(
        "quota-leaves-no-room-to-surge",
        "maxSurge 1 and maxUnavailable 0 under a quota that is used up.",
        "quota",
        "A third pod does not fit in quota pods (2), and no old one may go first.",
        (*CHECKOUT, ("ResourceQuota", "pods")),
        no_room_to_surge,
        event("FailedCreate", "exceeded quota"),
        steps=new_revision,
    ),
    Fault(
        "stateful-set-waits-for-its-first-pod",
        "OrderedReady: db-0 crashes, so db-1 and db-2 are never made.",
        "crash",
        "db-0 crashes: lock file /data/postmaster.pid already exists.",
        (("StatefulSet", "db"),),
        lambda namespace: [
            headless("db", namespace),
            stateful_set(
                "db",
                namespace,
                "db",
                "exit",
                "-code",
                "1",
                "-after",
                "300ms",
                "-say",
                'FATAL:  lock file "postmaster.pid" already exists',
            ),
        ],
        restarts("db", 2),
    ),
    Fault(
        "stateful-set-without-its-service",
        "The headless Service was never made, so the pods have no names.",
        "service-missing",
        "Service db, which StatefulSet db names, does not exist.",
        (("StatefulSet", "db"), ("Deployment", "checkout")),
        names_without_service,
        restarts("checkout", 1),
    ),
    Fault(
        "daemon-set-crash",
        "A DaemonSet's pods crash.",
        "crash",
        "agent may not open /dev/kmsg.",
        (("DaemonSet", "agent"),),
        daemons,
        restarts("agent", 2),
    ),
    Fault(
        "job-failed-by-its-policy",
        "podFailurePolicy fails the Job at exit code 42.",
        "job-policy",
        "Exit code 42 fails the Job at once; the program says why.",
        (("Job", "migrate"),),
        failure_policy,
        condition("job", "migrate", "Failed"),
    ),
    Fault(
        "job-failed-indexes",
        "All indexes fail, more than maxFailedIndexes.",
        "job-indexes",
        "Indexes 0 to 2 failed: the shard is locked.",
        (("Job", "reindex"),),
        failed_indexes,
        condition("job", "reindex", "Failed"),
    ),
    Fault(
        "job-kept-by-a-sidecar",
        "The work is done, and a second container runs on.",
        "job-sidecar",
        "Container proxy never ends, so the Job never completes.",
        (("Job", "export"),),
        kept_by_a_sidecar,
        lambda at: any(status["state"].get("terminated") for status in at.containers("export")),
        settle=150,
    ),
    Fault(
        "cron-job-never-fires",
        "A schedule on the 31st of February.",
        "cron-never",
        "The schedule 0 0 31 2 * never comes.",
        (("CronJob", "report"),),
        never_fires,
        lambda at: bool(at.cluster.get("cronjob", "report", at.name)),
        settle=10,
    ),
    Fault(
        "cron-job-runs-fail",
        "Each run of a CronJob fails.",
        "cron-fails",
        'The program says: relation "invoices" does not exist.',
        (("CronJob", "invoices"), ("Job", "invoices-*")),
        runs_fail,
        lambda at: len(at.cluster.items("jobs", at.name)) >= 2 and phase("invoices", "Failed")(at),
    ),
    Fault(
        "two-autoscalers-for-one",
        "Two HorizontalPodAutoscalers for one Deployment.",
        "hpa-ambiguous",
        "checkout and checkout-web select the same pods.",
        (("HorizontalPodAutoscaler", "checkout"), ("HorizontalPodAutoscaler", "checkout-web")),
        two_scalers,
        event("AmbiguousSelector"),
    ),
    Fault(
        "healthy-asleep-on-purpose",
        "Scaled to zero, suspended Jobs and CronJobs.",
        "healthy",
        "Nothing is wrong.",
        (),
        asleep_on_purpose,
        lambda at: bool(at.cluster.get("cronjob", "report", at.name)),
        settle=20,
    ),
    Fault(
        "budgets-that-never-yield",
        "Two budgets for the same pods, one of which allows nothing.",
        "budget",
        "PodDisruptionBudget checkout allows no disruption, and two budgets cover the pods, so no drain can ever evict them.",
        (("PodDisruptionBudget", "checkout"), ("PodDisruptionBudget", "web")),
        budgets_that_never_yield,
        lambda at: at.running_for("checkout") > timedelta(seconds=20),
    ),
    Fault(
        "old-pod-ignores-its-end",
        "A program that ignores SIGTERM for a grace period of ten minutes.",
        "terminating",
        "The old pod ignores SIGTERM; its grace period is 600 s.",
        CHECKOUT,
        lambda namespace: [deployment("checkout", namespace, "deaf", pod={"terminationGracePeriodSeconds": 600})],
        lambda at: any(pod["metadata"].get("deletionTimestamp") for pod in at.pods("checkout")),
        steps=slow_end,
        settle=45,
    ),
)
