"""The newest change that can have caused a fault."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

import msgspec

from kubedoctor.answers.timeline.onset import Onset
from kubedoctor.answers.timeline.revisions import HISTORIC, TemplateRollout, rollouts
from kubedoctor.answers.timeline.writes import writes
from kubedoctor.cluster.kinds.apps import Deployment
from kubedoctor.cluster.kinds.core import Event
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS
from kubedoctor.cluster.seen.quoting import Evidence
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.wants import CannotSee, NotCollected
from kubedoctor.replay.kubelet.references import references
from kubedoctor.replay.workloads.stateful_sets import REVISION

MOST_FIELDS: Final = 3
_SLACK: Final = timedelta(seconds=5)
"""Clocks of components differ, and times are written in whole seconds."""
_ROLLED_BACK: Final = ("Deployment", "DaemonSet")
"""A StatefulSet whose pod is not ready does not go back by itself: its pod must be deleted too."""
_SCALED: Final = "ScalingReplicaSet"
"""The Deployment controller's event about a new number of pods (`pkg/controller/deployment/sync.go`, v1.37)."""


class NewestChange(msgspec.Struct, frozen=True):
    """A change of `about` at a moment. `text`: `rollout 12 → 13: limits.memory 512Mi → 256Mi`. `rollout`: a new revision
    of a Deployment or DaemonSet whose revision before is kept."""

    about: Ref
    at: datetime
    text: str
    rollout: bool = False


def newest_change(
    about: Ref, affects: Iterable[Ref], evidence: Iterable[Evidence], since: Onset | None, family: Family
) -> NewestChange | None:
    """The newest change of the workload, of its configuration, or of the object itself before the fault began, or before
    now where that is not known. Reads only what was seen.

    Where pods suffer, only the rollout that made them can be the change: older pods have the older template. A restart
    changes nothing: the configuration that the new pods read comes before it.
    """
    cluster = Cluster(family.snapshot).maybe
    names = (about, *affects)
    workload = family.snapshot.get(family.top(about))
    if workload is None:
        return None
    latest = (since.at if since is not None else cluster.taken_at) + _SLACK
    changes: list[NewestChange] = []
    restarts: list[NewestChange] = []
    if any(fact.path == "spec.replicas" for fact in evidence):
        changes += _scalings(workload, cluster)
    if isinstance(workload, (Deployment, *HISTORIC)):
        made_by = {revision for name in names[1:] if (revision := _revision_of(name, family))}
        for rollout in _rollouts(workload, cluster):
            if not made_by or any(rollout.after.about.name.endswith(revision) for revision in made_by):
                (restarts if rollout.restarts_only else changes).append(_of_rollout(rollout))
    elif ref(workload).kind not in WORKLOAD_KINDS:
        changes += _of_writes(workload)
    changes += _of_configuration(names, family)
    return _newest(changes, latest) or _newest(restarts, latest)


def _newest(changes: Iterable[NewestChange], latest: datetime) -> NewestChange | None:
    return max((change for change in changes if change.at <= latest), key=lambda change: change.at, default=None)


def _of_writes(obj: KubernetesObject, title: str = "") -> Iterator[NewestChange]:
    yield from (NewestChange(ref(obj), write.at, f"{title}{write.text}") for write in writes(obj))


def _of_configuration(names: Iterable[Ref], family: Family) -> Iterator[NewestChange]:
    """The ConfigMaps and Secrets that the first pod reads: pods of one workload read the same."""
    found = (family.snapshot.get(name) for name in names if name.kind == "Pod")
    pod = next((item for item in found if isinstance(item, Pod)), None)
    if pod is None:
        return
    for name in dict.fromkeys(Ref(item.kind, pod.namespace, item.name) for item in references(pod)):
        source = family.snapshot.get(name)
        if source is not None:
            yield from _of_writes(source, f"{name.title} ")


def _rollouts(workload: KubernetesObject, cluster: Cluster) -> Iterator[TemplateRollout]:
    try:
        yield from (rollout for rollout in rollouts(workload, cluster) if rollout.at is not None and rollout.changes)
    except (NotCollected, CannotSee):
        return


def _revision_of(name: Ref, family: Family) -> str:
    """The end of the name of the ReplicaSet or ControllerRevision that a pod was made from; empty for other objects."""
    pod = family.snapshot.get(name) if name.kind == "Pod" else None
    if pod is None:
        return ""
    return pod.labels.get("pod-template-hash", "") or pod.labels.get(REVISION, "")


def _of_rollout(rollout: TemplateRollout) -> NewestChange:
    assert rollout.at is not None
    kept = rollout.workload.kind in _ROLLED_BACK and not rollout.restarts_only
    return NewestChange(rollout.workload, rollout.at, rollout.text(MOST_FIELDS), kept)


def _scalings(workload: KubernetesObject, cluster: Cluster) -> Iterator[NewestChange]:
    """The times when the number of pods was changed, as events tell it."""
    name = ref(workload)
    try:
        events: tuple[Event, ...] = cluster.events_about(name)
    except NotCollected:
        return
    for event in events:
        if event.reason == _SCALED and (at := event.seen_at) is not None:
            yield NewestChange(name, at, event.message[:1].lower() + event.message[1:])
