"""kube-proxy as a DaemonSet that does not write its rules; that of the machine is held down meanwhile."""

from __future__ import annotations

from tests.real.cluster.images import KUBE_PROXY
from tests.real.cluster.layout import NODE_ADDRESS, POD_RANGE, REGISTRY, SECURE_PORT, Document
from tests.real.namespace import Namespace
from tests.real.recording.fault import Fault, Step
from tests.real.recording.networks.clients import CRASHED, client, web
from tests.real.workloads import RBAC, manifest

PLACE, NAME = "kube-system", "kube-proxy"
SETTINGS = f"""\
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
bindAddress: 0.0.0.0
clusterCIDR: {POD_RANGE}
clientConnection:
  kubeconfig: /var/lib/kube-proxy/kubeconfig.conf
conntrack:
  maxPerCore: 0
  min: 0
  tcpCloseWaitTimeout: 0s
  tcpEstablishedTimeout: 0s
"""
ACCESS = f"""\
apiVersion: v1
kind: Config
clusters:
- name: default
  cluster:
    certificate-authority: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt
    server: https://{NODE_ADDRESS}:{SECURE_PORT}
contexts:
- name: default
  context: {{cluster: default, namespace: default, user: default}}
current-context: default
users:
- name: default
  user: {{tokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token}}
"""


def proxy(*, rights: bool = True, privileged: bool = True) -> list[Document]:
    """As kubeadm makes it. rights: of the role system:node-proxier."""
    node = {"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
    container: Document = {
        "name": NAME,
        "image": f"{REGISTRY}/{KUBE_PROXY}",
        "args": ["--config=/var/lib/kube-proxy/config.conf", "--hostname-override=$(NODE_NAME)"],
        "env": [node],
        "securityContext": {"privileged": privileged},
        "volumeMounts": [{"name": NAME, "mountPath": "/var/lib/kube-proxy"}],
    }
    pod: Document = {
        "hostNetwork": True,
        "priorityClassName": "system-node-critical",
        "serviceAccountName": NAME,
        "tolerations": [{"operator": "Exists"}],
        "containers": [container],
        "volumes": [{"name": NAME, "configMap": {"name": NAME}}],
    }
    labels = {"k8s-app": NAME}
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "system:node-proxier"}
    subject = {"kind": "ServiceAccount", "name": NAME, "namespace": PLACE}
    binding = manifest(
        "ClusterRoleBinding", "kubeadm:node-proxier", None, f"{RBAC}/v1", roleRef=role, subjects=[subject]
    )
    template = {"metadata": {"labels": labels}, "spec": pod}
    return [
        manifest("ServiceAccount", NAME, PLACE),
        manifest("ConfigMap", NAME, PLACE, data={"config.conf": SETTINGS, "kubeconfig.conf": ACCESS}),
        *([binding] if rights else []),
        {
            **manifest(
                "DaemonSet", NAME, PLACE, "apps/v1", spec={"selector": {"matchLabels": labels}, "template": template}
            ),
            "metadata": {"name": NAME, "namespace": PLACE, "labels": labels},
        },
    ]


def instead(*, rights: bool = True, privileged: bool = True) -> Step:
    """The DaemonSet, and then a Service whose rules it has to write, and its client."""

    def step(at: Namespace) -> None:
        at.cluster.kill("kube-proxy")
        at.apply(*proxy(rights=rights, privileged=privileged))

        def started() -> bool:
            pods = at.cluster.items("pods", PLACE, f"k8s-app={NAME}")
            return any(row.get("started") or row["restartCount"] for pod in pods for row in statuses(pod))

        at.cluster.wait_for("a start of kube-proxy", started)
        at.apply(*web(at.name), client(at.name, "-get", "http://web/"))

    return step


def statuses(pod: Document) -> list[Document]:
    return list(pod["status"].get("containerStatuses", []))


def restored(at: Namespace) -> None:
    at.cluster.kubectl("delete", "daemonset", NAME, "-n", PLACE, "--cascade=foreground", "--timeout=60s")
    at.cluster.kubectl("delete", "configmap", NAME, "-n", PLACE)
    at.cluster.kubectl("delete", "clusterrolebinding", "kubeadm:node-proxier", "--ignore-not-found")
    at.cluster.kubectl("delete", "events", "--all", "-n", PLACE)
    at.cluster.revive("kube-proxy")


PROXY = (("DaemonSet", f"{PLACE}/{NAME}"), ("Pod", f"{PLACE}/{NAME}-*"))
PROXIES = (
    Fault(
        "proxy-without-its-role",
        "The role of kube-proxy was not bound: it runs, sees no Service, and writes no rules.",
        "proxy-forbidden",
        "kube-proxy may not list Services and EndpointSlices, so new Services have no rules.",
        PROXY,
        lambda namespace: [],
        CRASHED,
        steps=instead(rights=False),
        repair=restored,
    ),
    Fault(
        "proxy-without-its-privilege",
        "kube-proxy is not privileged, and cannot use iptables: it crashes.",
        "proxy-crash",
        "kube-proxy may not change the packet filter of its node.",
        PROXY,
        lambda namespace: [],
        CRASHED,
        steps=instead(privileged=False),
        repair=restored,
    ),
)
