"""NetworkPolicies, enforced by kube-router's controller: what they deny is refused at once."""

from __future__ import annotations

from tests.real.cluster.layout import SERVICE_RANGE, Document
from tests.real.namespace import Namespace
from tests.real.recording.fault import Fault
from tests.real.recording.networks.clients import CRASHED, client, patient_client, service, unready, web
from tests.real.recording.networks.names import clear_default
from tests.real.recording.parts import CHECKOUT
from tests.real.workloads import deployment, manifest

GET = ("-get", "http://web/")
DNS: Document = {"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}
CLIENT = {"podSelector": {"matchLabels": {"app": "checkout"}}}


def policy(namespace: str, name: str, app: str = "", **rules: object) -> Document:
    """For the pods of a workload, or all of the namespace. rules: `ingress`, `egress`; both directions that are named."""
    types = [direction.title() for direction in rules]
    spec = {"podSelector": {"matchLabels": {"app": app}} if app else {}, "policyTypes": types, **rules}
    return manifest("NetworkPolicy", name, namespace, "networking.k8s.io/v1", spec=spec)


def guarded(namespace: str, *ingress: Document) -> list[Document]:
    """A server that lets in what these rules say, and a client."""
    return [*web(namespace), policy(namespace, "web", "web", ingress=list(ingress)), client(namespace, *GET)]


def confined(namespace: str, *egress: Document, call: tuple[str, ...] = GET) -> list[Document]:
    """A client that may do what these rules say."""
    rules = [DNS, *egress]
    return [*web(namespace), policy(namespace, "checkout", "checkout", egress=rules), client(namespace, *call)]


def port(number: int | str, protocol: str = "TCP") -> list[Document]:
    return [{"protocol": protocol, "port": number}]


def peer(**labels: str) -> Document:
    return {"podSelector": {"matchLabels": labels}}


def without_dns(namespace: str) -> list[Document]:
    allow = {"to": [peer(app="web")], "ports": port(8080)}
    return [
        *web(namespace),
        policy(namespace, "default-deny", egress=[]),
        policy(namespace, "checkout", "checkout", egress=[allow]),
        client(namespace, *GET),
    ]


def from_another_namespace(namespace: str) -> list[Document]:
    """The client is in namespace default; the rule has a podSelector alone."""
    rule = {"from": [CLIENT], "ports": port(8080)}
    call = ("-get", f"http://web.{namespace}/")
    return [
        *web(namespace),
        policy(namespace, "web", "web", ingress=[rule]),
        client("default", *call),
    ]


def in_both_directions(namespace: str) -> list[Document]:
    """The client may send, and the server lets nobody in."""
    return [
        *web(namespace),
        policy(namespace, "default-deny", ingress=[]),
        policy(namespace, "checkout", "checkout", egress=[DNS, {"to": [peer(app="web")]}]),
        patient_client(namespace, *GET),
    ]


def between_tiers(namespace: str) -> list[Document]:
    """The client may reach web; web itself may not reach its database, so that it is not ready."""
    database = policy(namespace, "db", "db", ingress=[{"from": [peer(tier="backend")], "ports": port(8080)}])
    return [
        deployment("db", namespace),
        service(namespace, "db"),
        database,
        patient_client(namespace, "-get", "http://db/", name="web"),
        service(namespace),
        client(namespace, *GET),
    ]


def crashed_in_default(at: Namespace) -> bool:
    return CRASHED(Namespace(at.cluster, "default"))


def asks_dns_of(namespace: str, *peers: Document) -> list[Document]:
    """A client whose policy allows its server, and DNS to these peers only."""
    allowed = {"to": [peer(app="web")], "ports": port(8080)}
    rules = [{"to": list(peers), **DNS}, allowed]
    return [*web(namespace), policy(namespace, "checkout", "checkout", egress=rules), client(namespace, *GET)]


RANGE = [{"protocol": "TCP", "port": 8000, "endPort": 8079}]
SERVERS_OF_DNS = {"podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}
KUBE_SYSTEM_BY_NAME = {"namespaceSelector": {"matchLabels": {"name": "kube-system"}}, **SERVERS_OF_DNS}
"""By a label that people once gave the namespace; Kubernetes' own is kubernetes.io/metadata.name."""
POLICIES = (
    Fault(
        "policy-for-dns-by-a-label-that-kube-system-lacks",
        "A policy allows DNS to namespaces with name=kube-system, a label that kube-system does not have.",
        "policy-dns",
        "kube-system has no label name=kube-system; its own is kubernetes.io/metadata.name.",
        (("NetworkPolicy", "checkout"), *CHECKOUT),
        lambda namespace: asks_dns_of(namespace, KUBE_SYSTEM_BY_NAME),
        CRASHED,
    ),
    Fault(
        "policy-for-dns-without-its-namespace",
        "A policy allows DNS to pods with k8s-app=kube-dns by podSelector alone, which selects none of another namespace.",
        "policy-dns",
        "A podSelector without namespaceSelector selects no pod of kube-system.",
        (("NetworkPolicy", "checkout"), *CHECKOUT),
        lambda namespace: asks_dns_of(namespace, SERVERS_OF_DNS),
        CRASHED,
    ),
    Fault(
        "policy-for-a-range-of-ports",
        "A policy lets in ports 8000 to 8079; the pods listen on 8080.",
        "policy-port",
        "The rule allows 8000-8079 and not 8080.",
        (("NetworkPolicy", "web"), *CHECKOUT),
        lambda namespace: guarded(namespace, {"from": [CLIENT], "ports": RANGE}),
        CRASHED,
    ),
    Fault(
        "egress-denied-without-dns",
        "A namespace denies egress, and the client's own policy allows its server and no DNS.",
        "policy-dns",
        "No policy allows UDP port 53 to the cluster's DNS.",
        (("NetworkPolicy", "default-deny"), ("NetworkPolicy", "checkout"), *CHECKOUT),
        without_dns,
        CRASHED,
    ),
    Fault(
        "policy-for-a-label-that-the-namespace-lacks",
        "A policy lets in pods of namespaces with the label team=shop, and the client's namespace has no such label.",
        "policy-namespace-label",
        "No namespace has the label team=shop.",
        (("NetworkPolicy", "web"), *CHECKOUT),
        lambda namespace: guarded(
            namespace,
            {"from": [{"namespaceSelector": {"matchLabels": {"team": "shop"}}, **CLIENT}], "ports": port(8080)},
        ),
        CRASHED,
    ),
    Fault(
        "policy-for-a-misspelled-label",
        "A policy lets in pods with app=chekout; the client has app=checkout.",
        "policy-peer",
        "The rule selects app=chekout, which no pod has.",
        (("NetworkPolicy", "web"), *CHECKOUT),
        lambda namespace: guarded(namespace, {"from": [peer(app="chekout")], "ports": port(8080)}),
        CRASHED,
    ),
    Fault(
        "policy-for-the-port-of-the-service",
        "A policy lets in port 80, the port of the Service; the pods listen on 8080.",
        "policy-port",
        "Policies apply to the port of the pod, 8080, and the rule allows 80.",
        (("NetworkPolicy", "web"), *CHECKOUT),
        lambda namespace: guarded(namespace, {"from": [CLIENT], "ports": port(80)}),
        CRASHED,
    ),
    Fault(
        "policy-for-udp",
        "A policy lets in UDP port 8080; the client uses TCP.",
        "policy-protocol",
        "The rule allows UDP 8080 and not TCP 8080.",
        (("NetworkPolicy", "web"), *CHECKOUT),
        lambda namespace: guarded(namespace, {"from": [CLIENT], "ports": port(8080, "UDP")}),
        CRASHED,
    ),
    Fault(
        "policy-for-the-addresses-of-services",
        "The client may send to the range of Services; the packets go to the pods behind them.",
        "policy-ip-block",
        f"ipBlock {SERVICE_RANGE} does not contain the pods behind the Service.",
        (("NetworkPolicy", "checkout"), *CHECKOUT),
        lambda namespace: confined(namespace, {"to": [{"ipBlock": {"cidr": SERVICE_RANGE}}]}),
        CRASHED,
    ),
    Fault(
        "policy-without-the-api-server",
        "An operator may reach DNS and its own server, and calls the API server.",
        "policy-api-server",
        "No rule allows port 6443 of the API server.",
        (("NetworkPolicy", "checkout"), *CHECKOUT),
        lambda namespace: confined(
            namespace, {"to": [peer(app="web")]}, call=("-get", "https://kubernetes.default.svc/healthz")
        ),
        CRASHED,
    ),
    Fault(
        "policies-that-disagree",
        "The client's policy allows its server; the namespace denies all ingress.",
        "policy-ingress",
        "default-deny isolates web, and no rule lets checkout in.",
        (("NetworkPolicy", "default-deny"), *CHECKOUT),
        in_both_directions,
        unready(),
    ),
    Fault(
        "policy-two-hops-away",
        "The policy of a database lets in tier=backend; web lacks the label, is not ready, and its own client is refused.",
        "policy-peer",
        "Policy db lets in tier=backend, and web does not have this label.",
        (("NetworkPolicy", "db"), ("Deployment", "web")),
        between_tiers,
        CRASHED,
    ),
)

POLICIES_FOR_DEFAULT = (
    Fault(
        "policy-of-the-target-forgets-other-namespaces",
        "A policy lets in app=checkout by podSelector alone; the client is in namespace default.",
        "policy-peer",
        "A podSelector without namespaceSelector selects pods of the policy's own namespace.",
        (("NetworkPolicy", "web"), ("Deployment", "default/checkout")),
        from_another_namespace,
        crashed_in_default,
        repair=clear_default,
    ),
)
