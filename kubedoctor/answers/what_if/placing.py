"""The pending pods of a changed cluster, given to the nodes that take them, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

import msgspec
from msgspec.structs import replace

from kubedoctor.cluster.kinds.meta import Condition
from kubedoctor.cluster.kinds.pods import Pod, PodStatus
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.workloads import workload_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.triage import terminating, unscheduled
from kubedoctor.replay.scheduler.pending import explain_pending

MOST_PLACED: Final = 20
"""Pods that the scheduler is replayed for: each sees those before it."""


class Placing(msgspec.Struct, frozen=True):
    """snapshot: with the placed pods on their nodes. placed: each pod and its node. refused: why new pods fit no node;
    unplaced: why others do not although they changed. moved: the workloads of placed pods; held: those of which
    all that were tried fit no node."""

    snapshot: Snapshot
    placed: dict[Ref, str]
    refused: tuple[str, ...]
    unplaced: tuple[str, ...]
    moved: frozenset[Ref]
    held: frozenset[Ref]
    gaps: tuple[str, ...]


def place_pending(
    after: Snapshot, before: Cluster, created: Collection[Ref], heed: Callable[[], None] = lambda: None
) -> Placing:
    """Replay the scheduler. created: pods that did not exist before; those are placed first. A pod that fitted a node before
    the change waits for something else, and stays as it is."""
    pods = [pod for pod in after.of_kind("Pod") if isinstance(pod, Pod) and unscheduled(pod) and not terminating(pod)]
    if not after.of_kind("Node"):
        pods = []
    pods.sort(key=lambda pod: (ref(pod) not in created, _same(pod, before)))
    gaps = (f"only {MOST_PLACED} of {len(pods)} pending pods were placed one after the other",)
    placed: dict[Ref, str] = {}
    refused: dict[str, None] = {}
    unplaced: dict[str, None] = {}
    moved: set[Ref] = set()
    held: set[Ref] = set()
    for pod in pods[:MOST_PLACED]:
        heed()
        now = before.over(after)
        answer = explain_pending(pod, now)
        workload = workload_of(pod, now)
        nodes = answer.verdict.feasible
        if not nodes:
            held.add(workload)
            sentence = f"no node takes a pod of {workload.title}: {answer.verdict.message}".rstrip(": ")
            if ref(pod) in created:
                refused[sentence] = None
            elif not _same(pod, before):
                unplaced[sentence] = None
            continue
        unsure = answer.verdict.failed or answer.verdict.unreplayed or answer.incomplete
        if unsure or (_same(pod, before) and explain_pending(pod, before).verdict.feasible):
            continue
        placed[ref(pod)] = nodes[0]
        moved.add(workload)
        after = after.with_changes((_bound(pod, nodes[0], before),))
    return Placing(
        after,
        placed,
        tuple(refused),
        tuple(unplaced),
        frozenset(moved),
        frozenset(held - moved),
        gaps if len(pods) > MOST_PLACED else (),
    )


def _same(pod: Pod, before: Cluster) -> bool:
    """Whether the pod was there already, as it is."""
    own = before.snapshot.get(ref(pod))
    return isinstance(own, Pod) and (own is pod or (own.spec == pod.spec and unscheduled(own)))


def _bound(pod: Pod, node: str, cluster: Cluster) -> Pod:
    bound = Condition(type="PodScheduled", status="True", last_transition_time=cluster.taken_at)
    return replace(
        pod,
        metadata=replace(pod.metadata, creation_timestamp=cluster.taken_at),
        spec=replace(pod.spec, node_name=node),
        status=PodStatus(phase="Pending", conditions=(bound,)),
    )
