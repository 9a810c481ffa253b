"""Canary Ingress has no main Ingress.

## What it means
An Ingress with `canary: "true"` gets a share of the requests of another Ingress, the main one, for the same host and path.
ingress-nginx drops a canary that has no main Ingress: requests for its host get 404 from the default backend.

## Why it happens
- The main Ingress was deleted, renamed to another host, or is of another class.
- Host, path or `pathType` of the two differ: a canary is compared with each path literally.
- The annotation stayed when the canary became the release.

## How to fix it
Remove the annotation `nginx.ingress.kubernetes.io/canary` if this Ingress shall serve the host alone. Otherwise give it the host,
path and `pathType` of the main Ingress.

## References
- https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#canary
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from diagnostics.ingress._controllers import controller_of_ingress
from kubedoctor.cluster import Cluster, Evidence, Ingress, IngressClass, Pod, Service
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
    quote_line,
    ref,
)
from kubedoctor.replay.ingress.controllers import controller_pods
from kubedoctor.replay.status.vocabulary import START

_CANARY: Final = "nginx.ingress.kubernetes.io/canary"
_NGINX: Final = "k8s.io/ingress-nginx"
_DROPPED: Final = re.compile(r"cannot merge alternative backend|unable to find real backend for alternative backend")
Claim = tuple[str, str, str]
"""Host, path and path type."""


def _is_canary(ingress: Ingress) -> bool:
    return ingress.annotations.get(_CANARY) == "true" and ingress.metadata.deletion_timestamp is None


@diagnostic(
    code="KD2320",
    subject=Ingress,
    severity=Severity.CRITICAL,
    reads=(Ingress, IngressClass, Pod, Service),
    when=_is_canary,
    symptoms=("404", "canary", "cannot merge alternative backend"),
)
def canary_without_main(ingress: Ingress, cluster: Cluster) -> Iterator[Finding]:
    created = ingress.metadata.creation_timestamp
    if created is None or cluster.taken_at - created < START:
        return
    controller = controller_of_ingress(ingress, cluster)
    if controller != _NGINX:
        return
    mains = [
        other
        for other in cluster.all(Ingress)
        if other.annotations.get(_CANARY) != "true" and controller_of_ingress(other, cluster) == controller
    ]
    taken = {claim for other in mains for _, claim in _claims(other)}
    alone = [(place, claim) for place, claim in _claims(ingress) if claim not in taken]
    if not alone:
        return
    place, (host, path, kind) = alone[0]
    same_host = next((other for other in mains if any(claim[0] == host for _, claim in _claims(other))), None)
    differs = f"; {ref(same_host).title} has this host with other paths" if same_host is not None else ""
    outcome = "has no effect" if same_host is not None else "is dropped, and its host gets 404"
    remove = edit(ref(ingress), Step(("metadata", "annotations", _CANARY), remove=True))
    yield Finding(
        about=ref(ingress),
        summary=f"it is the canary of no Ingress and {outcome}: no main Ingress of ingress-nginx has {host}{path} ({kind}){differs}",
        evidence=(
            quote(ingress, f"metadata.annotations[{_CANARY}]", "it gets a share of the requests of another Ingress"),
            quote(ingress, place, "its host, which the main Ingress must have too"),
            *_said(ingress, host, cluster),
        ),
        severity=Severity.WARNING if same_host is not None else None,
        confidence=Confidence.CERTAIN,
        fixes=(
            Fix(
                "If it shall serve the host alone, remove the annotation canary",
                command_line(remove, ingress),
            ),
            Fix("Or give it the host, path and pathType of its main Ingress", edit_command(ref(ingress))),
        ),
        commands=(
            Command("kubectl get ingress -A", "hosts and classes of all Ingresses"),
            Command(kubectl("describe", "ingress", ingress.name, namespace=ingress.namespace), "its rules"),
        ),
    )


def _claims(ingress: Ingress) -> Iterator[tuple[str, Claim]]:
    for at, rule in enumerate(ingress.spec.rules or ()):
        for path in (rule.http.paths if rule.http else None) or ():
            place = f"spec.rules[{at}].host" if rule.host else f"spec.rules[{at}]"
            yield place, (rule.host.lower(), path.path or "/", path.path_type or "")


def _said(ingress: Ingress, host: str, cluster: Cluster) -> tuple[Evidence, ...]:
    """The last line of the controller about it: it names the upstream, `NAMESPACE-SERVICE-PORT`."""
    for pod in controller_pods(ingress, cluster)[:1]:
        for container in pod.spec.containers[:1]:
            tail = cluster.log_tail(pod, container.name, optional=True)
            for index in range(len(tail.lines) - 1, -1, -1) if tail is not None else ():
                line = tail.lines[index] if tail is not None else ""
                if tail is not None and _DROPPED.search(line) and (f" {ingress.namespace}-" in line or host in line):
                    return (quote_line(tail, index, "the controller drops it"),)
    return ()
