"""Containers without the request that a percentage is computed from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster import (
    Cluster,
    Evidence,
    HorizontalPodAutoscaler,
    KubernetesObject,
    Pod,
    all_containers,
    container_path,
    pods_of,
    quote,
    ref,
    target_of,
    template_of,
)
from kubedoctor.cluster.changes import Step, edit, put
from kubedoctor.findings import Effect, Fix, command_line, container_command
from kubedoctor.replay.autoscaling.failures import MetricsFailure
from kubedoctor.replay.autoscaling.replicas import Failure, MetricTarget, requests_of

_INJECTED: Final = {
    ("istio-proxy", "cpu"): "sidecar.istio.io/proxyCPU",
    ("istio-proxy", "memory"): "sidecar.istio.io/proxyMemory",
    ("linkerd-proxy", "cpu"): "config.linkerd.io/proxy-cpu-request",
    ("linkerd-proxy", "memory"): "config.linkerd.io/proxy-memory-request",
}
"""The annotation of the pod template that gives an injected sidecar its request."""
_USUAL: Final = {"cpu": "100m", "memory": "128Mi"}


class LackingContainer(NamedTuple):
    """A container without a request, and where it was seen."""

    name: str
    evidence: tuple[Evidence, ...] = ()


def named_container(failure: MetricsFailure, pods: tuple[Pod, ...]) -> LackingContainer | None:
    """The container of the message, or the first one of the pods that has no request (older messages name none)."""
    for pod in sorted(pods, key=lambda pod: (pod.name != failure.pod, pod.name)):
        for container in all_containers(pod):
            requests = container.resources.requests if container.resources else None
            counts = container in pod.spec.containers or container.restarts_always
            if counts and failure.resource not in (requests or {}) and failure.container in ("", container.name):
                path = f"{container_path(pod, container.name)}.name"
                return LackingContainer(
                    container.name, (quote(pod, path, f"a container without a {failure.resource} request"),)
                )
    return LackingContainer(failure.container) if failure.container else None


def missing_request_fixes(
    autoscaler: HorizontalPodAutoscaler,
    failure: MetricsFailure,
    container: LackingContainer | None,
    workload: KubernetesObject | None,
    cluster: Cluster,
) -> Iterator[Fix]:
    """A request for the container, in the template or by the injector's annotation; or a metric of one container alone."""
    if container is None:
        return
    amount = _USUAL.get(failure.resource, "")
    template = template_of(workload) if workload is not None else None
    in_template = template is not None and any(
        one.name == container.name for one in (*template.spec.containers, *(template.spec.init_containers or ()))
    )
    annotation = _INJECTED.get((container.name, failure.resource))
    text = f"Give container {container.name} a {failure.resource} request"
    if in_template and amount:
        line = container_command(workload, (container.name,), ("resources", "requests", failure.resource), amount)
        yield Fix(f"{text}, such as {amount}", line, Effect.DISRUPTS)
    elif workload is not None and annotation and template is not None:
        path = ("spec", "template", "metadata", "annotations", annotation)
        line = command_line(put(ref(workload), path, amount), workload)
        yield Fix(f"{text}: annotate the pod template for its injector", line, Effect.DISRUPTS)
    else:
        yield Fix(f"{text}: whatever adds it to the pods sets its resources")
    yield from _one_container(autoscaler, failure, container, workload, cluster)


def _one_container(
    autoscaler: HorizontalPodAutoscaler,
    failure: MetricsFailure,
    lacking: LackingContainer,
    workload: KubernetesObject | None,
    cluster: Cluster,
) -> Iterator[Fix]:
    """Where a single other container of the template has a request: measure that one alone."""
    template = template_of(workload) if workload is not None else None
    if workload is None or template is None or autoscaler.metadata.owner_references:
        return
    others = [
        one.name
        for one in template.spec.containers
        if one.name != lacking.name and failure.resource in ((one.resources and one.resources.requests) or {})
    ]
    metrics = [
        (index, metric["resource"])
        for index, metric in enumerate(autoscaler.spec.metrics or ())
        if metric.get("type") == "Resource" and metric.get("resource", {}).get("name") == failure.resource
    ]
    if len(others) != 1 or len(metrics) != 1:
        return
    (name,), ((index, source),) = others, metrics
    change = edit(
        ref(autoscaler),
        Step(
            ("spec", "metrics", index),
            {"type": "ContainerResource", "containerResource": {**source, "container": name}},
        ),
    )

    def has_requests(changed: Cluster) -> bool:
        after = changed.get(HorizontalPodAutoscaler, autoscaler.namespace, autoscaler.name)
        item = changed.maybe.get_ref(target_of(autoscaler))
        if after is None or item is None or not after.spec.metrics:
            return False
        measured = after.spec.metrics[index].get("containerResource", {}).get("container", "")
        target = MetricTarget(failure.resource, utilization=1, container=measured)
        pods = pods_of(item, changed.maybe)
        return bool(pods) and not isinstance(requests_of(pods, target), Failure)

    fix = Fix(
        f"Or measure container {name} alone (ContainerResource, 1.27 and later)", command_line(change, autoscaler)
    )
    yield proven(fix, prove(change, cluster, has_requests))
