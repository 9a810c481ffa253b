"""Which controller an Ingress belongs to, and whether it reads the Secret that the Ingress names."""

from __future__ import annotations

import re
from typing import Final

from kubedoctor.cluster import (
    Cluster,
    Ingress,
    IngressClass,
)
from kubedoctor.replay.ingress.products import ingress_product

CLASS_ANNOTATION: Final = "kubernetes.io/ingress.class"
DEFAULT_CLASS: Final = "ingressclass.kubernetes.io/is-default-class"
TRAEFIK_IMAGE: Final = re.compile(r"(?:^|[/-])traefik(?=$|@|:[^/]*$|:[^/]*@)(?::v?(?P<major>\d+)\.(?P<minor>\d+))?")
"""Traefik's own image and mirrors of it (`rancher/mirrored-library-traefik:2.11.10`), with the version where the tag has it;
not its other programs (`traefik/whoami`)."""
_OTHER_SOURCES: Final = (
    ("traefik", re.compile(r"^traefik\.ingress\.kubernetes\.io/router\.tls\.certresolver$")),
    ("nginx", re.compile(r"^kubernetes\.azure\.com/tls-cert-keyvault-uri$|/ssl-passthrough$")),
    ("haproxy", re.compile(r"/ssl-passthrough$")),
    ("", re.compile(r"^alb\.ingress\.kubernetes\.io/|^networking\.gke\.io/managed-certificates$")),
    ("", re.compile(r"^ingress\.gcp\.kubernetes\.io/pre-shared-cert$")),
    ("", re.compile(r"^appgw\.ingress\.kubernetes\.io/appgw-ssl-(certificate|passthrough)")),
)
"""Annotations by which the certificate comes from elsewhere, with the controller that reads them. Without one: those of
controllers of which it is not known whether they serve Secrets."""


def class_of_ingress(ingress: Ingress) -> str:
    """The class that it names; empty where it names none."""
    return ingress.spec.ingress_class_name or ingress.annotations.get(CLASS_ANNOTATION, "")


def default_class(cluster: Cluster) -> str:
    """The class of what names none; empty where none or several are marked."""
    marked = [one.name for one in cluster.maybe.all(IngressClass) if one.annotations.get(DEFAULT_CLASS) == "true"]
    return marked[0] if len(marked) == 1 else ""


def controller_of_ingress(ingress: Ingress, cluster: Cluster) -> str:
    """The name of the controller: that of its class, else the name of the class, whose object may not be seen. Without a
    class the controller of the default class, else of the only one; empty where none is known."""
    name = class_of_ingress(ingress)
    classes = cluster.maybe.all(IngressClass)
    if name:
        return next((one.spec.controller for one in classes if one.name == name), "") or name
    marked = [one for one in classes if one.annotations.get(DEFAULT_CLASS) == "true"] or classes
    controllers = {one.spec.controller for one in marked}
    return controllers.pop() if len(controllers) == 1 else ""


def reads_secrets(ingress: Ingress, cluster: Cluster) -> bool | None:
    """Whether the controller serves the certificates of `spec.tls`; None where that is not known."""
    controller = controller_of_ingress(ingress, cluster)
    product = ingress_product(controller)
    serves = product.serves_secrets if product is not None else None
    if serves is False:
        return False
    known = serves is True
    for program, telling in _OTHER_SOURCES:
        reads = program in controller.lower() if known and program else not known
        if reads and any(telling.search(key) and value != "false" for key, value in ingress.annotations.items()):
            return False
    return True if known else None
