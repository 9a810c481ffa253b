"""What happened to an object and to what it depends on, in the order of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Final

from kubedoctor.answers.timeline.differences import differences
from kubedoctor.answers.timeline.recorded import recorded
from kubedoctor.answers.timeline.revisions import NO_FIELD, revisions, rollouts
from kubedoctor.answers.timeline.timeline_entry import TimelineEntry
from kubedoctor.answers.timeline.writes import near, writes
from kubedoctor.cluster.grammar.text import counted, listed, visible_end
from kubedoctor.cluster.kinds.autoscaling import HorizontalPodAutoscaler
from kubedoctor.cluster.kinds.core import Event
from kubedoctor.cluster.kinds.meta import Condition, KubernetesObject, condition
from kubedoctor.cluster.kinds.networking import EndpointSlice
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.autoscalers import target_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import all_statuses
from kubedoctor.replay.services.staleness import changed_at

MOST_LETTERS: Final = 240
MOST_FIELDS: Final = 50
_STEPS: Final = frozenset({"Pulling", "Created", "Started"})
"""Normal events of the kubelet that the states of the containers repeat."""
_REPEATED: Final = "Error: "
"""The kubelet's second event about a failure, which has only its reason (`ErrImagePull`)."""
_ORDINARY: Final = frozenset({"PodReadyToStartContainers", "Initialized", "ContainersReady", "PodScheduled"})
"""Conditions of a pod that only repeat its steps on the way to Ready, while they are True."""


def entries(objects: Iterable[KubernetesObject], cluster: Cluster) -> tuple[TimelineEntry, ...]:
    """The newest first. Events are read where they can be; revisions, too."""
    objects = tuple(objects)
    found = [entry for obj in objects for entry in _of(obj, cluster)]
    if (history := cluster.snapshot.history) is not None:
        said = {(entry.about, entry.text.partition(" (")[0]): entry.at for entry in found}
        found += (
            entry
            for entry in recorded(history, map(ref, objects))
            if entry.at <= cluster.taken_at and not _is_said(entry, said)
        )
    return tuple(sorted(set(found), key=lambda entry: (entry.at, entry.about, entry.text), reverse=True))


def _is_said(entry: TimelineEntry, said: Mapping[tuple[Ref, str], datetime]) -> bool:
    """The present state tells it too: a condition keeps the time at which it turned last."""
    at = said.get((entry.about, entry.text))
    return at is not None and near(at, entry.at)


def _of(obj: KubernetesObject, cluster: Cluster) -> Iterator[TimelineEntry]:
    name = ref(obj)
    if (created := obj.metadata.creation_timestamp) is not None:
        yield TimelineEntry(created, name, "created")
    if (deleted := obj.metadata.deletion_timestamp) is not None:
        yield TimelineEntry(deleted, name, "end of the grace period of its deletion")
    yield from _of_conditions(obj, name)
    if isinstance(obj, Pod):
        yield from _of_containers(obj, name)
    if isinstance(obj, HorizontalPodAutoscaler) and obj.status.last_scale_time is not None:
        size = counted(obj.status.desired_replicas, "pod")
        yield TimelineEntry(
            obj.status.last_scale_time, name, f"scaled {target_of(obj).title} for the last time ({size} now)"
        )
    if isinstance(obj, EndpointSlice):
        yield from _of_endpoints(obj, name)
    yield from _of_revisions(obj, cluster)
    for event in cluster.maybe.events_about(name):
        if not _says_nothing_more(event):
            yield from _of_event(event, name)


def _of_conditions(obj: KubernetesObject, name: Ref) -> Iterator[TimelineEntry]:
    conditions: tuple[Condition, ...] = getattr(getattr(obj, "status", None), "conditions", None) or ()
    for stated in conditions:
        if stated.last_transition_time is None or (stated.status == "True" and stated.type in _ORDINARY):
            continue
        if stated.type == "ContainersReady" and _like_ready(stated, conditions):
            continue
        reason = f" ({stated.reason})" if stated.reason else ""
        yield TimelineEntry(stated.last_transition_time, name, f"{stated.type} became {stated.status}{reason}")


