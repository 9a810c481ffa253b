"""The ingress controllers that are known: by what their classes, pods and annotations are recognised."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from kubedoctor.cluster.grammar.patterns import compiled_later


class IngressProduct(NamedTuple):
    """One ingress controller.

    words: what its `spec.controller` has, or the name of a class whose object was not seen. controllers: how
    `spec.controller` begins where its pods run in the cluster; programs: labels and images of these pods; like: words in
    the names of pods of a fork. annotations: the prefixes of those that it reads. one_entrance: its Ingresses share one
    proxy. serves_secrets: whether it serves the certificates of `spec.tls`; None where that is not known.
    """

    name: str
    words: re.Pattern[str]
    controllers: tuple[str, ...] = ()
    programs: frozenset[str] = frozenset()
    like: str = ""
    annotations: tuple[str, ...] = ()
    one_entrance: bool = False
    serves_secrets: bool | None = None


def _words(text: str) -> re.Pattern[str]:
    return compiled_later(text, re.IGNORECASE)


INGRESS_PRODUCTS: Final = (
    IngressProduct(
        "ingress-nginx",
        _words(r"ingress-nginx"),
        ("k8s.io/ingress-nginx",),
        frozenset({"ingress-nginx", "nginx-ingress", "nginx-ingress-controller", "nginx-ingress-microk8s", "rke2-ingress-nginx"}),
        "ingress-nginx|nginx-ingress",
        ("nginx.ingress.kubernetes.io/",),
        True,
        True,
    ),
    IngressProduct(
        "NGINX Ingress Controller",
        _words(r"nginx\.org"),
        ("nginx.org/ingress-controller",),
        frozenset({"nginx-ingress", "nginx-ingress-controller", "nginx-plus-ingress", "nginx-ic"}),
        "nginx-ingress|nginx-plus-ingress|ingress-nginx",
        ("nginx.org/", "nginx.com/"),
        True,
        True,
    ),
    IngressProduct(
        "Traefik",
        _words(r"traefik"),
        ("traefik.io/ingress-controller",),
        frozenset({"traefik", "traefik-ingress-lb"}),
        "traefik",
        ("traefik.ingress.kubernetes.io/",),
        True,
        True,
    ),
    IngressProduct(
        "HAProxy Kubernetes Ingress Controller",
        _words(r"haproxy\.org"),
        ("haproxy.org/ingress-controller",),
        frozenset({"kubernetes-ingress", "haproxy-ingress", "haproxy-kubernetes-ingress"}),
        "haproxy",
        ("haproxy.org/", "ingress.kubernetes.io/"),
        True,
        True,
    ),
    IngressProduct(
        "HAProxy Ingress",
        _words(r"haproxy"),
        ("haproxy-ingress.github.io/controller",),
        frozenset({"haproxy-ingress"}),
        "haproxy",
        ("haproxy-ingress.github.io/", "ingress.kubernetes.io/"),
        True,
        True,
    ),
    IngressProduct(
        "Kong",
        _words(r"kong"),
        ("ingress-controllers.konghq.com/kong",),
        frozenset({"kong", "ingress-kong", "proxy-kong", "kubernetes-ingress-controller"}),
        "kong",
        ("konghq.com/",),
        True,
        True,
    ),
    IngressProduct(
        "Contour",
        _words(r"contour"),
        ("projectcontour.io/",),
        frozenset({"contour"}),
        "contour",
        ("projectcontour.io/", "ingress.kubernetes.io/"),
        True,
        True,
    ),
    IngressProduct(
        "APISIX",
        _words(r"apisix"),
        ("apisix.apache.org/",),
        frozenset({"apisix", "apisix-ingress-controller"}),
        "apisix",
        ("k8s.apisix.apache.org/",),
        True,
        True,
    ),
    IngressProduct(
        "Emissary",
        _words(r"ambassador"),
        ("getambassador.io/ingress-controller",),
        frozenset({"ambassador", "emissary", "emissary-ingress"}),
        "ambassador|emissary",
        ("getambassador.io/",),
        serves_secrets=True,
    ),
    IngressProduct("AWS Load Balancer Controller", _words(r"\balb\b"), annotations=("alb.ingress.kubernetes.io/",), serves_secrets=False),
    IngressProduct("Cloudflare", _words(r"cloudflare"), serves_secrets=False),
    IngressProduct("Tailscale", _words(r"tailscale"), annotations=("tailscale.com/",), serves_secrets=False),
    IngressProduct("ngrok", _words(r"ngrok"), annotations=("k8s.ngrok.com/",), serves_secrets=False),
    IngressProduct("Istio", _words(r"istio"), serves_secrets=True),
    IngressProduct("Cilium", _words(r"cilium"), annotations=("ingress.cilium.io/",), serves_secrets=True),
    IngressProduct(
        "OpenShift",
        _words(r"openshift"),
        annotations=("route.openshift.io/", "haproxy.router.openshift.io/"),
        serves_secrets=True,
    ),
    IngressProduct("Application Gateway", _words(r"application-gateway"), annotations=("appgw.ingress.kubernetes.io/",)),
    # A class of this name whose object was not seen: of which of the two is not known.
    IngressProduct("nginx", _words(r"nginx"), serves_secrets=True),
)  # fmt: skip


def ingress_product(controller: str) -> IngressProduct | None:
    """The product of a `spec.controller`, or of a class's name where its object was not seen."""
    return next((product for product in INGRESS_PRODUCTS if product.words.search(controller)), None)


def product_in_clusters(controller: str) -> IngressProduct | None:
    """As `ingress_product`, where the pods of the controller run in the cluster, by the beginning of `spec.controller`."""
    return next(
        (product for product in INGRESS_PRODUCTS if product.controllers and controller.startswith(product.controllers)),
        None,
    )
