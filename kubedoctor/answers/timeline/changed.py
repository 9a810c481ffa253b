"""The newest change that can have caused a fault."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

import msgspec

from kubedoctor.answers.timeline.onset import Onset
from kubedoctor.answers.timeline.revisions import HISTORIC, TemplateRollout, rollouts
from kubedoctor.cluster.grammar.text import listed
from kubedoctor.cluster.kinds.apps import Deployment
from kubedoctor.cluster.kinds.core import Event
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.seen.quoting import Evidence
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.wants import CannotSee, NotCollected
from kubedoctor.replay.workloads.stateful_sets import REVISION

MOST_FIELDS: Final = 3
_SLACK: Final = timedelta(seconds=5)
"""Clocks of components differ, and times are written in whole seconds."""
_SCALED: Final = "ScalingReplicaSet"
"""The Deployment controller's event about a new number of pods (`pkg/controller/deployment/sync.go`, v1.37)."""


class NewestChange(msgspec.Struct, frozen=True):
    """A change of `about` at a moment. `text`: `rollout 12 → 13: limits.memory 512Mi → 256Mi`."""

    about: Ref
    at: datetime
    text: str


def newest_change(
    about: Ref, affects: Iterable[Ref], evidence: Iterable[Evidence], since: Onset | None, family: Family
) -> NewestChange | None:
    """The newest change of the workload before the fault began, or before now where that is not known. Reads only what was
    seen.

    Where pods suffer, only the rollout that made them can be the change: older pods have the older template.
    """
    cluster = Cluster(family.snapshot).maybe
    workload = family.snapshot.get(family.top(about))
    if workload is None:
        return None
    latest = (since.at if since is not None else cluster.taken_at) + _SLACK
    changes: list[NewestChange] = []
    if any(fact.path == "spec.replicas" for fact in evidence):
        changes += _scalings(workload, cluster)
    if isinstance(workload, (Deployment, *HISTORIC)):
        made_by = {revision for name in affects if (revision := _revision_of(name, family))}
        changes += (
            _of_rollout(rollout)
            for rollout in _rollouts(workload, cluster)
            if not made_by or any(rollout.after.about.name.endswith(revision) for revision in made_by)
        )
    return max((change for change in changes if change.at <= latest), key=lambda change: change.at, default=None)


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
    fields = listed((change.text for change in rollout.changes), MOST_FIELDS)
    why = f" ({rollout.after.why})" if rollout.after.why else ""
    assert rollout.at is not None
    text = f"rollout {rollout.before.number} → {rollout.after.number}: {fields}{why}"
    return NewestChange(rollout.workload, rollout.at, text)


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
