"""What autoscalers do about one pod that waits for a node."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

import msgspec

from kubedoctor.cluster.kinds.core import ConfigMap, Event
from kubedoctor.cluster.kinds.karpenter import NodeClaim, NodePool
from kubedoctor.cluster.kinds.meta import Condition, KubernetesObject, condition
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, kind_name, ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.seen.wants import Want
from kubedoctor.replay.autoscaling.karpenter import (
    Exhausted,
    Stage,
    exhausted,
    is_meant,
    may_take,
    node_class_of,
    nominated_claim,
    nominated_node,
    not_ready,
    stage_of,
)
from kubedoctor.replay.autoscaling.refusals import Hindrance, ScaleUpRefusal, parse_growth, parse_refusals
from kubedoctor.replay.autoscaling.status import NAME, NAMESPACE, AutoscalerStatus, NodeGroup, read_status

AUTOSCALER_READS: tuple[type[KubernetesObject], ...] = (Event, ConfigMap, NodePool, NodeClaim)
"""The kinds that a view may read."""
NODE_COMES = timedelta(minutes=10)
"""The time that a cloud may need until a machine joins."""
REGISTERS = timedelta(minutes=5)
"""A machine that runs this long and has not joined is unusual; Karpenter gives up after 15 minutes."""
SILENT = timedelta(minutes=10)
"""The cluster-autoscaler reports in every loop, and restarts itself after this time without one
(`--max-inactivity`)."""
SAYS_WITHIN = timedelta(minutes=2)
"""The time within which a working autoscaler reports about a pod."""
SCALES_UP = ("TriggeredScaleUp", "Nominated")
REFUSES = ("NotTriggerScaleUp", "FailedScheduling")
_KARPENTER = ("karpenter", "eks-auto-mode/compute")
LEAST_PRIORITY = -10
"""The cluster-autoscaler ignores pods of lower priority (`--expendable-pods-priority-cutoff`)."""


class Pool(msgspec.Struct, frozen=True):
    """A Karpenter pool whose nodes could accept the pod, and what stops it from growing. `meant`: the pod selects a label
    that the pool gives its nodes."""

    pool: NodePool
    exhausted: tuple[Exhausted, ...] = ()
    not_ready: Condition | None = None
    meant: bool = False

    @property
    def hindered(self) -> bool:
        return bool(self.exhausted) or self.not_ready is not None


class AutoscalerView(msgspec.Struct, frozen=True):
    """What autoscalers report; empty where there is none.

    event: the newest event about the pod. coming: a node is verifiably on its way for it.
    status, config: the cluster-autoscaler's report; silent_for: the time since its last report, None where that is
    recent. Nothing else is known about a silent autoscaler: its report is out of date.
    at_maximum, in_backoff, unhealthy: the node groups that are skipped for this reason. The autoscaler does not try
    whether the pod fits such a group (`orchestrator.go`, GetRemainingPods). scaling_up: the groups that grow.
    never_asked: the cluster-autoscaler runs and has reported nothing about the pod.
    pools: those that could accept it. claim_name: the NodeClaim that was created for it; `claim` is None where it was
    deleted.
    """

    event: Event | None = None
    coming: bool = False
    refusals: tuple[ScaleUpRefusal, ...] = ()
    config: ConfigMap | None = None
    status: AutoscalerStatus | None = None
    silent_for: timedelta | None = None
    at_maximum: tuple[NodeGroup, ...] = ()
    in_backoff: tuple[NodeGroup, ...] = ()
    unhealthy: tuple[NodeGroup, ...] = ()
    scaling_up: tuple[NodeGroup, ...] = ()
    never_asked: bool = False
    pools: tuple[Pool, ...] = ()
    claim_name: str = ""
    claim: NodeClaim | None = None
    stage: Stage | None = None
    claim_age: timedelta | None = None

    @property
    def refused(self) -> bool:
        """The newest event says that no node is added."""
        return self.event is not None and self.event.reason in REFUSES

    @property
    def blamed(self) -> tuple[Ref, ...]:
        """The machine to blame: it was made for the pod and does not come. The pools to blame: where no pool that could
        accept the pod may grow, and Karpenter names no other reason."""
        if self.coming:
            return ()
        if self.claim is not None and self.stage in (Stage.NOT_LAUNCHED, Stage.REGISTERING):
            return (ref(self.claim),)
        if not self.pools or not all(pool.hindered for pool in self.pools):
            return ()
        limited = any(pool.exhausted for pool in self.pools)
        if limited and self.event is not None and "limit" not in self.event.message:
            return ()
        classes = (node_class_of(pool.pool) for pool in self.pools if pool.not_ready is not None)
        return (*(ref(pool.pool) for pool in self.pools), *dict.fromkeys(name for name in classes if name is not None))


def autoscaler_view(pod: Pod, cluster: Cluster) -> AutoscalerView:
    """Read the pod's events and the state of the two autoscalers. Unreadable objects become gaps. Raises NotCollected
    once, for everything that must be fetched.
    """
    cluster.together(
        lambda: cluster.events_about(ref(pod)), lambda: _config(pod, cluster), lambda: _karpenter(pod, cluster)
    )
    event = _newest_word(cluster.events_about(ref(pod)))
    pools, claims = _karpenter(pod, cluster)
    view = _of_groups(AutoscalerView(event=event), pod, cluster)
    if view.silent_for is not None and pools:  # Left behind by a cluster-autoscaler that Karpenter has replaced.
        view = AutoscalerView(event=event)
    view = _of_pools(view, pod, cluster, pools, claims)
    return msgspec.structs.replace(view, coming=_coming(view, cluster.taken_at, served=bool(pools)))


def is_word(event: Event) -> bool:
    """Whether an event about a pod comes from an autoscaler: the scheduler also uses the reason FailedScheduling."""
    if not event.message:
        return False
    component = event.reporting_component or event.source.component
    return event.reason in ("NotTriggerScaleUp", *SCALES_UP) or (
        event.reason == "FailedScheduling" and component in _KARPENTER
    )


def _newest_word(events: tuple[Event, ...]) -> Event | None:
    return next((event for event in reversed(events) if is_word(event)), None)


# Reading


def _config(pod: Pod, cluster: Cluster) -> ConfigMap | None:
    return cluster.maybe.get(ConfigMap, NAMESPACE, NAME) if _may_ask(ConfigMap, pod, cluster) else None


def _karpenter(pod: Pod, cluster: Cluster) -> tuple[tuple[NodePool, ...], tuple[NodeClaim, ...]]:
    if not _may_ask(NodePool, pod, cluster):
        return (), ()
    cluster.together(lambda: cluster.maybe.all(NodePool), lambda: cluster.maybe.all(NodeClaim))
    return cluster.maybe.all(NodePool), cluster.maybe.all(NodeClaim)


def _may_ask(kind: type[KubernetesObject], pod: Pod, cluster: Cluster) -> bool:
    """Whether objects may be requested: gaps of a recording matter only where an autoscaler has written an event."""
    snapshot = cluster.snapshot
    wants = (Want(kind_name(kind)), Want(kind_name(kind), NAMESPACE), Want(kind_name(kind), NAMESPACE, NAME))
    if not snapshot.closed or any(snapshot.covers(want) for want in wants):
        return True
    return _newest_word(cluster.events_about(ref(pod))) is not None


_READ: WeakKeyDictionary[Snapshot, tuple[ConfigMap, AutoscalerStatus]] = WeakKeyDictionary()


def _status(config: ConfigMap, cluster: Cluster) -> AutoscalerStatus:
    """Parsed once for all pods."""
    read = _READ.get(cluster.snapshot)
    if read is None or read[0] is not config:
        read = _READ[cluster.snapshot] = (config, read_status(config))
    return read[1]


# Concluding


def _of_groups(view: AutoscalerView, pod: Pod, cluster: Cluster) -> AutoscalerView:
    """The view with the cluster-autoscaler's report."""
    config, event = _config(pod, cluster), view.event
    if event is not None and event.reason == "NotTriggerScaleUp":
        view = msgspec.structs.replace(view, refusals=parse_refusals(event.message))
    if config is None:
        return view
    status = _status(config, cluster)
    age = cluster.taken_at - status.written_at if status.written_at is not None else None
    view = msgspec.structs.replace(view, config=config, status=status)
    if age is not None and age > SILENT:
        return msgspec.structs.replace(view, silent_for=age)
    full, failed = _hindered(status, view)
    hindrances = {refusal.hindrance for refusal in view.refusals}
    growing = tuple(group for group in status.groups if group.scaling_up)
    return msgspec.structs.replace(
        view,
        at_maximum=full,
        in_backoff=failed,
        unhealthy=tuple(group for group in status.groups if group.unhealthy)
        if Hindrance.NOT_READY in hindrances
        else (),
        scaling_up=growing,
        never_asked=not growing and _never_asked(view, status, pod, cluster),
    )


