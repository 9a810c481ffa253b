"""`mesh`: what a service mesh does for one workload."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.answers.question import Choices
from kubedoctor.answers.questions.mesh import mesh
from kubedoctor.answers.sheet import Conclusion, Sheet
from kubedoctor.cluster import Cluster, Ref
from kubedoctor.cluster.seen.decoding import convert_object
from kubedoctor.problems import NoSuchObject
from tests.answers.reach.situations import NODE, Manifest, pod, service, space
from tests.answers.reach.test_mesh_hop import (
    DENY_ALL,
    FROM_SHOP,
    LINKERD,
    MUTUAL,
    NARROW,
    SOME,
    STRICT,
    SUBSET,
    WEB,
    istio,
    meshed,
    server,
    to,
)
from tests.cluster.grammar.test_certificates import certificate, element
from tests.engine.clinic import complete

DB = pod("data", "db", "10.0.0.2")
TO_DB = istio("VirtualService", "networking.istio.io", hosts=["db"], http=[to("db")])
REGISTRY_ONLY = {
    "kind": "ConfigMap",
    "metadata": {"name": "istio", "namespace": "istio-system"},
    "data": {"mesh": "outboundTrafficPolicy:\n  mode: REGISTRY_ONLY\n"},
}


def ask(
    *objects: Manifest, proxy: str = "istio-proxy", name: str = "db", labels: dict[str, str] | None = None
) -> Sheet:
    db = meshed(DB, proxy) if proxy else DB
    data = space("data")
    data["metadata"]["labels"].update(labels or {})
    plain = [one for one in objects if "apiVersion" not in one]
    snapshot = complete(NODE, space("shop"), data, WEB, db, service("data", "db"), *plain)
    for one in objects:
        if "apiVersion" in one:
            kind = f"{one['kind']}.{one['apiVersion'].partition('/')[0]}"
            snapshot.add(convert_object(kind, one).objects)
    namespace = "data" if name == "db" else "shop"
    return mesh.answer(Ref("Pod", namespace, name), Choices(), Cluster(snapshot))


def tables(sheet: Sheet) -> str:
    return "\n".join(cell.shown for table in sheet.tables for row in table.rows for cell in row.cells)


@pytest.mark.parametrize(
    ("objects", "conclusion", "words"),
    [
        ((), Conclusion.WELL, "mutual TLS PERMISSIVE on 1 port"),
        ((STRICT,), Conclusion.WELL, "mutual TLS STRICT on 1 port"),
        ((TO_DB,), Conclusion.WELL, "mutual TLS PERMISSIVE"),
        ((SUBSET,), Conclusion.TROUBLE, "503 NC for all requests to db.data.svc.cluster.local:80"),
        ((SOME,), Conclusion.TROUBLE, "503 NC for header x 1 to db.data"),
        ((DENY_ALL,), Conclusion.TROUBLE, "no client may ask: AuthorizationPolicy data/x has no rule"),
        ((FROM_SHOP,), Conclusion.WELL, "mutual TLS PERMISSIVE"),
        ((MUTUAL,), Conclusion.WELL, "mutual TLS PERMISSIVE"),
    ],
)
def test_a_workload_with_a_sidecar(objects: tuple[Manifest, ...], conclusion: Conclusion, words: str) -> None:
    sheet = ask(*objects)
    assert (sheet.conclusion, words in sheet.verdict) == (conclusion, True), sheet.verdict


def test_what_decides_is_named() -> None:
    sheet = ask(STRICT, FROM_SHOP, TO_DB)
    shown = tables(sheet)
    assert "PeerAuthentication data/x" in shown
    assert "clients without a sidecar are reset" in shown
    assert "from namespaces shop" in shown
    assert "✓ VirtualService data/x sends requests to db.data.svc.cluster.local (1 ready pod)" in shown
    assert any("only what an ALLOW policy takes" in fact.text for fact in sheet.facts)


def test_the_messages_of_istioctl_stand_beside() -> None:
    assert "IST0101" in tables(ask(SUBSET))
    assert "IST0101" not in tables(ask(TO_DB))


def test_what_is_dropped_for_unknown_hosts() -> None:
    scopes = [
        next(fact.text for fact in ask(*extra).facts if fact.label == "scope") for extra in ((), (REGISTRY_ONLY,))
    ]
    assert scopes == [
        "no Sidecar: the proxy knows 1 host; requests for other hosts are passed on as they are",
        "no Sidecar: the proxy knows 1 host; requests for other hosts are dropped (502)",
    ]


@pytest.mark.parametrize(
    ("labels", "conclusion", "words"),
    [
        ({}, Conclusion.ACCOUNT, "is in no service mesh: no injector of Istio or Linkerd is installed"),
        ({"istio-injection": "disabled"}, Conclusion.ACCOUNT, "its namespace disables injection"),
        ({"istio-injection": "enabled"}, Conclusion.TROUBLE, "no injector is installed"),
        ({"istio.io/dataplane-mode": "ambient"}, Conclusion.UNKNOWN, "which has not captured it yet"),
    ],
)
def test_a_workload_without_a_sidecar(labels: dict[str, str], conclusion: Conclusion, words: str) -> None:
    sheet = ask(proxy="", labels=labels)
    assert (sheet.conclusion, words in sheet.verdict) == (conclusion, True), sheet.verdict


def test_a_workload_outside_of_a_mesh_that_is_there() -> None:
    sheet = ask(TO_DB, proxy="")
    assert sheet.verdict == "has no sidecar: neither its namespace nor its labels request one"


def test_what_a_plain_client_meets() -> None:
    facts = {fact.label: fact.text for fact in ask(STRICT, NARROW, name="web").facts}
    assert facts["clients"] == "its connections are reset where mutual TLS is STRICT: PeerAuthentication data/x"


def test_linkerd() -> None:
    allowed: dict[str, Any] = istio("ServerAuthorization", LINKERD, server={"name": "x"})
    assert "no authorization: 403" in tables(ask(server(), proxy="linkerd-proxy"))
    assert "ServerAuthorization data/x" in tables(ask(server(), allowed, proxy="linkerd-proxy"))
    assert "default policy all-unauthenticated" in tables(ask(proxy="linkerd-proxy"))


def test_a_workload_that_does_not_exist() -> None:
    with pytest.raises(NoSuchObject):
        ask(name="none")


def edge(*objects: Manifest, **changes: Any) -> Sheet:
    """Of a gateway's pod, alone in its namespace."""
    found = {**pod("shop", "web", "10.0.0.1"), **changes}
    found["spec"] = {"containers": [{"name": "istio-proxy", "args": ["proxy", "router"]}]}
    snapshot = complete(NODE, space("shop"), space("data"), found, DB, service("data", "db"))
    for one in objects:
        snapshot.add(convert_object(f"{one['kind']}.{one['apiVersion'].partition('/')[0]}", one).objects)
    return mesh.answer(Ref("Pod", "shop", "web"), Choices(), Cluster(snapshot))


