"""Connections that failed according to the logs of the pods that tried them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple

import msgspec

from kubedoctor.answers.reach.connections import (
    ConnectionTarget,
    foresee_policies,
    policies_between,
    targets,
)
from kubedoctor.answers.reach.meant_server import meant_server
from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.kinds.containers import ContainerStatus
from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.wants import LogTail
from kubedoctor.cluster.triage import finished, ready, terminating
from kubedoctor.replay.kubelet.endings import failing
from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.reading import LogCause, read_log
from kubedoctor.replay.logs.stops import is_no_log
from kubedoctor.replay.network.enforcers import refuses_what_it_denies
from kubedoctor.replay.network.seen import admin_policies
from kubedoctor.replay.services.hosts import is_local, split_address
from kubedoctor.replay.services.settings import NamedServer

DNS_PORT: Final = 53
_API_SERVER: Final = Ref("Service", "default", "kubernetes")
_SIGKILL: Final = 137
_OOM_KILLED: Final = "OOMKilled"
_SERVER: Final = compiled_later(r"\bon \[?(?P<server>[0-9a-fA-F.:]+?)\]?:53\b|->\[?(?P<peer>[0-9a-fA-F.:]+?)\]?:53\b")
"""The DNS server in a failed lookup, as Go and Rust programs write it."""


class Attempt(NamedTuple):
    """A connection that failed: the line that says so, and where it should have ended. server: the setting that names it,
    where the line does not."""

    tail: LogTail
    line: int
    targets: tuple[ConnectionTarget, ...]
    refused: bool = False
    lookup: bool = False
    server: NamedServer | None = None


def failed_attempts(pod: Pod, cluster: Cluster) -> Iterator[Attempt]:
    """Where there are policies, the connections of a pod's containers that failed as denied ones do, one for each log: that of
    the run that ended where a container was started again, else the current one. They time out; where a policy engine
    refuses them (`refuses_what_it_denies`), those count that a ready pod seems to refuse. Lookups count where they go to
    an address that is no pod's, and all where administrators have policies; what NetworkPolicies do to the cluster's DNS
    `replay/dns/blocking` tells."""
    runs = list(_runs(pod, cluster.taken_at)) if not finished(pod) and not terminating(pod) else []
    if not runs:
        return
    foresee_policies(pod, cluster)
    policies = cluster.maybe.all(NetworkPolicy, pod.namespace) or cluster.snapshot.of_kind("NetworkPolicy")
    if not (policies or admin_policies(cluster)):
        return  # Policies of the other end's namespace count where they were seen.
    cluster.together(*(partial(cluster.log_tail, pod, name, previous=previous) for name, previous in runs))
    for name, previous in runs:
        tail = cluster.log_tail(pod, name, previous=previous)
        if previous and (tail is None or is_no_log(tail.lines)):
            tail = cluster.log_tail(pod, name, optional=True)  # The kubelet has removed that of the run that ended.
        cause = read_log(tail.lines) if tail is not None else None
        if tail is None or cause is None:
            continue
        server = None if cause.subject else meant_server(pod, tail.container, cause.fault, cluster)
        if server is not None:
            cause = msgspec.structs.replace(cause, subject=f"{server.host}:{server.port}")
        reached = _targets(pod, tail.lines[cause.index], cause, cluster)
        if reached:
            refused = cause.fault is LogFault.CONNECTION_REFUSED
            lookup = cause.fault is LogFault.NAME_NOT_RESOLVED
            yield Attempt(tail, cause.index, reached, refused, lookup, server)


def reset_attempts(pod: Pod, cluster: Cluster) -> Iterator[Attempt]:
    """The connections of a pod's containers that the other end closed, one for each log, as `failed_attempts` reads them."""
    logs = [partial(cluster.log_tail, pod, name, previous=previous) for name, previous in _runs(pod, cluster.taken_at)]
    cluster.together(*logs)
    for tail in (log() for log in logs):
        cause = read_log(tail.lines) if tail is not None else None
        if tail is None or cause is None or cause.fault is not LogFault.CONNECTION_RESET:
            continue
        host, port = split_address(cause.subject)
        reached = targets(pod, host, port, cluster) if host and not is_local(host) else ()
        if reached:
            yield Attempt(tail, cause.index, reached)


