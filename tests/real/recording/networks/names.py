"""Names that do not resolve, as the program or the pod's DNS settings have them."""

from __future__ import annotations

from tests.real.cluster.layout import NODE_ADDRESS, Document
from tests.real.namespace import Namespace
from tests.real.recording.fault import Fault, event
from tests.real.recording.networks.clients import CRASHED, client, patient_client, unready, web
from tests.real.recording.parts import CHECKOUT
from tests.real.workloads import manifest

SETTINGS = {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["10.96.0.10"]}}
LONG_LIST = [f"team-{number}.shops.acme.example" for number in range(31)]


def alias(namespace: str, target: str, *call: str) -> list[Document]:
    spec = {"type": "ExternalName", "externalName": target}
    return [manifest("Service", "ledger", namespace, spec=spec), client(namespace, *(call or ("-dial", "ledger:5432")))]


def calls_web(namespace: str, *call: str, **pod: object) -> list[Document]:
    """A server and a client that calls it by its short name."""
    return [*web(namespace), client(namespace, *(call or ("-get", "http://web/")), pod=pod)]


def in_default(namespace: str) -> list[Document]:
    return [*web("default"), client(namespace, "-get", "http://web/")]


def in_a_domain_at_the_end(namespace: str) -> list[Document]:
    """The 32nd domain of the pod's own list, behind the three of the cluster."""
    pod = {"dnsConfig": {"searches": [*LONG_LIST, "default.svc.cluster.local"]}}
    return [*web("default"), patient_client(namespace, "-get", "http://web/", pod=pod)]


def clear_default(at: Namespace) -> None:
    """Of what faults have made in namespace default, nothing stays."""
    chosen = ["deployments/web", "deployments/checkout", "services/web"]
    at.cluster.kubectl("delete", *chosen, "-n", "default", "--ignore-not-found", "--cascade=foreground")


NAMES = (
    Fault(
        "external-name-is-an-address",
        "The externalName of a Service is an IP address.",
        "external-name",
        "A CNAME record cannot point to 192.0.2.10, so the name does not resolve.",
        (("Service", "ledger"),),
        lambda namespace: alias(namespace, "192.0.2.10"),
        CRASHED,
    ),
    Fault(
        "external-name-of-a-service-that-is-missing",
        "The externalName of a Service names a Service of the cluster that does not exist.",
        "external-name",
        "There is no Service default/ledger.",
        (("Service", "ledger"),),
        lambda namespace: alias(namespace, "ledger.default.svc.cluster.local"),
        CRASHED,
    ),
    Fault(
        "external-name-is-a-short-name",
        "The externalName of a Service is `web`, the name of another Service of its namespace.",
        "external-name",
        "The target of a CNAME record is not completed with the search list, so `web` does not resolve.",
        (("Service", "ledger"),),
        lambda namespace: [*web(namespace), *alias(namespace, "web", "-get", "http://ledger/")],
        CRASHED,
    ),
    Fault(
        "host-of-a-service-misspelled",
        "A client looks up `wbe`; the Service is `web`.",
        "unknown-host",
        "There is no Service wbe in the namespace; the Service is web.",
        CHECKOUT,
        lambda namespace: calls_web(namespace, "-get", "http://wbe/"),
        CRASHED,
    ),
    Fault(
        "cluster-domain-misspelled",
        "A client looks up web.NAMESPACE.svc.cluster.locale.",
        "unknown-host",
        "The domain of the cluster is cluster.local.",
        CHECKOUT,
        lambda namespace: calls_web(namespace, "-get", f"http://web.{namespace}.svc.cluster.locale/"),
        CRASHED,
    ),
    Fault(
        "dns-policy-default",
        "A pod with dnsPolicy Default asks the resolver of its node, which knows no Service.",
        "dns-policy",
        "dnsPolicy Default gives the pod the node's resolv.conf.",
        CHECKOUT,
        lambda namespace: calls_web(namespace, dnsPolicy="Default"),
        CRASHED,
    ),
    Fault(
        "dns-policy-of-a-host-network-pod",
        "A pod on the host network with dnsPolicy ClusterFirst asks the resolver of its node.",
        "dns-policy",
        "On the host network ClusterFirst acts as Default; ClusterFirstWithHostNet is needed.",
        CHECKOUT,
        lambda namespace: [
            *web(namespace),
            client(namespace, "-get", "http://web/", "-port", "18099", pod={"hostNetwork": True}),
        ],
        CRASHED,
    ),
    Fault(
        "dns-policy-none-without-searches",
        "A pod with dnsPolicy None has the cluster's DNS server and no search list, and looks up a short name.",
        "dns-policy",
        "Without searches in dnsConfig the name web is not completed.",
        CHECKOUT,
        lambda namespace: calls_web(namespace, **SETTINGS),
        CRASHED,
    ),
    Fault(
        "dns-server-of-a-pod-is-none",
        "A pod with dnsPolicy None names a DNS server at an address where none runs.",
        "dns-policy",
        f"Nothing answers DNS at {NODE_ADDRESS[:-1]}77.",
        CHECKOUT,
        lambda namespace: calls_web(
            namespace, dnsPolicy="None", dnsConfig={"nameservers": [f"{NODE_ADDRESS[:-1]}77"], "searches": []}
        ),
        CRASHED,
    ),
)

NAMES_IN_DEFAULT = (
    Fault(
        "service-is-in-another-namespace",
        "A client looks up `web` in its own namespace; the Service is in namespace default.",
        "unknown-host",
        "The Service is default/web, so its name here is web.default.",
        CHECKOUT,
        in_default,
        CRASHED,
        repair=clear_default,
    ),
    Fault(
        "search-list-too-long",
        "The last domain of a pod's search list is left out by the kubelet, and the program needs it.",
        "search-list",
        "The list has 35 domains, and the kubelet writes 32.",
        (*CHECKOUT, ("Pod", "checkout-*")),
        in_a_domain_at_the_end,
        lambda at: unready()(at) and event("DNSConfigForming")(at),
        settle=125,
        repair=clear_default,
    ),
)
