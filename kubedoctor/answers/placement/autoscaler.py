"""What autoscalers say about a pending pod, in sentences and as evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.durations import human_duration
from kubedoctor.cluster.grammar.text import listed
from kubedoctor.cluster.kinds.core import ConfigMap
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.relations.workloads import controller_of
from kubedoctor.cluster.seen.quoting import Evidence, has_path, quote
from kubedoctor.findings.commands import kubectl
from kubedoctor.findings.model import Command, Finding, Severity
from kubedoctor.replay.autoscaling.karpenter import Stage
from kubedoctor.replay.autoscaling.refusals import Hindrance
from kubedoctor.replay.autoscaling.status import KEY, LAST_UPDATED, NAME, NAMESPACE, NodeGroup, line_of
from kubedoctor.replay.autoscaling.view import LEAST_PRIORITY, AutoscalerView, Pool
from kubedoctor.replay.messages.shown import shown_reason

MOST_NAMES: Final = 5
LONGEST_ERROR: Final = 240
_UNTRIED: Final = " The autoscaler does not try whether the pod would fit a larger group."


def autoscaler_lines(view: AutoscalerView, pod: Pod) -> tuple[str, ...]:
    """Sentences, the autoscaler's own message first; none where there is no autoscaler."""
    return tuple(_lines(view, pod))


def _lines(view: AutoscalerView, pod: Pod) -> Iterator[str]:
    event = view.event
    if event is not None and view.refused:
        yield f'The autoscaler adds no node for this pod: "{event.message}"'
    elif event is not None and view.coming:
        yield f'An autoscaler adds a node for this pod: "{event.message}"'
    yield from _of_itself(view)
    yield from _groups(view, pod)
    yield from _claim(view)
    if not view.coming:
        for pool in view.pools:
            yield from _pool(pool)


def _of_itself(view: AutoscalerView) -> Iterator[str]:
    status = view.status
    if status is None:
        return
    if view.silent_for is not None:
        silence = human_duration(view.silent_for)
        yield f"The cluster-autoscaler has not reported for {silence}: it is down or stuck, and adds no nodes."
        return
    if not status.readable:
        yield "The status of the cluster-autoscaler is broken or truncated: only part of it could be read."
    if status.state == "Initializing":
        yield "The cluster-autoscaler is initializing: it has not looked at any pod yet."
    if status.unhealthy:
        counts = (
            f" ({status.ready} of {status.registered} nodes are ready)"
            if status.ready is not None and status.registered is not None
            else ""
        )
        yield f"The cluster-autoscaler adds no nodes while it considers the cluster unhealthy{counts}."
    if status.message:
        yield f'It reports: "{status.message}"'


def _groups(view: AutoscalerView, pod: Pod) -> Iterator[str]:
    status = view.status
    if view.at_maximum:
        groups = _every(view, len(view.at_maximum))
        yield f"{groups} at the maximum size: {_sizes(view.at_maximum)}.{_UNTRIED if view.refused else ''}"
    for group in view.in_backoff[:MOST_NAMES]:
        why = (
            f': {group.error_code} "{group.error}"'
            if group.error
            else f": {group.error_code}"
            if group.error_code
            else ""
        )
        yield f"Node group {group.short_name} is in backoff after a failed scale-up{why}{'' if group.error else '.'}"
    if more := view.in_backoff[MOST_NAMES:]:
        yield f"And {len(more)} more node groups are in backoff."
    if view.unhealthy:
        group_names = listed((group.short_name for group in view.unhealthy), MOST_NAMES)
        yield f"Too many nodes are not ready in {group_names}: no nodes are added there."
    for group in view.scaling_up[:MOST_NAMES]:
        counts = f": {group.ready} of {group.target} nodes are ready" if group.target is not None else ""
        hope = "" if view.coming or view.refused else ". Wait for it: the pod may fit there"
        yield f"Node group {group.short_name} is scaling up{counts}{hope}."
    if status is not None and view.silent_for is None and status.state == "Running" and status.readable:
        if not status.groups:
            yield "The cluster-autoscaler has no node group that it may scale up."
        elif view.never_asked and not (view.at_maximum or view.in_backoff):
            yield f"The cluster-autoscaler runs, but has written no event about this pod.{_why_not_asked(pod)}"


