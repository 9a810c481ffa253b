"""preStop hook fails, or uses up the grace period (FailedPreStopHook).

## What it means
When a pod is deleted, its preStop hook runs first, then the program receives SIGTERM. Both share
`terminationGracePeriodSeconds`. A hook that takes all of it leaves the program 2 seconds: then it is killed (SIGKILL, exit
code 137), at each rollout, drain and scale-down. A hook that fails ends at once, and the program receives SIGTERM without
what the hook should have done.

## Why it happens
- The hook sleeps as long as the grace period, or longer.
- The hook waits for something that does not come: open connections, a leader's handover.
- The hook's command is not in the image: images without a shell have neither `sh` nor `sleep`.

## How to fix it
1. Make `terminationGracePeriodSeconds` longer than the hook and the program need together, or the hook shorter.
2. Where it only waits, use the action `sleep` instead of a command: it needs nothing in the image (1.30 and later).
3. Test a command: `kubectl exec POD -c CONTAINER -- COMMAND`.

## References
- https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/
- https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from diagnostics.pods._hooks import hook_in_words
from diagnostics.pods.ending._hook_events import REASON, failures_of
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    Container,
    Event,
    KubernetesObject,
    Pod,
    all_containers,
    finished,
    has_pre_stop,
    human_duration,
    template_of,
    times,
    visible_end,
    with_pre_stop_hook,
    workload_of,
)
from kubedoctor.cluster.changes import put
from kubedoctor.findings import (
    Confidence,
    Effect,
    Evidence,
    Finding,
    Fix,
    Ref,
    Severity,
    command_line,
    diagnostic,
    fix_by_hand,
    look_at_pod,
    quote,
    quote_pod_spec,
    quote_spec,
    ref,
)
from kubedoctor.replay.deletion.pre_stop import DEFAULT_GRACE, grace_period, least_duration
from kubedoctor.replay.kubelet.container_errors import hook_failure

_LONGEST: Final = 200
_GRACE: Final = "spec.terminationGracePeriodSeconds"


@diagnostic(
    code="KD1028",
    subject=Pod,
    severity=Severity.WARNING,
    reads=(Event, *WORKLOADS),
    when=with_pre_stop_hook,
    symptoms=(REASON, "PreStopHook failed", "exit code 137", "preStop"),
)
def pre_stop_slow(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if finished(pod):
        return
    about = workload_of(pod, cluster)
    for container in filter(has_pre_stop, all_containers(pod)):
        told = failures_of(pod, container, about, cluster)
        takes, grace = _takes(container), grace_period(pod)
        if takes is not None and grace is not None and takes >= grace:
            yield _too_long(pod, container, about, told, (takes, grace), cluster)
        elif told:
            yield _fails(pod, container, about, told, cluster)


def _takes(container: Container) -> timedelta | None:
    hook = container.lifecycle.pre_stop if container.lifecycle is not None else None
    return least_duration(hook) if hook is not None else None


def _too_long(
    pod: Pod,
    container: Container,
    about: Ref,
    told: list[Event],
    durations: tuple[timedelta, timedelta],
    cluster: Cluster,
) -> Finding:
    takes, grace = durations
    new = int((takes + DEFAULT_GRACE).total_seconds())
    words = f"Set terminationGracePeriodSeconds to {new}: the hook, and {human_duration(DEFAULT_GRACE)} for the program"
    workload = cluster.maybe.get_ref(about) if about.kind != "Pod" else None
    return Finding(
        about=about,
        aspect=container.name,
        severity=None if told else Severity.NOTICE,
        summary=f"preStop hook of container `{container.name}` takes {human_duration(takes)},"
        f" {'longer than' if takes > grace else 'all of'} the grace period of {human_duration(grace)}: the program is killed (SIGKILL) right after SIGTERM, at each rollout and drain",
        evidence=(
            *_definition(pod, container, about, cluster),
            *quote_pod_spec(pod, cluster, about, _GRACE, "for the hook and the program together"),
            *_events(told),
        ),
        confidence=Confidence.CERTAIN,
        affects=(ref(pod),),
        fixes=(_longer(workload, about, words, new), Fix("Or let the hook take less")),
        commands=(look_at_pod(pod, "its grace period and hook"),),
    )


def _longer(workload: KubernetesObject | None, about: Ref, words: str, seconds: int) -> Fix:
    if workload is None or template_of(workload) is None:
        return fix_by_hand(about, words)
    change = put(about, ("spec", "template", "spec", "terminationGracePeriodSeconds"), seconds)
    return Fix(words, command_line(change, workload), Effect.DISRUPTS)


def _fails(pod: Pod, container: Container, about: Ref, told: list[Event], cluster: Cluster) -> Finding:
    answers = (hook_failure(event.message) for event in told)
    why = next(filter(None, answers), "")
    said = f": {visible_end(why, _LONGEST)}" if why else ""
    hook = container.lifecycle.pre_stop if container.lifecycle is not None else None
    return Finding(
        about=about,
        aspect=container.name,
        summary=f"preStop hook of container `{container.name}`{hook_in_words(hook)} fails when its pods end{said}",
        detail=""
        if why
        else "Its error is in the log of the kubelet only. A hook that is still running when the grace"
        " period ends fails too.",
        evidence=(*_definition(pod, container, about, cluster), *_events(told)),
        confidence=Confidence.CERTAIN,
        affects=(ref(pod),),
        fixes=(fix_by_hand(about, "Correct the hook's command, or use the action sleep where it only waits"),),
        commands=(look_at_pod(pod, "its grace period and hook"),),
    )


def _definition(pod: Pod, container: Container, about: Ref, cluster: Cluster) -> list[Evidence]:
    return quote_spec(pod, cluster, about, container.name, "lifecycle.preStop", "runs before SIGTERM")


def _events(told: list[Event]) -> tuple[Evidence, ...]:
    seen = sum(event.times for event in told)
    return tuple(quote(event, "message", f"{REASON}, seen {times(seen)} within the hour") for event in told[:1])
