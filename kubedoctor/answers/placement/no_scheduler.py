"""Pending pods that no scheduler has reported on: which scheduler they name, and what it would decide."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

from kubedoctor.answers.placement.detail import table
from kubedoctor.answers.placement.explaining.case import names
from kubedoctor.answers.placement.outcome import other_scheduler_lines, sentences
from kubedoctor.answers.placement.reasons import short_reason
from kubedoctor.cluster import (
    Cluster,
    Event,
    Evidence,
    Lease,
    Pod,
    Snapshot,
    condition,
    counted,
    has_path,
    quote,
    ref,
    terminating,
)
from kubedoctor.cluster.grammar.durations import human_duration
from kubedoctor.cluster.relations.workloads import workload_of
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity
from kubedoctor.replay.scheduler.pending import PendingAnswer
from kubedoctor.replay.scheduler.said.self_check import gates_are_gone
from kubedoctor.replay.scheduler.said.unseen_refusals import rests_on_unseen
from kubedoctor.replay.scheduler.well_known import DEFAULT_SCHEDULER

SOON = timedelta(minutes=1)


class _Course(NamedTuple):
    """since: when the first of the pods was created that the default scheduler has not tried. placed: when a pod last got
    a node."""

    since: datetime | None
    waiting: int
    placed: datetime | None


_SILENCE = "no scheduler has tried the pod"
_PLACES_NOTHING = timedelta(minutes=5)
"""A scheduler that has just become the leader needs a while to fill its caches, in a large cluster minutes."""
_DISPROOF = "an event or a PodScheduled condition from that scheduler"


def no_scheduler_tried(pod: Pod, answer: PendingAnswer | None, cluster: Cluster) -> Iterator[Finding]:
    created = pod.metadata.creation_timestamp
    if created is None or cluster.taken_at - created < SOON or pod.status.phase not in ("", "Pending"):
        return
    name = pod.spec.scheduler_name or DEFAULT_SCHEDULER
    evidence = [quote(pod, "metadata.creationTimestamp", "no scheduler has reported anything since")]
    ungated = gates_are_gone(pod)
    if ungated:
        evidence.append(quote(pod, "status.conditions[type=PodScheduled].reason", "out of date: the pod has no gate"))
    if has_path(pod, "spec.schedulerName"):
        evidence.append(quote(pod, "spec.schedulerName", "the scheduler that must place the pod"))
    outcome = "\n".join(filter(None, (would_find(answer), sentences(other_scheduler_lines(pod)))))
    if name == DEFAULT_SCHEDULER and (finding := _scheduler_down(evidence, outcome, cluster)) is not None:
        yield finding
        return
    if (
        name == DEFAULT_SCHEDULER
        and not ungated
        and (finding := _places_nothing(evidence, outcome, cluster)) is not None
    ):
        yield finding
        return
    schedulers = {other_pod.spec.scheduler_name for other_pod in cluster.maybe.all(Pod) if other_pod.spec.node_name}
    unknown = name not in schedulers and name != DEFAULT_SCHEDULER
    working = names(sorted(filter(None, schedulers)))
    silence = "its scheduling gates are removed and no scheduler has tried the pod since" if ungated else _SILENCE
    disproof = "that the gates were removed only seconds ago" if ungated else _DISPROOF
    yield Finding(
        about=workload_of(pod, cluster),
        summary=f"{silence}: its schedulerName is {name}"
        + (
            f", which has placed no pod in this cluster (schedulers that have: {working})"
            if unknown and working
            else ""
        ),
        evidence=tuple(evidence),
        confidence=Confidence.LIKELY if unknown else Confidence.POSSIBLE,
        detail=outcome,
        would_disprove="" if unknown else disproof,
        commands=(Command("kubectl get pods -A | grep scheduler", "whether such a scheduler runs"),),
        # The API does not show when gates were removed, and a scheduler may be busy with many pods whose gates were
        # removed at once.
        severity=Severity.WARNING if ungated else None,
    )


def _scheduler_down(evidence: list[Evidence], outcome: str, cluster: Cluster) -> Finding | None:
    lease = cluster.maybe.get(Lease, "kube-system", "kube-scheduler")
    renewed = lease.spec.renew_time if lease is not None else None
    if lease is None or renewed is None or cluster.taken_at - renewed <= SOON:
        return None
    return Finding(
        about=ref(lease),
        summary=f"kube-scheduler has not renewed its lease for {human_duration(cluster.taken_at - renewed)}: it is down, and no pod is scheduled",
        evidence=(quote(lease, "spec.renewTime", "the last sign of life of the scheduler"), *evidence),
        confidence=Confidence.LIKELY,
        detail=outcome,
        commands=(Command("kubectl get pods -n kube-system -l component=kube-scheduler", "whether it runs"),),
    )


def _places_nothing(evidence: list[Evidence], outcome: str, cluster: Cluster) -> Finding | None:
    """It renews its lease and tries no pod: some have waited for longer than a scheduler needs, and none has got a node
    since the first of them was created."""
    lease = cluster.maybe.get(Lease, "kube-system", "kube-scheduler")
    renewed = lease.spec.renew_time if lease is not None else None
    if lease is None or renewed is None or not timedelta() <= cluster.taken_at - renewed <= SOON:
        return None
    since, waiting, placed = _course(cluster)
    if since is None or cluster.taken_at - since < _PLACES_NOTHING or (placed is not None and placed >= since):
        return None
    last = f" (the last did {human_duration(cluster.taken_at - placed)} ago)" if placed is not None else ""
    return Finding(
        about=ref(lease),
        summary=f"kube-scheduler renews its lease and places no pod: {counted(waiting, 'pod')}"
        f" {'has' if waiting == 1 else 'have'} waited for up to {human_duration(cluster.taken_at - since)} without an"
        f" event or a condition from it, and no other pod has got a node in that time{last}",
        evidence=(quote(lease, "spec.renewTime", "it runs, and leads"), *evidence),
        confidence=Confidence.LIKELY,
        detail=outcome,
        fixes=(
            Fix(
                "Read in the log of kube-scheduler what it waits for, then restart it: on its machine, move its manifest"
                " out of /etc/kubernetes/manifests and back. In a managed cluster, ask the provider"
            ),
        ),
        commands=(
            Command(
                "kubectl logs -n kube-system -l component=kube-scheduler --tail=200",
                "what it waits for: a kind that it may not list, a cache that never syncs, requests that are limited",
            ),
            Command("kubectl get --raw='/readyz?verbose'", "whether the API server serves its watches"),
        ),
    )


_COURSES: Final[WeakKeyDictionary[Snapshot, tuple[object, object, _Course]]] = WeakKeyDictionary()


def _course(cluster: Cluster) -> _Course:
    """Computed once for all pods of a scan."""
    pods = cluster.maybe.all(Pod)
    events = cluster.all(Event) if cluster.has_all(Event, "") else ()
    known = _COURSES.get(cluster.snapshot)
    if known is not None and known[0] is pods and known[1] is events:
        return known[2]
    own = [pod for pod in pods if (pod.spec.scheduler_name or DEFAULT_SCHEDULER) == DEFAULT_SCHEDULER]
    waiting = [since for pod in own if (since := _untried_since(pod, cluster)) is not None]
    placed = [
        *filter(None, map(_placed_at, own)),
        *(event.seen_at for event in events if event.reason == "Scheduled" and event.seen_at is not None),
    ]
    course = _Course(min(waiting, default=None), len(waiting), max(placed, default=None))
    _COURSES[cluster.snapshot] = (pods, events, course)
    return course


def _untried_since(pod: Pod, cluster: Cluster) -> datetime | None:
    """When a pod was created that no scheduler has tried; None for others."""
    created = pod.metadata.creation_timestamp
    stated = any(one.type == "PodScheduled" for one in pod.status.conditions or ())
    if pod.spec.node_name or pod.spec.scheduling_gates or stated or created is None or terminating(pod):
        return None
    return created if cluster.taken_at - created >= SOON and pod.status.phase in ("", "Pending") else None


def _placed_at(pod: Pod) -> datetime | None:
    """When the scheduler bound a pod, by its condition."""
    stated = condition(pod.status.conditions, "PodScheduled")
    return (
        stated.last_transition_time if stated is not None and stated.status == "True" and pod.spec.node_name else None
    )


def would_find(answer: PendingAnswer | None) -> str:
    """The decision of a scheduler with the default profile."""
    if answer is None:
        return ""
    verdict = answer.verdict
    unseen = sorted({*answer.unseen, *answer.damaged})
    limits = ""
    if unseen and (verdict.feasible or "Node" in unseen or rests_on_unseen(verdict, unseen)):
        limits = f", as far as can be seen (not all of {names(unseen)})"
    if verdict.feasible:
        return f"A scheduler that tried it would place it{limits}: it fits {names(verdict.feasible)}."
    if verdict.pre_filter is not None:
        return f"A scheduler that tried it would reject it{limits}: {short_reason(verdict.pre_filter)}."
    if not verdict.nodes:
        return f"The cluster has no nodes{limits}."
    return f"A scheduler that tried it would find no node for it{limits}. {table(answer)}"
