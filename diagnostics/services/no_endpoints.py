"""Service has no ready endpoints.

## What it means
The Service exists and its name resolves, but it has no ready pod. Clients get "connection refused" or time out; an
Ingress in front of it answers 503.

## Why it happens
- The selector matches no pod: a typo, a renamed label, another namespace.
- The selector matches pods, but none of them is ready.
- The workload behind the Service is scaled to 0.

## How to fix it
1. Compare the selector with the labels of the intended pods.
2. If pods match, find out why they are not ready: that is the cause.
3. If the workload has 0 replicas, scale it up.

## References
- https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from kubedoctor.cluster import (
    WORKLOADS,
    Change,
    Cluster,
    Container,
    DaemonSet,
    EndpointSlice,
    Job,
    KubernetesObject,
    Pod,
    Service,
    controller_of,
    counted,
    ready,
    selector_from_map,
    template_of,
    workload_of,
)
from kubedoctor.findings import (
    Command,
    Confidence,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
    has_path,
    kubectl,
    quote,
    quote_line,
    ref,
)
from kubedoctor.replay.dns.service import is_cluster_dns
from kubedoctor.replay.services import (
    Backends,
    backends,
    has_ready_pods,
    serves_already,
    wanted_replicas,
    workloads_behind,
)
from kubedoctor.replay.services.refusals import refused_by

if TYPE_CHECKING:
    from kubedoctor.replay.services.selection import Meant

PATIENCE = timedelta(minutes=1)


def _selects(service: Service) -> bool:
    """Without a selector another controller manages the endpoints; the cluster DNS has a diagnostic of its own."""
    return bool(service.spec.selector) and service.spec.type != "ExternalName" and not is_cluster_dns(service)


@diagnostic(
    code="KD2001",
    subject=Service,
    severity=Severity.CRITICAL,
    reads=(Service, EndpointSlice, Pod, *WORKLOADS),
    when=_selects,
    symptoms=("no endpoints", "no ready endpoints", "connection refused", "503", "Service Unavailable"),
)
def no_endpoints(service: Service, cluster: Cluster) -> Iterator[Finding]:
    if serves_already(service, cluster):
        return
    behind = backends(service, cluster)
    if behind.served:
        return
    if behind.live:
        if len(behind.failing) == len(behind.live):
            yield _none_ready(service, behind, cluster)
        return  # Some pods are still starting.
    if behind.leaving:
        return  # Pods are being replaced.
    cluster.together(lambda: workloads_behind(service, cluster), lambda: cluster.all(Pod, service.namespace))
    workloads = workloads_behind(service, cluster)
    if not workloads:
        if not behind.finished:
            yield from _selects_nothing(service, cluster)
        return
    lasting = [workload for workload in workloads if not isinstance(workload, Job)]
    if lasting:
        yield from _no_pods(service, max(lasting, key=lambda workload: wanted_replicas(workload) > 0), cluster)


def _no_pods(service: Service, workload: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
    """The workload of the Service has no pods: it is scaled to 0, or its pods cannot be created."""
    desired = wanted_replicas(workload)
    since = workload.metadata.creation_timestamp
    if desired and since is not None and cluster.taken_at - since < PATIENCE:
        return
    if not desired and service.spec.is_headless:
        return  # A headless Service of a workload that is scaled to 0 has no clients.
    if not desired and isinstance(workload, DaemonSet):
        return  # No node should run it.
    state = f"has 0 of {counted(desired, 'pod')}" if desired else "is scaled to 0"
    path = "spec.replicas" if has_path(workload, "spec.replicas") else "metadata.name"
    ports = service.spec.ports or ()
    refusal = next((line for port in ports if (line := refused_by(service, port, (), cluster)) is not None), None)
    yield Finding(
        about=ref(service),
        summary=f"no endpoints: {ref(workload).title} {state}",
        confidence=Confidence.CERTAIN,
        # Scaling to 0 is intended until a client is refused.
        severity=None if desired or refusal is not None else Severity.NOTICE,
        evidence=(
            quote(service, "spec.selector", "selector of the Service"),
            quote(workload, path, "the workload whose pods the Service selects"),
            *(
                (quote_line(refusal.tail, refusal.index, "log of a client of this Service"),)
                if refusal is not None
                else ()
            ),
        ),
        affects=(ref(refusal.pod),) if refusal is not None else (),
        because_of=(ref(workload),),
        fixes=tuple(_switched(service, _containers(workload), cluster)),
        commands=(
            Command(
                kubectl("describe", ref(workload).argument, namespace=workload.namespace),
                "why the workload has no pods",
            ),
        ),
    )


def _none_ready(service: Service, behind: Backends, cluster: Cluster) -> Finding:
    pod = behind.failing[0]
    condition = "status.conditions[type=Ready].message"
    evidence = [quote(service, "spec.selector", f"selects {counted(len(behind.live), 'pod')}")]
    evidence += [quote(pod, path, "not ready") for path in (condition, "status.phase") if has_path(pod, path)][:1]
    return Finding(
        about=ref(service),
        summary=f"no ready endpoints: 0/{len(behind.live)} pods ready",
        confidence=Confidence.CERTAIN if behind.endpoints_seen else Confidence.LIKELY,
        evidence=tuple(evidence),
        affects=tuple(ref(pod) for pod in behind.failing),
        fixes=tuple(_switched(service, pod.spec.containers, cluster)),
        because_of=tuple(dict.fromkeys(workload_of(pod, cluster) for pod in behind.failing)),
        commands=(
            Command(
                kubectl(
                    "get",
                    "pods",
                    "-l",
                    selector_from_map(service.spec.selector or {}).text,
                    namespace=service.namespace,
                ),
                "the pods of the Service and their state",
            ),
        ),
    )


def _selects_nothing(service: Service, cluster: Cluster) -> Iterator[Finding]:
    # A controller does not misspell labels, and sets them on pods when it needs them.
    from kubedoctor.replay.services.selection import selection_meant

    by_controller = controller_of(service) is not None
    meant = None if by_controller else selection_meant(service, cluster)
    if meant is None and service.spec.is_headless:
        return  # The pods of a headless Service may be created later.
    summary = f"selector {selector_from_map(service.spec.selector or {}).text} matches no pod"
    evidence = [quote(service, "spec.selector", "no pod in the namespace has these labels")]
    if meant is not None and meant.pods:
        evidence.append(quote(meant.pods[0], "metadata.labels", f"similar labels: {meant.text}"))
    yield Finding(
        about=ref(service),
        summary=summary + (f"; did you mean {meant.text}?" if meant is not None else ""),
        confidence=Confidence.CERTAIN,
        severity=Severity.NOTICE if by_controller else None if meant is not None else Severity.WARNING,
        detail="" if meant is not None else "No workload in the namespace creates pods with these labels.",
        evidence=tuple(evidence),
        fixes=(_fix(service, meant, cluster),) if meant is not None else (),
        commands=(
            Command(kubectl("get", "pods", "--show-labels", namespace=service.namespace), "the labels of the pods"),
        ),
    )


def _containers(workload: KubernetesObject) -> tuple[Container, ...]:
    template = template_of(workload)
    return template.spec.containers if template is not None else ()


def _switched(service: Service, containers: tuple[Container, ...], cluster: Cluster) -> Iterator[Fix]:
    """Blue and green: the version that is ready, while the selected one is not."""
    from kubedoctor.replay.services.versions import other_version  # most Services are served

    other = other_version(service, containers, cluster)
    if other is None:
        return
    text = (
        f"Switch the selector to {other.key}={other.value}, which has {counted(len(other.pods), 'ready pod')}, until this "
        "version is ready"
    )
    fix = Fix(text, command_line(other.change, service))
    yield _proven(fix, other.change, service, cluster)


def _fix(service: Service, meant: Meant, cluster: Cluster) -> Fix:
    selected = sum(ready(pod) for pod in meant.pods)
    fix = Fix(
        summary=f"Change the selector to {meant.text}"
        + (f", which matches {counted(selected, 'ready pod')}" if selected else ""),
        command=command_line(meant.change, service),
    )
    return _proven(fix, meant.change, service, cluster)


def _proven(fix: Fix, change: Change, service: Service, cluster: Cluster) -> Fix:
    from kubedoctor.answers.proof import prove, proven

    return proven(fix, prove(change, cluster, lambda after: has_ready_pods(ref(service), after)))