def told_in(pod: Pod, words: str, cluster: Cluster) -> tuple[LogTail, int] | None:
    """The last line of a container's log that has the words, as `failed_attempts` reads the logs."""
    logs = [partial(cluster.log_tail, pod, name, previous=previous) for name, previous in _runs(pod, cluster.taken_at)]
    cluster.together(*logs)
    for tail in (log() for log in logs):
        for index in range(len(tail.lines) - 1, -1, -1) if tail is not None else ():
            if tail is not None and words in tail.lines[index]:
                return tail, index
    return None


def stated_causes(pod: Pod, cluster: Cluster) -> Iterator[LogCause]:
    """Why its containers failed, a cause for each log that states one, as `failed_attempts` reads the logs."""
    logs = [partial(cluster.log_tail, pod, name, previous=previous) for name, previous in _runs(pod, cluster.taken_at)]
    cluster.together(*logs)
    for tail in (log() for log in logs):
        cause = read_log(tail.lines, 1) if tail is not None else None
        if cause is not None:
            yield cause


def may_tell(pod: Pod, at: datetime) -> bool:
    """Whether a log of its containers is one that these functions read: without one, nothing else is worth a request."""
    return next(_runs(pod, at), None) is not None


def _runs(pod: Pod, at: datetime) -> Iterator[tuple[str, bool]]:
    """A program without a readiness probe is ready between its crashes."""
    for status in (*(pod.status.init_container_statuses or ()), *(pod.status.container_statuses or ())):
        well = status.ready and not failing(status, at)
        if well or status.state is None or _was_killed(status, pod):
            continue
        if status.restart_count and status.state.terminated is None:
            yield status.name, True
        elif status.state.waiting is None:
            yield status.name, False


def _was_killed(status: ContainerStatus, pod: Pod) -> bool:
    """No program writes a line about a SIGKILL; before the kubelet kills it for a failing probe it may have said why."""
    ended = status.last_state.terminated if status.last_state is not None else None
    if ended is None or ended.exit_code != _SIGKILL:
        return False
    probed = any(
        container.name == status.name and (container.liveness_probe or container.startup_probe)
        for container in (*pod.spec.containers, *(pod.spec.init_containers or ()))
    )
    return ended.reason == _OOM_KILLED or not probed


def refused_targets(pod: Pod, cause: LogCause, cluster: Cluster) -> tuple[ConnectionTarget, ...]:
    """Where a refused connection should have ended, if policies may be what refuses it: all pods there are ready. The API
    server is, too: it has answered what was read of the cluster."""
    host, port = split_address(cause.subject)
    if not host or is_local(host):
        return ()
    reached = targets(pod, host, port, cluster)
    if not all(ready(target.pod) if target.pod is not None else _is_api_server(target) for target in reached):
        return ()
    guarded = any(policies_between(pod.namespace, target, cluster) for target in reached) or admin_policies(cluster)
    return reached if reached and guarded and refuses_what_it_denies(cluster) else ()


def _is_api_server(target: ConnectionTarget) -> bool:
    return target.service is not None and ref(target.service) == _API_SERVER


def _targets(pod: Pod, line: str, cause: LogCause, cluster: Cluster) -> tuple[ConnectionTarget, ...]:
    if cause.fault is LogFault.CONNECTION_TIMEOUT:
        host, port = split_address(cause.subject)
        return targets(pod, host, port, cluster) if host and not is_local(host) else ()
    if cause.fault is LogFault.CONNECTION_REFUSED:
        return refused_targets(pod, cause, cluster)
    if cause.fault is LogFault.NAME_NOT_RESOLVED and not cause.dns_answered:
        found = _SERVER.search(line)
        server = (found["server"] or found["peer"]) if found is not None else ""
        reached = targets(pod, server, DNS_PORT, cluster, "UDP") if server else ()
        if admin_policies(cluster):
            return reached
        return tuple(target for target in reached if target.pod is None and target.service is None)
    return ()
