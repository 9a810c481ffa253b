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
    terminating,
    workloads_of,
)
from kubedoctor.findings import Command, Confidence, Explains, Finding, Fix, Severity, diagnostic, kubectl

_LASTING = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController")
_OF_PODS = ("Resource", "ContainerResource", "Pods")
"""The metrics that are averages over the pods that the selector matches."""
_MOST = 3


@diagnostic(
    code="KD1216",
    subject=Deployment,
    also_subjects=(StatefulSet, DaemonSet),
    severity=Severity.WARNING,
    reads=(Pod, HorizontalPodAutoscaler, *WORKLOADS),
    explains=(Explains("affects", ("KD1302", "KD1304")),),
    symptoms=("overlapping selector", "AmbiguousSelector"),
)
def selects_foreign_pods(workload: Deployment | StatefulSet | DaemonSet, cluster: Cluster) -> Iterator[Finding]:
    pods = [pod for pod in foreign_pods(workload, cluster) if not terminating(pod) and pod.status.phase != "Failed"]
    if not pods or workload.spec.selector is None or workload.metadata.deletion_timestamp is not None:
        return
    scalers = [scaler for scaler in autoscalers_of(ref(workload), cluster) if _averages(scaler)]
    owners = workloads_of(pods, cluster)
    if not scalers:
        pods = [pod for pod in pods if not finished(pod) and owners[ref(pod)].kind in _LASTING]
    others = tuple(dict.fromkeys(owners[ref(pod)] for pod in pods))
    if not scalers:
        others = tuple(other for other in others if not _reports_it(other, workload, cluster))
    if not others:
        return
    about, selector = ref(workload), selector_of(workload.spec.selector).text
    text = listed((other.title for other in others), _MOST)
    harm = f", so {listed((ref(scaler).title for scaler in scalers), 1)} averages over them too" if scalers else ""
    counts = [pod for pod in pods if owners[ref(pod)] in others]
    yield Finding(
        about=about,
        summary=f"selector {selector} also matches {counted(len(counts), 'pod')} of {text}{harm}",
        severity=None if scalers else Severity.NOTICE,
        evidence=(
            quote(workload, "spec.selector", ""),
            quote(counts[0], "metadata.labels", f"a pod of {owners[ref(counts[0])].title}"),
        ),
        confidence=Confidence.CERTAIN,
        detail=_ended(counts) if scalers else "",
        affects=(*map(ref, scalers), *others),
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


def _averages(scaler: HorizontalPodAutoscaler) -> bool:
    return any(metric.get("type") in _OF_PODS for metric in scaler.spec.metrics or ())


def _reports_it(other: Ref, workload: Deployment | StatefulSet | DaemonSet, cluster: Cluster) -> bool:
    """The other workload selects these pods as well, and the finding about it is the one to read."""
    if (other.kind, other.name) > (ref(workload).kind, workload.name) and not autoscalers_of(other, cluster):
        return False
    found = cluster.maybe.get_ref(other)
    if not isinstance(found, Deployment | StatefulSet | DaemonSet) or found.spec.selector is None:
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