def _hindered(status: AutoscalerStatus, view: AutoscalerView) -> tuple[tuple[NodeGroup, ...], tuple[NodeGroup, ...]]:
    """The groups at their maximum and those in backoff: as many as the event counts, else only where it is true of
    every group, because it is unknown which of them the pod would fit."""
    full = tuple(group for group in status.groups if group.at_maximum and not group.in_backoff)
    failed = tuple(group for group in status.groups if group.in_backoff)
    if view.refusals:
        hindrances = {refusal.hindrance for refusal in view.refusals}
        return full if Hindrance.AT_MAXIMUM in hindrances else (), failed if Hindrance.BACKOFF in hindrances else ()
    if view.event is not None and view.event.reason == "TriggeredScaleUp":
        grown = {growth.group for growth in parse_growth(view.event.message)}
        return (), tuple(group for group in failed if group.name in grown)
    if view.event is None and status.readable and len(full) + len(failed) == len(status.groups):
        return full, failed
    return (), ()


def _never_asked(view: AutoscalerView, status: AutoscalerStatus, pod: Pod, cluster: Cluster) -> bool:
    """Events must be readable, or their absence has no meaning; and the pod must have been pending for a while."""
    if view.event is not None or status.state != "Running" or status.unhealthy or status.written_at is None:
        return False
    stated = condition(pod.status.conditions, "PodScheduled")
    since = (stated.last_transition_time if stated else None) or pod.metadata.creation_timestamp
    blind = any(gap.kind == "Event" for gap in cluster.gaps)
    return not blind and since is not None and cluster.taken_at - since > SAYS_WITHIN


