"""`reach` from outside through a gateway of Istio: server, certificate, VirtualService, rule, and what the client gets."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.answers.question import Choices
from kubedoctor.answers.questions.reach import reach
from kubedoctor.answers.sheet import Conclusion, Sheet
from kubedoctor.cluster import Cluster, Ref
from kubedoctor.cluster.seen.decoding import convert_object
from tests.answers.reach.situations import NODE, Manifest, pod, service, slices, space
from tests.answers.reach.test_mesh_hop import NETWORKING, SECURITY, istio, to
from tests.engine.clinic import complete

HOST = "books.example.com"
URL = f"http://{HOST}/productpage"
SECURE = f"https://{HOST}/productpage"
OUTSIDE = Ref("Address", "", "203.0.113.9")


def proxied(manifest: Manifest, *args: str) -> Manifest:
    spec = manifest["spec"]
    own = [] if args == ("router",) else spec["containers"]
    proxy = {"name": "istio-proxy", "args": ["proxy", *args]}
    return {**manifest, "spec": {**spec, "containers": [*own, proxy]}}


def named(manifest: Manifest, name: str) -> Manifest:
    return {**manifest, "metadata": {**manifest["metadata"], "name": name}}


PAGE = proxied(pod("books", "productpage", "10.0.1.1"), "sidecar")
EDGE = proxied(pod("istio-ingress", "gateway", "10.0.2.1"), "router")
SERVED = (
    service("books", "productpage"),
    slices("books", "productpage", ("productpage", "10.0.1.1")),
    service("istio-ingress", "gateway", "10.96.0.9", ports=[{"port": 80}, {"port": 443}]),
    slices("istio-ingress", "gateway", ("gateway", "10.0.2.1")),
)


def gateway(*hosts: str, namespace: str = "books", more: tuple[Manifest, ...] = (), **http: Any) -> Manifest:
    first = {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": list(hosts) or [HOST], **http}
    found = istio("Gateway", NETWORKING, namespace, selector={"app": "gateway"}, servers=[first, *more])
    return named(found, "public")


def tls(credential: str = "books-tls", mode: str = "SIMPLE") -> Manifest:
    own = {"mode": mode, "credentialName": credential} if mode == "SIMPLE" else {"mode": mode}
    return {"port": {"number": 443, "name": "https", "protocol": "HTTPS"}, "hosts": [HOST], "tls": own}


def rules(*http: Manifest, gateways: tuple[str, ...] = ("public",), namespace: str = "books", **spec: Any) -> Manifest:
    written = list(http) or [to("productpage")]
    found = istio("VirtualService", NETWORKING, namespace, hosts=[HOST], gateways=list(gateways), http=written, **spec)
    return named(found, "books")


def secret(namespace: str = "istio-ingress", until: str = "", *keys: str, **annotations: str) -> Manifest:
    data = dict.fromkeys(keys or ("tls.crt", "tls.key"), "")
    own = {"cert-manager.io/certificate-name": "books"} if until else {}
    metadata = {"name": "books-tls", "namespace": namespace, "annotations": own}
    return {"kind": "Secret", "metadata": metadata, "type": "kubernetes.io/tls", "data": data}


def certificate(until: str) -> Manifest:
    metadata = {"name": "books", "namespace": "istio-ingress"}
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": metadata,
        "spec": {"secretName": "books-tls"},
        "status": {"notAfter": until},
    }


def ask(*objects: Manifest, url: str = URL, page: Manifest = PAGE, edge: Manifest = EDGE) -> Sheet:
    spaces = [space(name) for name in ("books", "istio-ingress", "edge")]
    plain = [one for one in objects if "apiVersion" not in one]
    snapshot = complete(NODE, *spaces, page, edge, *SERVED, *plain)
    for one in objects:
        if "apiVersion" in one:
            kind = f"{one['kind']}.{one['apiVersion'].partition('/')[0]}"
            snapshot.add(convert_object(kind, one).objects)
    return reach.answer(OUTSIDE, Choices({"destination": (url,)}), Cluster(snapshot))


STRICT = istio("PeerAuthentication", SECURITY, "books", mtls={"mode": "STRICT"})
ONLY_OTHERS = istio(
    "AuthorizationPolicy", SECURITY, "books", rules=[{"from": [{"source": {"namespaces": ["orders"]}}]}]
)
HTTPS = (gateway(more=(tls(),)), rules())
PATHS = rules({"match": [{"uri": {"prefix": "/api"}}], **to("productpage")})
SUBSETS = istio(
    "DestinationRule",
    NETWORKING,
    "books",
    host="productpage",
    subsets=[{"name": "v1", "labels": {"app": "productpage"}}, {"name": "v2", "labels": {"version": "v2"}}],
)


@pytest.mark.parametrize(
    ("objects", "url", "conclusion", "words"),
    [
        ((gateway(), rules()), URL, Conclusion.WELL, "reaches 1 endpoint of Service books/productpage"),
        ((gateway(), rules(), STRICT), URL, Conclusion.WELL, "reaches 1 endpoint"),
        ((gateway("*"), rules()), URL, Conclusion.WELL, "reaches 1 endpoint"),
        ((gateway("books/*.example.com"), rules()), URL, Conclusion.WELL, "reaches 1 endpoint"),
        ((gateway(), rules(), SUBSETS), URL, Conclusion.WELL, "reaches 1 endpoint"),
        ((*HTTPS, secret()), SECURE, Conclusion.WELL, "reaches 1 endpoint"),
        ((gateway(more=(tls(),), tls={"httpsRedirect": True}), rules(), secret()), URL, Conclusion.WELL, "reaches 1 endpoint"),
        ((gateway(), rules(), ONLY_OTHERS), URL, Conclusion.TROUBLE, "(403): AuthorizationPolicy books/x denies it"),
        ((gateway(), rules(to("productpage", subset="v9")), SUBSETS), URL, Conclusion.TROUBLE, "(503 NC): VirtualService books/books sends requests to subset v9"),
        ((gateway(), rules(to("productpage", subset="v2")), SUBSETS), URL, Conclusion.TROUBLE, "(503 UH): VirtualService books/books sends requests to subset v2"),
        ((gateway(), rules(to("productpgae"))), URL, Conclusion.TROUBLE, "(503 NC): VirtualService books/books sends requests to productpgae.books.svc.cluster.local, a host that the proxy does not know"),
        ((gateway(), PATHS), URL, Conclusion.TROUBLE, "(404 NR): no rule of VirtualService books/books takes a GET of /productpage"),
        ((gateway(namespace="edge"), rules()), URL, Conclusion.TROUBLE, "is bound to Gateway books/public, which does not exist; Gateway edge/public does: write edge/public"),
        ((gateway(namespace="edge"), rules(gateways=("edge/public",))), URL, Conclusion.WELL, "reaches 1 endpoint"),
        ((gateway("edge/*", namespace="edge"), rules(gateways=("edge/public",))), URL, Conclusion.TROUBLE, "leave its namespace out"),
        ((gateway("other.example.com"), rules()), URL, Conclusion.TROUBLE, "(404 NR): no Gateway takes books.example.com on port 80, only other.example.com"),
        ((gateway(),), URL, Conclusion.TROUBLE, "(404 NR): no VirtualService for books.example.com is bound to Gateway books/public"),
        ((gateway(), rules()), SECURE, Conclusion.TROUBLE, "(connection refused): no Gateway opens port 443 on Pod istio-ingress/gateway, only 80"),
        ((gateway(port={"number": 8081, "name": "http", "protocol": "HTTP"}), rules()), f"http://{HOST}:8081/", Conclusion.TROUBLE, "Service istio-ingress/gateway leads to the gateway and has no port 8081"),
        (HTTPS, SECURE, Conclusion.TROUBLE, "(TLS handshake fails): Secret istio-ingress/books-tls does not exist"),
        ((*HTTPS, secret("books")), SECURE, Conclusion.TROUBLE, "does not exist; Secret books/books-tls is not read"),
        ((*HTTPS, secret("istio-ingress", "", "ca.crt")), SECURE, Conclusion.TROUBLE, "has no tls.crt and tls.key"),
        ((*HTTPS, secret(until="x"), certificate("2026-01-13T10:00:00Z")), SECURE, Conclusion.TROUBLE, "(certificate has expired): the certificate in Secret istio-ingress/books-tls expired 2d ago"),
        ((*HTTPS, secret(until="x"), certificate("2026-02-14T10:00:00Z")), SECURE, Conclusion.WELL, "reaches 1 endpoint"),
        ((gateway(), rules({"directResponse": {"status": 200}})), URL, Conclusion.UNKNOWN, "answers it itself (200)"),
        ((rules(),), URL, Conclusion.TROUBLE, "is bound to Gateway books/public, which does not exist"),
    ],
)  # fmt: skip
def test_from_outside(objects: tuple[Manifest, ...], url: str, conclusion: Conclusion, words: str) -> None:
    sheet = ask(*objects, url=url)
    assert words in sheet.verdict
    assert sheet.conclusion is conclusion


def test_each_hop_is_named() -> None:
    sheet = ask(*HTTPS, secret(until="x"), certificate("2026-02-14T10:00:00Z"), url=SECURE)
    assert [link.text for link in sheet.chain][1:3] == [
        "Gateway books/public, port 443: HTTPS for books.example.com, Secret istio-ingress/books-tls, valid for 30d",
        "VirtualService books/books sends requests to productpage.books.svc.cluster.local (1 ready pod)",
    ]


def test_a_gateway_without_pods() -> None:
    sheet = ask(gateway(), rules(), edge=pod("istio-ingress", "other", "10.0.2.1"))
    assert sheet.verdict == (
        "does not reach it (connection refused): Gateway books/public selects no pod, so no proxy opens its ports"
    )


def test_a_host_that_no_gateway_is_for_is_outside() -> None:
    assert "out of the cluster to other.example" in ask(gateway("*"), rules(), url="http://other.example/").verdict


def test_a_name_is_passed_through_by_its_tls_rule() -> None:
    tls_rule = {"match": [{"sniHosts": [HOST], "port": 443}], "route": [{"destination": {"host": "productpage"}}]}
    found = istio("VirtualService", NETWORKING, "books", hosts=[HOST], gateways=["public"], tls=[tls_rule])
    sheet = ask(gateway(more=(tls(mode="PASSTHROUGH"),)), found, url=SECURE)
    assert "reaches 1 endpoint" in sheet.verdict
