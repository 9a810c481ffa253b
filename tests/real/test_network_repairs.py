"""Services, names, policies and entrances: what is proposed is pasted, and they work."""

from __future__ import annotations

from pathlib import Path

import pytest

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
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_fix_that_is_pasted_repairs_the_network(case: Case, namespace: Namespace, tmp_path: Path) -> None:
    check(namespace, tmp_path, case)