def _like_ready(stated: Condition, conditions: tuple[Condition, ...]) -> bool:
    """Ready says the same of the whole pod at the same time."""
    whole = condition(conditions, "Ready")
    return whole is not None and (whole.status, whole.last_transition_time) == (
        stated.status,
        stated.last_transition_time,
    )


def _of_endpoints(slice_: EndpointSlice, name: Ref) -> Iterator[TimelineEntry]:
    endpoints = slice_.endpoints or ()
    well = sum(endpoint.is_ready for endpoint in endpoints)
    if (at := changed_at(slice_)) is not None:
        yield TimelineEntry(at, name, f"endpoints changed last ({well} of {len(endpoints)} ready now)")


def _of_containers(pod: Pod, name: Ref) -> Iterator[TimelineEntry]:
    for status in all_statuses(pod):
        for state in (status.state, status.last_state):
            if state is None:
                continue
            if state.running is not None and state.running.started_at is not None:
                restarts = f" after {counted(status.restart_count, 'restart')}" if status.restart_count else ""
                yield TimelineEntry(state.running.started_at, name, f"container `{status.name}` started{restarts}")
            ended = state.terminated
            if ended is not None and ended.finished_at is not None:
                reason = f", {ended.reason}" if ended.reason else ""
                text = f"container `{status.name}` ended with exit code {ended.exit_code}{reason}"
                yield TimelineEntry(ended.finished_at, name, text, bad=bool(ended.exit_code))


def _of_revisions(obj: KubernetesObject, cluster: Cluster) -> Iterator[TimelineEntry]:
    name = ref(obj)
    yield from _of_templates(obj, name, cluster)
    rolled_out = [rollout for rollout in rollouts(obj, cluster) if rollout.at is not None]
    for rollout in rolled_out:
        assert rollout.at is not None
        yield TimelineEntry(rollout.at, name, rollout.text(MOST_FIELDS), change=True)
    for write in writes(obj):
        if not any(rollout.at and rollout.by == write.by and near(rollout.at, write.at) for rollout in rolled_out):
            yield TimelineEntry(write.at, name, write.text, change=True)


def _of_templates(obj: KubernetesObject, name: Ref, cluster: Cluster) -> Iterator[TimelineEntry]:
    """The oldest template that is kept, and what replaced one that was rolled back to since: it has a new number then, and
    the time of its first rollout."""
    made = [(revision.at, revision) for revision in revisions(obj, cluster) if revision.at is not None]
    made.sort(key=lambda pair: (pair[0], pair[1].number))
    for at, revision in made[:1]:
        yield TimelineEntry(at, name, f"the template of revision {revision.number}, the oldest that is kept")
    for (_, before), (at, after) in pairwise(made):
        if after.number < before.number:
            changes = listed((change.text for change in differences(before.template, after.template)), MOST_FIELDS)
            text = f"rollout of revision {after.number}: {changes or NO_FIELD}; revision {before.number} has the earlier template again"
            yield TimelineEntry(at, name, text, change=True)


def _says_nothing_more(event: Event) -> bool:
    """A step of a pod on its way, once, or the reason of a failure alone; another entry has more."""
    if event.reason == "Failed":
        return event.message.startswith(_REPEATED) and " " not in event.message.removeprefix(_REPEATED)
    return event.reason in _STEPS and event.type != "Warning"


def _of_event(event: Event, name: Ref) -> Iterator[TimelineEntry]:
    """Once, or from the first to the last time."""
    last = event.seen_at
    if last is None:
        return
    first = event.first_timestamp or event.event_time
    since = f"{event.times} times since {first:%H:%M:%S}: " if event.times > 1 and first is not None else ""
    text = f"{event.reason}: {since}{visible_end(event.message, MOST_LETTERS)}"
    yield TimelineEntry(last, name, text, bad=event.type == "Warning")
