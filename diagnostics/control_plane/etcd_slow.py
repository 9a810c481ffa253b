"""etcd is too slow: its disk takes seconds.

## What it means
etcd writes each change to its disk before it answers. Where a write takes seconds, the API server answers late, and the
scheduler and the controller manager cannot renew their leases in time: they give up (`leaderelection lost`) and restart.

## Why it happens
- The disk is slow or shared: network storage, a small cloud disk whose burst is used up, a spinning disk.
- Other work on the machine writes much: backups, logs, image pulls.
- Requests read much at once: lists of tens of thousands of objects.
- The network between the members is slow, or the machine lacks CPU.

## How to fix it
1. Measure: `etcd_disk_wal_fsync_duration_seconds` should stay below 10ms for 99 %.
2. Give etcd a disk of its own, fast and local. Move other writers away.
3. Raising the leases' durations of the components only hides it.

## References
- https://etcd.io/docs/latest/op-guide/hardware/#disks
- https://etcd.io/docs/latest/faq/#what-does-the-etcd-warning-apply-entries-took-too-long-mean
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from diagnostics.control_plane._triage import member_of_etcd
from kubedoctor.cluster import Cluster, Evidence, Pod, counted, human_duration, ref, static_pods
from kubedoctor.findings import (
    Confidence,
    Explains,
    Finding,
    Fix,
    Severity,
    diagnostic,
    look_at_log,
    look_at_pod,
    quote_line,
    quote_status,
)
from kubedoctor.replay.kubelet.endings import last_ending
from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.reading import read_log
from kubedoctor.replay.status.slow_store import Wait, slow_store

SUFFERERS = ("kube-controller-manager", "kube-scheduler", "kube-apiserver")
RECENT = timedelta(hours=1)
OFTEN = 2
_OF_WAITING = frozenset({LogFault.LEADER_ELECTION, LogFault.CONNECTION_TIMEOUT})


@diagnostic(
    code="KD4107",
    subject=Pod,
    severity=Severity.WARNING,
    reads=(Pod,),
    when=member_of_etcd,
    explains=(Explains("affects", ("KD1003",)),),
    also_known_as=("slow fdatasync", "apply request took too long"),
    symptoms=("leaderelection lost", "etcdserver: request timed out"),
)
def etcd_slow(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if not member_of_etcd(pod) or not pod.spec.containers:
        return
    gave_up = [
        found
        for name in SUFFERERS
        for other in static_pods(name, cluster)
        if (found := _gave_up(other, cluster)) is not None
    ]
    if not gave_up:
        return  # Single slow writes harm nobody.
    container = pod.spec.containers[0].name
    tail = cluster.log_tail(pod, container)
    slow = slow_store(tail.lines, [one.at for one in gave_up]) if tail is not None else None
    if tail is None or slow is None or slow.times < OFTEN:
        return
    machine = pod.spec.node_name or "its machine"
    yield Finding(
        about=ref(pod),
        summary=f"etcd is slow: {_WAITED[slow.wait].format(human_duration(slow.longest))}, and"
        f" {counted(slow.times, 'line')} of its log tell of waits above 1s; {_consequence(gave_up)}",
        evidence=(
            quote_line(
                tail, slow.line, "the longest wait of its disk" if slow.wait is Wait.DISK else "the longest wait"
            ),
            *(
                fact
                for one in gave_up
                for fact in (
                    one.line,
                    *quote_status(
                        one.pod, one.pod.spec.containers[0].name, "restartCount", "lastState.terminated.finishedAt"
                    ),
                )
            ),
        ),
        confidence=Confidence.LIKELY,
        affects=tuple(ref(one.pod) for one in gave_up),
        fixes=(
            Fix(
                f"Find what reads so much from etcd at once (lists of many objects), and give etcd on {machine} enough CPU"
                " and a fast disk"
                if slow.only_reads
                else f"Give etcd on {machine} a fast disk of its own, and move what else writes to that disk away"
            ),
        ),
        commands=(
            look_at_log(pod, container, previous=False, why="how often and how long it waits"),
            look_at_pod(pod, "its state and events"),
        ),
    )


class _GaveUp(NamedTuple):
    """lease: it lost the lease of a leader; else it ended because something took too long."""

    pod: Pod
    at: datetime
    lease: bool
    line: Evidence


_WAITED: Final = {
    Wait.DISK: "its disk needed {} for a write",
    Wait.REQUEST: "a request needed {}",
    Wait.READ: "a read needed {}",
    Wait.HEARTBEAT: "a heartbeat to the other members was {} late",
}


def _consequence(gave_up: list[_GaveUp]) -> str:
    clauses = []
    for lease, words in ((True, "could not renew a lease in time"), (False, "ended after a timeout")):
        names = dict.fromkeys(one.pod.labels["component"] for one in gave_up if one.lease is lease)
        clauses += [f"{', '.join(names)} {words}"] if names else []
    return ", and ".join(clauses)


def _gave_up(pod: Pod, cluster: Cluster) -> _GaveUp | None:
    """Where it ended within the hour, because something took too long."""
    for status in pod.status.container_statuses or ():
        ending = last_ending(status)
        ended = ending.terminated.finished_at if ending is not None else None
        if ending is None or ended is None or cluster.taken_at - ended > RECENT:
            continue
        tail = cluster.log_tail(pod, status.name, previous=True)
        cause = read_log(tail.lines, ending.exit_code) if tail is not None else None
        if tail is not None and cause is not None and cause.fault in _OF_WAITING:
            lease = cause.fault is LogFault.LEADER_ELECTION
            line = quote_line(tail, cause.index, "it lost its lease" if lease else "why it ended")
            return _GaveUp(pod, ended, lease, line)
    return None