def _every(view: AutoscalerView, count: int) -> str:
    whole = view.status is not None and count == len(view.status.groups)
    if count == 1:
        return "The only node group is" if whole else "One node group is"
    return f"{'All' if whole else ''} {count} node groups are".strip()


def _why_not_asked(pod: Pod) -> str:
    if pod.spec.priority is not None and pod.spec.priority < LEAST_PRIORITY:
        return (
            f" It adds no nodes for pods with a priority below {LEAST_PRIORITY} unless --expendable-pods-priority-cutoff is lower; "
            f"this pod has {pod.spec.priority}."
        )
    owner = controller_of(pod)
    if owner is not None and owner.kind == "DaemonSet":
        return " It adds no nodes for pods of a DaemonSet."
    return ""


def _sizes(groups: Iterable[NodeGroup]) -> str:
    return listed((f"{group.short_name} ({group.target} of {group.maximum} nodes)" for group in groups), MOST_NAMES)


def _claim(view: AutoscalerView) -> Iterator[str]:
    name = view.claim_name
    if not name:
        return
    claim, age = view.claim, view.claim_age
    if claim is None:
        if not view.coming:
            yield (
                f"NodeClaim {name}, created for this pod, no longer exists: "
                "its machine could not be launched, or did not join the cluster in time."
            )
        return
    ago = f" {human_duration(age)} ago" if age is not None else ""
    match view.stage:
        case Stage.NOT_LAUNCHED:
            yield f"NodeClaim {name}, created for this pod, cannot be launched{_because(view, 'Launched') or '.'}"
        case Stage.REGISTERING if view.coming:
            yield f"NodeClaim {name} was launched for this pod{ago} and is about to join the cluster."
        case Stage.REGISTERING:
            yield (
                f"NodeClaim {name} was launched for this pod{ago} and has not joined the cluster"
                f"{_because(view, 'Registered')}. Karpenter gives up after 15 minutes."
            )
        case Stage.STARTING if not view.coming:
            yield f"NodeClaim {name} was launched for this pod{ago}; its node is not ready{_because(view, 'Initialized') or '.'}"
        case Stage.ENDING:
            yield f"NodeClaim {name}, created for this pod, is being deleted."


def _because(view: AutoscalerView, kind: str) -> str:
    condition = (
        next((condition for condition in (view.claim.status.conditions or ()) if condition.type == kind), None)
        if view.claim
        else None
    )
    text = (condition.message or condition.reason) if condition is not None else ""
    return f': "{text}"' if text else ""


def _pool(pool: Pool) -> Iterator[str]:
    name = pool.pool.name
    if pool.exhausted:
        counts = ", ".join(f"{limit.resource} {limit.used} of {limit.limit}" for limit in pool.exhausted)
        yield f"NodePool {name} cannot add a node for this pod, its limits are too low: {counts} in use."
    if pool.not_ready is not None:
        condition = pool.not_ready
        why = f': "{condition.message}"' if condition.message else f", {condition.reason}." if condition.reason else "."
        yield f"NodePool {name} is not ready: {condition.type} is {condition.status}{why}"


def autoscaler_evidence(view: AutoscalerView) -> tuple[Evidence, ...]:
    """The evidence for the sentences."""
    return tuple(_evidence(view))


def _evidence(view: AutoscalerView) -> Iterator[Evidence]:
    if view.event is not None and (view.refused or view.coming):
        yield quote(view.event, "message", "the autoscaler's answer")
    if view.config is not None:
        yield from _report(view.config, view)
    if view.claim is not None:
        kind = {Stage.NOT_LAUNCHED: "Launched", Stage.REGISTERING: "Registered", Stage.STARTING: "Initialized"}
        path = f"status.conditions[type={kind.get(view.stage or Stage.READY, 'Launched')}]"
        state_path = next(
            (f"{path}.{field}" for field in ("message", "status") if has_path(view.claim, f"{path}.{field}")), ""
        )
        if state_path:
            yield quote(view.claim, state_path, "the state of the node that was created for the pod")
    for pool in () if view.coming else view.pools:
        for limit in pool.exhausted:
            yield quote(pool.pool, f"spec.limits[{limit.resource}]", "the limit of the pool")
            if has_path(pool.pool, path := f"status.resources[{limit.resource}]"):
                yield quote(pool.pool, path, "in use by its nodes")
        if pool.not_ready is not None:
            path = f"status.conditions[type={pool.not_ready.type}]"
            field = "message" if pool.not_ready.message else "status"
            yield quote(pool.pool, f"{path}.{field}", "why Karpenter does not use the pool")
            if pool.not_ready.type != "Ready":
                yield quote(pool.pool, "status.conditions[type=Ready].status", "so the pool is not ready")


