"""What the faults of containers and images are made of: objects, steps, and what shows that a fault is there."""

from __future__ import annotations

from tests.real.cluster.layout import Document, image
from tests.real.namespace import Namespace
from tests.real.recording.fault import SETTLE, Fault, Test, restarts
from tests.real.workloads import deployment, manifest

HTTP = [{"name": "http", "containerPort": 8080}]
CHECKOUT = (("Deployment", "checkout"),)
FILE = "/etc/shop/settings.json"


def memory(limit: str) -> Document:
    return {"resources": {"requests": {"cpu": "10m", "memory": "1Mi"}, "limits": {"memory": limit}}}


def service(namespace: str, name: str, app: str = "", port: int = 8080) -> Document:
    spec = {"selector": {"app": app or name}, "ports": [{"port": port, "targetPort": 8080}]}
    return manifest("Service", name, namespace, spec=spec)


def settings(namespace: str, name: str = "checkout-settings", **data: str) -> Document:
    return manifest("ConfigMap", name, namespace, data=data)


def one(
    name: str,
    story: str,
    cause: str,
    summary: str,
    shown: Test,
    *arguments: str,
    container: Document | None = None,
    pod: Document | None = None,
    beside: tuple[Document, ...] = (),
    settle: float = SETTLE,
) -> Fault:
    """A Deployment `checkout` that is at fault itself; `beside`: other objects, without namespace."""

    def objects(namespace: str) -> list[Document]:
        others = [{**other, "metadata": {**other["metadata"], "namespace": namespace}} for other in beside]
        return [*others, deployment("checkout", namespace, *arguments, container=container, pod=pod)]

    return Fault(name, story, cause, summary, CHECKOUT, objects, shown, settle=settle)


def probe(kind: str, **fields: object) -> Document:
    return {"ports": HTTP, f"{kind}Probe": {"periodSeconds": 2, "failureThreshold": 2, **fields}}


def mounted(volume: Document, path: str, **mount: object) -> tuple[Document, Document]:
    """The fields of a container and of a pod that mount a volume."""
    container = {"volumeMounts": [{"name": "data", "mountPath": path, **mount}]}
    return container, {"volumes": [{"name": "data", **volume}]}


SUB_PATH = mounted({"configMap": {"name": "checkout-settings"}}, FILE, subPath="setting.json")
OVER_FILE = mounted({"emptyDir": {}}, "/etc/passwd")
SOCKET = mounted({"hostPath": {"path": "/var/lib", "type": "Socket"}}, "/run/agent.sock")
SMALL = mounted({"emptyDir": {"sizeLimit": "8Mi"}}, "/cache")


def slow_and_probed(namespace: str) -> list[Document]:
    container = probe("liveness", httpGet={"path": "/healthz", "port": "http"}, initialDelaySeconds=3)
    return [deployment("checkout", namespace, "serve", "-slow-start", "45s", container=container)]


def two_hops(namespace: str) -> list[Document]:
    not_ready = probe("readiness", httpGet={"path": "/ready", "port": "http"})
    return [
        service(namespace, "ledger"),
        deployment("ledger", namespace, "serve", "-not-ready", container=not_ready),
        service(namespace, "payments"),
        deployment("payments", namespace, "require", "-dial", f"ledger.{namespace}.svc.cluster.local:8080"),
        deployment("checkout", namespace, "require", "-dial", f"payments.{namespace}.svc.cluster.local:8080"),
    ]


def wrong_port(namespace: str) -> list[Document]:
    return [
        service(namespace, "payments", port=80),
        deployment("payments", namespace),
        deployment("checkout", namespace, "require", "-dial", f"payments.{namespace}.svc.cluster.local:8080"),
    ]


def waits_for_nobody(namespace: str) -> list[Document]:
    dial = ["wait", "-dial", f"ledger.{namespace}.svc.cluster.local:8080"]
    init = {"name": "wait-for-ledger", "image": image("checkout"), "args": dial}
    return [
        deployment("ledgers", namespace),
        service(namespace, "ledgers"),
        deployment("checkout", namespace, pod={"initContainers": [init]}),
    ]


def after_rollout(at: Namespace) -> None:
    at.wait_until_available("checkout")
    at.apply(deployment("checkout", at.name, "require", "-env", "DATABASE_URL"))


def configuration_edited(at: Namespace) -> None:
    at.wait_until_available("checkout")
    at.apply(settings(at.name, **{"settings.json": '{"currency": "EUR",}'}))
    at.cluster.kubectl("rollout", "restart", "deployment/checkout", "-n", at.name)


def reads_settings(namespace: str) -> list[Document]:
    container, pod = mounted({"configMap": {"name": "checkout-settings"}}, "/etc/shop")
    read = deployment("checkout", namespace, "require", "-file", FILE, container=container, pod=pod)
    return [settings(namespace, **{"settings.json": '{"currency": "EUR"}'}), read]


def ledger_comes_late(at: Namespace) -> None:
    at.cluster.wait_for("two restarts", lambda: restarts("checkout", 2)(at))
    at.apply(service(at.name, "ledger"), deployment("ledger", at.name))
    at.wait_until_available("ledger")


def initial_image(namespace: str) -> list[Document]:
    init = {"name": "migrate", "image": image("migrations", "7"), "args": ["exit"]}
    return [deployment("checkout", namespace, pod={"initContainers": [init]})]


def two_on_one_port(namespace: str) -> list[Document]:
    first = {"name": "app", "image": image("checkout"), "args": ["serve"], **memory("64Mi")}
    second = {"name": "metrics", "image": image("web"), "args": ["serve", "-port", "8080"], **memory("64Mi")}
    return [deployment("checkout", namespace, "serve", pod={"containers": [first, second]})]


def deadline_of_pod(namespace: str) -> list[Document]:
    container = {"name": "app", "image": image("checkout"), "args": ["sleep"], **memory("64Mi")}
    spec = {"activeDeadlineSeconds": 10, "restartPolicy": "Never", "containers": [container]}
    report = manifest("Pod", "report", namespace, spec=spec)
    report["metadata"]["labels"] = {"app": "report"}
    return [report]


def bare_crash(namespace: str) -> list[Document]:
    arguments = [
        "exit",
        "-code",
        "2",
        "-after",
        "200ms",
        "-say",
        'level=fatal msg="open /var/run/report.lock: file exists"',
    ]
    container = {"name": "app", "image": image("checkout"), "args": arguments, **memory("64Mi")}
    report = manifest("Pod", "report", namespace, spec={"containers": [container]})
    report["metadata"]["labels"] = {"app": "report"}
    return [report]


def phase(app: str, value: str) -> Test:
    return lambda at: any(pod["status"].get("phase") == value for pod in at.pods(app))


def kept_from_crash(reason: str) -> Test:
    return lambda at: restarts("checkout", 2)(at) or bool(at.event(reason))


def ready_again(at: Namespace) -> bool:
    found = at.cluster.get("deployment", "checkout", at.name)
    return bool(found["status"].get("availableReplicas"))
