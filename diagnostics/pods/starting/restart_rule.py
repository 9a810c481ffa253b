"""Restart rule starts all containers again.

## What it means
A container has a restart rule (`restartPolicyRules`) with the action `RestartAllContainers`: whenever it exits with one of
the rule's codes, the kubelet kills all containers of the pod, init containers run again, and all others are started again.
Their last state is `RestartingAllContainers`, exit code 137, without any fault of their own; preStop hooks do not run.

## Why it happens
- The container keeps exiting with a code of the rule: a watcher that lost its source, a worker that lost its peers.
- The codes of the rule are too wide: `NotIn [0]` takes every failure.

## How to fix it
1. Read why the container exits, in its own log; the other containers are not at fault.
2. Narrow the codes of the rule, or use the action `Restart`, which starts this container alone.

## References
- https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-restart-rules
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.pods._consequences import CONSEQUENCES
from diagnostics.pods._restarts import exit_codes
from diagnostics.pods.crashes._crash import story_of_lines
from diagnostics.pods.crashes._ends import as_it_matters, ends_of
from diagnostics.pods.crashes._story import Story
from diagnostics.pods.crashes._story_kinds import STORY_KINDS
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    Container,
    ContainerRestartRule,
    Pod,
    all_containers,
    container_path,
    listed,
    ready,
    restarted,
    times,
)
from kubedoctor.findings import (
    Confidence,
    ContainerWithStatus,
    Evidence,
    Finding,
    Ref,
    Severity,
    at_fault,
    diagnostic,
    look_at_log,
    look_at_pod,
    quote,
    quote_status,
)
from kubedoctor.replay.kubelet.endings import ALL_RESTARTED, last_ending
from kubedoctor.replay.kubelet.outcomes import Cause

ALL = "RestartAllContainers"


@diagnostic(
    code="KD1025",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(*STORY_KINDS, *WORKLOADS),
    when=restarted,
    explains=CONSEQUENCES,
    symptoms=("RestartingAllContainers", "RestartAllContainers", "AllContainersRestarting", "exit code 137"),
)
def restart_rule(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    ends = [end for end in ends_of(pod, cluster, _with_all) if end.cause is Cause.RESTART_RULE]
    if not ends:
        return
    about = at_fault(pod, cluster)
    rules = [(container, place, rule) for container in all_containers(pod) for place, rule in _rules(pod, container)]
    story = (
        _story(pod, rules[0][0], about, cluster) if len({container.name for container, *_ in rules}) == 1 else Story()
    )
    who = listed((f"container `{container.name}` ({exit_codes(rule)})" for container, _, rule in rules), 3)
    exits = f"{who} exits, and its restart rule restarts" if rules else "a restart rule restarted"
    if len(rules) > 1:
        exits = f"one of {who} exits, and its restart rule restarts"
    end = ends[0]
    evidence: list[Evidence] = [
        *quote_status(pod, end.name, f"{end.ending.place}.reason", "restartCount"),
        *(quote(pod, f"{place}.action", "the rule") for _, place, _ in rules[:2]),
        *story.evidence,
    ]
    finding = Finding(
        about=about,
        summary=f"{exits} all containers of the pod" + (f": {story.text}" if story.text else ""),
        detail=f"Restarted {times(end.part.status.restart_count)}. Containers without such a rule are not at fault.",
        severity=Severity.WARNING if ready(pod) else None,
        confidence=Confidence.CERTAIN if len(rules) == 1 else Confidence.LIKELY,
        evidence=tuple(evidence),
        fixes=story.fixes,
        commands=(
            *(
                look_at_log(pod, container.name, previous=True, why="why it exits")
                for container in {container.name: container for container, *_ in rules}.values()
            ),
            look_at_pod(pod, "its containers and their last states"),
        ),
        because_of=story.because_of,
    )
    yield as_it_matters(finding, pod, end.part, cluster)


def _with_all(part: ContainerWithStatus) -> bool:
    ending = last_ending(part.status)
    return ending is not None and ending.terminated.reason == ALL_RESTARTED


def _rules(pod: Pod, container: Container) -> Iterator[tuple[str, ContainerRestartRule]]:
    for index, rule in enumerate(container.restart_policy_rules or ()):
        if rule.action == ALL:
            yield f"{container_path(pod, container.name)}.restartPolicyRules[{index}]", rule


def _story(pod: Pod, container: Container, about: Ref, cluster: Cluster) -> Story:
    """Why the container exits, by the log of its run before."""
    tail = cluster.log_tail(pod, container.name, previous=True)
    return story_of_lines(pod, container.name, tail.lines, True, about, cluster, 1) if tail is not None else Story()
