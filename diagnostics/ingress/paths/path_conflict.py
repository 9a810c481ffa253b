"""Two Ingresses claim the same host and path.

## What it means
Two Ingresses of one class send the same host and path to different backends. The controller serves one of them, usually
the older; the other gets no requests, and nothing in its status says so.

## Why it happens
- An application was copied to a second namespace, and its Ingress kept the host.
- A second release of a chart has the default host.

## How to fix it
Give one of them another host or path, or delete the one that is no longer used.

## References
- https://kubernetes.github.io/ingress-nginx/how-it-works/#building-the-nginx-model
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from diagnostics.ingress._controllers import class_of_ingress, controller_of_ingress, default_class
from kubedoctor.cluster import (
    Cluster,
    Ingress,
    IngressBackend,
    IngressClass,
)
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic, edit_command, quote, ref
from kubedoctor.replay.ingress.products import ingress_product

_SHARED_ON_PURPOSE: Final = re.compile(
    r"/canary$|nginx\.org/mergeable-ingress-type$|/canary-by-|router\.(priority|rule)|/route-priority|/affinity-canary"
)
"""Annotations of Ingresses that share a path by intent."""


class _Claim(NamedTuple):
    path: str
    key: tuple[str, str, str]
    backend: tuple[str, str, str]


@diagnostic(
    code="KD2310",
    subject=Ingress,
    severity=Severity.WARNING,
    reads=(Ingress, IngressClass),
    symptoms=("host and path already defined", "404", "wrong backend"),
)
def path_conflict(ingress: Ingress, cluster: Cluster) -> Iterator[Finding]:
    product = ingress_product(controller := controller_of_ingress(ingress, cluster))
    if not _counts(ingress) or product is None or not product.one_entrance:
        return  # A cloud may make a load balancer for each.
    by_name = "k8s.io/ingress-nginx" in controller
    mine = {claim.key: claim for claim in _claims(ingress)}
    for other in cluster.all(Ingress):
        if ref(other) == ref(ingress) or not _counts(other) or not _is_first(other, ingress, by_name=by_name):
            continue
        if controller_of_ingress(other, cluster) != controller or not _may_share_a_class(ingress, other, cluster):
            continue
        for claim in _claims(other):
            own = mine.get(claim.key)
            if own is not None and own.backend != claim.backend:
                del mine[claim.key]
                yield _finding(ingress, own, other, claim, by_name=by_name)


def _may_share_a_class(one: Ingress, other: Ingress, cluster: Cluster) -> bool:
    """Two classes of a controller are two entrances. An Ingress without a class may have that of the other."""
    first, second = (class_of_ingress(row) or default_class(cluster) for row in (one, other))
    return not first or not second or first == second


def _counts(ingress: Ingress) -> bool:
    created = ingress.metadata.deletion_timestamp is None
    return created and not any(_SHARED_ON_PURPOSE.search(key) for key in ingress.annotations)


def _is_first(other: Ingress, ingress: Ingress, *, by_name: bool) -> bool:
    """The older one. Of two that were created in one second ingress-nginx takes the last by name; which of them others
    take is not known, and the finding is about the last."""
    then, now = other.metadata.creation_timestamp, ingress.metadata.creation_timestamp
    if then is None or now is None:
        return False
    first, own = (other.namespace, other.name), (ingress.namespace, ingress.name)
    return then < now or (then == now and (first > own if by_name else first < own))


def _claims(ingress: Ingress) -> Iterator[_Claim]:
    for at, rule in enumerate(ingress.spec.rules or ()):
        for number, path in enumerate((rule.http.paths if rule.http else None) or ()):
            if rule.host:
                key = (rule.host.lower(), path.path or "/", path.path_type or "")
                where = f"spec.rules[{at}].http.paths[{number}].backend"
                yield _Claim(where, key, _backend(ingress.namespace, path.backend))


def _backend(namespace: str, backend: IngressBackend) -> tuple[str, str, str]:
    service = backend.service
    if service is None:
        return namespace, "", ""
    return namespace, service.name, service.port.name or str(service.port.number)


def _finding(ingress: Ingress, own: _Claim, other: Ingress, claim: _Claim, *, by_name: bool) -> Finding:
    host, path, _ = own.key
    same_age = other.metadata.creation_timestamp == ingress.metadata.creation_timestamp
    chance = same_age and not by_name
    why = "is older" if not same_age else "comes first by name (both were created at once)"
    outcome = (
        "was created at the same moment: only one of the two is served"
        if chance
        else f"{why} and is served in its place"
    )
    return Finding(
        about=ref(ingress),
        aspect=f"{host}{path}",
        summary=f"{host}{path} is claimed by {ref(other).title} too, which {outcome}",
        evidence=(
            quote(ingress, own.path, "one of the two gets no requests" if chance else "gets no requests of this path"),
            quote(other, claim.path, "claims the same path" if chance else "gets them"),
            quote(other, "metadata.creationTimestamp", "of the same moment" if same_age else "the older one counts"),
        ),
        confidence=Confidence.LIKELY,
        fixes=(
            Fix("Give one of the two another host or path", edit_command(ref(ingress))),
            Fix(f"Or remove the rule from {ref(other).title}", edit_command(ref(other))),
        ),
        commands=(Command("kubectl get ingress -A", "hosts, classes and ages of all Ingresses"),),
    )
