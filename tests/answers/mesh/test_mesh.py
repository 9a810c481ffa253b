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
        ({}, Conclusion.ACCOUNT, "neither its namespace nor its labels request one"),
        ({"istio-injection": "disabled"}, Conclusion.ACCOUNT, "its namespace disables injection"),
        ({"istio-injection": "enabled"}, Conclusion.TROUBLE, "no injector is installed"),
        ({"istio.io/dataplane-mode": "ambient"}, Conclusion.UNKNOWN, "which has not captured it yet"),
    ],
)
def test_a_workload_without_a_sidecar(labels: dict[str, str], conclusion: Conclusion, words: str) -> None:
    sheet = ask(proxy="", labels=labels)
    assert (sheet.conclusion, words in sheet.verdict) == (conclusion, True), sheet.verdict


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
