"""Faults of containers, probes and images, each in a namespace of its own."""

from __future__ import annotations

from tests.real.cluster.layout import REGISTRY, Document, image
from tests.real.namespace import Namespace
from tests.real.recording.fault import SETTLE, Fault, Test, event, restarts, waits
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


CONTAINERS = (
    one(
        "oom-of-a-child",
        "The worker process of a pre-forking server outgrows the limit; the main process survives it, and then gives up.",
        "oom-killed",
        "A child process was killed at the container's limit of 64Mi; the main process exited with 1.",
        restarts("checkout", 2),
        "parent",
        "-mb",
        "300",
        "-code",
        "1",
        container=memory("64Mi"),
    ),
    one(
        "oom-of-a-child-exit-0",
        "The same, and the main process takes it for an orderly end.",
        "oom-killed",
        "A child process was killed at the container's limit of 64Mi; the main process exited with 0.",
        restarts("checkout", 2),
        "parent",
        "-mb",
        "300",
        "-code",
        "0",
        container=memory("64Mi"),
    ),
    one(
        "memory-limit-below-start",
        "Somebody wrote 1Mi for 1Gi.",
        "memory-limit-too-low",
        "The limit of 1Mi does not even hold the container's init process.",
        event("FailedCreatePodSandBox"),
        "serve",
        container=memory("1Mi"),
        settle=45,
    ),
    one(
        "pod-memory-limit",
        "The limit stands on the pod, not on the container.",
        "oom-killed",
        "The pod's own memory limit of 96Mi was exceeded.",
        restarts("checkout", 2),
        "eat",
        "-mb",
        "400",
        container={"resources": {}},
        pod={"resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "96Mi"}}},
    ),
    one(
        "working-directory-is-a-file",
        "workingDir names a file of the image.",
        "start-error",
        "workingDir /etc/passwd is not a directory.",
        restarts("checkout", 1),
        "serve",
        container={"workingDir": "/etc/passwd"},
    ),
    one(
        "sub-path-key-misspelled",
        "subPath names a key that the ConfigMap does not have, so the kubelet makes a directory.",
        "config-key-missing",
        "subPath setting.json: the key is settings.json.",
        restarts("checkout", 2),
        "require",
        "-file",
        FILE,
        container=SUB_PATH[0],
        pod=SUB_PATH[1],
        beside=(settings("", **{"settings.json": "{}"}),),
    ),
    one(
        "directory-over-a-file",
        "A volume is mounted over a file of the image.",
        "start-error",
        "The volume cannot be mounted at /etc/passwd, which is a file.",
        restarts("checkout", 1),
        "serve",
        container=OVER_FILE[0],
        pod=OVER_FILE[1],
    ),
    one(
        "seccomp-profile-missing",
        "The seccomp profile was not put on the node.",
        "start-error",
        "The node has no seccomp profile profiles/audit.json.",
        kept_from_crash("Failed"),
        "serve",
        pod={"securityContext": {"seccompProfile": {"type": "Localhost", "localhostProfile": "profiles/audit.json"}}},
    ),
    one(
        "apparmor-profile-missing",
        "The AppArmor profile was not loaded on the node.",
        "node-cannot",
        "AppArmor profile shop-checkout cannot be used on this node.",
        lambda at: bool(at.pods("checkout")) and (phase("checkout", "Failed")(at) or bool(at.event("Failed"))),
        "serve",
        pod={"securityContext": {"appArmorProfile": {"type": "Localhost", "localhostProfile": "shop-checkout"}}},
    ),
    one(
        "sysctl-forbidden",
        "A kernel setting that the kubelet does not allow.",
        "node-cannot",
        "The kubelet does not allow net.core.somaxconn.",
        event("SysctlForbidden"),
        "serve",
        pod={"securityContext": {"sysctls": [{"name": "net.core.somaxconn", "value": "4096"}]}},
    ),
    one(
        "host-path-of-another-type",
        "hostPath with type Socket names a folder.",
        "mount-fails",
        "/var/lib on the node is not a socket.",
        event("FailedMount"),
        "serve",
        container=SOCKET[0],
        pod=SOCKET[1],
    ),
    one(
        "port-below-1024",
        "A server on port 80 that does not run as root.",
        "port-not-permitted",
        "The program may not listen on port 80.",
        restarts("checkout", 2),
        "serve",
        "-port",
        "80",
        container={"securityContext": {"runAsUser": 1000, "capabilities": {"drop": ["ALL"]}}},
        pod={"securityContext": {"sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "1024"}]}},
    ),
    Fault(
        "port-used-twice-in-a-pod",
        "Two containers of one pod listen on one port.",
        "port-in-use",
        "Containers app and metrics both listen on 8080.",
        CHECKOUT,
        two_on_one_port,
        restarts("checkout", 2),
    ),
    one(
        "empty-dir-over-its-limit",
        "A cache outgrows the sizeLimit of its emptyDir.",
        "evicted-storage",
        "emptyDir data is limited to 8Mi; the program writes 60.",
        event("Evicted"),
        "fill",
        "-mb",
        "60",
        "-path",
        "/cache/x",
        container=SMALL[0],
        pod=SMALL[1],
    ),
    Fault(
        "deadline-of-a-pod",
        "A pod by itself with activeDeadlineSeconds.",
        "deadline",
        "The pod was ended by its activeDeadlineSeconds of 10.",
        (("Pod", "report"),),
        deadline_of_pod,
        phase("report", "Failed"),
    ),
    Fault(
        "bare-pod-crash",
        "A pod without an owner crashes.",
        "crash",
        "The lock file /var/run/report.lock exists.",
        (("Pod", "report"),),
        bare_crash,
        restarts("report", 2),
    ),
    one(
        "token-not-mounted",
        "automountServiceAccountToken is false and the program wants the token.",
        "missing-file",
        "The token is not mounted because automountServiceAccountToken is false.",
        restarts("checkout", 2),
        "require",
        "-file",
        "/var/run/secrets/kubernetes.io/serviceaccount/token",
        pod={"automountServiceAccountToken": False},
    ),
    one(
        "namespace-misspelled-in-a-name",
        "A Service's name with a misspelled namespace.",
        "name-wrong",
        "kube-dns.kube-sytem.svc.cluster.local does not exist; the namespace is kube-system.",
        restarts("checkout", 1),
        "resolve",
        "-name",
        "kube-dns.kube-sytem.svc.cluster.local",
    ),
    Fault(
        "two-hops",
        "checkout needs payments, payments needs ledger, ledger is never ready.",
        "dependency",
        "ledger's readiness probe fails; payments and checkout cannot connect.",
        (("Deployment", "ledger"),),
        two_hops,
        lambda at: restarts("checkout", 2)(at) and restarts("payments", 2)(at),
        settle=12,
    ),
    Fault(
        "port-of-a-service-wrong",
        "The program dials the container's port instead of the Service's.",
        "port-wrong",
        "Service payments has port 80, not 8080.",
        CHECKOUT,
        wrong_port,
        restarts("checkout", 2),
    ),
    one(
        "probe-command-missing",
        "An exec probe whose program is not in the image.",
        "probe-wrong",
        "The image has no /bin/grpc_health_probe.",
        event("Unhealthy"),
        "serve",
        settle=40,
        container=probe("readiness", exec={"command": ["/bin/grpc_health_probe", "-addr=:8080"]}),
    ),
    one(
        "probe-grpc-on-http",
        "A gRPC probe of a port that serves HTTP.",
        "probe-wrong",
        "Port 8080 does not speak gRPC.",
        restarts("checkout", 1),
        "serve",
        container=probe("liveness", grpc={"port": 8080}),
    ),
    one(
        "probe-scheme-https",
        "A liveness probe with scheme HTTPS of a server that speaks HTTP.",
        "probe-wrong",
        "The server speaks HTTP; the probe HTTPS.",
        restarts("checkout", 1),
        "serve",
        container=probe("liveness", httpGet={"path": "/healthz", "port": 8080, "scheme": "HTTPS"}),
    ),
    one(
        "probe-port-name-unknown",
        "A probe names a port that the container does not name.",
        "probe-wrong",
        "There is no port metrics.",
        event("Unhealthy"),
        "serve",
        settle=40,
        container=probe("readiness", httpGet={"path": "/ready", "port": "metrics"}),
    ),
    one(
        "probe-tcp-port-wrong",
        "A TCP readiness probe of another port.",
        "probe-wrong",
        "Nothing listens on 9090; the program listens on 8080.",
        event("Unhealthy"),
        "serve",
        settle=40,
        container=probe("readiness", tcpSocket={"port": 9090}),
    ),
    Fault(
        "liveness-before-the-start",
        "A slow start and no startup probe: liveness kills it again and again.",
        "probe-too-early",
        "The liveness probe kills checkout before it listens (after 45 s).",
        CHECKOUT,
        slow_and_probed,
        lambda at: any(status["restartCount"] >= 2 for status in at.containers("checkout")),
    ),
    Fault(
        "init-container-waits-for-nobody",
        "An init container waits for a Service that is called otherwise.",
        "dependency",
        "Service ledger does not exist; there is ledgers.",
        CHECKOUT,
        waits_for_nobody,
        lambda at: any(
            status["name"] == "wait-for-ledger" and "running" in status["state"]
            for pod in at.pods("checkout")
            for status in pod["status"].get("initContainerStatuses", [])
        ),
        settle=310,
    ),
    one(
        "variable-not-passed",
        "The ConfigMap has the variable, and the Deployment does not read it.",
        "missing-variable",
        "PAYMENT_URL is not set; ConfigMap checkout-settings has it.",
        restarts("checkout", 2),
        "require",
        "-env",
        "PAYMENT_URL",
        beside=(settings("", PAYMENT_URL="http://payments"),),
    ),
    one(
        "secret-key-misspelled",
        "A key that the Secret does not have.",
        "secret-key-missing",
        "Secret checkout-login has no key password; it has passwort.",
        waits("checkout", "CreateContainerConfigError"),
        "serve",
        container={
            "env": [{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "checkout-login", "key": "password"}}}]
        },
        beside=(manifest("Secret", "checkout-login", "", stringData={"passwort": "x"}),),
    ),
    Fault(
        "crash-after-a-rollout",
        "A new revision needs a variable that nobody sets.",
        "missing-variable",
        "Revision 2 needs DATABASE_URL.",
        CHECKOUT,
        lambda namespace: [deployment("checkout", namespace)],
        restarts("checkout", 2),
        steps=after_rollout,
    ),
    Fault(
        "configuration-edited",
        "A ConfigMap was edited (a comma too many) and the pods restarted.",
        "bad-config",
        "settings.json is no JSON since the last edit.",
        (*CHECKOUT, ("ConfigMap", "checkout-settings")),
        reads_settings,
        restarts("checkout", 2),
        steps=configuration_edited,
    ),
    Fault(
        "healthy-crash-is-over",
        "checkout crashed until ledger was there; it is well since.",
        "healthy",
        "Nothing is wrong.",
        (),
        lambda namespace: [
            deployment(
                "checkout",
                namespace,
                "require",
                "-dial",
                f"ledger.{namespace}.svc.cluster.local:8080",
                container=probe("readiness", httpGet={"path": "/ready", "port": "http"}),
            )
        ],
        ready_again,
        steps=ledger_comes_late,
        settle=100,
    ),
    one(
        "image-digest-unknown",
        "An image by a digest that the registry does not have.",
        "image-not-found",
        "The registry has no such digest.",
        waits("checkout", "ImagePullBackOff"),
        "serve",
        container={"image": f"{REGISTRY}/checkout@sha256:{'0' * 63}1"},
    ),
    one(
        "image-rate-limit",
        "The registry limits pulls.",
        "image-rate-limit",
        "The registry's pull limit is reached.",
        waits("checkout", "ImagePullBackOff"),
        "serve",
        container={"image": f"{REGISTRY}/busy/checkout:1.4.2"},
    ),
    one(
        "image-denied",
        "The registry denies the access.",
        "image-denied",
        "The registry refuses the access.",
        waits("checkout", "ImagePullBackOff"),
        "serve",
        container={"image": f"{REGISTRY}/secret/checkout:1.4.2"},
    ),
    one(
        "image-registry-broken",
        "The registry answers 503.",
        "image-registry",
        "The registry is not available (503).",
        waits("checkout", "ImagePullBackOff"),
        "serve",
        container={"image": f"{REGISTRY}/broken/checkout:1.4.2"},
    ),
    one(
        "image-registry-refuses",
        "Nothing listens on the registry's port.",
        "image-registry",
        "The connection to port 5001 is refused.",
        waits("checkout", "ImagePullBackOff"),
        "serve",
        container={"image": "registry.shop.internal:5001/checkout:1.4.2"},
    ),
    one(
        "image-registry-without-tls",
        "A registry that speaks HTTP and is asked by HTTPS.",
        "image-registry",
        "The registry speaks HTTP; the node asks by HTTPS.",
        waits("checkout", "ImagePullBackOff"),
        "serve",
        container={"image": "172.30.0.2:5000/checkout:1.4.2"},
    ),
    Fault(
        "image-of-an-init-container",
        "The init container's image does not exist.",
        "image-not-found",
        "The repository migrations does not exist.",
        CHECKOUT,
        initial_image,
        waits("checkout", "ImagePullBackOff"),
    ),
)
