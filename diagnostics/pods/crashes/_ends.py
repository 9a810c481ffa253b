"""The containers of a pod that keep ending: the exit code, and what ended them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, NamedTuple

import msgspec

from kubedoctor.cluster import Cluster, Event, LogTail, NotCollected, Pod, human_duration, ready, workload_of
from kubedoctor.findings import (
    Confidence,
    ContainerWithStatus,
    Finding,
    Ref,
    Severity,
    active,
    containers_with_status,
    ref,
)
from kubedoctor.replay.kubelet.endings import Ending, failing, last_ending, windows_status
from kubedoctor.replay.kubelet.outcome_facts import Outcome, may_be_the_node, outcome
from kubedoctor.replay.kubelet.outcomes import OUT_OF_MEMORY, Cause, Proof
from kubedoctor.replay.logs.levels import Level
from kubedoctor.replay.logs.reading import read_log
from kubedoctor.replay.logs.stops import is_no_log

_OFTEN: Final = 2
"""Restarts after which two runs may be taken to end alike."""


class End(NamedTuple):
    """The last end of a container that still matters, and what caused it. `log`: the log of that run."""

    part: ContainerWithStatus
    ending: Ending
    outcome: Outcome
    log: RunLog

    @property
    def name(self) -> str:
        return self.part.container.name

    @property
    def cause(self) -> Cause:
        return self.outcome.cause


def as_it_matters(finding: Finding, pod: Pod, part: ContainerWithStatus, cluster: Cluster) -> Finding:
    """The finding about an end; history where the container is ready again and nothing shows how long it has been."""
    status = part.status
    running = status.state.running if status.state else None
    if not (cluster.snapshot.at_least and ready(pod) and status.ready and running is not None):
        return finding
    since = f" since {running.started_at:%Y-%m-%d %H:%M:%S} UTC" if running.started_at is not None else ""
    words = f"It is ready{since}; the file does not say when it was written, so this may be long over."
    return msgspec.structs.replace(
        finding,
        severity=Severity.NOTICE,
        confidence=Confidence.POSSIBLE,
        detail=f"{finding.detail} {words}".strip(),
        would_disprove=finding.would_disprove or "The number of restarts has not changed since: then it is over.",
    )


class RunLog(NamedTuple):
    """The log of the run that ended; `previous` as in `kubectl logs`. `read`: false where no log could be read. `of_the_next`:
    it is gone, and this is the log of the run after it."""

    lines: tuple[str, ...]
    previous: bool
    read: bool = True
    of_the_next: bool = False


def exit_words(ending: Ending) -> str:
    """`code 137 (SIGKILL)`."""
    meaning = ending.signal or windows_status(ending.exit_code)[0]
    return f"code {ending.exit_code}" + (f" ({meaning})" if meaning else "")


def after_start(ending: Ending) -> str:
    """` after 3s`; empty where the times are not known."""
    return f" after {human_duration(ending.lasted)}" if ending.lasted is not None else ""


def ends_of(pod: Pod, cluster: Cluster, suits: Callable[[ContainerWithStatus], bool] = lambda _: True) -> Iterator[End]:
    """The containers that keep ending in a pod that is neither finished nor being deleted.

    suits: the containers that the diagnostic is about, so that no other log is read.
    """
    if not active(pod):
        return
    for part in containers_with_status(pod):
        ending = last_ending(part.status)
        if ending is None or not failing(part.status, cluster.taken_at) or _done(part, ending) or not suits(part):
            continue
        yield _end(pod, part, ending, cluster)


def last_ends_of(pod: Pod, cluster: Cluster) -> Iterator[End]:
    """The containers of a finished pod that ended with an exit code other than 0."""
    for part in containers_with_status(pod):
        ending = last_ending(part.status)
        if ending is not None and ending.exit_code and _ended_now(part):
            yield _end(pod, part, ending, cluster)


def _end(pod: Pod, part: ContainerWithStatus, ending: Ending, cluster: Cluster) -> End:
    _ask_at_once(pod, part, ending, cluster)
    events = () if _needs_no_event(ending) else cluster.events_about(ref(pod))
    of_node = node_events(pod, cluster) if may_be_the_node(ending) else ()
    log = RunLog((), not _ended_now(part), read=False)
    found = outcome(pod, part.container, part.status, ending, events, (), of_node)
    if found.proof is not Proof.STATED and found.cause not in OUT_OF_MEMORY:
        log = log_of_the_end(pod, part, cluster)
        found = outcome(pod, part.container, part.status, ending, events, log.lines, of_node)
    return End(part, ending, found, log)


def node_events(pod: Pod, cluster: Cluster) -> tuple[Event, ...]:
    """The events about the pod's node; none where they cannot be read."""
    return cluster.maybe.events_about(Ref("Node", "", pod.spec.node_name)) if pod.spec.node_name else ()


