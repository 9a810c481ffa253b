"""The facts about the end of a container that its cause is decided by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from kubedoctor.cluster.grammar.quantities import bytes_of
from kubedoctor.cluster.kinds.containers import Container, ContainerStatus
from kubedoctor.cluster.kinds.core import Event
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.kubelet.container_errors import StartProblem, start_failure
from kubedoctor.replay.kubelet.endings import ALL_RESTARTED, LOST, Ending
from kubedoctor.replay.kubelet.node_events import REBOOTED, SYSTEM_OOM, seen_anew
from kubedoctor.replay.kubelet.outcomes import Cause, EndFact, Proof, decide
from kubedoctor.replay.kubelet.probes import DEFAULT_GRACE, gives_up_not_before, killed_not_after
from kubedoctor.replay.logs.reading import states_a_cause
from kubedoctor.replay.logs.stops import says_it_was_stopped


class Outcome(NamedTuple):
    """Why a container ended. `event`: the event of the pod or its node that states it."""

    cause: Cause
    proof: Proof
    event: Event | None = None


SIGKILL: Final = 137
_NO_EXIT_CODE: Final = 255
"""What containerd writes for a container that it finds dead when it starts; programs exit with it too."""
_BETWEEN_START_AND_REPORT: Final = timedelta(minutes=3)
"""From the start of the container runtime after a restart of the machine to the kubelet's event about it."""
_KILLS: Final = (
    (EndFact.LIVENESS_STATED, re.compile(r"failed liveness probe, will be restarted")),
    (EndFact.STARTUP_STATED, re.compile(r"failed startup probe, will be restarted")),
    (EndFact.HOOK_STATED, re.compile(r"^FailedPostStartHook$|^PostStartHook failed|^Exec lifecycle hook .*failed")),
)
_KILL_REASONS: Final = frozenset({"Killing", "FailedPostStartHook"})
_STOP_REASONS: Final = frozenset({"FailedPreStopHook", "UnfinishedPreStopHook"})
_CLOCKS: Final = timedelta(seconds=5)
"""Events carry whole seconds and are written a little before or after the status."""
_STOPPED: Final = frozenset({130, SIGKILL, 143})
_HOOK_LASTS_AT_MOST: Final = timedelta(seconds=60)


def outcome(
    pod: Pod,
    container: Container,
    status: ContainerStatus,
    ending: Ending,
    events: Iterable[Event],
    log: Sequence[str] = (),
    node_events: Sequence[Event] = (),
) -> Outcome:
    """The cause of the last end of a container of a pod that is not being deleted.

    events: those about the pod, oldest first; they may have expired. log: the last lines of that run; may be empty.
    node_events: those about its node, needed where `may_be_the_node` is true.
    """
    facts = {*_of_the_status(pod, status, ending), *_of_memory_limits(pod, container)}
    facts |= {*_of_the_log(ending, log), *_of_times(pod, container, ending)}
    known = tuple(events)
    facts |= set() if known or log else {EndFact.UNTOLD}
    stated = next(((fact, event) for event in reversed(known) if (fact := _states(event, container, ending))), None)
    if any(_is_of_the_stop(event, pod, container, ending) for event in known):
        facts.add(EndFact.LOGGED_STOP)
    short = next(
        (event for event in node_events if _is_of_the_end(event, ending) and seen_anew(event, node_events) is not None),
        None,
    )
    facts |= ({stated[0]} if stated else set()) | ({EndFact.NODE_OUT_OF_MEMORY} if short is not None else set())
    facts |= {EndFact.TRACK_LOST} if any(_ended_with_its_node(event, ending) for event in node_events) else set()
    row = decide(facts, ending.exit_code)
    if row.cause is Cause.NODE_OUT_OF_MEMORY:
        return Outcome(row.cause, row.proof, short)
    return Outcome(row.cause, row.proof, stated[1] if stated and stated[0] in row.all_of else None)


def may_be_the_node(ending: Ending) -> bool:
    """Whether a node that ran out of memory or was restarted could have caused the end: then its events decide."""
    return ending.is_out_of_memory or ending.exit_code in (SIGKILL, _NO_EXIT_CODE)


def concerns(event: Event, container: str) -> bool:
    """Whether an event about a pod is about this container."""
    place = event.involved_object.field_path
    return f"{{{container}}}" in place if place else f" {container}" in f" {event.message}"