def _of_pools(
    view: AutoscalerView, pod: Pod, cluster: Cluster, pools: tuple[NodePool, ...], claims: tuple[NodeClaim, ...]
) -> AutoscalerView:
    """The view with Karpenter's reports."""
    views = tuple(_pools(pools, pod))
    view = msgspec.structs.replace(view, pools=views)
    event = view.event
    name = nominated_claim(event.message) if event is not None and event.reason == "Nominated" else ""
    if not name or not pools:
        return view
    claim = next((node_claim for node_claim in claims if node_claim.name == name), None)
    if claim is None:
        unseen = any(gap.kind == kind_name(NodeClaim) for gap in cluster.gaps)
        return view if unseen else msgspec.structs.replace(view, claim_name=name)
    since = _since(claim)
    return msgspec.structs.replace(
        view,
        claim_name=name,
        claim=claim,
        stage=stage_of(claim),
        claim_age=cluster.taken_at - since if since is not None else None,
    )


def _pools(pools: tuple[NodePool, ...], pod: Pod) -> Iterator[Pool]:
    for pool in pools:
        if pool.spec.replicas is None and pool.metadata.deletion_timestamp is None and may_take(pool, pod):
            yield Pool(pool, exhausted(pool, pod), not_ready(pool), is_meant(pool, pod))


def _since(claim: NodeClaim) -> datetime | None:
    """When the machine was launched; before that, when the claim was created."""
    launched = condition(claim.status.conditions, "Launched")
    if launched is not None and launched.status == "True" and launched.last_transition_time is not None:
        return launched.last_transition_time
    return claim.metadata.creation_timestamp


def _coming(view: AutoscalerView, now: datetime, *, served: bool) -> bool:
    """The newest event says that a node is added, it is recent, and the autoscaler's state does not contradict it."""
    event = view.event
    if event is None or event.reason not in SCALES_UP or event.seen_at is None:
        return False
    fresh = now - event.seen_at < NODE_COMES
    if event.reason == "TriggeredScaleUp":
        grown = {growth.group for growth in parse_growth(event.message)}
        if any(group.name in grown for group in view.scaling_up):
            return True
        return fresh and not any(group.name in grown for group in view.in_backoff)
    if view.claim is None:
        lost = served and bool(view.claim_name) and not nominated_node(event.message)
        return fresh and not lost
    if view.stage in (Stage.NOT_LAUNCHED, Stage.ENDING):
        return False
    if view.stage in (Stage.REGISTERING, Stage.STARTING) and view.claim_age is not None:
        return view.claim_age < REGISTERS
    return fresh
