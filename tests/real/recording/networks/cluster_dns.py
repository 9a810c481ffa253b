"""Faults of the cluster's DNS: they concern every pod, and are repaired before the next."""

from __future__ import annotations

from tests.real.namespace import Namespace
from tests.real.recording.fault import Fault, Step, Test
from tests.real.recording.networks.clients import CRASHED, client, web
from tests.real.workloads import COREFILE, cluster_dns, deployment

PLACE = "kube-system"
COREDNS = (("Deployment", f"{PLACE}/coredns"), ("ConfigMap", f"{PLACE}/coredns"), ("Service", f"{PLACE}/kube-dns"))
DEAD = "198.51.100.53"
STUB = f"acme.internal:53 {{\n    errors\n    forward . {DEAD}\n}}\n"
"""A zone of the company, asked of a server of its own."""
ABROAD = "api.payments.example.com"


def with_corefile(text: str, *, ready: bool = False) -> Step:
    """Change the Corefile and restart CoreDNS, at once. ready: whether it can become ready."""

    def change(at: Namespace) -> None:
        config = next(item for item in cluster_dns() if item["kind"] == "ConfigMap")
        at.apply({**config, "data": {"Corefile": text}})
        at.cluster.kubectl("delete", "pods", "-l", "k8s-app=kube-dns", "-n", PLACE, "--force", "--grace-period=0")
        if ready:
            at.cluster.kubectl("rollout", "status", "deployment/coredns", "-n", PLACE, "--timeout=120s")

    return change


def scaled_to_zero(at: Namespace) -> None:
    at.wait_until_available("web")
    at.cluster.kubectl("scale", "deployment/coredns", "--replicas=0", "-n", PLACE)


def restored(at: Namespace) -> None:
    at.cluster.kubectl("scale", "deployment/coredns", "--replicas=1", "-n", PLACE)
    at.apply(*cluster_dns())
    at.cluster.kubectl("delete", "pods", "-l", "k8s-app=kube-dns", "-n", PLACE, "--force", "--grace-period=0")
    at.cluster.kubectl("rollout", "status", "deployment/coredns", "-n", PLACE, "--timeout=120s")
    at.cluster.kubectl("delete", "events", "--all", "-n", PLACE)


def both(first: Test, second: Test) -> Test:
    return lambda at: first(at) and second(at)


def coredns_restarts(at: Namespace) -> bool:
    pods = at.cluster.items("pods", PLACE, "k8s-app=kube-dns")
    return any(row["restartCount"] >= 2 for pod in pods for row in pod["status"].get("containerStatuses", []))


def calls_web(name: str, story: str, summary: str, steps: Step, shown: Test) -> Fault:
    return Fault(
        name,
        story,
        "cluster-dns",
        summary,
        COREDNS,
        lambda namespace: [*web(namespace), client(namespace, "-get", "http://web/")],
        shown,
        steps=steps,
        repair=restored,
    )


CLUSTER_DNS = (
    calls_web(
        "dns-corefile-with-an-unknown-directive",
        "A line of the Corefile has a typo, and CoreDNS was restarted.",
        "Unknown directive 'forwrad' in the Corefile.",
        with_corefile(COREFILE.replace("    loop\n", "    forwrad . /etc/resolv.conf\n    loop\n")),
        both(CRASHED, coredns_restarts),
    ),
    calls_web(
        "dns-forwards-to-itself",
        "The Corefile forwards to 127.0.0.1, which is CoreDNS itself: queries go round.",
        "The Corefile forwards to 127.0.0.1, and the plugin loop ends CoreDNS.",
        with_corefile(COREFILE.replace("    loop\n", "    forward . 127.0.0.1\n    loop\n")),
        both(CRASHED, coredns_restarts),
    ),
    calls_web(
        "dns-scaled-to-zero-with-a-client",
        "CoreDNS was scaled to 0; a client crashes at its first lookup.",
        "Deployment coredns has 0 replicas.",
        scaled_to_zero,
        CRASHED,
    ),
    calls_web(
        "dns-without-its-ready-plugin",
        "The line `ready` was removed from the Corefile, so CoreDNS answers no readiness probe.",
        "Without the plugin ready nothing listens on port 8181 of the readiness probe.",
        with_corefile(COREFILE.replace("    ready\n", "")),
        CRASHED,
    ),
    Fault(
        "dns-upstream-is-dead",
        "CoreDNS forwards names of the internet to a server that does not answer.",
        "dns-upstream",
        f"Nothing answers at {DEAD}, to which the Corefile forwards.",
        (*COREDNS, ("Deployment", "checkout")),
        lambda namespace: [client(namespace, "-get", f"https://{ABROAD}/v1/charges"), deployment("web", namespace)],
        CRASHED,
        steps=with_corefile(COREFILE.replace("    loop\n", f"    forward . {DEAD}\n    loop\n"), ready=True),
        repair=restored,
    ),
    Fault(
        "dns-stub-zone-is-dead",
        "The Corefile forwards the zone acme.internal to a server that does not answer; all other names resolve.",
        "dns-upstream",
        f"Nothing answers at {DEAD}, to which the Corefile forwards acme.internal.",
        (*COREDNS, ("Deployment", "checkout")),
        lambda namespace: [client(namespace, "-dial", "ledger.acme.internal:5432"), deployment("web", namespace)],
        CRASHED,
        steps=with_corefile(COREFILE + STUB, ready=True),
        repair=restored,
    ),
)
