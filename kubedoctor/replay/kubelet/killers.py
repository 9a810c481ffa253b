"""What ended a container: the kernel, the kubelet because of a probe or a hook, or the program itself."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

from kubedoctor.cluster.kinds.containers import Container, ContainerStatus
from kubedoctor.cluster.kinds.core import Event
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.kubelet.endings import Ending
from kubedoctor.replay.kubelet.probes import gives_up_not_before, killed_not_after
from kubedoctor.replay.logs.reading import states_a_cause
from kubedoctor.replay.logs.stops import says_it_was_stopped


class Killer(enum.Enum):
    """What ended a container."""

    MEMORY = enum.auto()
    RUNTIME = enum.auto()
    POST_START_HOOK = enum.auto()
    STARTUP_PROBE = enum.auto()
    LIVENESS_PROBE = enum.auto()
    ITSELF = enum.auto()


class Proof(enum.Enum):
    """How certain a verdict is: an event or status states it; the facts leave nothing else; the facts allow it."""

    STATED = 0
    FITS = 1
    ALLOWED = 2


class KillVerdict(NamedTuple):
    """`event`: the event that states it."""

    killer: Killer
    proof: Proof
    event: Event | None = None


_KILLS = (
    (Killer.LIVENESS_PROBE, re.compile(r"failed liveness probe, will be restarted")),
    (Killer.STARTUP_PROBE, re.compile(r"failed startup probe, will be restarted")),
    (Killer.POST_START_HOOK, re.compile(r"^FailedPostStartHook$|^PostStartHook failed|^Exec lifecycle hook .*failed")),
)
_KILL_REASONS = frozenset({"Killing", "FailedPostStartHook"})
_CLOCKS = timedelta(seconds=5)
"""Events carry whole seconds and are written a little before or after the status."""
_STOPPED = frozenset({130, 137, 143})
_HOOK_LASTS_AT_MOST = timedelta(seconds=60)


def who_ended(
    pod: Pod,
    container: Container,
    status: ContainerStatus,
    ending: Ending,
    events: Iterable[Event],
    log: Sequence[str] = (),
) -> KillVerdict:
    """The verdict on the last end of a container of a pod that is not being deleted.

    events: those about the pod, oldest first; they may have expired. log: the last lines of that run; may be empty.
    """
    if ending.is_out_of_memory:
        return KillVerdict(Killer.MEMORY, Proof.STATED)
    if ending.never_ran:
        return KillVerdict(Killer.RUNTIME, Proof.STATED)
    waiting = status.state.waiting if status.state else None
    if waiting is not None and waiting.reason == "PostStartHookError":
        return KillVerdict(Killer.POST_START_HOOK, Proof.STATED)
    for event in reversed(tuple(events)):
        killer = _states(event, container, ending)
        if killer is not None:
            return KillVerdict(killer, Proof.STATED, event)
    return _from_status(pod, container, ending, log)


def _states(event: Event, container: Container, ending: Ending) -> Killer | None:
    if event.reason not in _KILL_REASONS or not concerns(event, container.name):
        return None
    event_at, ended = event.seen_at, ending.terminated
    since = ended.started_at or ended.finished_at
    if event_at is not None and since is not None and event_at < since - _CLOCKS:
        return None  # The event belongs to an earlier run.
    return next((killer for killer, pattern in _KILLS if pattern.search(event.message)), None)


def concerns(event: Event, container: str) -> bool:
    """Whether an event about a pod is about this container."""
    place = event.involved_object.field_path
    return f"{{{container}}}" in place if place else f" {container}" in f" {event.message}"


def _from_status(pod: Pod, container: Container, ending: Ending, log: Sequence[str]) -> KillVerdict:
    """Without an event: what the exit code, the duration and the log allow.

    In a pod that is not being deleted only the kubelet stops a container: for a probe or a hook.
    """
    logged = says_it_was_stopped(log)
    stopped = ending.exit_code in _STOPPED or logged
    by_itself = KillVerdict(Killer.ITSELF, Proof.FITS)
    if not stopped and states_a_cause(log, ending.exit_code):
        return by_itself
    lasted = ending.lasted
    startup, liveness = container.startup_probe, container.liveness_probe
    if startup is not None and lasted is not None:
        if gives_up_not_before(startup) <= lasted <= killed_not_after(startup, pod):
            if stopped:
                return KillVerdict(Killer.STARTUP_PROBE, Proof.FITS)
            if ending.exit_code != 0:
                return KillVerdict(Killer.STARTUP_PROBE, Proof.ALLOWED)
        elif lasted < gives_up_not_before(startup):
            liveness = None  # It starts only after the startup probe has succeeded.
    if liveness is not None and lasted is not None and lasted >= gives_up_not_before(liveness) and stopped:
        sure = logged or ending.exit_code == 143 or lasted <= killed_not_after(liveness, pod)
        return KillVerdict(Killer.LIVENESS_PROBE, Proof.FITS if sure else Proof.ALLOWED)
    hook = container.lifecycle is not None and container.lifecycle.post_start is not None
    if hook and stopped and lasted is not None and lasted <= _HOOK_LASTS_AT_MOST:
        return KillVerdict(Killer.POST_START_HOOK, Proof.FITS if logged else Proof.ALLOWED)
    return by_itself