HTTP = {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["db.example.com"]}
TLS = {
    "port": {"number": 443, "name": "https", "protocol": "HTTPS"},
    "hosts": ["db.example.com"],
    "tls": {"mode": "SIMPLE", "credentialName": "db-tls"},
}


def at_the_edge(*servers: Manifest) -> Manifest:
    return istio("Gateway", "networking.istio.io", selector={"app": "web"}, servers=list(servers))


OUTSIDE = istio("VirtualService", "networking.istio.io", hosts=["db.example.com"], gateways=["x"], http=[to("db")])
OUTSIDE_TYPO = istio("VirtualService", "networking.istio.io", hosts=["db.example.com"], gateways=["x"], http=[to("bd")])


@pytest.mark.parametrize(
    ("objects", "conclusion", "words"),
    [
        ((), Conclusion.WELL, "is a gateway: its proxy takes requests from outside of the mesh"),
        ((at_the_edge(HTTP), OUTSIDE), Conclusion.WELL, "is a gateway"),
        ((at_the_edge(TLS), OUTSIDE), Conclusion.TROUBLE, "port 443 of Gateway data/x: Secret shop/db-tls does not exist: TLS handshake fails"),
        ((at_the_edge(HTTP), OUTSIDE_TYPO), Conclusion.TROUBLE, "a host that the proxy does not know for all requests: 503 NC"),
    ],
)  # fmt: skip
def test_a_gateway(objects: tuple[Manifest, ...], conclusion: Conclusion, words: str) -> None:
    sheet = edge(*objects)
    assert words in sheet.verdict
    assert sheet.conclusion is conclusion
    assert "sidecar" not in f"{sheet.verdict}{tables(sheet)}"


def test_hosts_of_a_gateway_without_rules() -> None:
    assert "? no VirtualService is bound to it for these hosts: 404 NR" in tables(edge(at_the_edge(HTTP)))
    assert any(fact.label == "gateways" for fact in edge().facts)


WAYPOINT = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "Gateway",
    "metadata": {"name": "waypoint", "namespace": "shop"},
    "spec": {"gatewayClassName": "istio-waypoint", "listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE"}]},
}


def test_a_waypoint_and_whom_it_serves() -> None:
    labels = {"gateway.networking.k8s.io/gateway-name": "waypoint"}
    found = {"name": "web", "namespace": "shop", "labels": labels}
    sheet = edge(WAYPOINT, metadata=found)
    assert sheet.verdict == "is a waypoint: its proxy applies rules of HTTP for the ambient mesh"
    assert {fact.label: fact.text for fact in sheet.facts}["serves"].startswith("none: no Namespace and no Service")


@pytest.mark.parametrize(
    ("named", "conclusion", "words"),
    [
        ("waypoint", Conclusion.TROUBLE, "its waypoint Gateway data/waypoint does not exist"),
        ("none", Conclusion.UNKNOWN, "which has not captured it yet"),
    ],
)
def test_a_waypoint_that_is_missing(named: str, conclusion: Conclusion, words: str) -> None:
    labels = {"istio.io/dataplane-mode": "ambient", "istio.io/use-waypoint": named}
    sheet = ask(WAYPOINT, proxy="", labels=labels)
    assert words in sheet.verdict
    assert sheet.conclusion is conclusion


@pytest.mark.parametrize(("end", "trouble"), [(b"251231235959Z", True), (b"491231235959Z", False)])
def test_the_trust_anchor_of_linkerd(end: bytes, trouble: bool) -> None:
    pem = certificate(element(0x17, b"250101000000Z") + element(0x17, end))
    metadata = {"name": "linkerd-identity-trust-roots", "namespace": "linkerd"}
    roots = {"kind": "ConfigMap", "metadata": metadata, "data": {"ca-bundle.crt": pem}}
    sheet = ask(roots, proxy="linkerd-proxy")
    assert (sheet.conclusion is Conclusion.TROUBLE) is trouble
    assert sheet.verdict.startswith("Linkerd's trust anchor expired 14d ago") is trouble


def test_linkerd_lets_no_client_in() -> None:
    sheet = ask(server(), proxy="linkerd-proxy")
    assert sheet.verdict == "no client may connect to port 8080: Server data/x has no authorization (403)"
    assert sheet.conclusion is Conclusion.TROUBLE
    assert ask(server(access="all-authenticated"), proxy="linkerd-proxy").conclusion is Conclusion.WELL
