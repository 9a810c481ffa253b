"""Aggregated API is unavailable.

## What it means
An APIService sends the requests for one API group to a Service in the cluster (metrics-server, a metrics adapter, an
extension's API server). The API server cannot reach it, so every request for that group fails. Discovery is incomplete:
namespaces that are being deleted stay Terminating, garbage collection stalls, autoscalers have no metrics.

## Why it happens
- The Service or its namespace was deleted and the APIService was left behind.
- The pods behind the Service are not ready, or the Service selects none.
- The API server cannot connect: network policy, firewall between control plane and nodes, wrong port.
- The certificate is not accepted: `caBundle` is wrong or the certificate has expired.

## How to fix it
1. Read the reason in the Available condition: it names what is missing.
2. Repair the Service, its pods or the way to them.
3. If the API is no longer used, delete the APIService.

## References
- https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from kubedoctor.answers.reach.connections import AdminDenial, Denial
from kubedoctor.answers.reach.denials import deciding_parts, in_words
from kubedoctor.answers.reach.from_api_server import denied_to_api_server, opening_fix
from kubedoctor.cluster import (
    APIService,
    Cluster,
    Condition,
    DaemonSet,
    HorizontalPodAutoscaler,
    Namespace,
    NetworkPolicy,
    Node,
    Pod,
    Ref,
    Service,
    condition,
    has_path,
    pods_selected_by,
    quote,
    ref,
)
from kubedoctor.cluster.changes import delete
from kubedoctor.findings import Command, Confidence, Effect, Finding, Fix, Severity, command_line, diagnostic, kubectl
from kubedoctor.replay.autoscaling.failures import NoMetrics, failing, metrics_failure
from kubedoctor.replay.network.enforcers import refuses_what_it_denies

_REFUSED = "connection refused"
_NO_ANSWER = ("timeout", "deadline exceeded", "no route to host")
AVAILABLE = "status.conditions[type=Available]"
_STARTING = timedelta(minutes=1)
"""How long the pods behind an APIService may take to answer, after a start."""
_ANSWERS = frozenset({"MissingEndpoints", "EndpointsNotFound", "FailedDiscoveryCheck"})
"""Reasons that are also given while the pods behind the Service start
(`kube-aggregator/pkg/controllers/status/remote`, v1.37)."""


def unavailable(api_service: APIService) -> bool:
    """The API server states that it cannot serve the group. An APIService without a Service is the API server's own."""
    available = condition(api_service.status.conditions, "Available")
    return api_service.spec.service is not None and available is not None and available.status == "False"


@diagnostic(
    code="KD4101",
    subject=APIService,
    severity=Severity.CRITICAL,
    reads=(APIService, HorizontalPodAutoscaler, Service, Pod, Namespace, NetworkPolicy, DaemonSet, Node),
    when=unavailable,
    also_known_as=("the server is currently unable to handle the request", "stale GroupVersion discovery"),
    symptoms=("FailedDiscoveryCheck", "ServiceNotFound", "MissingEndpoints", "DiscoveryFailed"),
)
def api_service_unavailable(api_service: APIService, cluster: Cluster) -> Iterator[Finding]:
    available = condition(api_service.status.conditions, "Available")
    backend = api_service.spec.service
    if available is None or backend is None:
        return
    name = Ref("Service", backend.namespace, backend.name)
    if _may_be_starting(api_service, available, name, cluster):
        return
    api = f"{api_service.spec.group}/{api_service.spec.version}"
    reason, fix = _reason(available, name, backend.port or 443)
    denied = _denied(available.message, name, backend.port or 443, cluster)
    harmed = [
        autoscaler
        for autoscaler in cluster.maybe.all(HorizontalPodAutoscaler)
        if _lacks_metrics_of(autoscaler, api_service.spec.group)
    ]
    yield Finding(
        about=ref(api_service),
        summary=f"API {api} is unavailable: {reason}"
        + (f"; {ref(denied[1].policy).title} blocks it: {in_words(denied[1])}" if denied else ""),
        evidence=(
            *(
                quote(api_service, f"{AVAILABLE}.{field}", "the API server's own check" if field == "message" else "")
                for field in ("reason", "message")
                if has_path(api_service, f"{AVAILABLE}.{field}")
            ),
            quote(api_service, "spec.service.name", f"in namespace {backend.namespace}"),
            *(deciding_parts(denied[1]) if denied else ()),
        ),
        confidence=Confidence.CERTAIN,
        affects=tuple(map(ref, harmed)),
        because_of=(name,),
        fixes=(
            opening_fix(denied[1], denied[0], backend.port or 443, cluster) if denied else Fix(fix),
            Fix(
                f"Delete the APIService, if API {api} is no longer used",
                command_line(delete(ref(api_service)), api_service),
                Effect.CHANGES,
            ),
        ),
        commands=(
            Command(kubectl("describe", "apiservice", api_service.name), "the API server's check of it"),
            Command(
                kubectl("get", "service,endpointslices", namespace=backend.namespace), "the Service and its endpoints"
            ),
        ),
    )


