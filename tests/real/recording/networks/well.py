"""Networks that work, next to the faults: a diagnosis must stay silent."""

from __future__ import annotations

from tests.real.cluster.layout import Document
from tests.real.namespace import Namespace
from tests.real.recording.fault import Fault
from tests.real.recording.networks.clients import address_of, patient_client, ready, service, slice_of, web
from tests.real.recording.networks.policies import CLIENT, DNS, GET, peer, policy, port
from tests.real.recording.networks.services import metrics, without_a_selector
from tests.real.recording.workloads import headless, stateful_set
from tests.real.workloads import manifest


def allowed_in_both_directions(namespace: str) -> list[Document]:
    """All that is needed and nothing else."""
    return [
        *web(namespace),
        policy(namespace, "default-deny", ingress=[], egress=[]),
        policy(namespace, "dns", egress=[DNS]),
        policy(namespace, "web", "web", ingress=[{"from": [CLIENT], "ports": port("http")}]),
        policy(namespace, "checkout", "checkout", egress=[{"to": [peer(app="web")], "ports": port(8080)}]),
        patient_client(namespace, *GET),
    ]


def for_namespaces_to_come(namespace: str) -> list[Document]:
    """Rules for peers that are not there yet, beside those that are needed."""
    to_come = {"namespaceSelector": {"matchLabels": {"team": "partners"}}}
    return [
        *web(namespace),
        policy(namespace, "web", "web", ingress=[{"from": [CLIENT, to_come, peer(app="batch")]}]),
        policy(namespace, "batch", "batch", egress=[]),
        patient_client(namespace, *GET),
    ]


def peers(namespace: str) -> list[Document]:
    governing = headless("db", namespace)
    governing["spec"]["publishNotReadyAddresses"] = True
    return [
        governing,
        stateful_set("db", namespace, "db", "serve", replicas=2),
        patient_client(namespace, "-dial", "db-1.db:8080"),
    ]


def alias_of_web(namespace: str) -> list[Document]:
    spec = {"type": "ExternalName", "externalName": f"web.{namespace}.svc.cluster.local"}
    return [
        *web(namespace),
        manifest("Service", "front", namespace, spec=spec),
        patient_client(namespace, "-get", "http://front/"),
    ]


def local_and_sticky(namespace: str) -> list[Document]:
    return [
        *web(namespace, type="NodePort", internalTrafficPolicy="Local", externalTrafficPolicy="Local"),
        service(namespace, "backup", selector={"app": "web"}, sessionAffinity="ClientIP"),
        patient_client(namespace, *GET),
        patient_client(namespace, "-get", "http://backup/", name="report"),
    ]


def of_udp(namespace: str) -> list[Document]:
    server, behind, _ = metrics(namespace, "UDP")
    return [server, behind, patient_client(namespace, "-send", "statsd:8125")]


def on_the_host_network(namespace: str) -> list[Document]:
    pod = {"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"}
    found = patient_client(namespace, *GET, "-port", "18098", pod=pod)
    (main,) = found["spec"]["template"]["spec"]["containers"]
    main["ports"] = [{"name": "http", "containerPort": 18098}]
    return [*web(namespace), found]


def with_dns_settings(namespace: str) -> list[Document]:
    """One dot is enough for a name to be tried as it stands, and the search list still completes it."""
    settings = {"options": [{"name": "ndots", "value": "1"}], "searches": ["svc.cluster.local", "acme.example"]}
    return [*web(namespace), patient_client(namespace, "-get", f"http://web.{namespace}/", pod={"dnsConfig": settings})]


def by_hand(at: Namespace) -> None:
    at.apply(slice_of(at.name, "web", address_of(at, "backend")))


def never_called(namespace: str) -> list[Document]:
    """A policy that keeps a program from what it does not call."""
    return [
        *web(namespace),
        policy(namespace, "checkout", "checkout", egress=[DNS, {"to": [peer(app="web")]}]),
        patient_client(namespace, *GET),
    ]


CALLED = ready("checkout")
WELL = tuple(
    Fault(name, story, "healthy", "Nothing is wrong.", (), objects, shown, steps=steps, settle=10)
    for name, story, objects, shown, steps in (
        (
            "healthy-policies-that-agree",
            "Everything is denied but what is needed.",
            allowed_in_both_directions,
            CALLED,
            None,
        ),
        ("healthy-policies-for-later", "Rules for namespaces and pods to come.", for_namespaces_to_come, CALLED, None),
        ("healthy-peers-by-name", "A client of one pod of a StatefulSet.", peers, ready("checkout", "db"), None),
        ("healthy-external-name", "An alias of a Service of the cluster.", alias_of_web, CALLED, None),
        (
            "healthy-local-and-sticky",
            "Local traffic policies, and session affinity.",
            local_and_sticky,
            ready("checkout", "report"),
            None,
        ),
        ("healthy-udp-service", "A UDP Service and its client.", of_udp, CALLED, None),
        (
            "healthy-host-network",
            "A client on the host network that asks the cluster's DNS.",
            on_the_host_network,
            CALLED,
            None,
        ),
        ("healthy-dns-settings", "ndots 1 and more search domains.", with_dns_settings, CALLED, None),
        (
            "healthy-slice-by-hand",
            "A Service without selector, with the address of a pod.",
            lambda namespace: [*without_a_selector(namespace), patient_client(namespace, *GET)],
            CALLED,
            by_hand,
        ),
        (
            "healthy-egress-of-what-is-used",
            "A client may reach its server only, and calls nothing else.",
            never_called,
            CALLED,
            None,
        ),
    )
)
