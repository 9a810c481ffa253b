"""HorizontalPodAutoscaler has no metrics.

## What it means
The autoscaler cannot compute a number of pods, because a metric has no value. If all its metrics fail it does nothing; if
only some fail it can still scale up, but not down.

## Why it happens
- Nothing serves the metrics API: metrics-server, or the adapter for custom or external metrics, is not installed.
- What serves it is down.
- A container has no request. A percentage is computed from requests, so every container of the pod needs one, injected
  sidecars included.
- No pod of the workload is ready.
- The metric's name or its selector is wrong.

## How to fix it
1. Read the end of the message in the ScalingActive condition.
2. Give the named container a request, or measure a single container (`type: ContainerResource`).
3. Install or repair what serves the API group that the message names.

## References
- https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#support-for-resource-metrics
- https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#container-resource-metrics
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from msgspec.structs import replace

from diagnostics.autoscaling._requests import missing_request_fixes, named_container
from kubedoctor.answers.scaling.words import failure_line
from kubedoctor.cluster import (
    WORKLOADS,
    APIService,
    Cluster,
    Deployment,
    Evidence,
    HorizontalPodAutoscaler,
    KubernetesObject,
    Pod,
    Ref,
    StatefulSet,
    condition,
    controlling_owner,
    foreign_pods,
    pods_of,
    quote,
    ref,
    target_of,
    workload_of,
)
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic, kubectl
from kubedoctor.replay.autoscaling.failures import MetricsApi, MetricsFailure, NoMetrics, failing, metrics_failure

_ACTIVE = "status.conditions[type=ScalingActive]"
_STARTING = timedelta(minutes=3)
"""How long metrics may lag behind a pod that starts."""
_LAGS = (NoMetrics.NO_VALUES, NoMetrics.NO_READY_PODS, NoMetrics.NO_PODS, NoMetrics.UNAVAILABLE, NoMetrics.OTHER)
_SERVERS = {
    MetricsApi.RESOURCE: "metrics-server",
    MetricsApi.CUSTOM: "an adapter for custom metrics",
    MetricsApi.EXTERNAL: "an adapter for external metrics",
}
_NAMES = {
    MetricsApi.RESOURCE: ("v1beta1.metrics.k8s.io",),
    MetricsApi.CUSTOM: ("v1beta2.custom.metrics.k8s.io", "v1beta1.custom.metrics.k8s.io"),
    MetricsApi.EXTERNAL: ("v1beta1.external.metrics.k8s.io",),
}
"""The APIServices, the preferred version first."""


def lacks_metrics(autoscaler: HorizontalPodAutoscaler) -> bool:
    """The autoscaler states that it cannot get a metric."""
    return failing(autoscaler) is not None and autoscaler.metadata.deletion_timestamp is None


@diagnostic(
    code="KD1302",
    subject=HorizontalPodAutoscaler,
    severity=Severity.WARNING,
    reads=(HorizontalPodAutoscaler, APIService, Pod, *WORKLOADS),
    when=lacks_metrics,
    also_known_as=("FailedGetResourceMetric", "FailedComputeMetricsReplicas"),
    symptoms=("FailedGetPodsMetric", "FailedGetObjectMetric", "FailedGetExternalMetric", "<unknown>", "ScalingActive"),
)
def no_metrics(autoscaler: HorizontalPodAutoscaler, cluster: Cluster) -> Iterator[Finding]:
    active = failing(autoscaler)
    if active is None:
        return
    failure = metrics_failure(active)
    since = active.last_transition_time
    if failure.kind in _LAGS and since is not None and cluster.taken_at - since < _STARTING:
        return
    if failure.kind is NoMetrics.UNAVAILABLE and any(_is_down(name, cluster) for name in _NAMES[failure.api]):
        return  # a finding of its own, which names the autoscaler
    target = target_of(autoscaler)
    workload = cluster.maybe.get_ref(target)
    pods = pods_of(workload, cluster.maybe) if workload is not None else ()
    reason = failure_line(failure, pods)
    evidence: tuple[Evidence, ...] = (quote(autoscaler, f"{_ACTIVE}.message", "the controller's message"),)
    fixes: tuple[Fix, ...] = ()
    stray = _stray(failure, workload, cluster)
    if stray is not None:
        container = named_container(failure, (stray,))
        name, owner = container.name if container else failure.container, workload_of(stray, cluster)
        reason = f"container {name} of {owner.title} has no {failure.resource} request, and the selector of {target.title} matches its pods too"
        evidence += (*(container.evidence if container else ()), quote(stray, "metadata.labels", "matched, too"))
        fixes = (Fix(f"Give the pods of {owner.title} other labels, or container {name} a {failure.resource} request"),)
    elif failure.kind is NoMetrics.MISSING_REQUEST:
        container = named_container(failure, pods)
        if container is not None:
            reason = failure_line(replace(failure, container=container.name), pods)
            evidence += container.evidence
        fixes = tuple(missing_request_fixes(autoscaler, failure, container, workload, cluster))
    else:
        fixes = tuple(_fixes(failure))
    yield Finding(
        about=ref(autoscaler),
        summary=f"HorizontalPodAutoscaler does not scale {target.title}: {reason}",
        evidence=evidence,
        confidence=Confidence.CERTAIN,
        detail=_owner_line(autoscaler),
        affects=(target,) if workload is not None else (),
        because_of=tuple(_blamed(failure, target, autoscaler)),
        fixes=fixes,
        commands=(
            Command(ref(autoscaler).describe_command, "its conditions and events"),
            *_checks(failure),
        ),
    )


def _stray(failure: MetricsFailure, workload: KubernetesObject | None, cluster: Cluster) -> Pod | None:
    """The pod of the message, where another workload controls it: the controller computes over all that the selector
    matches."""
    if failure.kind is not NoMetrics.MISSING_REQUEST or not isinstance(workload, Deployment | StatefulSet):
        return None
    return next((pod for pod in foreign_pods(workload, cluster.maybe) if pod.name == failure.pod), None)


def _is_down(name: str, cluster: Cluster) -> bool:
    service = cluster.maybe.get(APIService, "", name)
    available = condition(service.status.conditions, "Available") if service is not None else None
    return available is not None and available.status == "False"


def _fixes(failure: MetricsFailure) -> Iterator[Fix]:
    server = _SERVERS[failure.api]
    match failure.kind:
        case NoMetrics.NOT_SERVED:
            yield Fix(f"Install {server}, which provides {failure.api.value}")
        case NoMetrics.UNAVAILABLE:
            yield Fix(f"Repair {server}: APIService {_NAMES[failure.api][0]} names its Service")
        case NoMetrics.NO_READY_PODS | NoMetrics.NO_PODS:
            yield Fix("Make the pods of its target ready; the autoscaler then continues by itself")
        case NoMetrics.MISSING_CONTAINER:
            yield Fix("Correct the container's name in the metric: the pods have none of that name")
        case NoMetrics.NO_SUCH_METRIC:
            yield Fix("Correct the metric's name or selector, or have the adapter export it")
        case NoMetrics.NO_VALUES:
            yield Fix(f"Check the log of {server}: it may not reach the kubelets or the source of the metric")


def _blamed(failure: MetricsFailure, target: Ref, autoscaler: HorizontalPodAutoscaler) -> Iterator[Ref]:
    if failure.kind in (NoMetrics.NO_READY_PODS, NoMetrics.NO_PODS):
        yield target
    owner = controlling_owner(autoscaler)
    if failure.api is MetricsApi.EXTERNAL and owner is not None and owner.kind == "ScaledObject":
        # The metric of a trigger: what KEDA says of the trigger has the error of its source.
        yield Ref(f"{owner.kind}.{owner.api_version.partition('/')[0]}", autoscaler.namespace, owner.name)


def _checks(failure: MetricsFailure) -> Iterator[Command]:
    if failure.kind in (NoMetrics.NOT_SERVED, NoMetrics.UNAVAILABLE, NoMetrics.NO_VALUES):
        yield Command(kubectl("get", "apiservices", _NAMES[failure.api][0]), "whether the metrics API is served")


def _owner_line(autoscaler: HorizontalPodAutoscaler) -> str:
    owner = controlling_owner(autoscaler)
    if owner is None:
        return ""
    return f"It belongs to {owner.kind} {autoscaler.namespace}/{owner.name}: changes are made there."
