"""Ingresses in a cluster where ingress-nginx's controller runs: what it says of each is in its log, in events and in the status."""

from __future__ import annotations

from collections.abc import Callable

from tests.real.cluster.layout import Document
from tests.real.ingress_controller import NETWORKING, PLACE, key_pair
from tests.real.namespace import Namespace
from tests.real.recording.fault import Fault, Test
from tests.real.recording.networks.clients import patient_client, ready, service, unready, web
from tests.real.recording.networks.entrances import OVERDUE
from tests.real.recording.networks.policies import policy
from tests.real.recording.networks.services import not_ready, ports
from tests.real.workloads import deployment, manifest

INGRESS = (("Ingress", "web"),)
SETTING = "nginx.ingress.kubernetes.io/"


def host_of(namespace: str) -> str:
    """All namespaces share one controller, so each has a host of its own."""
    return f"{namespace}.acme.example"


def backend(name: str = "web", port: int | str = 80) -> Document:
    return {"service": {"name": name, "port": {"number" if isinstance(port, int) else "name": port}}}


def ingress(
    namespace: str,
    target: Document | None = None,
    *,
    name: str = "web",
    path: str = "/",
    path_type: str = "Prefix",
    settings: Document | None = None,
    **spec: object,
) -> Document:
    """settings: annotations of ingress-nginx, without their prefix."""
    paths = [{"path": path, "pathType": path_type, "backend": target or backend()}]
    rules = [{"host": host_of(namespace), "http": {"paths": paths}}]
    made = manifest("Ingress", name, namespace, NETWORKING, spec={"ingressClassName": "nginx", "rules": rules, **spec})
    made["metadata"]["annotations"] = {f"{SETTING}{key}": value for key, value in (settings or {}).items()}
    return made


def without_a_class(namespace: str) -> Document:
    made = ingress(namespace)
    del made["spec"]["ingressClassName"]
    return made


def behind_unready(namespace: str) -> list[Document]:
    server, behind, _ = not_ready(namespace)
    return [server, behind, ingress(namespace)]


def with_tls(namespace: str, secret: Document | None = None) -> list[Document]:
    tls = [{"hosts": [host_of(namespace)], "secretName": "web-tls"}]
    return [*web(namespace), *([secret] if secret else []), ingress(namespace, tls=tls)]


def certificate(namespace: str, *names: str, days: int = 30) -> Document:
    text, key = key_pair((names or (host_of(namespace),))[0], *names, days=days)
    data = {"tls.crt": text, "tls.key": key}
    return manifest("Secret", "web-tls", namespace, type="kubernetes.io/tls", data=data)


def opaque(namespace: str) -> Document:
    text, key = key_pair(host_of(namespace))
    return manifest("Secret", "web-tls", namespace, type="Opaque", data={"server.crt": text, "server.key": key})


def of_two_pairs(namespace: str) -> Document:
    """A certificate, and the key of another one."""
    made = certificate(namespace)
    made["data"]["tls.key"] = key_pair(host_of(namespace))[1]
    return made


def external(namespace: str, name: str) -> list[Document]:
    spec = {"type": "ExternalName", "externalName": name}
    return [
        *web(namespace),
        manifest("Service", "front", namespace, spec=spec),
        ingress(namespace, backend("front", 80)),
    ]


def alone(namespace: str) -> list[Document]:
    """A canary, and no Ingress that it belongs to."""
    canary = ingress(namespace, settings={"canary": "true", "canary-weight": "10"})
    return [*web(namespace), canary]


def called_through(at: Namespace, path: str) -> None:
    """A client that reaches the host of the Ingress through the controller's Service."""
    controller = at.cluster.get("service", "ingress-nginx-controller", PLACE)["spec"]["clusterIP"]
    aliases = [{"ip": controller, "hostnames": [host_of(at.name)]}]
    at.apply(patient_client(at.name, "-get", f"http://{host_of(at.name)}{path}", pod={"hostAliases": aliases}))


def only_from_its_own(namespace: str) -> list[Document]:
    allowed: list[Document] = [{"from": [{"podSelector": {}}]}]
    return [*web(namespace), policy(namespace, "web", "web", ingress=allowed), ingress(namespace)]


def listed(name: str = "web") -> Test:
    """The controller has given the Ingress its address, and the server behind it is ready."""

    def test(at: Namespace) -> bool:
        found = at.cluster.get("ingress", name, at.name)
        return bool(found.get("status", {}).get("loadBalancer", {}).get("ingress")) and ready("web")(at)

    return test


