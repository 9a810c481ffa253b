"""Traefik: middleware of a route does not exist.

## What it means
An Ingress or IngressRoute names a Middleware that is not there. Traefik does not build the router then: its host and paths get 404, also
where everything else is right.

## Why it happens
- The annotation of an Ingress wants `NAMESPACE-NAME@kubernetescrd`: the namespace is another one, or is left out.
- An IngressRoute means its own namespace unless it names another one.
- The Middleware was renamed, or belongs to the older group `traefik.containo.us`.

## How to fix it
Name the Middleware with its namespace, or create it there.

## References
- https://doc.traefik.io/traefik/routing/providers/kubernetes-ingress/#on-ingress
- https://doc.traefik.io/traefik/middlewares/overview/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from diagnostics.ingress._controllers import controller_of_ingress
from kubedoctor.cluster import CannotSee, Cluster, CustomResource, Ingress, IngressClass, KubernetesObject
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic, edit_command, quote, ref
from kubedoctor.replay.mesh.config import rows, text
from kubedoctor.replay.status.vocabulary import PROGRESS

GROUPS: Final = ("traefik.io", "traefik.containo.us")
ANNOTATION: Final = "traefik.ingress.kubernetes.io/router.middlewares"
_PROVIDER: Final = "@kubernetescrd"


class _Named(NamedTuple):
    """A middleware as a route names it. `joined`: `namespace-name`, of which Traefik makes the name of a middleware."""

    joined: str
    written: str
    path: str


@diagnostic(
    code="KD2307",
    subject=Ingress,
    also_subjects=tuple(f"IngressRoute.{group}" for group in GROUPS),
    severity=Severity.CRITICAL,
    reads=(IngressClass, *(f"Middleware.{group}" for group in GROUPS)),
    symptoms=("404", "middleware does not exist", "kubernetescrd"),
)
def middleware_missing(obj: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
    wanted, created = list(_wanted(obj)), obj.metadata.creation_timestamp
    if not wanted or obj.metadata.deletion_timestamp is not None:
        return
    if (created and cluster.taken_at - created < PROGRESS) or not _traefik_serves(obj, cluster):
        return
    there: list[CustomResource] = []
    served = 0
    for group in GROUPS:
        try:
            there += cluster.custom("Middleware", group)
        except CannotSee:
            continue
        served += 1
    if not served:
        return
    joined = {f"{one.namespace}-{one.name}": one for one in there}
    for named in wanted:
        if named.joined not in joined:
            yield _finding(obj, named, there)


def _traefik_serves(obj: KubernetesObject, cluster: Cluster) -> bool:
    """An annotation of Traefik may be left over from an earlier controller. Without any class Traefik serves an Ingress."""
    if not isinstance(obj, Ingress):
        return True
    controller = controller_of_ingress(obj, cluster)
    return "traefik" in controller.lower() or not (controller or cluster.maybe.all(IngressClass))


def _wanted(obj: KubernetesObject) -> Iterator[_Named]:
    if isinstance(obj, Ingress):
        for word in obj.annotations.get(ANNOTATION, "").split(","):
            name = word.strip()
            if name.endswith(_PROVIDER):
                yield _Named(name.removesuffix(_PROVIDER), name, f"metadata.annotations[{ANNOTATION}]")
    elif isinstance(obj, CustomResource):
        for at, route in rows(obj.spec, "routes"):
            for index, row in rows(route, "middlewares"):
                name, namespace = text(row.get("name")), text(row.get("namespace")) or obj.namespace
                if name and "@" not in name:
                    yield _Named(f"{namespace}-{name}", name, f"spec.routes[{at}].middlewares[{index}].name")


def _finding(obj: KubernetesObject, named: _Named, there: list[CustomResource]) -> Finding:
    near = [one for one in there if named.joined.endswith(f"-{one.name}") or one.name == named.joined]
    guess, fix = "", Fix("Correct the name of the middleware, or create it", edit_command(ref(obj)))
    if near:
        one = near[0]
        guess = f"; Middleware {one.namespace}/{one.name} does"
        right = f"{one.namespace}-{one.name}{_PROVIDER}" if isinstance(obj, Ingress) else f"namespace {one.namespace}"
        fix = Fix(f"Name {right}", edit_command(ref(obj)))
    return Finding(
        about=ref(obj),
        aspect=named.joined,
        summary=f"middleware {named.written} does not exist{guess}: Traefik builds no router for it",
        evidence=(quote(obj, named.path, "no Middleware of this namespace and name"),),
        confidence=Confidence.CERTAIN,
        fixes=(fix,),
        commands=(Command("kubectl get middlewares.traefik.io -A", "the Middlewares of the cluster"),),
    )
