"""Recommendation of a VerticalPodAutoscaler is not applied.

## What it means
A VerticalPodAutoscaler consists of three programs: the recommender computes, the updater evicts pods whose requests are far
from the recommendation, and the admission controller, a webhook, gives new pods the recommended requests. Where one of them
has nothing to work on, or one is missing, pods keep the requests of their template. Without the admission controller the
updater keeps evicting the same workload, and nothing changes.

## Why it happens
- Its `targetRef` names no workload, or one that is itself owned by another object.
- The workload has fewer pods than `minReplicas` (2 unless set): the updater evicts none of them.
- The webhook of the admission controller is not registered: its pod does not run, or lost its certificate.
- No pods match, or metrics-server has no usage to recommend from.

## How to fix it
1. `kubectl describe vpa NAME`: conditions, recommendation, events.
2. Correct `targetRef`: it must name the topmost workload.
3. For a workload of one pod: `minReplicas: 1` in its `updatePolicy`, if a restart is acceptable, or restart it by hand.
4. `kubectl get mutatingwebhookconfigurations vpa-webhook-config`, and the pods of vpa-admission-controller.

## References
- https://kubernetes.io/docs/concepts/workloads/autoscaling/vertical-pod-autoscale/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from diagnostics.autoscaling._vertical import (
    EVICTING,
    VERTICAL,
    WRITTEN,
    Distance,
    Evictions,
    distances,
    evicted_lately,
    least_replicas,
    mode_of,
    target_of_vertical,
)
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    CustomResource,
    DaemonSet,
    Event,
    KubernetesObject,
    MutatingWebhookConfiguration,
    Pod,
    Ref,
    counted,
    finished,
    pods_of,
    quote,
    ref,
    visible_end,
)
from kubedoctor.cluster.changes import put
from kubedoctor.findings import (
    Command,
    Confidence,
    Effect,
    Evidence,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
    rollout,
)
from kubedoctor.replay.status.stated import StatedCondition, stated_conditions

_SCALED: Final = ("Deployment", "StatefulSet", "DaemonSet")
_PATIENCE: Final = timedelta(minutes=10)
"""The recommender works once a minute, the updater too."""
_OFTEN: Final = 3
_FEWEST: Final = 2
_LONGEST: Final = 240
_NO_WEBHOOK: Final = ", and no webhook of its admission controller is registered"
_REPAIR: Final = "Repair the admission controller of the VerticalPodAutoscaler: its pod, its certificate, its webhook"
_LOOK_AT_WEBHOOK: Final = (
    Command("kubectl get mutatingwebhookconfigurations", "whether vpa-webhook-config is there"),
    Command("kubectl get pods -A -l app=vpa-admission-controller", "whether it runs"),
)
_CONDITION: Final = "status.conditions[type={}].{}"


@diagnostic(
    code="KD1311",
    subject=VERTICAL,
    severity=Severity.WARNING,
    reads=(Pod, Event, MutatingWebhookConfiguration, *WORKLOADS),
    symptoms=("ConfigUnsupported", "NoPodsMatched", "RecommendationProvided", "vpa-webhook-config"),
)
def vertical_not_applied(vertical: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    created = vertical.metadata.creation_timestamp
    target = target_of_vertical(vertical)
    if target is None or vertical.metadata.deletion_timestamp or created is None:
        return
    if cluster.taken_at - created < _PATIENCE:
        return
    workload = cluster.maybe.get_ref(target) if target.kind in _SCALED else None
    unsupported = stated_conditions(vertical).get("ConfigUnsupported")
    gone = target.kind in _SCALED and workload is None and not cluster.gaps
    if gone or (unsupported is not None and unsupported.status == "True"):
        yield _of_no_workload(vertical, target, gone=gone, unsupported=unsupported)
    elif workload is not None and mode_of(vertical) in EVICTING:
        yield from _not_applied(vertical, workload, cluster)


def _of_no_workload(
    vertical: CustomResource, target: Ref, *, gone: bool, unsupported: StatedCondition | None
) -> Finding:
    message = unsupported.message if unsupported is not None else ""
    why = f"its target {target.title} does not exist" if gone else visible_end(message, _LONGEST).rstrip(".")
    evidence: tuple[Evidence, ...] = (quote(vertical, "spec.targetRef.name", f"a {target.kind}"),)
    if message:
        evidence = (*evidence, quote(vertical, _CONDITION.format("ConfigUnsupported", "message")))
    return Finding(
        about=ref(vertical),
        aspect="target",
        summary=f"VerticalPodAutoscaler recommends nothing: {why or f'{target.title} is not supported'}",
        evidence=evidence,
        confidence=Confidence.CERTAIN,
        fixes=(Fix("Let targetRef name the topmost workload of the pods, or delete the autoscaler"),),
        commands=(_describe(vertical),),
    )


def _not_applied(vertical: CustomResource, workload: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
    if not (vertical.status or {}).get("recommendation"):
        return
    pods = [pod for pod in pods_of(workload, cluster) if not finished(pod) and pod.metadata.deletion_timestamp is None]
    apart = [(pod, distance) for pod in pods for distance in distances(vertical, pod) if _is_old(pod, cluster)]
    if not apart:
        return
    lately = evicted_lately(vertical, cluster)
    if lately.number >= _OFTEN and not any(map(_was_written, pods)):
        yield _evicts_without_effect(vertical, workload, (apart[0][0], apart[0][1].words), lately, cluster)
    elif not isinstance(workload, DaemonSet) and len(pods) < (least_replicas(vertical) or _FEWEST):
        yield _too_few(vertical, workload, apart[0], len(pods), cluster)


def _is_old(pod: Pod, cluster: Cluster) -> bool:
    created = pod.metadata.creation_timestamp
    return created is not None and cluster.taken_at - created >= timedelta(minutes=1)


def _was_written(pod: Pod) -> bool:
    return WRITTEN in (pod.metadata.annotations or {})


def _evicts_without_effect(
    vertical: CustomResource,
    workload: KubernetesObject,
    apart: tuple[Pod, str],
    lately: Evictions,
    cluster: Cluster,
) -> Finding:
    pod, words = apart
    why = _NO_WEBHOOK if _lacks_the_webhook(cluster) else ""
    return Finding(
        about=ref(vertical),
        aspect="without success",
        summary=f"VerticalPodAutoscaler evicted {counted(lately.number, 'pod')} of {ref(workload).title} within the hour without success:"
        f" new pods keep the requests of their template{why}",
        detail=f"Pod {pod.name}: {words}.",
        evidence=(
            *(quote(event, "message", "the newest eviction") for event in lately.events[:1]),
            quote(vertical, "status.recommendation"),
            quote(pod, "spec.containers", "without the annotation vpaUpdates of the admission controller"),
        ),
        confidence=Confidence.CERTAIN if why else Confidence.LIKELY,
        affects=(ref(workload),),
        fixes=(
            Fix(_REPAIR),
            _only_recommend(vertical, "Until then let it only recommend: updateMode Off"),
        ),
        commands=(_describe(vertical), *_LOOK_AT_WEBHOOK),
    )


def _lacks_the_webhook(cluster: Cluster) -> bool:
    hooks = [hook for row in cluster.maybe.all(MutatingWebhookConfiguration) for hook in row.webhooks or ()]
    return not any("vpa" in hook.name for hook in hooks) and not cluster.gaps


def _only_recommend(vertical: CustomResource, words: str) -> Fix:
    line = command_line(put(ref(vertical), ("spec", "updatePolicy", "updateMode"), "Off"), vertical)
    return Fix(words, line, Effect.CHANGES)


def _too_few(
    vertical: CustomResource, workload: KubernetesObject, apart: tuple[Pod, Distance], pods: int, cluster: Cluster
) -> Finding:
    pod, distance = apart
    line = command_line(put(ref(vertical), ("spec", "updatePolicy", "minReplicas"), 1), vertical)
    name = ref(workload)
    own = least_replicas(vertical)
    least = f"minReplicas is {own}" if own is not None else f"minReplicas is {_FEWEST} unless set"
    lacks = _lacks_the_webhook(cluster)
    restart = "Then restart the workload" if lacks else "Restart the workload"
    return Finding(
        about=ref(vertical),
        aspect="few pods",
        severity=Severity.NOTICE,
        summary=f"recommendation is not applied: {name.title} has {counted(pods, 'pod')}, and the updater evicts none of"
        f" so few ({least}){_NO_WEBHOOK if lacks else ''}; {distance.words}",
        evidence=(
            quote(vertical, "status.recommendation"),
            quote(pod, "metadata.creationTimestamp", _when_created(vertical, pod)),
        ),
        confidence=Confidence.LIKELY,
        affects=(name,),
        fixes=(
            *((Fix(f"{_REPAIR}. Without it new pods keep the requests of their template"),) if lacks else ()),
            Fix(f"{restart}: new pods get the recommendation", rollout("restart", name), Effect.DISRUPTS),
            *(() if lacks else (Fix("Or let it evict the only pod: minReplicas 1", line, Effect.CHANGES),)),
        ),
        commands=(_describe(vertical), *(_LOOK_AT_WEBHOOK if lacks else ())),
    )


def _when_created(vertical: CustomResource, pod: Pod) -> str:
    """The recommendation has no time of its own: the condition tells when there was the first."""
    provided = stated_conditions(vertical).get("RecommendationProvided")
    first = provided.since if provided is not None else None
    created = pod.metadata.creation_timestamp
    if first is None or created is None:
        return "when the pod was created"
    return f"the pod was created {'before' if created < first else 'after'} the first recommendation"


def _describe(vertical: CustomResource) -> Command:
    return Command(ref(vertical).describe_command, "its recommendation, conditions and events")