def _needs_no_event(ending: Ending) -> bool:
    """Whether the status states the cause, so that neither the pod's events nor the log can change it."""
    return ending.is_out_of_memory or ending.never_ran


def _ask_at_once(pod: Pod, part: ContainerWithStatus, ending: Ending, cluster: Cluster) -> None:
    """Fetch in one round what the outcome and the finding read."""
    if cluster.snapshot.closed:
        return
    readings: list[Callable[[], object]] = [partial(workload_of, pod, cluster)]
    if may_be_the_node(ending):
        readings.append(partial(node_events, pod, cluster))
    if not _needs_no_event(ending):
        readings.append(partial(cluster.events_about, ref(pod)))
        readings.append(partial(cluster.log_tail, pod, part.container.name, previous=not _ended_now(part)))
    cluster.together(*readings)


def _done(part: ContainerWithStatus, ending: Ending) -> bool:
    """An init container that exited with code 0 is complete, however often it was retried."""
    return part.is_init and not part.container.restarts_always and ending.exit_code == 0 and _ended_now(part)


def _ended_now(part: ContainerWithStatus) -> bool:
    return part.status.state is not None and part.status.state.terminated is not None


def log_of_the_end(pod: Pod, part: ContainerWithStatus, cluster: Cluster) -> RunLog:
    """The log of the run that ended; without lines where the program wrote nothing or the log cannot be read."""
    previous = not _ended_now(part)
    tail = cluster.log_tail(pod, part.container.name, previous=previous)
    if tail is None or (tail.lines and is_no_log(tail.lines)):
        # While a container waits for its restart, both logs belong to the run that ended: a recording may hold only one.
        running = part.status.state is not None and part.status.state.running is not None
        if running:
            return _log_of_the_next_run(pod, part, cluster)
        tail = _log_at_hand(pod, part.container.name, not previous, cluster)
        previous = previous if tail is None else not previous
    if tail is None or is_no_log(tail.lines):
        return RunLog((), previous, read=tail is not None and not any(tail.lines))
    return RunLog(tail.lines, previous)


def _log_of_the_next_run(pod: Pod, part: ContainerWithStatus, cluster: Cluster) -> RunLog:
    """The kubelet keeps the log of one ended run, and none for some moments: the run that followed may have met the same."""
    none = RunLog((), previous=True, read=False)
    if part.status.restart_count < _OFTEN:
        return none
    tail = cluster.log_tail(pod, part.container.name, optional=True)
    cause = read_log(tail.lines) if tail is not None and not is_no_log(tail.lines) else None
    if tail is None or cause is None or not (cause.pattern or cause.level >= Level.ERROR):
        return none
    return RunLog(tail.lines, previous=False, of_the_next=True)


def _log_at_hand(pod: Pod, container: str, previous: bool, cluster: Cluster) -> LogTail | None:
    """A log that was already read; the finding does not need another request."""
    try:
        return cluster.log_tail(pod, container, previous=previous)
    except NotCollected:
        return None
