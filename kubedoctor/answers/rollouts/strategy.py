"""How a Deployment replaces its pods, in words, and the changes of it."""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster.changes import Change, Step, edit
from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.kinds.apps import Deployment
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.findings.commands import command_line
from kubedoctor.findings.model import Effect, Fix
from kubedoctor.replay.workloads.rolling_update import DEFAULT

_STRATEGY = ("spec", "strategy")


def none_may_go(deployment: Deployment) -> str:
    """Why the controller ends no old pod: `maxUnavailable 0`, or the percentage that is rounded down to it."""
    numbers = deployment.spec.strategy.rolling_update
    value = numbers.max_unavailable if numbers and numbers.max_unavailable is not None else DEFAULT
    if isinstance(value, str) and value != "0%":
        return f"maxUnavailable {value} of {counted(deployment.spec.desired_replicas, 'replica')} rounds down to 0"
    return f"maxUnavailable is {value}"


def old_pod_first(deployment: Deployment) -> Change:
    """One pod may be unavailable, so an old pod can end before its successor runs."""
    return edit(ref(deployment), Step((*_STRATEGY, "rollingUpdate", "maxUnavailable"), 1))


def recreate(deployment: Deployment) -> Change:
    """All old pods end before the first new pod is created."""
    return edit(
        ref(deployment), Step((*_STRATEGY, "type"), "Recreate"), Step((*_STRATEGY, "rollingUpdate"), remove=True)
    )


def recreate_fix(deployment: Deployment) -> Fix:
    """With the interruption that it brings."""
    text = "Set the strategy to Recreate, so that the old pod ends before the new pod starts"
    return Fix(text, command_line(recreate(deployment)), Effect.DISRUPTS)


def old_pod_first_fix(deployment: Deployment) -> Fix:
    """With what is left to serve meanwhile."""
    desired = deployment.spec.desired_replicas
    left = "with no pod available meanwhile" if desired == 1 else f"with {counted(desired - 1, 'pod')} meanwhile"
    text = f"Set maxUnavailable to 1: an old pod then ends before its successor starts, {left}"
    return Fix(text, command_line(old_pod_first(deployment), deployment), Effect.DISRUPTS)


def careful_again(deployment: Deployment) -> Iterator[Fix]:
    """The default numbers of a rolling update. Nothing for Recreate, which may be needed: two revisions may not be able to
    share a volume or a port."""
    if deployment.spec.strategy.type == "Recreate":
        return
    change = edit(ref(deployment), Step((*_STRATEGY, "rollingUpdate", "maxUnavailable"), DEFAULT))
    text = f"Then set maxUnavailable to {DEFAULT}, so that a bad revision leaves old pods running"
    yield Fix(text, command_line(change, deployment), Effect.CHANGES)
