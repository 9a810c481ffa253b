"""API server stores nothing: etcd refuses writes (NOSPACE, no leader).

## What it means
All nodes and leaders have stopped renewing their leases at the same moment, and nothing says that a node is lost: reads still
work, writes do not. The cluster shows the state of that moment. Running pods go on, but nothing is scheduled, replaced or
reported, and `kubectl apply` fails: "etcdserver: mvcc: database space exceeded", "etcdserver: request timed out".

## Why it happens
- The database of etcd has reached its quota (2 GiB unless `--quota-backend-bytes` says otherwise): etcd raises the alarm
  NOSPACE and takes no more writes, until it is compacted, defragmented, and the alarm is disarmed.
- More than half of the members of etcd are down, so that it has no leader.
- The disk of etcd is full or hangs.

## How to fix it
1. On a machine of the control plane: `etcdctl endpoint status --cluster -w table` and `etcdctl alarm list`.
2. NOSPACE: `etcdctl compact REVISION`, `etcdctl defrag --cluster`, `etcdctl alarm disarm`; then find what fills it, such as
   events or custom resources without end.
3. No leader: bring back members until more than half are up.

## References
- https://etcd.io/docs/latest/op-guide/maintenance/#space-quota
- https://kubernetes.io/docs/tasks/administer-cluster/configure-upgrade-etcd/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from diagnostics.control_plane._triage import NAMESPACE, of_the_control_plane
from diagnostics.control_plane.leader_silent import COMPONENTS, OF_NODES
from kubedoctor.cluster import (
    Cluster,
    Evidence,
    Lease,
    LogTail,
    Namespace,
    Node,
    Pod,
    condition,
    counted,
    human_duration,
    quote,
    ref,
    static_pods,
)
from kubedoctor.findings import Command, Confidence, Explains, Finding, Fix, Ref, Severity, diagnostic, quote_line
from kubedoctor.replay.status.store import StoreTrouble, store_trouble

PATIENCE = timedelta(minutes=1)
"""A lease of a node is renewed every 10 seconds."""
LEFT_BEHIND = timedelta(days=1)
"""Leases that are older belong to a recording whose time is not that of its objects."""
_RENEWED = "spec.renewTime"
_WRITERS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
"""The components whose logs name the refusal, what tells most first."""


@diagnostic(
    code="KD4105",
    subject=Namespace,
    severity=Severity.CRITICAL,
    reads=(Lease, Node, Pod),
    when=of_the_control_plane,
    explains=(Explains("blamed", ("KD4102",)),),
    also_known_as=("mvcc: database space exceeded", "alarm:NOSPACE"),
    symptoms=("etcdserver: mvcc: database space exceeded", "NOSPACE", "etcdserver: request timed out", "no leader"),
)
def nothing_is_stored(namespace: Namespace, cluster: Cluster) -> Iterator[Finding]:
    if not of_the_control_plane(namespace):
        return
    leases = [lease for lease in cluster.maybe.all(Lease, OF_NODES) if lease.spec.renew_time is not None]
    newest = max(leases, key=_renewed, default=None)
    if newest is None or not PATIENCE < cluster.taken_at - _renewed(newest) < LEFT_BEHIND:
        return
    ready = [node for node in cluster.maybe.all(Node) if _is_ready(node)]
    if not ready or _a_leader_works(cluster):
        return  # The nodes are lost, or cannot reach an API server that others do.
    said = _said(cluster)
    if said is None and cluster.snapshot.closed:
        return  # What was recorded may be older than the recording says.
    silent = human_duration(cluster.taken_at - _renewed(newest))
    why = _WORDS[said.trouble] if said is not None else "etcd refuses writes, or the API server cannot reach it"
    yield Finding(
        about=ref(namespace),
        summary=f"the API server has stored nothing for {silent}: {why}; no lease is renewed, although"
        f" {counted(len(ready), 'node')} {'is' if len(ready) == 1 else 'are'} called Ready",
        evidence=(
            quote(newest, _RENEWED, "the newest of all nodes: each renews its own every 10 seconds"),
            *(said.evidence if said is not None else ()),
        ),
        confidence=Confidence.CERTAIN if said is not None else Confidence.LIKELY,
        because_of=said.because_of if said is not None else (),
        fixes=(Fix(_FIXES[said.trouble] if said is not None else _OTHERWISE),),
        commands=(
            Command("kubectl get --raw='/readyz?verbose'", "what the API server itself reports, etcd included"),
            Command("kubectl get pods -n kube-system -l component=etcd -o wide", "the members of etcd"),
        ),
    )


_WORDS = {
    StoreTrouble.NO_SPACE: "the database of etcd has reached its quota (NOSPACE)",
    StoreTrouble.CORRUPT: "the data of a member of etcd is damaged (CORRUPT)",
    StoreTrouble.NO_LEADER: "etcd has no leader",
    StoreTrouble.DISK: "the disk of etcd is full",
}
_FIXES = {
    StoreTrouble.NO_SPACE: "On a machine of the control plane, compact and defragment etcd, then disarm the alarm: `etcdctl"
    " compact`, `etcdctl defrag --cluster`, `etcdctl alarm disarm`",
    StoreTrouble.NO_LEADER: "Bring back members of etcd until more than half are up",
    StoreTrouble.DISK: "Free the disk of etcd, or give it a larger and faster one",
    StoreTrouble.CORRUPT: "Stop the member of etcd whose data is damaged, remove it, and add it again; or restore a snapshot",
}
_OTHERWISE = "On a machine of the control plane, look at etcd: `etcdctl endpoint status --cluster -w table`, `etcdctl alarm list`"


class _Said(NamedTuple):
    trouble: StoreTrouble
    evidence: tuple[Evidence, ...]
    because_of: tuple[Ref, ...]


def _renewed(lease: Lease) -> datetime:
    assert lease.spec.renew_time is not None
    return lease.spec.renew_time


def _is_ready(node: Node) -> bool:
    stated = condition(node.status.conditions, "Ready")
    return stated is not None and stated.status == "True"


def _a_leader_works(cluster: Cluster) -> bool:
    for name in COMPONENTS:
        lease = cluster.maybe.get(Lease, NAMESPACE, name)
        if lease is not None and lease.spec.renew_time is not None:
            return cluster.taken_at - lease.spec.renew_time <= PATIENCE
    return False


def _said(cluster: Cluster) -> _Said | None:
    """What a component of the control plane logs about the store, where its pod is visible."""
    for component in _WRITERS:
        for pod in static_pods(component, cluster):
            for container in pod.spec.containers[:1]:
                tail = cluster.log_tail(pod, container.name)
                if tail is not None and (found := _in_the_log(pod, tail)) is not None:
                    return found
    return None


def _in_the_log(pod: Pod, tail: LogTail) -> _Said | None:
    for index in range(len(tail.lines) - 1, -1, -1):
        trouble = store_trouble(tail.lines[index])
        if trouble is not None:
            return _Said(trouble, (quote_line(tail, index, "what the component logs"),), (ref(pod),))
    return None
