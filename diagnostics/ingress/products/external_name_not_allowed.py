"""Traefik: ExternalName Services are not allowed.

## What it means
A route leads to a Service of type ExternalName, and Traefik builds no backend for it: its paths get 404. Only Traefik's log says
so.

## Why it happens
Since version 2.5 each of Traefik's providers refuses ExternalName Services unless `allowExternalNameServices` is set for it: for
Ingresses `providers.kubernetesIngress`, for IngressRoutes `providers.kubernetesCRD`. Whoever may create Services could make
Traefik send requests to any host otherwise.

## How to fix it
Set it for the provider of the route, or put a Service of another type in front of the host: one without a selector, with an
EndpointSlice of your own that has its addresses.

## References
- https://doc.traefik.io/traefik/reference/install-configuration/providers/kubernetes/kubernetes-ingress/
- https://doc.traefik.io/traefik/reference/install-configuration/providers/kubernetes/kubernetes-crd/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from diagnostics.ingress._controllers import TRAEFIK_IMAGE, controller_of_ingress
from diagnostics.ingress.middleware_missing import GROUPS
from kubedoctor.cluster import (
    Cluster,
    Container,
    CustomResource,
    Ingress,
    IngressClass,
    KubernetesObject,
    LogTail,
    Pod,
    Service,
    finished,
)
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic, kubectl, quote, quote_line, ref
from kubedoctor.replay.ingress.controllers import controller_pods
from kubedoctor.replay.mesh.config import rows, text

_FIRST: Final = (2, 5)
_SWITCH: Final = "allowexternalnameservices"
_OFF: Final = ("false", "0", "f")
_FILE: Final = re.compile(r"^--configfile\b", re.IGNORECASE)
_SAID: Final = "externalname services not allowed"
_PROVIDER: Final = re.compile(r"providerName\W+(?P<name>\w+)")
_LOGGED: Final = {"kubernetesIngress": "kubernetes", "kubernetesCRD": "kubernetescrd"}
"""The names that the log has for the providers."""


@diagnostic(
    code="KD2316",
    subject=Ingress,
    also_subjects=tuple(f"IngressRoute.{group}" for group in GROUPS),
    severity=Severity.CRITICAL,
    reads=(Ingress, IngressClass, Service, Pod),
    symptoms=("404", "externalName services not allowed", "Cannot create service"),
)
def external_name_not_allowed(obj: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
    if obj.metadata.deletion_timestamp is not None:
        return
    if isinstance(obj, Ingress) and "traefik" not in controller_of_ingress(obj, cluster).lower():
        return
    named = list(dict.fromkeys(_services(obj)))
    if not named:
        return
    of_type = [service for where in named if (service := _external(*where, cluster)) is not None]
    if not of_type:
        return
    provider = "kubernetesIngress" if isinstance(obj, Ingress) else "kubernetesCRD"
    pods = [pod for pod in _programs(obj, cluster) if not finished(pod)]
    allows = [_allows(pod, provider) for pod in pods]
    if not pods or True in allows:
        return
    for service in of_type:
        said = _said(pods, service, provider, cluster)
        if said is None and None in allows:
            continue
        other = "kubernetesCRD" if isinstance(obj, Ingress) else "kubernetesIngress"
        only = f" (it is set for {other} only)" if any(_set_for(pod, other) for pod in pods) else ""
        yield Finding(
            about=ref(obj),
            aspect=ref(service).title,
            summary=f"Traefik builds no backend for {ref(service).title} of type ExternalName:"
            f" allowExternalNameServices is not set for its provider {provider}{only}",
            evidence=(
                quote(service, "spec.type", "the backend of a route"),
                quote(service, "spec.externalName", "where it leads"),
                *((quote_line(*said, "Traefik refuses it"),) if said is not None else ()),
            ),
            confidence=Confidence.CERTAIN if said is not None else Confidence.LIKELY,
            fixes=(
                Fix(
                    f"Start Traefik with --providers.{provider.lower()}.allowexternalnameservices=true"
                    f" (Helm: providers.{provider}.allowExternalNameServices)"
                ),
                Fix(
                    f"Or use a ClusterIP Service with an EndpointSlice of your own that has the addresses of {service.spec.external_name}"
                ),
            ),
            commands=(
                Command(kubectl("logs", pods[0].name, namespace=pods[0].namespace), "what Traefik says of its routes"),
            ),
        )


def _services(obj: KubernetesObject) -> Iterator[tuple[str, str]]:
    """Namespace and name of the backends."""
    if isinstance(obj, Ingress):
        paths = [path for rule in obj.spec.rules or () for path in (rule.http.paths if rule.http else None) or ()]
        backends = [*(path.backend for path in paths), *filter(None, (obj.spec.default_backend,))]
        yield from ((obj.namespace, backend.service.name) for backend in backends if backend.service is not None)
    elif isinstance(obj, CustomResource):
        for _, route in rows(obj.spec, "routes"):
            for _, row in rows(route, "services"):
                if text(row.get("kind")) in ("", "Service") and (name := text(row.get("name"))):
                    yield text(row.get("namespace")) or obj.namespace, name


def _external(namespace: str, name: str, cluster: Cluster) -> Service | None:
    service = cluster.maybe.get(Service, namespace, name)
    return service if service is not None and service.spec.type == "ExternalName" else None


def _programs(obj: KubernetesObject, cluster: Cluster) -> tuple[Pod, ...]:
    if isinstance(obj, Ingress) and (pods := controller_pods(obj, cluster)):
        return pods
    return tuple(
        pod for pod in cluster.maybe.all(Pod) if any(TRAEFIK_IMAGE.search(row.image) for row in pod.spec.containers)
    )


def _container(pod: Pod) -> Container | None:
    return next((row for row in pod.spec.containers if TRAEFIK_IMAGE.search(row.image)), None)


def _allows(pod: Pod, provider: str) -> bool | None:
    """Whether Traefik's provider takes ExternalName Services; None where its version or a file of settings may say so."""
    if _set_for(pod, provider):
        return True
    container = _container(pod)
    match = TRAEFIK_IMAGE.search(container.image) if container is not None else None
    if container is None or match is None or not match["major"]:
        return None
    if (int(match["major"]), int(match["minor"])) < _FIRST:
        return None
    if any(_FILE.search(word) for word in (*(container.command or ()), *(container.args or ()))):
        return None
    return False


