"""A Deployment whose template changes back and forth between the same two states.

A template that is rolled out again keeps its ReplicaSet, whose annotation lists the numbers of its earlier rollouts
(`pkg/controller/deployment/util/deployment_util.go`, SetNewReplicaSetAnnotations, v1.37).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from kubedoctor.answers.timeline.differences import FieldChange, differences
from kubedoctor.cluster.kinds.apps import ReplicaSet
from kubedoctor.cluster.relations.workloads import revision_of
from kubedoctor.replay.workloads.rolling_update import FEWEST_TURNS

HISTORY: Final = "deployment.kubernetes.io/revision-history"


class Alternation(msgspec.Struct, frozen=True):
    """now, other: the ReplicaSet of the newest template, and of the one that it takes turns with. changes: from the other
    to the newest."""

    now: ReplicaSet
    other: ReplicaSet
    times: int
    changes: tuple[FieldChange, ...]


def alternation(sets: Sequence[ReplicaSet]) -> Alternation | None:
    """Of the ReplicaSets of a Deployment, newest first: the two newest, where both were rolled out repeatedly."""
    if len(sets) < 2:
        return None
    now, other = sets[:2]
    times = min(_times(now), _times(other))
    if times < FEWEST_TURNS:
        return None
    return Alternation(now, other, times, differences(other.spec.template, now.spec.template))


def _times(item: ReplicaSet) -> int:
    """How often its template was rolled out."""
    earlier = [number for number in item.annotations.get(HISTORY, "").split(",") if number.strip().isdecimal()]
    return len(set(earlier)) + (revision_of(item) is not None)