def _report(config: ConfigMap, view: AutoscalerView) -> Iterator[Evidence]:
    """The lines of the status that the sentences mention; only its time where they mention none."""
    keys_by_group: list[tuple[str, tuple[str, ...], str]] = []
    if view.status is not None and view.status.unhealthy and view.silent_for is None:
        keys_by_group.append(("", ("status: Unhealthy", "Health:"), "why it adds no nodes"))
    failure = ("errorMessage:", "errorCode:", "status: Backoff", "ScaleUp:")
    growth = ("status: InProgress", "ScaleUp:")
    keys_by_group += [
        (group.name, ("maxSize",), f"the maximum size of {group.short_name}") for group in view.at_maximum
    ]
    keys_by_group += [(group.name, failure, f"why {group.short_name} does not scale up") for group in view.in_backoff]
    health = ("status: Unhealthy", "Health:")
    keys_by_group += [(group.name, health, f"{group.short_name} is skipped") for group in view.unhealthy]
    keys_by_group += [(group.name, growth, f"{group.short_name} scales up") for group in view.scaling_up]
    text = (config.data or {}).get(KEY, "")
    lines = [(line_of(text, group, *keys), shows) for group, keys, shows in keys_by_group[:MOST_NAMES]]
    paths = [(f"data.{KEY}[line {number}]", shows) for number, shows in lines if number]
    if not paths and (view.silent_for is not None or view.never_asked):
        stamp = f"metadata.annotations[{LAST_UPDATED}]"
        paths = [(stamp if has_path(config, stamp) else f"data.{KEY}[line 1]", "when it last reported")]
    for path, shows in paths:
        if has_path(config, path):
            yield quote(config, path, shows)


def with_autoscaler(finding: Finding, view: AutoscalerView) -> Finding:
    """The finding with the autoscalers' evidence; a notice without fixes where a node is on its way."""
    finding = msgspec.structs.replace(finding, evidence=(*finding.evidence, *autoscaler_evidence(view)))
    if view.coming:
        summary = f"{finding.summary}; a node is being added for it"
        return msgspec.structs.replace(finding, summary=summary, severity=Severity.NOTICE, fixes=())
    # The pod is meant for nodes of a pool that makes none: other nodes are no repair.
    meant = any(pool.meant and pool.not_ready is not None for pool in view.pools)
    return msgspec.structs.replace(
        finding,
        summary=f"{finding.summary}{_hindrance(view)}",
        fixes=() if meant else finding.fixes,
        because_of=tuple(dict.fromkeys((*finding.because_of, *view.blamed))),
        commands=(*finding.commands, *_commands(view)),
    )


def _hindrance(view: AutoscalerView) -> str:
    """Why no node is added, where the cloud said it when one was requested. Whether the pod would fit a group in backoff is
    not known: the autoscaler does not try."""
    failed = next((group for group in view.in_backoff if group.error), None) if view.refused else None
    if failed is None:
        return ""
    only = len(view.in_backoff) == 1 and all(one.hindrance is Hindrance.BACKOFF for one in view.refusals)
    group = (
        f"node group {failed.short_name}" if only else f"also, node group {failed.short_name}, which may not suit it,"
    )
    return f"; {group} failed to grow: {shown_reason(failed.error, LONGEST_ERROR).rstrip('.')}"


def _commands(view: AutoscalerView) -> tuple[Command, ...]:
    commands = []
    if view.config is not None:
        commands.append(
            Command(kubectl("get", "configmap", NAME, "-o", "yaml", namespace=NAMESPACE), "what the autoscaler reports")
        )
    if view.pools or view.claim_name:
        commands.append(
            Command(
                "kubectl get nodepools.karpenter.sh,nodeclaims.karpenter.sh",
                "the state of Karpenter's pools and claims",
            )
        )
    return tuple(commands)
