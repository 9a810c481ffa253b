"""The decision table of container outcomes: from the facts of an end to its cause."""

from __future__ import annotations

import enum
from collections.abc import Set
from typing import Final, NamedTuple


class EndFact(enum.Enum):
    """What is known about the end of a container."""

    OOM_KILLED = enum.auto()  # the runtime gives the reason OOMKilled
    SIGKILL = enum.auto()  # the main process ended by SIGKILL
    CONTAINER_LIMIT = enum.auto()  # the container has a memory limit
    POD_LIMIT = enum.auto()  # the pod has a memory limit
    POD_LIMIT_FIRST = enum.auto()  # the containers together may reach the pod's limit before their own
    NODE_OUT_OF_MEMORY = enum.auto()  # the node reported SystemOOM at that moment
    RUNTIME_REFUSED = enum.auto()  # the runtime could not start the program
    OUT_OF_MEMORY_BEFORE_START = enum.auto()  # the runtime's own init process was OOM-killed
    HOOK_STATED = enum.auto()  # an event or the status states that the postStart hook failed
    LIVENESS_STATED = enum.auto()  # an event states that the liveness probe killed it
    STARTUP_STATED = enum.auto()  # an event states that the startup probe killed it
    ALL_RESTARTED = enum.auto()  # a restart rule of a container restarted all containers of the pod
    TRACK_LOST = enum.auto()  # the runtime lost track of the container
    DEADLINE_EXCEEDED = enum.auto()  # the pod was ended at its deadline
    EVICTED = enum.auto()  # the pod was evicted
    FAILED = enum.auto()  # the exit code is not 0
    STOP_CODE = enum.auto()  # the exit code is that of a stopped program: 130, 137, 143
    LOGGED_STOP = enum.auto()  # the log, or the event of a preStop hook, says that it was asked to stop
    LOGGED_CAUSE = enum.auto()  # the log states a known fault
    STARTUP_TIME = enum.auto()  # it lasted as long as its startup probe allows
    LIVENESS_TIME = enum.auto()  # it lasted at least as long as its liveness probe takes to give up
    LIVENESS_FIRST_TIME = enum.auto()  # its liveness probe failed from the start
    UNTOLD = enum.auto()  # neither an event about the pod nor a line of the log was seen
    HOOK_TIME = enum.auto()  # it has a postStart hook and ended soon after its start


class Cause(enum.Enum):
    """What ended a container."""

    CONTAINER_MEMORY_LIMIT = enum.auto()
    POD_MEMORY_LIMIT = enum.auto()
    EITHER_MEMORY_LIMIT = enum.auto()
    CHILD_OUT_OF_MEMORY = enum.auto()
    NODE_OUT_OF_MEMORY = enum.auto()
    MEMORY_BEFORE_START = enum.auto()
    START_FAILED = enum.auto()
    POST_START_HOOK = enum.auto()
    STARTUP_PROBE = enum.auto()
    LIVENESS_PROBE = enum.auto()
    RESTART_RULE = enum.auto()
    NODE_RESTARTED = enum.auto()
    DEADLINE = enum.auto()
    EVICTION = enum.auto()
    PROGRAM = enum.auto()
    COMPLETED = enum.auto()
    NOT_EXECUTABLE = enum.auto()
    NOT_FOUND = enum.auto()
    INTERRUPTED = enum.auto()
    ILLEGAL_INSTRUCTION = enum.auto()
    ABORTED = enum.auto()
    BUS_ERROR = enum.auto()
    ARITHMETIC_ERROR = enum.auto()
    SEGMENTATION_FAULT = enum.auto()
    KILLED = enum.auto()
    STOPPED = enum.auto()
    SIGNAL = enum.auto()


OUT_OF_MEMORY: Final = frozenset(
    {
        Cause.CONTAINER_MEMORY_LIMIT,
        Cause.POD_MEMORY_LIMIT,
        Cause.EITHER_MEMORY_LIMIT,
        Cause.CHILD_OUT_OF_MEMORY,
        Cause.NODE_OUT_OF_MEMORY,
    }
)
OF_THE_START: Final = frozenset({Cause.MEMORY_BEFORE_START, Cause.START_FAILED})
OF_THE_PROGRAM: Final = frozenset(
    {
        Cause.PROGRAM,
        Cause.COMPLETED,
        Cause.NOT_EXECUTABLE,
        Cause.NOT_FOUND,
        Cause.INTERRUPTED,
        Cause.ILLEGAL_INSTRUCTION,
        Cause.ABORTED,
        Cause.BUS_ERROR,
        Cause.ARITHMETIC_ERROR,
        Cause.SEGMENTATION_FAULT,
        Cause.KILLED,
        Cause.STOPPED,
        Cause.SIGNAL,
    }
)
"""What no part of Kubernetes is known to have done."""
FROM_OUTSIDE: Final = frozenset({Cause.NODE_RESTARTED, Cause.DEADLINE, Cause.EVICTION})
"""What ended the container together with its pod or node."""


class Proof(enum.Enum):
    """How certain a cause is: an event or status states it; the facts leave nothing else; the facts allow it."""

    STATED = 0
    FITS = 1
    ALLOWED = 2


class OutcomeRow(NamedTuple):
    """A cause, the facts that must be known for it, those that must not, and the exit codes (None: any)."""

    cause: Cause
    proof: Proof
    all_of: frozenset[EndFact] = frozenset()
    none_of: frozenset[EndFact] = frozenset()
    codes: range | None = None


_F, _C = EndFact, Cause


def _row(
    cause: Cause, proof: Proof, *all_of: EndFact, without: tuple[EndFact, ...] = (), codes: range | None = None
) -> OutcomeRow:
    return OutcomeRow(cause, proof, frozenset(all_of), frozenset(without), codes)