def of(
    name: str,
    story: str,
    cause: str,
    summary: str,
    objects: Callable[[str], list[Document]],
    *,
    culprit: tuple[tuple[str, str], ...] = INGRESS,
    shown: Test | None = None,
    settle: float = 20,
) -> Fault:
    return Fault(f"served-{name}", story, cause, summary, culprit, objects, shown or listed(), settle=settle)


SERVED = (
    of(
        "ingress-without-a-class",
        "An Ingress names no class, and no class is the default: the controller ignores it.",
        "ingress-class",
        "The Ingress has no ingressClassName, and no IngressClass is the default.",
        lambda namespace: [*web(namespace), without_a_class(namespace)],
        shown=ready("web"),
        settle=OVERDUE,
    ),
    of(
        "ingress-of-a-misspelled-class",
        "An Ingress names the class ngnix: the controller of nginx ignores it.",
        "ingress-class",
        "There is no IngressClass ngnix; the cluster has nginx.",
        lambda namespace: [*web(namespace), ingress(namespace, ingressClassName="ngnix")],
        shown=ready("web"),
        settle=OVERDUE,
    ),
    of(
        "ingress-of-a-missing-service",
        "An Ingress sends to Service wbe, which does not exist.",
        "ingress-backend",
        "There is no Service wbe; the Service is web.",
        lambda namespace: [*web(namespace), ingress(namespace, backend("wbe"))],
    ),
    of(
        "ingress-to-another-namespace",
        "An Ingress sends to Service kube-dns, which is in namespace kube-system.",
        "ingress-backend",
        "An Ingress can use only Services of its own namespace; kube-dns is in kube-system.",
        lambda namespace: [*web(namespace), ingress(namespace, backend("kube-dns", 53))],
    ),
    of(
        "ingress-to-a-missing-port",
        "An Ingress sends to port 8080 of a Service that has port 80 only.",
        "ingress-backend",
        "Service web has port 80 and no port 8080.",
        lambda namespace: [*web(namespace), ingress(namespace, backend(port=8080))],
    ),
    of(
        "ingress-to-a-missing-port-name",
        "An Ingress sends to port `web` of a Service whose port is called http.",
        "ingress-backend",
        "Service web has no port named web, only http.",
        lambda namespace: [*web(namespace), ingress(namespace, backend(port="web"))],
    ),
    of(
        "ingress-of-a-service-without-pods",
        "The Service of an Ingress selects no pod: clients get 503.",
        "service-selector",
        "The selector is app=wbe; the pods have app=web.",
        lambda namespace: [*web(namespace, selector={"app": "wbe"}), ingress(namespace)],
        culprit=(("Service", "web"),),
    ),
    of(
        "ingress-of-unready-pods",
        "The Service of an Ingress has no ready pod: clients get 503.",
        "readiness",
        "The readiness probe of web gets status 503.",
        behind_unready,
        culprit=(("Deployment", "web"),),
        shown=unready("web", 40),
    ),
    of(
        "ingress-to-a-wrong-target-port",
        "The Service of an Ingress sends to a port on which nothing listens: clients get 502.",
        "service-target-port",
        "targetPort 9090 of Service web is a port on which nothing listens.",
        lambda namespace: [*web(namespace, **ports(target=9090)), ingress(namespace)],
        culprit=(("Service", "web"),),
    ),
    of(
        "ingress-without-its-certificate",
        "The TLS Secret of an Ingress does not exist: the controller serves its own certificate instead.",
        "ingress-tls",
        "There is no Secret web-tls.",
        with_tls,
        settle=OVERDUE,
    ),
    of(
        "ingress-with-an-opaque-secret",
        "The Secret of an Ingress has the keys server.crt and server.key: the controller serves its own certificate.",
        "ingress-tls",
        "Secret web-tls has no tls.crt and no tls.key.",
        lambda namespace: with_tls(namespace, opaque(namespace)),
    ),
    of(
        "ingress-with-a-certificate-for-another-host",
        "The certificate of an Ingress is for another host: the controller serves its own certificate.",
        "ingress-tls",
        "The certificate in web-tls is for shop.other.example.",
        lambda namespace: with_tls(namespace, certificate(namespace, "shop.other.example")),
    ),
    of(
        "ingress-with-an-expired-certificate",
        "The certificate of an Ingress has expired three days ago.",
        "ingress-tls",
        "The certificate in web-tls has expired.",
        lambda namespace: with_tls(namespace, certificate(namespace, days=-3)),
    ),
    of(
        "ingress-with-the-key-of-another-certificate",
        "The key in the Secret of an Ingress belongs to another certificate.",
        "ingress-tls",
        "tls.key of web-tls does not match tls.crt.",
        lambda namespace: with_tls(namespace, of_two_pairs(namespace)),
    ),
    of(
        "ingress-without-its-password-file",
        "The Secret of auth-secret does not exist: the controller answers 503.",
        "ingress-annotation",
        "There is no Secret basic-auth.",
        lambda namespace: [
            *web(namespace),
            ingress(namespace, settings={"auth-type": "basic", "auth-secret": "basic-auth"}),
        ],
        settle=OVERDUE,
    ),
    of(
        "ingress-to-an-external-name-of-nobody",
        "An Ingress sends to a Service of type ExternalName, whose name does not resolve.",
        "external-name",
        "externalName wbe is misspelled: the Service is web.",
        lambda namespace: external(namespace, f"wbe.{namespace}.svc.cluster.local"),
        culprit=(("Service", "front"), ("Ingress", "web")),
    ),
    of(
        "canary-of-nobody",
        "A canary Ingress has no main Ingress: the controller drops it, and its host gets 404.",
        "ingress-canary",
        "No Ingress without canary has the same host and path.",
        alone,
        settle=OVERDUE,
    ),
    of(
        "ingress-of-pods-that-policies-guard",
        "A policy lets in the pods of its own namespace only, so the controller's connections time out.",
        "policy-ingress-controller",
        "Policy web does not let in the pods of ingress-nginx.",
        only_from_its_own,
        culprit=(("Ingress", "web"), ("NetworkPolicy", "web")),
    ),
    Fault(
        "served-path-is-exact",
        "A client calls /ready/live; the only path of the Ingress is Exact /ready.",
        "ingress-path",
        "Path /ready of Ingress web is Exact, so /ready/live gets 404.",
        (("Ingress", "web"), ("Deployment", "checkout")),
        lambda namespace: [*web(namespace), ingress(namespace, path="/ready", path_type="Exact")],
        unready(),
        steps=lambda at: called_through(at, "/ready/live"),
        settle=60,
    ),
)


