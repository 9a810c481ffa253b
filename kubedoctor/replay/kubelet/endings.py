"""The last end of a container, and whether it still matters."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from kubedoctor.cluster.grammar.durations import DurationError, parse_duration
from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.kinds.containers import ContainerStateTerminated, ContainerStatus

SIGNALS = {
    1: "SIGHUP",
    2: "SIGINT",
    3: "SIGQUIT",
    4: "SIGILL",
    6: "SIGABRT",
    7: "SIGBUS",
    8: "SIGFPE",
    9: "SIGKILL",
    11: "SIGSEGV",
    13: "SIGPIPE",
    14: "SIGALRM",
    15: "SIGTERM",
}
STARTING_FAILED = frozenset({"StartError", "ContainerCannotRun"})
FIRST_BACK_OFF = timedelta(seconds=10)
LONGEST_BACK_OFF = timedelta(seconds=300)
"""pkg/kubelet/kubelet.go, v1.37: 10 s, doubled at each restart, at most 5 min."""
STEADY = 2 * LONGEST_BACK_OFF
"""After a run of this length the kubelet resets its back-off."""
SHORTEST_STEADY = timedelta(seconds=60)
LONG_RUN = timedelta(hours=1)
"""A program that ran this long had started well: its end is not part of a crash loop."""
_BACK_OFF = compiled_later(r"back-off (\S{1,20}) restarting failed container")
ALL_RESTARTED = "RestartingAllContainers"
"""The reason of the state and of the last end of each container of a pod that a restart rule started again as a whole."""
LOST = frozenset({"Unknown", "ContainerStatusUnknown"})
"""The runtime lost track of the container because its node was restarted."""


_OF_WINDOWS: Final = {
    0xC0000005: "access violation",
    0xC000007B: "a library is built for another CPU architecture",
    0xC00000FD: "stack overflow",
    0xC0000135: "a DLL that the program needs is missing in the image",
    0xC0000139: "a DLL of the image lacks a function that the program needs",
    0xC000013A: "it was stopped (Ctrl+C)",
    0xC0000142: "a DLL of the program could not be initialised",
    0xC0000409: "the program aborts itself",
}
"""`NTSTATUS` codes of processes, by the documentation of Windows."""


def windows_status(exit_code: int) -> tuple[str, str]:
    """The code as Windows writes it, and what it means; empty for other exit codes."""
    code = exit_code & 0xFFFFFFFF
    return (f"0x{code:08X}", _OF_WINDOWS.get(code, "")) if 0xC0000000 <= code < 0xD0000000 else ("", "")


class Ending(NamedTuple):
    """The last end of a container. `place`: its path below the container's status.

    `lasted` is None where the container never ran or the runtime recorded no times.
    """

    terminated: ContainerStateTerminated
    place: str
    lasted: timedelta | None

    @property
    def exit_code(self) -> int:
        return self.terminated.exit_code

    @property
    def signal(self) -> str:
        """The name of the signal that ended it; empty if none did."""
        if windows_status(self.exit_code)[0]:
            return ""
        number = self.terminated.signal or (self.exit_code - 128 if 128 < self.exit_code <= 128 + 64 else 0)
        return SIGNALS.get(number, f"signal {number}") if number else ""

    @property
    def is_out_of_memory(self) -> bool:
        return self.terminated.reason == "OOMKilled"

    @property
    def never_ran(self) -> bool:
        """The runtime could not start the program at all."""
        return self.terminated.reason in STARTING_FAILED


def last_ending(status: ContainerStatus) -> Ending | None:
    """The newest end in the status."""
    for place, state in (("state.terminated", status.state), ("lastState.terminated", status.last_state)):
        if state is not None and state.terminated is not None:
            ended = state.terminated
            lasted = None
            # The runtime writes the year 1970 for a container that never ran.
            if ended.started_at and ended.finished_at and ended.started_at.year > 1970:
                lasted = max(ended.finished_at - ended.started_at, timedelta())
            return Ending(ended, place, lasted)
    return None


def back_off(restarts: int) -> timedelta:
    """How long the kubelet waited before the restart of that number."""
    if restarts < 1:
        return timedelta()
    return min(FIRST_BACK_OFF * (1 << min(restarts - 1, 10)), LONGEST_BACK_OFF)


def next_try(status: ContainerStatus) -> datetime | None:
    """When a container in CrashLoopBackOff is started again: the kubelet counts the back-off that it names from the end of
    the last run. None where the container does not wait for that, or nothing names its times."""
    waiting = status.state.waiting if status.state else None
    ending = last_ending(status)
    if waiting is None or waiting.reason != "CrashLoopBackOff" or ending is None:
        return None
    finished = ending.terminated.finished_at
    named = _BACK_OFF.match(waiting.message)
    if finished is None or named is None:
        return None
    try:
        return finished + parse_duration(named[1])
    except DurationError:
        return None


def settled(status: ContainerStatus, taken_at: datetime) -> bool:
    """The container has been running and ready for so long that its last end no longer matters."""
    running = status.state.running if status.state else None
    if running is None or not status.ready:
        return False
    if running.started_at is None:
        return True
    ending = last_ending(status)
    lasted = ending.lasted if ending and ending.lasted else timedelta()
    needed = max(SHORTEST_STEADY, 2 * back_off(status.restart_count), 3 * lasted)
    return taken_at - running.started_at >= min(needed, STEADY)


def failing(status: ContainerStatus, taken_at: datetime) -> bool:
    """The container failed or keeps ending, and that still matters.

    A single restart of a container that runs again does not count: programs that wait for one another start like that.
    Nor does the end of a long run, or a restart of the node, once the container is ready again.
    """
    state = status.state
    ending = last_ending(status)
    if ending is None or settled(status, taken_at):
        return False
    if state is not None and state.waiting is not None:
        if state.waiting.reason == ALL_RESTARTED:
            return status.restart_count >= 2
        if not ending.exit_code and not status.restart_count:
            return False  # It was ended once, as by another image, and waits for that.
        return state.waiting.reason not in ("", "ContainerCreating", "PodInitializing")
    if state is not None and state.terminated is not None:
        return status.restart_count > 0 or ending.exit_code != 0
    if status.ready and (ending.terminated.reason in LOST or (ending.lasted or timedelta()) >= LONG_RUN):
        return False
    return status.restart_count >= 2
