"""Parses the cluster-autoscaler's events about a pod.

`processors/status/eventing_scale_up_processor.go` (ReasonsMessage), `core/scaleup/orchestrator/skippedreasons.go`.
"""

from __future__ import annotations

import enum
import re

import msgspec

_HEAD = re.compile(r"^(?:\(combined from similar events\): )?[Pp]od didn't trigger scale-up(?: \([^)]*\))?:?\s*")
_NEXT = re.compile(r", (?=\d+ )")
_COUNTED = re.compile(r"(\d{1,9}) (.+)", re.DOTALL)
_GROWN = re.compile(r"\{(\S+) (\d{1,9})->(\d{1,9}) \(max: (\d{1,9})\)\}")


class Hindrance(enum.Enum):
    """Why a node group does not grow for a pod. WOULD_NOT_FIT: the pod would not fit a new node of the group."""

    AT_MAXIMUM = "at-maximum"
    BACKOFF = "backoff"
    NOT_READY = "not-ready"
    CLUSTER_LIMIT = "cluster-limit"
    ROOM_TO_GROW = "room-to-grow"
    WOULD_NOT_FIT = "would-not-fit"


class ScaleUpRefusal(msgspec.Struct, frozen=True):
    """count: node groups; None where the reason concerns the whole cluster."""

    count: int | None
    reason: str
    hindrance: Hindrance


class Growth(msgspec.Struct, frozen=True):
    """A node group that grew for a pod; numbers are nodes."""

    group: str
    before: int
    after: int
    maximum: int


_SKIPPED = {
    "max node group size reached": Hindrance.AT_MAXIMUM,
    "in backoff after failed scale-up": Hindrance.BACKOFF,
    "not ready for scale-up": Hindrance.NOT_READY,
    "at least one node can be vertically scaled": Hindrance.ROOM_TO_GROW,
    "max total nodes in cluster reached": Hindrance.CLUSTER_LIMIT,
}
_LIMIT = re.compile(r"max cluster .+ limit reached")


def parse_refusals(message: str) -> tuple[ScaleUpRefusal, ...]:
    """The reasons in a NotTriggerScaleUp message, in its order; empty where it names none."""
    reasons_text = _HEAD.sub("", message.strip())
    return tuple(_refusal(part) for part in _NEXT.split(reasons_text) if part.strip())


def parse_growth(message: str) -> tuple[Growth, ...]:
    """The groups in a TriggeredScaleUp message: `pod triggered scale-up: [{workers 1->2 (max: 5)}]`."""
    return tuple(
        Growth(name, int(before), int(after), int(most)) for name, before, after, most in _GROWN.findall(message)
    )


def _refusal(text: str) -> ScaleUpRefusal:
    counted = _COUNTED.fullmatch(text.strip())
    reason = counted[2] if counted else text.strip()
    hindrance = _SKIPPED.get(reason) or (
        Hindrance.CLUSTER_LIMIT if _LIMIT.fullmatch(reason) else Hindrance.WOULD_NOT_FIT
    )
    return ScaleUpRefusal(int(counted[1]) if counted else None, reason, hindrance)