def well(
    name: str,
    story: str,
    objects: Callable[[str], list[Document]],
    shown: Test | None = None,
    steps: Callable[[Namespace], None] | None = None,
) -> Fault:
    summary = "Nothing is wrong."
    return Fault(f"healthy-served-{name}", story, "healthy", summary, (), objects, shown or listed(), steps, settle=20)


def in_two_hosts(namespace: str) -> list[Document]:
    """With a certificate for both, one by a wildcard."""
    other = {"host": f"www.{host_of(namespace)}", "http": ingress(namespace)["spec"]["rules"][0]["http"]}
    made = ingress(namespace)
    made["spec"]["rules"].append(other)
    made["spec"]["tls"] = [{"hosts": [host_of(namespace), other["host"]], "secretName": "web-tls"}]
    return [*web(namespace), certificate(namespace, host_of(namespace), f"*.{host_of(namespace)}"), made]


def with_a_canary(namespace: str) -> list[Document]:
    canary = ingress(namespace, backend("next"), name="next", settings={"canary": "true", "canary-weight": "10"})
    return [*web(namespace), deployment("next", namespace), service(namespace, "next"), ingress(namespace), canary]


def by_annotation(namespace: str) -> list[Document]:
    """The class as it was named before ingressClassName; TLS with the controller's own certificate."""
    made = without_a_class(namespace)
    made["metadata"]["annotations"] = {"kubernetes.io/ingress.class": "nginx"}
    made["spec"]["tls"] = [{"hosts": [host_of(namespace)]}]
    return [*web(namespace), made]


def by_patterns(namespace: str) -> list[Document]:
    rewritten = {"use-regex": "true", "rewrite-target": "/$2", "proxy-read-timeout": "60", "proxy-body-size": "8m"}
    kind = "ImplementationSpecific"
    return [*web(namespace), ingress(namespace, path="/api(/|$)(.*)", path_type=kind, settings=rewritten)]


SERVED_WELL = (
    well("two-hosts", "One certificate for two hosts.", in_two_hosts),
    well("canary", "A canary beside its main Ingress.", with_a_canary),
    well("class-by-annotation", "The class in an annotation, and the controller's certificate.", by_annotation),
    well("patterns", "A path that is a pattern, and some settings.", by_patterns),
    well(
        "external-name",
        "A backend of type ExternalName, which leads to another Service.",
        lambda namespace: external(namespace, f"web.{namespace}.svc.cluster.local"),
    ),
    well(
        "client",
        "A client calls a path through the controller.",
        lambda namespace: [*web(namespace), ingress(namespace, path="/ready", path_type="Exact")],
        ready("checkout", "web"),
        lambda at: called_through(at, "/ready"),
    ),
)
