"""Faults of pods that run, or might: their resources, devices, hooks, gates and peers."""

from __future__ import annotations

from tests.real.cluster.layout import NODE_NAME, Document
from tests.real.namespace import Namespace
from tests.real.recording.fault import Fault, event
from tests.real.recording.parts import CHECKOUT
from tests.real.recording.workloads import container, cron_job, headless, old_enough, stateful_set
from tests.real.workloads import deployment, manifest

DRIVER = "gpu.acme.example"
RESOURCES = "resource.k8s.io/v1"


def one(namespace: str) -> list[Document]:
    return [deployment("checkout", namespace)]


def with_a_device(namespace: str) -> list[Document]:
    """A device that its driver had published; the driver is not on the node any more."""
    pool = {"name": NODE_NAME, "generation": 1, "resourceSliceCount": 1}
    devices = {"driver": DRIVER, "nodeName": NODE_NAME, "pool": pool, "devices": [{"name": "gpu-0"}]}
    chosen = {"selectors": [{"cel": {"expression": f"device.driver == '{DRIVER}'"}}]}
    request = {"name": "gpu", "exactly": {"deviceClassName": DRIVER}}
    claim = {"devices": {"requests": [request]}}
    resources = {"resources": {"claims": [{"name": "gpu"}]}}
    pod = {"resourceClaims": [{"name": "gpu", "resourceClaimName": "gpu"}]}
    return [
        manifest("DeviceClass", DRIVER, None, RESOURCES, spec=chosen),
        manifest("ResourceSlice", f"{NODE_NAME}-{DRIVER}", None, RESOURCES, spec=devices),
        manifest("ResourceClaim", "gpu", namespace, RESOURCES, spec=claim),
        deployment("checkout", namespace, container=resources, pod=pod),
    ]


def with_a_hook(namespace: str) -> list[Document]:
    hook = {"lifecycle": {"preStop": {"exec": {"command": ["/bin/drain", "--all"]}}}}
    return [deployment("checkout", namespace, container=hook)]


def restarted(at: Namespace) -> None:
    at.wait_until_available("checkout")
    at.cluster.kubectl("rollout", "restart", "deployment/checkout", "-n", at.name)
    at.wait_until_available("checkout")


def gated(namespace: str) -> list[Document]:
    gates = {"readinessGates": [{"conditionType": "acme.example/registered"}]}
    item = deployment("checkout", namespace, pod=gates)
    item["spec"]["progressDeadlineSeconds"] = 60
    return [item]


def past_its_deadline(at: Namespace) -> bool:
    conditions = at.cluster.get("deployment", "checkout", at.name).get("status", {}).get("conditions", [])
    return any(row["reason"] == "ProgressDeadlineExceeded" for row in conditions)


def waits_for_its_peer(namespace: str) -> list[Document]:
    item = stateful_set(
        "db", namespace, "db", "wait", "-dial", f"db-1.db.{namespace}.svc.cluster.local:8080", replicas=2
    )
    (main,) = item["spec"]["template"]["spec"]["containers"]
    main["readinessProbe"] = {"tcpSocket": {"port": 8080}, "periodSeconds": 5}
    return [headless("db", namespace), item]


def overlapping(namespace: str) -> list[Document]:
    return [cron_job("sync", namespace, "* * * * *", container("wait", "-dial", "192.0.2.1:5432"))]


def slow_to_count(namespace: str) -> list[Document]:
    item = deployment("checkout", namespace)
    item["spec"]["minReadySeconds"] = 300
    return [item]


def back_and_forth(at: Namespace) -> None:
    at.wait_until_available("checkout")
    for value in ("100m", "60m") * 3:
        at.cluster.kubectl("set", "resources", "deployment/checkout", f"--requests=cpu={value}", "-n", at.name)
        at.wait_until_available("checkout")


PODS = (
    Fault(
        "driver-of-devices-missing",
        "A claimed device is allocated on the node, and the driver's plug-in is not there any more.",
        "devices-not-prepared",
        "The driver gpu.acme.example is not registered with the kubelet of node-1.",
        CHECKOUT,
        with_a_device,
        event("FailedPrepareDynamicResources"),
        settle=75,
    ),
    Fault(
        "pre-stop-program-missing",
        "The preStop hook names a program that is not in the image; all pods run.",
        "pre-stop-hook",
        "/bin/drain is not in the image, so the hook fails whenever a pod ends.",
        CHECKOUT,
        with_a_hook,
        event("FailedPreStopHook"),
        steps=restarted,
    ),
    Fault(
        "readiness-gate-never-set",
        "Pods have a readiness gate whose controller does not exist.",
        "readiness-gate",
        "Nothing sets the condition acme.example/registered, so the pod is never ready, although its containers are.",
        CHECKOUT,
        gated,
        past_its_deadline,
        settle=10,
    ),
    Fault(
        "peers-created-in-order",
        "The first member of a StatefulSet waits for the second, which is created when the first is ready.",
        "ordered-ready",
        "db-0 waits for db-1, and OrderedReady creates db-1 only when db-0 is ready.",
        (("StatefulSet", "db"),),
        waits_for_its_peer,
        old_enough("db", 10),
        settle=330,
    ),
    Fault(
        "runs-overlap",
        "Each run of a CronJob hangs, and the next starts beside it.",
        "cron-overlap",
        "Three and more runs are active at the same time; each waits for 192.0.2.1:5432.",
        (("CronJob", "sync"), ("Job", "sync-*")),
        overlapping,
        lambda at: len([pod for pod in at.pods("sync") if pod["status"]["phase"] == "Running"]) >= 4,
    ),
    Fault(
        "healthy-waits-for-min-ready-seconds",
        "A new Deployment whose pods count as available after five minutes.",
        "healthy",
        "Nothing is wrong.",
        (),
        slow_to_count,
        old_enough("checkout", 60),
    ),
    Fault(
        "template-goes-back-and-forth",
        "Two writers set the CPU request by turns.",
        "rewritten",
        "The CPU request changes between 100m and 60m, three times each way.",
        CHECKOUT,
        one,
        lambda at: bool(at.cluster.get("deployment", "checkout", at.name)["status"].get("availableReplicas")),
        steps=back_and_forth,
    ),
)
