"""Traefik: certificate resolver of a route does not exist.

## What it means
A route names a certificate resolver that Traefik is not started with. Traefik serves its own default certificate for the host,
or no route at all: browsers warn, other clients refuse the connection.

## Why it happens
- The name differs from that of the arguments: `--certificatesresolvers.NAME.acme…`.
- The resolver was configured on another Traefik, or was removed.

## How to fix it
Name a resolver that exists, or start Traefik with it.

## References
- https://doc.traefik.io/traefik/reference/install-configuration/tls/certificate-resolvers/overview/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from diagnostics.ingress._controllers import TRAEFIK_IMAGE, controller_of_ingress
from diagnostics.ingress.middleware_missing import GROUPS
from kubedoctor.cluster import (
    Cluster,
    CustomResource,
    Ingress,
    IngressClass,
    KubernetesObject,
    LogTail,
    Pod,
    finished,
    listed,
)
from kubedoctor.findings import (
    Command,
    Confidence,
    Finding,
    Fix,
    Severity,
    diagnostic,
    edit_command,
    kubectl,
    quote,
    quote_line,
    ref,
)
from kubedoctor.replay.mesh.config import text

ANNOTATION: Final = "traefik.ingress.kubernetes.io/router.tls.certresolver"
_ARGUMENT: Final = re.compile(r"^-{1,2}certificatesresolvers\.(?P<name>[\w-]+)\.", re.IGNORECASE)
_VARIABLE: Final = re.compile(r"^TRAEFIK_CERTIFICATESRESOLVERS_(?P<name>[A-Z0-9-]+)_", re.IGNORECASE)
_FILE: Final = re.compile(r"^-{1,2}configfile\b", re.IGNORECASE)
_SAID: Final = re.compile(r"non-?existent (?:certificate )?resolver|nonexistent certificate resolver", re.IGNORECASE)
_MOST: Final = 3


@diagnostic(
    code="KD2318",
    subject=Ingress,
    also_subjects=tuple(f"IngressRoute.{group}" for group in GROUPS),
    severity=Severity.WARNING,
    reads=(Ingress, IngressClass, Pod),
    symptoms=("TRAEFIK DEFAULT CERT", "nonexistent certificate resolver", "certResolver"),
)
def resolver_missing(obj: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
    named = _named(obj)
    if named is None or obj.metadata.deletion_timestamp is not None:
        return
    if isinstance(obj, Ingress) and "traefik" not in controller_of_ingress(obj, cluster).lower():
        return
    name, path = named
    pods = [
        pod
        for pod in cluster.maybe.all(Pod)
        if not finished(pod) and any(TRAEFIK_IMAGE.search(row.image) for row in pod.spec.containers)
    ]
    if not pods or any(_has_a_file(pod) for pod in pods):
        return
    there = sorted({resolver for pod in pods for resolver in _resolvers(pod)})
    if name.lower() in {one.lower() for one in there}:
        return
    said = _line(pods, name, cluster)
    only = f", only {listed(there, _MOST)}" if there else ""
    fix = Fix("Name a certificate resolver that exists, or start Traefik with this one", edit_command(ref(obj)))
    if len(there) == 1:
        fix = Fix(f"Name {there[0]} as the certificate resolver", edit_command(ref(obj)))
    yield Finding(
        about=ref(obj),
        summary=f"Traefik has no certificate resolver {name}{only}: it serves no certificate for the route",
        evidence=(
            quote(obj, path, "the resolver that the route names"),
            *((quote_line(*said, "Traefik does not know it"),) if said is not None else ()),
        ),
        confidence=Confidence.CERTAIN if said is not None else Confidence.LIKELY,
        fixes=(fix,),
        commands=(
            Command(
                kubectl(
                    "get", "pod", pods[0].name, "-o", "jsonpath={.spec.containers[*].args}", namespace=pods[0].namespace
                ),
                "the resolvers that Traefik is started with",
            ),
        ),
    )


def _named(obj: KubernetesObject) -> tuple[str, str] | None:
    """The resolver of a route, and where it stands."""
    if isinstance(obj, Ingress):
        name = obj.annotations.get(ANNOTATION, "")
        return (name, f"metadata.annotations[{ANNOTATION}]") if name else None
    tls = (obj.spec or {}).get("tls") if isinstance(obj, CustomResource) else None
    name = text(tls.get("certResolver")) if isinstance(tls, dict) else ""
    return (name, "spec.tls.certResolver") if name else None


def _words(pod: Pod) -> Iterator[str]:
    for container in pod.spec.containers:
        yield from (*(container.command or ()), *(container.args or ()))


def _has_a_file(pod: Pod) -> bool:
    return any(_FILE.search(word) for word in _words(pod))


def _resolvers(pod: Pod) -> Iterator[str]:
    found = [_ARGUMENT.search(word) for word in _words(pod)]
    found += [_VARIABLE.search(row.name) for container in pod.spec.containers for row in container.env or ()]
    yield from (match["name"] for match in found if match is not None)


def _line(pods: list[Pod], name: str, cluster: Cluster) -> tuple[LogTail, int] | None:
    word = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    for pod in pods[:2]:
        tail = cluster.log_tail(pod, pod.spec.containers[0].name, optional=True)
        for index in range(len(tail.lines) - 1, -1, -1) if tail is not None else ():
            if tail is not None and _SAID.search(tail.lines[index]) and word.search(tail.lines[index]):
                return tail, index
    return None
