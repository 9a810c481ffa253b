"""Selector of a workload also matches pods of another workload.

## What it means
Each pod is controlled by the workload that owns it, so nothing is deleted or created twice. But whatever goes by the selector
mixes them: `kubectl logs`, `exec` and `port-forward` of the workload may choose a pod of the other; a
HorizontalPodAutoscaler averages over the pods of both, also over those of a Job that are completed.

## Why it happens
- Two Deployments, a canary for example, share the only label that the selector of the first one has.
- The Jobs and hooks of a chart have the labels of its Deployment.
- A workload was copied, and its labels were not changed.

## How to fix it
1. Give the pods of each workload a label of their own, and have its selector name it.
2. A selector is immutable: the workload with the wider selector is deleted and recreated. For a Job it is enough to change
   the labels of its template.

## References
- https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#selector
- https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    DaemonSet,
    Deployment,
    HorizontalPodAutoscaler,
    KubernetesObject,
    Pod,
    Ref,
    StatefulSet,
    autoscalers_of,
    counted,
    finished,
    foreign_pods,
    listed,
    quote,
    ref,
    selector_of,
    selector_of_workload,
    target_of,
    terminating,
    workloads_of,
)
from kubedoctor.findings import Command, Confidence, Explains, Finding, Fix, Severity, diagnostic, kubectl

Selecting = Deployment | StatefulSet | DaemonSet
_SCALED = ("Deployment", "StatefulSet")
_LASTING = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController")
_OF_PODS = ("Resource", "ContainerResource", "Pods")
"""The metrics that are averages over the pods that the selector matches."""
_MOST = 3


@diagnostic(
    code="KD1216",
    subject=Deployment,
    also_subjects=(StatefulSet, DaemonSet, HorizontalPodAutoscaler),
    severity=Severity.WARNING,
    reads=(Pod, HorizontalPodAutoscaler, *WORKLOADS),
    explains=(Explains("affects", ("KD1302", "KD1304")),),
    symptoms=("overlapping selector", "AmbiguousSelector"),
)
def selects_foreign_pods(subject: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
    """An autoscaler makes it worth a look at all pods; else it is reported only where they have been read anyway."""
    if isinstance(subject, HorizontalPodAutoscaler):
        target = target_of(subject)
        scaled = cluster.maybe.get_ref(target) if target.kind in _SCALED and _averages(subject) else None
        if isinstance(scaled, Selecting):
            yield from _found(scaled, subject, cluster)
    elif isinstance(subject, Selecting) and cluster.has_all(Pod, subject.namespace, _selector(subject)):
        yield from _found(subject, None, cluster)


def _found(workload: Selecting, scaler: HorizontalPodAutoscaler | None, cluster: Cluster) -> Iterator[Finding]:
    pods = [pod for pod in foreign_pods(workload, cluster) if not terminating(pod) and pod.status.phase != "Failed"]
    if not pods or workload.spec.selector is None or workload.metadata.deletion_timestamp is not None:
        return
    owners = workloads_of(pods, cluster.maybe)
    if scaler is None:
        if any(map(_averages, autoscalers_of(ref(workload), cluster))):
            return  # Reported with the autoscaler.
        pods = [pod for pod in pods if not finished(pod) and owners[ref(pod)].kind in _LASTING]
        pods = [pod for pod in pods if not _reports_it(owners[ref(pod)], workload, cluster)]
    others = tuple(dict.fromkeys(owners[ref(pod)] for pod in pods))
    if not others:
        return
    selector = _selector(workload)
    harm = f", so {ref(scaler).title} averages over {'it' if len(pods) == 1 else 'them'} too" if scaler else ""
    yield Finding(
        about=ref(workload),
        summary=f"selector {selector} also matches {counted(len(pods), 'pod')} of "
        f"{listed((other.title for other in others), _MOST)}{harm}",
        severity=None if scaler else Severity.NOTICE,
        evidence=(
            quote(workload, "spec.selector", ""),
            quote(pods[0], "metadata.labels", f"a pod of {owners[ref(pods[0])].title}"),
        ),
        confidence=Confidence.CERTAIN,
        detail=_ended(pods) if scaler else "",
        affects=(*((ref(scaler),) if scaler else ()), *others),
        fixes=(
            Fix(
                "Give the pods of each workload a label of their own, and name it in both selectors: a selector is "
                "immutable, so that workload is deleted and recreated"
            ),
        ),
        commands=(
            Command(
                kubectl("get", "pods", "-l", selector, "--show-labels", namespace=workload.namespace), "all of them"
            ),
        ),
    )


def _selector(workload: Selecting) -> str:
    selector = selector_of_workload(workload)
    return selector.text if selector is not None else ""


def _averages(scaler: HorizontalPodAutoscaler) -> bool:
    return any(metric.get("type") in _OF_PODS for metric in scaler.spec.metrics or ())


def _reports_it(other: Ref, workload: Selecting, cluster: Cluster) -> bool:
    """The other workload selects these pods as well, and the finding about it is the one to read."""
    if (other.kind, other.name) > (ref(workload).kind, workload.name) and not autoscalers_of(other, cluster):
        return False
    found = cluster.maybe.get_ref(other)
    if not isinstance(found, Selecting) or found.spec.selector is None:
        return False
    return selector_of(found.spec.selector).matches(workload.spec.template.metadata.labels)


def _ended(pods: list[Pod]) -> str:
    ended = sum(map(finished, pods))
    if not ended:
        return ""
    which = f"{ended} of them" if ended < len(pods) else "They" if ended > 1 else "It"
    verb = "is" if ended == 1 else "are"
    return (
        f"{which} {verb} completed: a pod without metrics counts as idle where the autoscaler would scale up, and as "
        "fully used where it would scale down."
    )