def _set_for(pod: Pod, provider: str) -> bool:
    """By an argument or a variable: `--providers.kubernetescrd.allowexternalnameservices`."""
    name = f"providers.{provider.lower()}.{_SWITCH}"
    variable = f"traefik_{name.replace('.', '_')}"
    for container in pod.spec.containers:
        words = (*(container.command or ()), *(container.args or ()))
        values = [word.partition("=") for word in words if word.lstrip("-").lower().partition("=")[0] == name]
        if any(value.lower() not in _OFF for _, _, value in values):
            return True
        if any(row.name.lower() == variable and row.value.lower() not in _OFF for row in container.env or ()):
            return True
    return False


def _said(pods: list[Pod], service: Service, provider: str, cluster: Cluster) -> tuple[LogTail, int] | None:
    spot = re.compile(rf"(?<![\w./-]){re.escape(f'{service.namespace}/{service.name}')}(?![\w-])")
    for pod in pods[:2]:
        container = _container(pod) or pod.spec.containers[0]
        tail = cluster.log_tail(pod, container.name, optional=True)
        for index in range(len(tail.lines) - 1, -1, -1) if tail is not None else ():
            if tail is not None and _refuses(tail.lines[index], spot, provider):
                return tail, index
    return None


def _refuses(line: str, spot: re.Pattern[str], provider: str) -> bool:
    by = _PROVIDER.search(line)
    mine = by is None or by["name"] == _LOGGED[provider]
    return mine and _SAID in line.lower() and spot.search(line) is not None
