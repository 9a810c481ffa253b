"""What happened to this object and to what it depends on?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Final

from kubedoctor.answers.question import Choices, Option, question
from kubedoctor.answers.sheet import Cell, Conclusion, Fact, Mark, Sheet, SheetRow, Table
from kubedoctor.answers.timeline.entries import entries
from kubedoctor.answers.timeline.timeline_entry import TimelineEntry
from kubedoctor.cluster.grammar.durations import human_duration, parse_duration
from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.kinds.autoscaling import HorizontalPodAutoscaler
from kubedoctor.cluster.kinds.control import MutatingWebhookConfiguration, ValidatingWebhookConfiguration
from kubedoctor.cluster.kinds.core import Event, LimitRange, ResourceQuota, Service
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.networking import Ingress
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.kinds.storage import PersistentVolumeClaim
from kubedoctor.cluster.relations.autoscalers import target_of
from kubedoctor.cluster.relations.claims import claim_names
from kubedoctor.cluster.relations.neighbours import backends, servers_of_webhooks
from kubedoctor.cluster.relations.services import pods_selected_by
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS, owner_chain, pods_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.findings.commands import kubectl
from kubedoctor.findings.model import Command
from kubedoctor.problems import NoSuchObject, UsageProblem
from kubedoctor.replay.kubelet.references import references

MOST_PODS: Final = 10
_OTHERS: Final = ("Pod", "Node", "PersistentVolumeClaim", "HorizontalPodAutoscaler")
_LIMITING: Final[tuple[type[KubernetesObject], ...]] = (HorizontalPodAutoscaler, ResourceQuota, LimitRange)
_CALLING: Final = (Ingress, ValidatingWebhookConfiguration, MutatingWebhookConfiguration)
_EVENTS: Final = "events are kept for an hour by default; what is older may be missing"


@question(
    help="what happened to an object and to what it depends on, newest first: rollouts with their changes, events, conditions",
    kinds=("Deployment", *sorted({*_OTHERS, *WORKLOAD_KINDS} - {"Deployment"})),
    options=(Option("since", "DURATION", "only what is newer, such as 30m or 24h"),),
    key="t",
    any_kind=True,
)
def timeline(subject: Ref, choices: Choices, cluster: Cluster) -> Sheet:
    obj = cluster.get_ref(subject)
    if obj is None:
        raise NoSuchObject(f"{subject.title} not found", "", ())
    happened = entries(_concerned(obj, cluster), cluster)
    oldest = _oldest(choices)
    chosen = tuple(entry for entry in happened if oldest is None or cluster.taken_at - entry.at <= oldest)
    newest = f"newest {human_duration(cluster.taken_at - chosen[0].at)} ago" if chosen else "nothing in this time"
    return Sheet(
        title=subject.title,
        verdict=f"{counted(len(chosen), 'entry', 'entries')}, {newest}",
        conclusion=Conclusion.UNKNOWN
        if any(gap.kind == Event.__name__ for gap in cluster.gaps)
        else Conclusion.ACCOUNT,
        facts=(Fact("memory", _EVENTS), *_watched(cluster)),
        tables=(Table(("ago", "time", "object", "what"), tuple(_row(entry, cluster) for entry in chosen)),)
        if chosen
        else (),
        next=(Command(_all_events(obj), "all events of the namespace"),),
        data={"entries": [_data(entry) for entry in chosen]},
    )


def _watched(cluster: Cluster) -> tuple[Fact, ...]:
    """From when on everything is known, because it was watched."""
    history = cluster.snapshot.history
    if history is None or history.since is None:
        return ()
    ago = human_duration(max(cluster.taken_at - history.since, timedelta()))
    return (Fact("memory", f"every change of the last {ago} was watched ({history.since:%H:%M:%S} UTC on)"),)


def _all_events(obj: KubernetesObject) -> str:
    """The command that lists them; those about objects of no namespace are in `default`."""
    return kubectl("get", "events", "--sort-by=.lastTimestamp", namespace=obj.namespace or "default")


def _concerned(obj: KubernetesObject, cluster: Cluster) -> tuple[KubernetesObject, ...]:
    """The object, its owners and autoscalers, what it sends traffic to, its newest pods with their nodes, claims and
    configuration, and what limits its namespace."""
    if isinstance(obj, HorizontalPodAutoscaler):
        workload = cluster.maybe.get_ref(target_of(obj))
        others = _concerned(workload, cluster) if workload is not None else ()
        return (obj, *(other for other in others if ref(other) != ref(obj)))
    behind = tuple(_behind(obj, cluster))
    pods = _pods(obj, behind, cluster)
    newest = sorted(pods, key=lambda pod: str(pod.metadata.creation_timestamp or ""), reverse=True)[:MOST_PODS]
    names = [*owner_chain(obj, cluster), *(name for pod in newest for name in _beneath(pod, cluster))]
    if newest:
        names += (Ref(source.kind, newest[0].namespace, source.name) for source in references(newest[0]))
    if isinstance(obj, PersistentVolumeClaim) and obj.spec.volume_name:
        names.append(Ref("PersistentVolume", "", obj.spec.volume_name))
    limiting = _LIMITING if obj.namespace and (newest or ref(obj).kind in WORKLOAD_KINDS) else ()
    cluster.together(
        *(partial(cluster.maybe.get_ref, name) for name in dict.fromkeys(names)),
        *(partial(cluster.maybe.all, kind, obj.namespace) for kind in limiting),
    )
    limits = [item for kind in limiting for item in cluster.maybe.all(kind, obj.namespace)]
    scaled = {ref(obj), *names}
    limits = [item for item in limits if not isinstance(item, HorizontalPodAutoscaler) or target_of(item) in scaled]
    beside = (cluster.maybe.get_ref(name) for name in dict.fromkeys(names))
    concerned = {ref(item): item for item in (obj, *behind, *newest, *beside, *limits) if item is not None}
    return tuple(concerned.values())


def _behind(obj: KubernetesObject, cluster: Cluster) -> Iterator[KubernetesObject]:
    """The Services that an Ingress or a webhook calls, and the EndpointSlices of Services."""
    services = [obj] if isinstance(obj, Service) else []
    if isinstance(obj, _CALLING):
        names = dict.fromkeys((backends if isinstance(obj, Ingress) else servers_of_webhooks)(obj, cluster))
        cluster.together(*(partial(cluster.maybe.get_ref, name) for name in names))
        found = (cluster.maybe.get_ref(name) for name in names)
        services += [service for service in found if isinstance(service, Service)]
    for service in services:
        if service is not obj:
            yield service
        yield from cluster.maybe.slices_of(service.namespace, service.name)


def _pods(obj: KubernetesObject, behind: tuple[KubernetesObject, ...], cluster: Cluster) -> tuple[Pod, ...]:
    if isinstance(obj, Pod):
        return (obj,)
    if ref(obj).kind in WORKLOAD_KINDS:
        return pods_of(obj, cluster)
    services = [item for item in (obj, *behind) if isinstance(item, Service)]
    return tuple(pod for service in services for pod in pods_selected_by(service, cluster.maybe))


def _beneath(pod: Pod, cluster: Cluster) -> Iterator[Ref]:
    yield from owner_chain(pod, cluster)
    if pod.spec.node_name:
        yield Ref("Node", "", pod.spec.node_name)
    yield from (Ref("PersistentVolumeClaim", pod.namespace, name) for name in claim_names(pod))


def _oldest(choices: Choices) -> timedelta | None:
    text = choices.one("since")
    if not text:
        return None
    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageProblem(f"--since: {error}") from None


def _row(entry: TimelineEntry, cluster: Cluster) -> SheetRow:
    ago = cluster.taken_at - entry.at
    when = human_duration(ago) if ago >= timedelta() else f"in {human_duration(-ago)}"
    cells = (
        Cell(when),
        Cell(f"{entry.at:%m-%d %H:%M:%S}"),
        Cell(entry.about.title),
        Cell(entry.text, Mark.NO if entry.bad else Mark.NONE),
    )
    return SheetRow(cells, entry.about)


def _data(entry: TimelineEntry) -> dict[str, object]:
    return {"at": entry.at, "about": entry.about, "what": entry.text, "bad": entry.bad}
