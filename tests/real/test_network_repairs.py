"""Services, names, policies and entrances: what is proposed is pasted, and they work."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.gateway import GATEWAY, define_gateways
from tests.real.namespace import Namespace
from tests.real.recording.networks.clients import client, patient_client, ready, service, slice_of, web
from tests.real.recording.networks.entrances import NETWORKING, nginx
from tests.real.recording.networks.services import local_only, metrics, write_slice
from tests.real.repairs import Case, Test, check
from tests.real.workloads import manifest

pytestmark = pytest.mark.real
CALLED = ready("checkout")
LONG_LIST = [f"team-{number}.shops.acme.example" for number in range(31)]
REGEX = "nginx.ingress.kubernetes.io/use-regex"
ELSEWHERE = "default"


def alias(at: Namespace) -> None:
    spec = {"type": "ExternalName", "externalName": f"wbe.{at.name}.svc.cluster.local"}
    at.apply(*web(at.name), manifest("Service", "front", at.name, spec=spec))
    at.apply(patient_client(at.name, "-get", "http://front/"))


def beside_its_selector(at: Namespace) -> None:
    """A slice by hand with an address that no pod has, beside those of the controller."""
    at.apply(*web(at.name), slice_of(at.name, "web", "10.244.0.250"), client(at.name, "-get", "http://web/"))
    at.wait_until_available("web")


def of_the_wrong_protocol(at: Namespace) -> None:
    at.apply(*metrics(at.name, "TCP"))


def without_a_local_endpoint(at: Namespace) -> None:
    at.apply(*local_only(at.name))
    write_slice(at)


def cut(at: Namespace) -> None:
    pod = {"dnsConfig": {"searches": [*LONG_LIST, f"{ELSEWHERE}.svc.cluster.local"]}}
    at.apply(*web(ELSEWHERE), patient_client(at.name, "-get", "http://web/", pod=pod))


def by_full_name(at: Namespace) -> None:
    at.apply(patient_client(at.name, "-get", f"http://web.{ELSEWHERE}.svc.cluster.local/"))


def clear(at: Namespace) -> None:
    at.cluster.kubectl("delete", "deployment/web", "service/web", "-n", ELSEWHERE, "--ignore-not-found")


def like_a_domain(at: Namespace) -> None:
    at.apply(manifest("Namespace", "com", None))
    at.cluster.wait_for("account", lambda: bool(at.cluster.get("serviceaccount", "default", "com")))
    at.apply(service("com", "example"))


def no_longer_like_a_domain(at: Namespace) -> None:
    at.cluster.kubectl("delete", "namespace", "com", "--ignore-not-found", "--wait=false")


def ingress(at: Namespace, path: str, kind: str = "Prefix", **annotations: str) -> None:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    rules = [{"host": "shop.acme.example", "http": {"paths": [{"path": path, "pathType": kind, "backend": backend}]}}]
    made = manifest("Ingress", "web", at.name, NETWORKING, spec={"ingressClassName": "nginx", "rules": rules})
    made["metadata"]["annotations"] = annotations
    at.apply(nginx(), *web(at.name), made)


def first_path(at: Namespace) -> tuple[object, object]:
    (rule,) = at.cluster.get("ingress", "web", at.name)["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    return path["path"], path["pathType"]


def annotation(name: str, value: str) -> Test:
    return lambda at: at.cluster.get("ingress", "web", at.name)["metadata"]["annotations"].get(name) == value


def gateway_objects(at: Namespace) -> None:
    define_gateways(at.cluster)
    at.apply(
        manifest("GatewayClass", "acme", None, f"{GATEWAY}/v1", spec={"controllerName": "acme.example/gateway"}),
        manifest(
            "Gateway",
            "front",
            at.name,
            f"{GATEWAY}/v1",
            spec={"gatewayClassName": "acme", "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]},
        ),
    )


def route(at: Namespace, **backend: object) -> None:
    gateway_objects(at)
    spec = {"parentRefs": [{"name": "front"}], "rules": [{"backendRefs": [{"name": "web", "port": 80, **backend}]}]}
    at.apply(*web(ELSEWHERE), manifest("HTTPRoute", "web", at.name, f"{GATEWAY}/v1", spec=spec))


def granted(at: Namespace) -> bool:
    return any(
        at.name == row["namespace"]
        for grant in at.cluster.items(f"referencegrants.{GATEWAY}", ELSEWHERE)
        for row in grant["spec"]["from"]
    )


def to_another_namespace(at: Namespace) -> None:
    route(at, namespace=ELSEWHERE)


def beside_a_grant_for_others(at: Namespace) -> None:
    gateway_objects(at)
    spec = {
        "from": [{"group": GATEWAY, "kind": "HTTPRoute", "namespace": "partners"}],
        "to": [{"group": "", "kind": "Service", "name": "web"}],
    }
    at.apply(manifest("ReferenceGrant", "web", ELSEWHERE, f"{GATEWAY}/v1beta1", spec=spec))
    to_another_namespace(at)


def certificate_elsewhere(at: Namespace) -> None:
    gateway_objects(at)
    tls = {"certificateRefs": [{"name": "web-tls", "namespace": ELSEWHERE}]}
    listener = {"name": "https", "port": 443, "protocol": "HTTPS", "tls": tls}
    spec = {"gatewayClassName": "acme", "listeners": [listener]}
    at.apply(manifest("Gateway", "front", at.name, f"{GATEWAY}/v1", spec=spec))


def without_grants(at: Namespace) -> None:
    at.cluster.kubectl("delete", f"referencegrants.{GATEWAY}", "--all", "-n", ELSEWHERE)
    clear(at)


def without_its_authority(at: Namespace) -> None:
    gateway_objects(at)
    at.apply(*web(at.name), manifest("ConfigMap", "web-ca", at.name, data={"ca.crt": "-----BEGIN CERTIFICATE-----"}))
    validation = {
        "hostname": "web.acme.example",
        "caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "wbe-ca"}],
    }
    spec = {"targetRefs": [{"group": "", "kind": "Service", "name": "web"}], "validation": validation}
    at.apply(manifest("BackendTLSPolicy", "web", at.name, f"{GATEWAY}/v1", spec=spec))


def to_the_right_authority(at: Namespace) -> None:
    path = "/spec/validation/caCertificateRefs/0/name"
    patch = f'[{{"op":"replace","path":"{path}","value":"web-ca"}}]'
    at.cluster.kubectl("patch", "backendtlspolicy", "web", "-n", at.name, "--type=json", "-p", patch)


def connected(at: Namespace) -> bool:
    """The client has got an answer in its present run."""
    try:
        return "connected to" in at.cluster.kubectl("logs", "deployment/checkout", "-n", at.name)
    except RuntimeError:
        return False


def never_asked(at: Namespace) -> bool:
    return True


CASES = {
    "alias-of-a-misspelled-service": Case(
        "services/external-name-unresolvable", ("service", "front"), ("Set externalName to web.",), alias, CALLED
    ),
    "slice-beside-the-selector": Case(
        "services/stale-endpoints",
        ("service", "web"),
        ("Delete the slice",),
        beside_its_selector,
        lambda at: not at.cluster.get("endpointslice", "web-by-hand", at.name),
    ),
    "tcp-for-udp": Case(
        "services/protocol-mismatch",
        ("service", "statsd"),
        ("Set the protocol of the port to UDP",),
        of_the_wrong_protocol,
        connected,
    ),
    "local-traffic": Case(
        "services/no-local-endpoint",
        ("service", "web"),
        ("Set internalTrafficPolicy to Cluster",),
        without_a_local_endpoint,
        connected,
    ),
    "search-list": Case("dns/search-list-cut", ("deploy", "checkout"), (), cut, CALLED, by_full_name, undo=clear),
    "namespace-like-a-domain": Case(
        "dns/namespace-hides-domain",
        ("namespace", "com"),
        (),
        like_a_domain,
        never_asked,
        no_longer_like_a_domain,
        undo=no_longer_like_a_domain,
    ),
    "annotation-misspelled": Case(
        "ingress/annotation-without-effect",
        ("ingress", "web"),
        ("Rename it to",),
        lambda at: ingress(at, "/", **{"nginx.ingress.kubernetes.io/use-rgex": "true"}),
        annotation(REGEX, "true"),
    ),
    "path-with-a-star": Case(
        "ingress/path-never-matches",
        ("ingress", "web"),
        ("Set the path to /",),
        lambda at: ingress(at, "/api/*"),
        lambda at: first_path(at) == ("/api", "Prefix"),
    ),
    "path-with-a-pattern": Case(
        "ingress/path-never-matches",
        ("ingress", "web"),
        ("Set the annotation",),
        lambda at: ingress(at, "/api/(.*)", "ImplementationSpecific"),
        annotation(REGEX, "true"),
    ),
    "route-to-another-namespace": Case(
        "ingress/route-not-accepted",
        ("httproute", "web"),
        ("Create a ReferenceGrant",),
        to_another_namespace,
        granted,
        undo=without_grants,
    ),
    "grant-for-others": Case(
        "ingress/route-not-accepted",
        ("httproute", "web"),
        ("Add HTTPRoutes of namespace",),
        beside_a_grant_for_others,
        granted,
        undo=without_grants,
    ),
    "certificate-of-another-namespace": Case(
        "ingress/route-not-accepted",
        ("gateway", "front"),
        ("Create a ReferenceGrant",),
        certificate_elsewhere,
        granted,
        undo=without_grants,
    ),
    "authority-misspelled": Case(
        "ingress/backend-tls-unusable",
        ("backendtlspolicy", "web"),
        ("Change the reference to web-ca",),
        without_its_authority,
        never_asked,
        to_the_right_authority,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_fix_that_is_pasted_repairs_the_network(case: Case, namespace: Namespace, tmp_path: Path) -> None:
    check(namespace, tmp_path, case)
