"""`reach` from addresses, to hosts of Ingresses and routes, from everywhere, and without EndpointSlices."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.answers.question import Choices
from kubedoctor.answers.questions.reach import reach
from kubedoctor.answers.reach.fronts import front_of
from kubedoctor.answers.sheet import Conclusion, Sheet
from kubedoctor.cluster import Cluster, Ref
from kubedoctor.cluster.seen.decoding import convert_object
from tests.answers.reach.situations import NODE, Manifest, asked, pod, policy, service, slices, space
from tests.engine.clinic import complete

WEB, DB = pod("shop", "web", "10.0.0.1"), pod("data", "db", "10.0.0.2")
PROXY = pod("edge", "ingress-nginx", "10.0.0.7")
PROXY["metadata"]["labels"] = {"app.kubernetes.io/name": "ingress-nginx"}
PLACES = (NODE, space("shop"), space("data"), space("edge"))
SERVED = (service("data", "db"), slices("data", "db", ("db", "10.0.0.2")))
CLASS = {"kind": "IngressClass", "metadata": {"name": "nginx"}, "spec": {"controller": "k8s.io/ingress-nginx"}}
DENY = policy("data", podSelector={}, policyTypes=["Ingress"])
ROUTES = "gateway.networking.k8s.io"


def ingress(service_name: str = "db", host: str = "shop.example") -> Manifest:
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": service_name, "port": {"number": 80}}}}
    rules = [{"host": host, "http": {"paths": [path, {**path, "path": "/static", "backend": {}}]}}]
    return {
        "kind": "Ingress",
        "metadata": {"name": "front", "namespace": "data"},
        "spec": {"ingressClassName": "nginx", "rules": rules},
    }


def route(**spec: Any) -> Manifest:
    rules = [
        {"backendRefs": [{"name": "db", "port": 80}]},
        {"matches": [{"path": {"value": "/none"}}], "filters": [{"type": "RequestRedirect"}]},
    ]
    whole = {
        "parentRefs": [{"name": "public", "namespace": "edge"}],
        "hostnames": ["*.example"],
        "rules": rules,
        **spec,
    }
    return {
        "apiVersion": f"{ROUTES}/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "front", "namespace": "data"},
        "spec": whole,
    }


def ask_route(destination: str, *manifests: Manifest) -> Sheet:
    snapshot = complete(*manifests)
    snapshot.add(convert_object(f"HTTPRoute.{ROUTES}", route()).objects)
    return reach.answer(Ref("Pod", "shop", "web"), Choices({"destination": (destination,)}), Cluster(snapshot))


@pytest.mark.parametrize(
    ("destination", "manifests", "conclusion", "words"),
    [
        ("https://shop.example/api", (ingress(), CLASS, PROXY, *SERVED), Conclusion.WELL, "reaches 1 endpoint of Service data/db"),
        ("https://shop.example/api", (ingress(), CLASS, PROXY, *SERVED, DENY), Conclusion.TROUBLE, "NetworkPolicy data/deny denies ingress"),
        ("shop.example", (ingress("gone"), CLASS, PROXY), Conclusion.TROUBLE, "(503): Ingress data/front sends / to Service data/gone, which does not exist"),
        ("http://shop.example/static/a", (ingress(), CLASS, PROXY), Conclusion.UNKNOWN, "sends /static to no Service"),
        ("shop.example", (ingress(), CLASS, *SERVED), Conclusion.UNKNOWN, "is served by Ingress data/front, whose proxy was not seen"),
        ("other.example", (ingress(), CLASS, PROXY), Conclusion.WELL, "out of the cluster to other.example"),
        ("ingress/front.data", (ingress(), CLASS, PROXY, *SERVED), Conclusion.WELL, "reaches 1 endpoint"),
        ("ingress/front.data", ({**ingress(), "spec": {}}, CLASS), Conclusion.TROUBLE, "has no rule for this path"),
    ],
)  # fmt: skip
def test_a_host_leads_through_the_proxy_of_its_ingress(
    destination: str, manifests: tuple[Manifest, ...], conclusion: Conclusion, words: str
) -> None:
    sheet = asked(destination, *PLACES, WEB, DB, *manifests)
    assert words in sheet.verdict
    assert sheet.conclusion is conclusion


@pytest.mark.parametrize(
    ("path", "service_name"),
    [("/", "web"), ("/api/v1", "api"), ("/apixyz", "web"), ("/api/exact", "exact")],
)
def test_rules_of_several_ingresses_of_a_host_are_one_table(path: str, service_name: str) -> None:
    def only(name: str, at: str, path_type: str = "Prefix") -> Manifest:
        backend = {"service": {"name": name, "port": {"number": 80}}}
        paths = [{"path": at, "pathType": path_type, "backend": backend}]
        rules = [{"host": "shop.example", "http": {"paths": paths}}]
        return {**ingress(), "metadata": {"name": name, "namespace": "data"}, "spec": {"rules": rules}}

    canary = only("canary", "/")
    canary["metadata"]["annotations"] = {"nginx.ingress.kubernetes.io/canary": "true"}
    rows = (canary, only("web", "/"), only("api", "/api"), only("exact", "/api/exact", "Exact"))
    snapshot = complete(*PLACES, CLASS, PROXY, *rows)
    found = front_of("shop.example", path, Cluster(snapshot))
    assert found is not None
    assert found.service == service_name


def test_a_host_leads_through_the_proxy_of_a_gateway() -> None:
    proxy = pod("edge", "public-1", "10.0.0.8")
    proxy["metadata"]["labels"] = {"gateway.networking.k8s.io/gateway-name": "public"}
    sheet = ask_route("https://shop.example", *PLACES, WEB, DB, proxy, *SERVED, DENY)
    assert sheet.verdict == "does not reach it: NetworkPolicy data/deny denies ingress"
    assert [link.text for link in sheet.chain][2] == "from Pod edge/public-1 (10.0.0.8)"
    assert sheet.fixes[0].verified
    redirect = ask_route("https://shop.example/none", *PLACES, WEB, DB, proxy, *SERVED)
    assert redirect.conclusion is Conclusion.WELL


@pytest.mark.parametrize(
    ("address", "conclusion", "link"),
    [
        ("10.0.0.1", Conclusion.TROUBLE, "from Pod shop/web (10.0.0.1)"),
        ("192.168.0.1", Conclusion.WELL, "from Address 192.168.0.1, on the node's network"),
        ("203.0.113.9", Conclusion.TROUBLE, "from 203.0.113.9, an address of no pod and no node"),
    ],
)
def test_an_address_as_source(address: str, conclusion: Conclusion, link: str) -> None:
    subject = Ref("Address", "", address)
    sheet = asked("db.data:80", *PLACES, WEB, DB, *SERVED, DENY, subject=subject)
    assert sheet.conclusion is conclusion
    assert sheet.chain[0].text == link


@pytest.mark.parametrize(
    ("address", "namespace", "destination", "conclusion", "words"),
    [
        ("203.0.113.9", "data", "db:80", Conclusion.WELL, "reaches 1 endpoint of Service data/db"),
        ("203.0.113.9", "data", "service/db:80", Conclusion.WELL, "reaches 1 endpoint of Service data/db"),
        ("203.0.113.9", "", "db:80", Conclusion.TROUBLE, "there is no Namespace default"),
        ("fe80::1", "", "10.96.0.5:80", Conclusion.TROUBLE, "is an IPv4 address, and the source has only IPv6"),
        ("203.0.113.9", "", "10.0.0.2:8080", Conclusion.UNKNOWN, "whether addresses of pods are routed"),
    ],
)
def test_what_an_address_can_name_and_reach(
    address: str, namespace: str, destination: str, conclusion: Conclusion, words: str
) -> None:
    sheet = asked(destination, *PLACES, WEB, DB, *SERVED, subject=Ref("Address", namespace, address))
    assert sheet.title == f"Address {address} → {destination}"
    assert sheet.conclusion is conclusion
    assert words in sheet.verdict


def test_a_rule_for_an_address_names_it() -> None:
    sheet = asked("db.data:80", *PLACES, WEB, DB, *SERVED, DENY, subject=Ref("Address", "", "203.0.113.9"))
    assert sheet.fixes[0].verified
    assert '"cidr": "203.0.113.9/32"' in sheet.fixes[0].command
    assert any("routed on nodes only" in gap for gap in sheet.gaps)


def test_every_workload_in_a_table() -> None:
    choices = Choices({"destination": ("db.data:80",), "from-everywhere": ("from-everywhere",)})
    snapshot = complete(*PLACES, WEB, DB, PROXY, *SERVED, DENY)
    sheet = reach.answer(Ref("Pod", "shop", "web"), choices, Cluster(snapshot))
    rows = {row.cells[0].text: row.cells[3].text for row in sheet.tables[-1].rows}
    assert rows == {
        "Pod data/db": "",
        "Pod edge/ingress-nginx": "NetworkPolicy data/deny",
        "Pod shop/web": "NetworkPolicy data/deny",
    }


def test_without_slices_the_ready_pods_count() -> None:
    sheet = asked("db.data:80", *PLACES, WEB, DB, service("data", "db"))
    assert sheet.conclusion is Conclusion.WELL
    assert any(gap.startswith("EndpointSlices: none was read") for gap in sheet.gaps)
