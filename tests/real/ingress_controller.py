"""ingress-nginx's controller, with its admission webhook: it reads Ingresses, writes their status, events and its log.

In place of nginx runs a program that forwards plain HTTP as the controller's nginx.conf says, and writes no log.
"""

from __future__ import annotations

import base64
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.images import INGRESS_NGINX
from tests.real.cluster.layout import REGISTRY, Document, image
from tests.real.workloads import RBAC, manifest

PLACE, NAME, ACCOUNT = "ingress-nginx", "ingress-nginx-controller", "ingress-nginx"
CLASS, CONTROLLER = "nginx", "k8s.io/ingress-nginx"
WEBHOOK = "ingress-nginx-admission"
NETWORKING = "networking.k8s.io/v1"
READS = ["get", "list", "watch"]
LABELS = {
    "app.kubernetes.io/name": "ingress-nginx",
    "app.kubernetes.io/instance": "ingress-nginx",
    "app.kubernetes.io/component": "controller",
}
RULES = (
    {
        "apiGroups": [""],
        "resources": ["configmaps", "endpoints", "nodes", "pods", "secrets", "namespaces", "services"],
        "verbs": READS,
    },
    {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
    {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses", "ingressclasses"], "verbs": READS},
    {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses/status"], "verbs": ["update"]},
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": [*READS, "create", "update"]},
    {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": READS},
)
"""As the chart has them, in one role."""


AUTHORITY = """\
[ca]
default_ca = itself
[itself]
database = index
serial = serial
new_certs_dir = .
default_md = sha256
policy = names
copy_extensions = copy
[names]
commonName = supplied
"""


def key_pair(host: str, *names: str, days: int = 30) -> tuple[str, str]:
    """A certificate signed by itself, and its key, both in base64. names: alternative ones, that of the host without any.
    days: of a negative number, it has expired so many days ago."""
    request = [
        "req",
        "-new",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-subj",
        f"/CN={host}",
    ]
    alternative = ",".join(f"DNS:{name}" for name in names or (host,))
    end = datetime.now(UTC) + timedelta(days=days)
    times = ["-startdate", in_openssl(end - timedelta(days=90)), "-enddate", in_openssl(end)]
    signed = [
        "ca",
        "-batch",
        "-selfsign",
        "-config",
        "settings",
        "-in",
        "request",
        "-keyfile",
        "key",
        "-notext",
        *times,
    ]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name, text in (("settings", AUTHORITY), ("index", ""), ("serial", "01")):
            (folder / name).write_text(text)
        for arguments in (
            [*request, "-addext", f"subjectAltName={alternative}", "-keyout", "key", "-out", "request"],
            [*signed, "-out", "certificate"],
        ):
            subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)
        return encoded((folder / "certificate").read_bytes()), encoded((folder / "key").read_bytes())


def in_openssl(time: datetime) -> str:
    return time.strftime("%Y%m%d%H%M%SZ")


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


@cache
def webhook_key_pair() -> tuple[str, str]:
    service = f"{NAME}-admission"
    return key_pair(service, service, f"{service}.{PLACE}.svc")


def ingress_class(name: str = CLASS, controller: str = CONTROLLER) -> Document:
    return manifest("IngressClass", name, None, NETWORKING, spec={"controller": controller})


def admission() -> list[Document]:
    """What asks the controller about each Ingress before it is stored."""
    certificate, key = webhook_key_pair()
    service = {"name": f"{NAME}-admission", "namespace": PLACE, "path": "/networking/v1/ingresses"}
    webhook = {
        "name": "validate.nginx.ingress.kubernetes.io",
        "admissionReviewVersions": ["v1"],
        "clientConfig": {"service": service, "caBundle": certificate},
        "failurePolicy": "Fail",
        "matchPolicy": "Equivalent",
        "rules": [
            {
                "apiGroups": ["networking.k8s.io"],
                "apiVersions": ["v1"],
                "operations": ["CREATE", "UPDATE"],
                "resources": ["ingresses"],
            }
        ],
        "sideEffects": "None",
    }
    ports = [{"name": "https-webhook", "port": 443, "targetPort": "webhook"}]
    return [
        manifest("Secret", WEBHOOK, PLACE, data={"cert": certificate, "key": key}),
        manifest("Service", f"{NAME}-admission", PLACE, spec={"selector": LABELS, "ports": ports}),
        manifest(
            "ValidatingWebhookConfiguration", WEBHOOK, None, "admissionregistration.k8s.io/v1", webhooks=[webhook]
        ),
    ]


def controller() -> list[Document]:
    """As its chart makes it, without what its container must not do: here it is root."""
    container: Document = {
        "name": "controller",
        "image": f"{REGISTRY}/{INGRESS_NGINX}",
        "args": [
            f"--election-id={ACCOUNT}-leader",
            f"--controller-class={CONTROLLER}",
            f"--ingress-class={CLASS}",
            f"--configmap=$(POD_NAMESPACE)/{NAME}",
            "--validating-webhook=:8443",
            "--validating-webhook-certificate=/usr/local/certificates/cert",
            "--validating-webhook-key=/usr/local/certificates/key",
            "--enable-metrics=false",
            "--post-shutdown-grace-period=0",
        ],
        "env": [
            {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
            for name, path in (("POD_NAME", "metadata.name"), ("POD_NAMESPACE", "metadata.namespace"))
        ],
        "ports": [
            {"name": name, "containerPort": number}
            for name, number in (("http", 80), ("https", 443), ("webhook", 8443))
        ],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": 10254}, "periodSeconds": 2},
        "volumeMounts": [{"name": "webhook-cert", "mountPath": "/usr/local/certificates", "readOnly": True}],
    }
    # Takes what the controller posts to nginx for TCP and UDP services, of which there are none.
    streams = {"name": "streams", "image": image("checkout"), "args": ["serve", "-host", "127.0.0.1", "-port", "10247"]}
    volume = {"name": "webhook-cert", "secret": {"secretName": WEBHOOK}}
    pod = {"serviceAccountName": ACCOUNT, "containers": [container, streams], "volumes": [volume]}
    template = {"metadata": {"labels": LABELS}, "spec": pod}
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": ACCOUNT}
    subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": PLACE}
    ports = [{"name": name, "port": number, "targetPort": name} for name, number in (("http", 80), ("https", 443))]
    return [
        manifest("ServiceAccount", ACCOUNT, PLACE),
        manifest("ClusterRole", ACCOUNT, None, f"{RBAC}/v1", rules=list(RULES)),
        manifest("ClusterRoleBinding", ACCOUNT, None, f"{RBAC}/v1", roleRef=role, subjects=[subject]),
        manifest("ConfigMap", NAME, PLACE, data={}),
        manifest("Service", NAME, PLACE, spec={"type": "NodePort", "selector": LABELS, "ports": ports}),
        manifest(
            "Deployment", NAME, PLACE, "apps/v1", spec={"selector": {"matchLabels": LABELS}, "template": template}
        ),
        ingress_class(),
    ]


def rolled_out(cluster: RealCluster) -> None:
    cluster.kubectl("rollout", "status", f"deployment/{NAME}", "-n", PLACE, "--timeout=120s")


@contextmanager
def ingresses_served(cluster: RealCluster) -> Iterator[None]:
    cluster.apply(manifest("Namespace", PLACE, None))
    cluster.wait_for("account", lambda: bool(cluster.get("serviceaccount", "default", PLACE)))
    cluster.apply(*admission(), *controller())
    rolled_out(cluster)
    yield
    cluster.kubectl("delete", "validatingwebhookconfiguration", WEBHOOK, "--ignore-not-found")
    cluster.kubectl("delete", "ingressclass", CLASS, "--ignore-not-found")
    cluster.kubectl("delete", "namespace", PLACE, "--timeout=60s")
