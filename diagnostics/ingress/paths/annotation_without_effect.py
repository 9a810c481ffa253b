"""Annotation of an Ingress has no effect.

## What it means
Ingress controllers are configured by annotations, and each reads only those with its own prefix. An annotation of another
controller, or a misspelled one, is ignored without a word: paths are not rewritten (404 from the program), the backend is
called with the wrong protocol (502, 400), a login or an address filter is missing.

## Why it happens
- The Ingress was moved to another controller, or copied from an example for another one: ingress-nginx
  (`nginx.ingress.kubernetes.io/`), the controller of NGINX (`nginx.org/`), Traefik, ALB, HAProxy, Kong and others differ.
- The name is misspelled.

## How to fix it
Use the annotation of the controller that serves the Ingress. Traefik has Middlewares instead, Kong plugins.

## References
- https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/
- https://doc.traefik.io/traefik/reference/routing-configuration/kubernetes/ingress/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from diagnostics.ingress._controllers import controller_of_ingress
from diagnostics.ingress.paths._annotations import DECIDES, KNOWN
from diagnostics.ingress.paths._patterns import has_settings
from kubedoctor.cluster import (
    Cluster,
    Ingress,
    IngressClass,
    Pod,
    Service,
    listed,
    misspellings,
)
from kubedoctor.cluster.changes import Step, edit
from kubedoctor.findings import (
    Command,
    Confidence,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
    edit_command,
    kubectl,
    quote,
    ref,
)
from kubedoctor.replay.ingress.controllers import controller_pods
from kubedoctor.replay.ingress.products import INGRESS_PRODUCTS, IngressProduct, ingress_product

_SHOWN: Final = 3
_ERRORS: Final = 2
"""With more letters that differ it may be the name of another setting."""
_PREFIXES: Final = frozenset(prefix for product in INGRESS_PRODUCTS for prefix in product.annotations)
_READS_NGINX: Final = "kubernetesingressnginx"
"""Traefik's provider that reads the annotations of ingress-nginx."""


@diagnostic(
    code="KD2311",
    subject=Ingress,
    severity=Severity.WARNING,
    reads=(Ingress, IngressClass, Pod, Service),
    when=has_settings,
    symptoms=("rewrite-target", "404", "502", "annotation"),
)
def annotation_without_effect(ingress: Ingress, cluster: Cluster) -> Iterator[Finding]:
    if not any(_prefix(key) in _PREFIXES for key in ingress.annotations):
        return
    product = ingress_product(controller_of_ingress(ingress, cluster))
    if product is None or not product.annotations:
        return
    yield from _misspelled(ingress, product)
    yield from _of_another(ingress, product, cluster)


def _misspelled(ingress: Ingress, product: IngressProduct) -> Iterator[Finding]:
    """Names of the product's own prefix that are like one that it reads."""
    for key, value in sorted(ingress.annotations.items()):
        prefix, name = _prefix(key), key.removeprefix(_prefix(key))
        known = KNOWN.get(prefix, frozenset())
        if prefix not in product.annotations or name in known:
            continue
        near = misspellings(name, known, 1, errors=_ERRORS)
        if not near or f"{prefix}{near[0]}" in ingress.annotations:
            continue
        right = f"{prefix}{near[0]}"
        place = ("metadata", "annotations")
        change = edit(ref(ingress), Step((*place, key), remove=True), Step((*place, right), value))
        yield Finding(
            about=ref(ingress),
            aspect=key,
            summary=f"{product.name} knows no annotation {key} and ignores it; did you mean {near[0]}?",
            evidence=(quote(ingress, f"metadata.annotations[{key}]", "has no effect"),),
            confidence=Confidence.LIKELY,
            would_disprove=f"a version of {product.name} that knows {name}",
            fixes=(Fix(f"Rename it to {right}", command_line(change, ingress)),),
            commands=(_look(ingress),),
        )


def _of_another(ingress: Ingress, product: IngressProduct, cluster: Cluster) -> Iterator[Finding]:
    """What decides where requests go or who may send them, where nothing is set for the controller that serves it."""
    if any(key.startswith(product.annotations) for key in ingress.annotations):
        return  # Charts set the annotations of several controllers.
    foreign = [key for key, value in sorted(ingress.annotations.items()) if _decides(key, value, ingress)]
    others = {other.name: other for key in foreign if (other := _reader(key)) is not None}
    if not foreign or product.name in others or _reads_them(ingress, cluster):
        return
    told = dict.fromkeys(DECIDES[key.removeprefix(_prefix(key))] for key in foreign)
    one = len(foreign) == 1
    yield Finding(
        about=ref(ingress),
        aspect="of another controller",
        summary=f"{listed(foreign, _SHOWN)} {'is' if one else 'are'} for {listed(others, _SHOWN)}, but {product.name}"
        f" serves the Ingress and ignores {'it' if one else 'them'}: {', '.join(told)}",
        evidence=tuple(
            quote(ingress, f"metadata.annotations[{key}]", "has no effect here") for key in foreign[:_SHOWN]
        ),
        confidence=Confidence.LIKELY,
        would_disprove="the controller is configured to read these annotations too",
        fixes=(
            Fix(
                f"Set what {product.name} has for it, or name the class of the other controller",
                edit_command(ref(ingress)),
            ),
        ),
        commands=(
            _look(ingress),
            Command("kubectl get ingressclass", "the classes of the cluster and their controllers"),
        ),
    )


def _decides(key: str, value: str, ingress: Ingress) -> bool:
    name = key.removeprefix(_prefix(key))
    if name not in DECIDES or not _prefix(key) or value.lower() in ("", "false", "http"):
        return False
    paths = {
        path.path or "/" for rule in ingress.spec.rules or () for path in (rule.http.paths if rule.http else None) or ()
    }
    return not (name == "rewrite-target" and value == "/" and paths <= {"/"})


def _reads_them(ingress: Ingress, cluster: Cluster) -> bool:
    """Traefik may be configured to read the annotations of ingress-nginx."""
    return any(
        _READS_NGINX in word.lower()
        for pod in controller_pods(ingress, cluster)
        for container in pod.spec.containers
        for word in (*(container.args or ()), *(container.command or ()), *(row.name for row in container.env or ()))
    )


def _prefix(key: str) -> str:
    """Up to the slash, where a known controller reads such annotations."""
    prefix = f"{key.partition('/')[0]}/"
    return prefix if prefix in _PREFIXES else ""


def _reader(key: str) -> IngressProduct | None:
    return next((product for product in INGRESS_PRODUCTS if _prefix(key) in product.annotations), None)


def _look(ingress: Ingress) -> Command:
    return Command(
        kubectl("get", "ingress", ingress.name, "-o", "yaml", namespace=ingress.namespace), "its annotations and class"
    )