def _denied(message: str, name: Ref, port: int, cluster: Cluster) -> tuple[Service, Denial | AdminDenial] | None:
    """The policy that keeps the API server out, where its call failed as a denied one does."""
    silent = any(words in message for words in _NO_ANSWER)
    service = cluster.maybe.get(Service, name.namespace, name.name) if silent or _REFUSED in message else None
    denied = denied_to_api_server(service, port, cluster) if service is not None else None
    if service is None or denied is None or not (silent or refuses_what_it_denies(cluster)):
        return None
    return service, denied


def _may_be_starting(api_service: APIService, available: Condition, name: Ref, cluster: Cluster) -> bool:
    """Whether it was unavailable for a moment only, and it or a pod behind it has just started."""
    now, since = cluster.taken_at, available.last_transition_time
    if available.reason not in _ANSWERS or since is None or now - since >= _STARTING:
        return False
    service = cluster.maybe.get(Service, name.namespace, name.name)
    pods = pods_selected_by(service, cluster.maybe) if service is not None else ()
    starts = [api_service.metadata.creation_timestamp, *(start for pod in pods for start in _starts(pod))]
    return any(start is not None and now - start < _STARTING for start in starts)


def _starts(pod: Pod) -> Iterator[datetime | None]:
    yield pod.metadata.creation_timestamp
    for status in pod.status.container_statuses or ():
        if status.state is not None and status.state.running is not None:
            yield status.state.running.started_at


def _reason(available: Condition, name: Ref, port: int) -> tuple[str, str]:
    """Why the API is unavailable, and the fix."""
    message = " ".join(available.message.split())
    title = f"Service {name.namespace}/{name.name}"
    if available.reason == "ServiceNotFound":
        return f"its {title} does not exist", f"Install or restore what provides the API, with its {title}"
    if available.reason == "ServicePortError":
        return f"its {title} has no port {port}", f"Correct the port in the APIService, or add port {port} to {title}"
    if available.reason in ("MissingEndpoints", "EndpointsNotFound"):
        return f"its {title} has no ready endpoints", f"Make the pods behind {title} ready"
    if "x509" in message or "certificate" in message:
        return (
            f"the API server does not accept the certificate of its {title} ({message})",
            "Renew the certificate, or correct spec.caBundle of the APIService",
        )
    if _REFUSED in message or any(words in message for words in _NO_ANSWER):
        return (
            f"the API server cannot connect to its {title} ({message})",
            f"Check the pods behind {title}, and network policies and firewalls between the API server and them",
        )
    return message or available.reason or "no reason is given", f"Fix what the message names; start with {title}"


def _lacks_metrics_of(autoscaler: HorizontalPodAutoscaler, group: str) -> bool:
    """The autoscaler states that the API group gives it no metrics."""
    active = failing(autoscaler)
    if active is None:
        return False
    failure = metrics_failure(active)
    return failure.api.value == group and failure.kind in (NoMetrics.UNAVAILABLE, NoMetrics.NOT_SERVED)
