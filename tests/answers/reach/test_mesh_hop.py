"""`reach` where a service mesh takes over: what its policies decide, and what is not replayed."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.answers.question import Choices
from kubedoctor.answers.questions.reach import reach
from kubedoctor.answers.sheet import Conclusion, Sheet
from kubedoctor.cluster import Cluster, Ref
from kubedoctor.cluster.seen.decoding import convert_object
from tests.answers.reach.test_reach import NODE, Manifest, pod, service, slices, space
from tests.engine.clinic import complete

WEB, DB = pod("shop", "web", "10.0.0.1"), pod("data", "db", "10.0.0.2")
SECURITY, NETWORKING, LINKERD = "security.istio.io", "networking.istio.io", "policy.linkerd.io"
BOTH = ("web", "db")


def meshed(manifest: Manifest, proxy: str = "istio-proxy", **env: str) -> Manifest:
    container = {"name": proxy, "env": [{"name": name, "value": value} for name, value in env.items()]}
    spec = manifest["spec"]
    return {**manifest, "spec": {**spec, "containers": [*spec["containers"], container]}}


def istio(kind: str, group: str = SECURITY, namespace: str = "data", annotations: Any = None, **spec: Any) -> Manifest:
    metadata = {"name": "x", "namespace": namespace, "annotations": annotations or {}}
    return {"apiVersion": f"{group}/v1", "kind": kind, "metadata": metadata, "spec": spec}


def ask(*objects: Manifest, inside: tuple[str, ...] = BOTH, proxy: str = "istio-proxy", **env: str) -> Sheet:
    web = meshed(WEB, proxy) if "web" in inside else WEB
    db = meshed(DB, proxy, **env) if "db" in inside else DB
    places = (NODE, space("shop"), space("data"))
    snapshot = complete(*places, web, db, service("data", "db"), slices("data", "db", ("db", "10.0.0.2")))
    for one in objects:
        snapshot.add(convert_object(f"{one['kind']}.{one['apiVersion'].partition('/')[0]}", one).objects)
    return reach.answer(Ref("Pod", "shop", "web"), Choices({"destination": ("db.data:80",)}), Cluster(snapshot))


def rule(**source: Any) -> Manifest:
    return {"from": [{"source": source}]}


STRICT = istio("PeerAuthentication", mtls={"mode": "STRICT"})
FROM_SHOP = istio("AuthorizationPolicy", rules=[rule(namespaces=["shop"])])
FROM_OTHERS = istio("AuthorizationPolicy", rules=[rule(namespaces=["orders"])])
DENY_ALL = istio("AuthorizationPolicy")
GETS = istio("AuthorizationPolicy", rules=[{"to": [{"operation": {"methods": ["GET"]}}]}])
DENY_SHOP = istio("AuthorizationPolicy", action="DENY", rules=[rule(namespaces=["shop"])])
OTHER_PORT = istio("AuthorizationPolicy", action="DENY", rules=[{"to": [{"operation": {"ports": ["9090"]}}]}])
DRY = istio("AuthorizationPolicy", annotations={"istio.io/dry-run": "true"})
OTHER_PODS = istio("AuthorizationPolicy", selector={"matchLabels": {"app": "cache"}})
CUSTOM = istio("AuthorizationPolicy", action="CUSTOM", provider={"name": "oauth"}, rules=[{}])
ROUTE = istio("VirtualService", NETWORKING, hosts=["db"], http=[{"fault": {"abort": {"httpStatus": 503}}}])
AT_THE_EDGE = istio("VirtualService", NETWORKING, hosts=["db"], gateways=["edge/public"], http=[])
PLAIN = istio("DestinationRule", NETWORKING, host="db", trafficPolicy={"tls": {"mode": "DISABLE"}})
NARROW = istio("Sidecar", NETWORKING, "shop", egress=[{"hosts": ["./*", "istio-system/*"]}])


@pytest.mark.parametrize(
    ("inside", "objects", "conclusion", "words"),
    [
        (BOTH, (), Conclusion.WELL, "reaches 1 endpoint"),
        (("db",), (), Conclusion.WELL, "reaches 1 endpoint"),
        (("db",), (STRICT,), Conclusion.TROUBLE, "(connection reset): PeerAuthentication data/x denies it"),
        (BOTH, (STRICT,), Conclusion.WELL, "reaches 1 endpoint"),
        (BOTH, (STRICT, PLAIN), Conclusion.TROUBLE, "PeerAuthentication data/x denies it"),
        ((), (STRICT, DENY_ALL), Conclusion.WELL, "reaches 1 endpoint"),
        (BOTH, (FROM_SHOP,), Conclusion.WELL, "reaches 1 endpoint"),
        (("db",), (FROM_SHOP,), Conclusion.TROUBLE, "(403): AuthorizationPolicy data/x denies it"),
        (BOTH, (FROM_OTHERS,), Conclusion.TROUBLE, "(403): AuthorizationPolicy data/x denies it"),
        (BOTH, (DENY_ALL,), Conclusion.TROUBLE, "(403): AuthorizationPolicy data/x denies it"),
        (BOTH, (DENY_SHOP,), Conclusion.TROUBLE, "(403): AuthorizationPolicy data/x denies it"),
        (BOTH, (OTHER_PORT,), Conclusion.WELL, "reaches 1 endpoint"),
        (BOTH, (GETS,), Conclusion.UNKNOWN, "AuthorizationPolicy data/x decides by the request itself"),
        (BOTH, (CUSTOM,), Conclusion.UNKNOWN, "AuthorizationPolicy data/x decides by the request itself"),
        (BOTH, (DRY,), Conclusion.WELL, "reaches 1 endpoint"),
        (BOTH, (OTHER_PODS,), Conclusion.WELL, "reaches 1 endpoint"),
        (BOTH, (ROUTE,), Conclusion.UNKNOWN, "VirtualService data/x routes requests to db.data"),
        (("db",), (ROUTE,), Conclusion.WELL, "reaches 1 endpoint"),
        (BOTH, (AT_THE_EDGE,), Conclusion.WELL, "reaches 1 endpoint"),
        (BOTH, (NARROW,), Conclusion.UNKNOWN, "Sidecar shop/x does not tell the source's proxy of db.data"),
    ],
)
def test_istio(inside: tuple[str, ...], objects: tuple[Manifest, ...], conclusion: Conclusion, words: str) -> None:
    sheet = ask(*objects, inside=inside)
    assert (sheet.conclusion, words in sheet.verdict) == (conclusion, True), sheet.verdict
    hops = [link for link in sheet.chain if link.text.startswith("mesh: ")]
    assert bool(hops) == bool(inside)
    assert not [gap for gap in sheet.gaps if "mesh" in gap]


def server(port: Any = "p8080", **selector: str) -> Manifest:
    return istio("Server", LINKERD, podSelector={"matchLabels": selector or {"app": "db"}}, port=port)


@pytest.mark.parametrize(
    ("inside", "default", "objects", "conclusion"),
    [
        (BOTH, "all-unauthenticated", (), Conclusion.WELL),
        (("db",), "all-authenticated", (), Conclusion.TROUBLE),
        (BOTH, "all-authenticated", (), Conclusion.WELL),
        (BOTH, "deny", (), Conclusion.TROUBLE),
        (BOTH, "", (server(),), Conclusion.UNKNOWN),
        (BOTH, "", (server(9090), server(app="cache")), Conclusion.WELL),
        (("web",), "deny", (server(),), Conclusion.WELL),
    ],
)
def test_linkerd(inside: tuple[str, ...], default: str, objects: tuple[Manifest, ...], conclusion: Conclusion) -> None:
    setting = {"LINKERD2_PROXY_INBOUND_DEFAULT_POLICY": default} if default else {}
    sheet = ask(*objects, inside=inside, proxy="linkerd-proxy", **setting)
    assert sheet.conclusion is conclusion, sheet.verdict


def test_the_ambient_mesh() -> None:
    space_of_db = space("data")
    space_of_db["metadata"]["labels"]["istio.io/dataplane-mode"] = "ambient"
    snapshot = complete(NODE, space("shop"), space_of_db, WEB, DB)
    snapshot.add(convert_object(f"PeerAuthentication.{SECURITY}", STRICT).objects)
    choices = Choices({"destination": ("10.0.0.2:8080",)})
    sheet = reach.answer(Ref("Pod", "shop", "web"), choices, Cluster(snapshot))
    assert sheet.conclusion is Conclusion.TROUBLE