def _of_code(cause: Cause, first: int, last: int = 0) -> OutcomeRow:
    return _row(cause, Proof.FITS, codes=range(first, (last or first) + 1))


TABLE: Final[tuple[OutcomeRow, ...]] = (
    # The runtime itself says so.
    _row(_C.MEMORY_BEFORE_START, Proof.STATED, _F.RUNTIME_REFUSED, _F.OUT_OF_MEMORY_BEFORE_START),
    _row(_C.START_FAILED, Proof.STATED, _F.RUNTIME_REFUSED),
    _row(
        _C.NODE_OUT_OF_MEMORY,
        Proof.STATED,
        _F.OOM_KILLED,
        _F.NODE_OUT_OF_MEMORY,
        without=(_F.CONTAINER_LIMIT, _F.POD_LIMIT),
    ),
    _row(_C.NODE_OUT_OF_MEMORY, Proof.FITS, _F.OOM_KILLED, _F.NODE_OUT_OF_MEMORY, _F.SIGKILL),
    _row(_C.NODE_OUT_OF_MEMORY, Proof.FITS, _F.OOM_KILLED, without=(_F.CONTAINER_LIMIT, _F.POD_LIMIT)),
    _row(_C.CHILD_OUT_OF_MEMORY, Proof.STATED, _F.OOM_KILLED, without=(_F.SIGKILL,)),
    _row(_C.EITHER_MEMORY_LIMIT, Proof.STATED, _F.OOM_KILLED, _F.CONTAINER_LIMIT, _F.POD_LIMIT_FIRST),
    _row(_C.CONTAINER_MEMORY_LIMIT, Proof.STATED, _F.OOM_KILLED, _F.CONTAINER_LIMIT),
    _row(_C.POD_MEMORY_LIMIT, Proof.STATED, _F.OOM_KILLED, _F.POD_LIMIT),
    # The kubelet says so.
    _row(_C.RESTART_RULE, Proof.STATED, _F.ALL_RESTARTED),
    _row(_C.POST_START_HOOK, Proof.STATED, _F.HOOK_STATED),
    _row(_C.LIVENESS_PROBE, Proof.STATED, _F.LIVENESS_STATED),
    _row(_C.STARTUP_PROBE, Proof.STATED, _F.STARTUP_STATED),
    _row(_C.EVICTION, Proof.STATED, _F.EVICTED),
    _row(_C.DEADLINE, Proof.STATED, _F.DEADLINE_EXCEEDED),
    _row(_C.NODE_RESTARTED, Proof.STATED, _F.TRACK_LOST),
    # In a pod that is not being deleted only the kubelet stops a container, for a probe or a hook; or the kernel.
    _row(_C.NODE_OUT_OF_MEMORY, Proof.FITS, _F.SIGKILL, _F.NODE_OUT_OF_MEMORY),
    _row(_C.PROGRAM, Proof.FITS, _F.LOGGED_CAUSE, without=(_F.STOP_CODE, _F.LOGGED_STOP)),
    _row(_C.STARTUP_PROBE, Proof.FITS, _F.STARTUP_TIME, _F.STOP_CODE),
    _row(_C.STARTUP_PROBE, Proof.FITS, _F.STARTUP_TIME, _F.LOGGED_STOP),
    _row(_C.STARTUP_PROBE, Proof.ALLOWED, _F.STARTUP_TIME, _F.FAILED),
    _row(_C.LIVENESS_PROBE, Proof.FITS, _F.LIVENESS_TIME, _F.LOGGED_STOP),
    _row(_C.LIVENESS_PROBE, Proof.FITS, _F.LIVENESS_TIME, codes=range(143, 144)),
    _row(_C.LIVENESS_PROBE, Proof.FITS, _F.LIVENESS_FIRST_TIME, _F.STOP_CODE),
    _row(_C.LIVENESS_PROBE, Proof.ALLOWED, _F.LIVENESS_TIME, _F.STOP_CODE),
    # Many programs exit with code 0 on SIGTERM.
    _row(_C.LIVENESS_PROBE, Proof.ALLOWED, _F.LIVENESS_FIRST_TIME, _F.UNTOLD, codes=range(1)),
    _row(_C.POST_START_HOOK, Proof.FITS, _F.HOOK_TIME, _F.LOGGED_STOP),
    _row(_C.POST_START_HOOK, Proof.ALLOWED, _F.HOOK_TIME, _F.STOP_CODE),
    # The program ended by itself, or by a signal that nobody accounts for.
    _of_code(_C.COMPLETED, 0),
    _of_code(_C.NOT_EXECUTABLE, 126),
    _of_code(_C.NOT_FOUND, 127),
    _of_code(_C.INTERRUPTED, 130),
    _of_code(_C.ILLEGAL_INSTRUCTION, 132),
    _of_code(_C.ABORTED, 134),
    _of_code(_C.BUS_ERROR, 135),
    _of_code(_C.ARITHMETIC_ERROR, 136),
    _of_code(_C.KILLED, 137),
    _of_code(_C.SEGMENTATION_FAULT, 139),
    _of_code(_C.STOPPED, 143),
    _of_code(_C.SIGNAL, 129, 192),
    _row(_C.PROGRAM, Proof.FITS),
)
"""The first row that holds decides."""


def decide(facts: Set[EndFact], exit_code: int) -> OutcomeRow:
    """The row for these facts; the last row holds always."""
    return next(row for row in TABLE if _holds(row, facts, exit_code))


def _holds(row: OutcomeRow, facts: Set[EndFact], exit_code: int) -> bool:
    return row.all_of <= facts and not (row.none_of & facts) and (row.codes is None or exit_code in row.codes)