def _of_the_status(pod: Pod, status: ContainerStatus, ending: Ending) -> Iterator[EndFact]:
    reason = ending.terminated.reason
    if ending.is_out_of_memory:
        yield EndFact.OOM_KILLED
    if ending.never_ran:
        yield EndFact.RUNTIME_REFUSED
        if start_failure(ending.terminated.message).problem is StartProblem.MEMORY_TOO_SMALL:
            yield EndFact.OUT_OF_MEMORY_BEFORE_START
    if reason in LOST:
        yield EndFact.TRACK_LOST
    if reason == ALL_RESTARTED:
        yield EndFact.ALL_RESTARTED
    if "DeadlineExceeded" in (reason, pod.status.reason):
        yield EndFact.DEADLINE_EXCEEDED
    if "Evicted" in (reason, pod.status.reason):
        yield EndFact.EVICTED
    waiting = status.state.waiting if status.state else None
    if waiting is not None and waiting.reason == "PostStartHookError":
        yield EndFact.HOOK_STATED
    if ending.exit_code == SIGKILL or ending.terminated.signal == SIGKILL - 128:
        yield EndFact.SIGKILL
    if ending.exit_code in _STOPPED:
        yield EndFact.STOP_CODE
    if ending.exit_code != 0:
        yield EndFact.FAILED


def _of_memory_limits(pod: Pod, container: Container) -> Iterator[EndFact]:
    if memory_limit(container):
        yield EndFact.CONTAINER_LIMIT
    whole = pod_memory_limit(pod)
    if not whole:
        return
    yield EndFact.POD_LIMIT
    limits = [bytes_of(memory_limit(other)) for other in pod.spec.containers]
    if len(limits) > 1 and (0 in limits or sum(limits) > bytes_of(whole)):
        yield EndFact.POD_LIMIT_FIRST


def memory_limit(container: Container) -> str:
    """The container's own memory limit, a quantity; empty without one."""
    return ((container.resources.limits if container.resources else None) or {}).get("memory", "")


def pod_memory_limit(pod: Pod) -> str:
    """The memory limit of the whole pod (1.34 and later), a quantity; empty without one."""
    return ((pod.spec.resources.limits if pod.spec.resources else None) or {}).get("memory", "")


def _of_the_log(ending: Ending, log: Sequence[str]) -> Iterator[EndFact]:
    if says_it_was_stopped(log):
        yield EndFact.LOGGED_STOP
    if states_a_cause(log, ending.exit_code):
        yield EndFact.LOGGED_CAUSE


def _of_times(pod: Pod, container: Container, ending: Ending) -> Iterator[EndFact]:
    lasted = ending.lasted
    if lasted is None:
        return
    startup, liveness = container.startup_probe, container.liveness_probe
    if startup is not None and gives_up_not_before(startup) <= lasted <= killed_not_after(startup, pod):
        yield EndFact.STARTUP_TIME
    # A liveness probe starts only after the startup probe has succeeded.
    started = startup is None or lasted >= gives_up_not_before(startup)
    if liveness is not None and started and lasted >= gives_up_not_before(liveness):
        yield EndFact.LIVENESS_TIME
        if lasted <= killed_not_after(liveness, pod):
            yield EndFact.LIVENESS_FIRST_TIME
    hook = container.lifecycle is not None and container.lifecycle.post_start is not None
    if hook and lasted <= _HOOK_LASTS_AT_MOST:
        yield EndFact.HOOK_TIME


def _states(event: Event, container: Container, ending: Ending) -> EndFact | None:
    if event.reason not in _KILL_REASONS or not concerns(event, container.name):
        return None
    event_at, ended = event.seen_at, ending.terminated
    since = ended.started_at or ended.finished_at
    if event_at is not None and since is not None and event_at < since - _CLOCKS:
        return None  # The event belongs to an earlier run.
    return next((fact for fact, pattern in _KILLS if pattern.search(event.message)), None)


def _is_of_the_stop(event: Event, pod: Pod, container: Container, ending: Ending) -> bool:
    """Whether its preStop hook failed when it ended: then the kubelet has stopped it, and the program did not end by
    itself (pkg/kubelet/kuberuntime, executePreStopHook)."""
    finished, last = ending.terminated.finished_at, event.seen_at
    if event.reason not in _STOP_REASONS or finished is None or last is None or not concerns(event, container.name):
        return False
    seconds = pod.spec.termination_grace_period_seconds
    grace = timedelta(seconds=DEFAULT_GRACE if seconds is None else seconds)
    return finished - grace - _CLOCKS <= last <= finished + 2 * _CLOCKS


def _is_of_the_end(event: Event, ending: Ending) -> bool:
    """Whether the node ran out of memory when the container ended (pkg/kubelet/oom: `SystemOOM` is an OOM of no
    container's cgroup)."""
    finished, last = ending.terminated.finished_at, event.seen_at
    if event.reason != SYSTEM_OOM or finished is None or last is None:
        return False
    return (event.first_timestamp or last) - 2 * _CLOCKS <= finished <= last + 2 * _CLOCKS


def _ended_with_its_node(event: Event, ending: Ending) -> bool:
    """Whether the kubelet reported a restart of the machine just when the runtime found the container dead."""
    finished, last = ending.terminated.finished_at, event.seen_at
    if event.reason != REBOOTED or ending.exit_code != _NO_EXIT_CODE or finished is None or last is None:
        return False
    return abs(last - finished) <= _BETWEEN_START_AND_REPORT
