"""`reach` where a service mesh takes over: what its policies decide, and what is not replayed."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.answers.question import Choices
from kubedoctor.answers.questions.reach import reach
from kubedoctor.answers.sheet import Conclusion, Sheet
from kubedoctor.cluster import Cluster, Ref
from kubedoctor.cluster.seen.decoding import convert_object
from tests.answers.reach.situations import NODE, Manifest, pod, service, slices, space
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


def ask(
    *objects: Manifest,
    inside: tuple[str, ...] = BOTH,
    proxy: str = "istio-proxy",
    ends: tuple[Manifest, Manifest] | None = None,
    more: tuple[Manifest, ...] = (),
    behind: Manifest | None = None,
    env: dict[str, str] | None = None,
    served: Manifest | None = None,
) -> Sheet:
    web, db = ends or (
        meshed(WEB, proxy) if "web" in inside else WEB,
        meshed(DB, proxy, **(env or {})) if "db" in inside else DB,
    )
    rows = behind or slices("data", "db", ("db", "10.0.0.2"))
    places = (NODE, space("shop"), space("data"))
    snapshot = complete(*places, web, db, served or service("data", "db"), rows, *more)
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
ROUTE = istio(
    "VirtualService",
    NETWORKING,
    hosts=["db"],
    http=[{"fault": {"abort": {"httpStatus": 503, "percentage": {"value": 100}}}}],
)


def to(host: str, **more: Any) -> Manifest:
    return {"route": [{"destination": {"host": host, **more}}]}


SUBSET = istio("VirtualService", NETWORKING, hosts=["db"], http=[to("db", subset="v2")])
VERSIONS = istio("DestinationRule", NETWORKING, host="db", subsets=[{"name": "v2", "labels": {"version": "v2"}}])
EVERY = istio("DestinationRule", NETWORKING, host="db", subsets=[{"name": "v2", "labels": {"app": "db"}}])
TYPO = istio("VirtualService", NETWORKING, hosts=["db"], http=[to("bd")])
SOME = istio(
    "VirtualService",
    NETWORKING,
    hosts=["db"],
    http=[{"match": [{"headers": {"x": {"exact": "1"}}}], **to("bd")}, to("db")],
)
MUTUAL = istio("DestinationRule", NETWORKING, host="db", trafficPolicy={"tls": {"mode": "ISTIO_MUTUAL"}})
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
        (BOTH, (ROUTE,), Conclusion.TROUBLE, "(503 FI): VirtualService data/x decides it"),
        (BOTH, (SUBSET,), Conclusion.TROUBLE, "(503 NC): VirtualService data/x decides it"),
        (BOTH, (SUBSET, VERSIONS), Conclusion.TROUBLE, "(503 UH): DestinationRule data/x decides it"),
        (BOTH, (SUBSET, EVERY), Conclusion.WELL, "reaches 1 endpoint"),
        (BOTH, (TYPO,), Conclusion.TROUBLE, "(503 NC): VirtualService data/x decides it"),
        (BOTH, (SOME,), Conclusion.UNKNOWN, "503 NC for header x 1"),
        (("web",), (MUTUAL,), Conclusion.TROUBLE, "(503 UF): DestinationRule data/x decides it"),
        (BOTH, (MUTUAL,), Conclusion.WELL, "reaches 1 endpoint"),
        (BOTH, (STRICT, PLAIN), Conclusion.TROUBLE, "(503 UC): PeerAuthentication data/x denies it"),
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


def test_a_port_that_is_named_after_another_protocol() -> None:
    named = service("data", "db", ports=[{"name": "tcp-web", "port": 80, "targetPort": 8080}])
    rows = slices("data", "db", ("db", "10.0.0.2"))
    rows["ports"][0]["name"] = "tcp-web"
    sheet = ask(SUBSET, served=named, behind=rows)
    assert sheet.conclusion is Conclusion.WELL
    said = (
        "mesh: port 80 (named tcp-web) is TCP for the proxy: the rules for HTTP of VirtualService data/x have no effect"
    )
    assert said in [link.text for link in sheet.chain]


OF_PODS = istio("DestinationRule", NETWORKING, host="db", subsets=[{"name": "stable", "labels": {"app": "db"}}])
NEAR_SUBSET = istio("VirtualService", NETWORKING, hosts=["db"], http=[to("db", subset="stabel")])
SELECTED = istio("PeerAuthentication", selector={"matchLabels": {"app": "db"}}, mtls={"mode": "STRICT"})
NEAR_LABEL = istio("DestinationRule", NETWORKING, host="db", subsets=[{"name": "v2", "labels": {"app": "db-"}}])


@pytest.mark.parametrize(
    ("inside", "objects", "words"),
    [
        (BOTH, (FROM_OTHERS,), "Allow service account shop/default on port 8080 in AuthorizationPolicy data/x (opens the port of all pods"),
        (BOTH, (DENY_ALL,), "Allow service account shop/default on port 8080"),
        (("db",), (STRICT,), "Create a PeerAuthentication for pods with app=db: PERMISSIVE on port 8080 (opens port 8080 of these pods to plain text"),
        (("db",), (SELECTED,), "Set PERMISSIVE for port 8080 in PeerAuthentication data/x"),
        (BOTH, (NEAR_SUBSET, OF_PODS), "Route to subset stable in VirtualService data/x"),
        (BOTH, (SUBSET, NEAR_LABEL), "Set app=db in subset v2 of DestinationRule data/x"),
    ],
)  # fmt: skip
def test_what_would_let_it_pass_is_proven(inside: tuple[str, ...], objects: tuple[Manifest, ...], words: str) -> None:
    sheet = ask(*objects, inside=inside)
    assert sheet.conclusion is Conclusion.TROUBLE
    (fix,) = sheet.fixes
    assert fix.summary.startswith(words)
    assert fix.verified
    assert "kubectl " in fix.command


def test_no_rule_is_proposed_beside_one_that_denies_on_purpose() -> None:
    assert ask(DENY_SHOP).fixes == ()
    assert [fix for fix in ask(FROM_SHOP, inside=("db",)).fixes if fix.verified] == []


def linkerd(kind: str, name: str = "x", **spec: Any) -> Manifest:
    row = istio(kind, LINKERD, **spec)
    row["metadata"]["name"] = name
    return row


def server(port: Any = "p8080", access: str = "", **selector: str) -> Manifest:
    more = {"accessPolicy": access} if access else {}
    return linkerd("Server", podSelector={"matchLabels": selector or {"app": "db"}}, port=port, **more)


def granting(*needed: Manifest, kind: str = "Server", name: str = "x") -> Manifest:
    target = {"group": LINKERD, "kind": kind, "name": name}
    return linkerd("AuthorizationPolicy", targetRef=target, requiredAuthenticationRefs=list(needed))


def annotated(manifest: Manifest, **annotations: str) -> Manifest:
    named = {f"config.linkerd.io/{key.replace('_', '-')}": value for key, value in annotations.items()}
    return {**manifest, "metadata": {**manifest["metadata"], "annotations": named}}


ANY_IDENTITY = linkerd("MeshTLSAuthentication", "any", identities=["*"])
OF_SHOP = linkerd("MeshTLSAuthentication", "shop", identities=["*.shop.serviceaccount.identity.linkerd.cluster.local"])
OF_HOP = linkerd("MeshTLSAuthentication", "hop", identities=["*.hop.serviceaccount.identity.linkerd.cluster.local"])
NEAR = linkerd("NetworkAuthentication", "near", networks=[{"cidr": "10.0.0.0/8"}])
FAR = linkerd("NetworkAuthentication", "far", networks=[{"cidr": "10.0.0.0/8", "except": ["10.0.0.1/32"]}])
TLS = {"kind": "MeshTLSAuthentication"}
NET = {"kind": "NetworkAuthentication"}
ACCOUNT = {"kind": "ServiceAccount", "name": "default", "namespace": "shop"}
OLD = linkerd("ServerAuthorization", server={"name": "x"}, client={"meshTLS": {"identities": ["*"]}})
OLD_OPEN = linkerd("ServerAuthorization", server={"selector": {"matchLabels": {}}}, client={"unauthenticated": True})
OUTSIDE = linkerd("Server", externalWorkloadSelector={"matchLabels": {"app": "db"}}, port="p8080")


@pytest.mark.parametrize(
    ("inside", "default", "objects", "conclusion"),
    [
        (BOTH, "all-unauthenticated", (), Conclusion.WELL),
        (("db",), "all-authenticated", (), Conclusion.TROUBLE),
        (BOTH, "all-authenticated", (), Conclusion.WELL),
        (BOTH, "deny", (), Conclusion.TROUBLE),
        (BOTH, "", (server(),), Conclusion.TROUBLE),
        (BOTH, "", (OUTSIDE,), Conclusion.WELL),
        (BOTH, "deny", (server(access="all-unauthenticated"),), Conclusion.WELL),
        (("db",), "", (server(access="all-authenticated"),), Conclusion.TROUBLE),
        (BOTH, "", (server(), granting({**TLS, "name": "any"}), ANY_IDENTITY), Conclusion.WELL),
        (("db",), "", (server(), granting({**TLS, "name": "any"}), ANY_IDENTITY), Conclusion.TROUBLE),
        (BOTH, "", (server(), granting({**TLS, "name": "shop"}), OF_SHOP), Conclusion.WELL),
        (BOTH, "", (server(), granting({**TLS, "name": "hop"}), OF_HOP), Conclusion.TROUBLE),
        (BOTH, "", (server(), granting({**TLS, "name": "gone"})), Conclusion.TROUBLE),
        (BOTH, "", (server(), granting(ACCOUNT)), Conclusion.WELL),
        (BOTH, "", (server(), granting({**ACCOUNT, "name": "other"})), Conclusion.TROUBLE),
        (("db",), "", (server(), granting({**NET, "name": "near"}), NEAR), Conclusion.WELL),
        (("db",), "", (server(), granting({**NET, "name": "far"}), FAR), Conclusion.TROUBLE),
        (("db",), "", (server(), granting({**NET, "name": "near"}, ACCOUNT), NEAR), Conclusion.TROUBLE),
        (BOTH, "", (server(), granting({**TLS, "name": "any"}, kind="Namespace", name="data"), ANY_IDENTITY), Conclusion.WELL),
        (BOTH, "", (server(), granting(ACCOUNT, kind="HTTPRoute", name="r")), Conclusion.UNKNOWN),
        (BOTH, "", (server(), OLD), Conclusion.WELL),
        (("db",), "", (server(), OLD), Conclusion.TROUBLE),
        (("db",), "", (server(), OLD_OPEN), Conclusion.WELL),
        (BOTH, "", (server(9090), server(app="cache")), Conclusion.WELL),
        (("web",), "deny", (server(),), Conclusion.WELL),
    ],
)  # fmt: skip
def test_linkerd(inside: tuple[str, ...], default: str, objects: tuple[Manifest, ...], conclusion: Conclusion) -> None:
    setting = {"LINKERD2_PROXY_INBOUND_DEFAULT_POLICY": default} if default else {}
    sheet = ask(*objects, inside=inside, proxy="linkerd-proxy", env=setting)
    assert sheet.conclusion is conclusion, sheet.verdict


@pytest.mark.parametrize(
    ("of_web", "of_db", "conclusion"),
    [
        ({}, {}, Conclusion.WELL),
        ({"skip_outbound_ports": "80"}, {}, Conclusion.TROUBLE),
        ({"skip_outbound_ports": "25,70-90"}, {}, Conclusion.TROUBLE),
        ({"skip_outbound_ports": "8080"}, {}, Conclusion.WELL),  # the program dials the Service's port
        ({"skip_outbound_ports": "80"}, {"skip_inbound_ports": "8080"}, Conclusion.WELL),
        ({"opaque_ports": "80"}, {"opaque_ports": "8080"}, Conclusion.WELL),
    ],
)
def test_a_port_that_passes_the_proxy_by_has_no_identity(
    of_web: dict[str, str], of_db: dict[str, str], conclusion: Conclusion
) -> None:
    web, db = annotated(meshed(WEB, "linkerd-proxy"), **of_web), annotated(meshed(DB, "linkerd-proxy"), **of_db)
    objects = (server(), granting({**TLS, "name": "any"}), ANY_IDENTITY)
    sheet = ask(*objects, proxy="linkerd-proxy", ends=(web, db))
    assert sheet.conclusion is conclusion, sheet.verdict
    assert ("the source's proxy is skipped for port 80" in sheet.verdict) is (conclusion is Conclusion.TROUBLE)


def test_the_arguments_of_the_init_container_count_too() -> None:
    web = meshed(WEB, "linkerd-proxy")
    web["spec"]["initContainers"] = [{"name": "linkerd-init", "args": ["--outbound-ports-to-ignore", "80"]}]
    sheet = ask(server(), granting(ACCOUNT), ends=(web, meshed(DB, "linkerd-proxy")))
    assert (
        sheet.verdict
        == "does not reach it (403): Server data/x denies it, as the source's proxy is skipped for port 80"
    )


def test_one_of_two_endpoints_that_the_mesh_denies() -> None:
    other = pod("data", "db2", "10.0.0.3")
    rows = slices("data", "db", ("db", "10.0.0.2"), ("db2", "10.0.0.3"))
    sheet = ask(DENY_ALL, inside=("db",), more=(other,), behind=rows)
    assert sheet.verdict == (
        "reaches only some endpoints (403 from 1 of 2 endpoints): AuthorizationPolicy data/x denies it"
    )
    assert sheet.conclusion is Conclusion.TROUBLE


def test_the_ambient_mesh() -> None:
    space_of_db = space("data")
    space_of_db["metadata"]["labels"]["istio.io/dataplane-mode"] = "ambient"
    snapshot = complete(NODE, space("shop"), space_of_db, WEB, DB)
    snapshot.add(convert_object(f"PeerAuthentication.{SECURITY}", STRICT).objects)
    choices = Choices({"destination": ("10.0.0.2:8080",)})
    sheet = reach.answer(Ref("Pod", "shop", "web"), choices, Cluster(snapshot))
    assert sheet.conclusion is Conclusion.TROUBLE
