"""Member of etcd is not ready.

## What it means
etcd stores everything that the API server knows. It works while more than half of its members do: of three one may fail, of
five two. With this member gone fewer failures are left until the API server refuses every change.

## Why it happens
- The member crashes: its disk is full or slow, its data is damaged, its certificate has expired.
- Its machine is down or cannot reach the other members.

## How to fix it
1. Read the log of the member's pod, and check the disk of its node.
2. Ask another member: `etcdctl endpoint status --cluster -w table` and `etcdctl alarm list` show leader, size and alarms.
3. If its data is lost: remove the member and add it again, one at a time.

## References
- https://kubernetes.io/docs/tasks/administer-cluster/configure-upgrade-etcd/
- https://etcd.io/docs/latest/op-guide/failures/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from kubedoctor.cluster import Cluster, Pod, Ref, condition, counted, human_duration, not_ready, quote, ready, ref
from kubedoctor.findings import (
    Confidence,
    Finding,
    Fix,
    Severity,
    diagnostic,
    look_at_log,
    look_at_pod,
)

NAMESPACE, LABEL, ETCD = "kube-system", "component", "etcd"
PATIENCE = timedelta(minutes=2)
_READY = "status.conditions[type=Ready].status"


@diagnostic(
    code="KD4104",
    subject=Pod,
    severity=Severity.WARNING,
    reads=(Pod,),
    when=not_ready,
    symptoms=("etcd", "quorum", "etcdserver: no leader"),
)
def etcd_member_down(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    stated = condition(pod.status.conditions, "Ready")
    if pod.namespace != NAMESPACE or pod.labels.get(LABEL) != ETCD or not not_ready(pod) or not pod.spec.containers:
        return  # No pod of etcd, as kubeadm labels it, or a pod that is ready.
    if stated is None or stated.last_transition_time is None:
        return
    since = cluster.taken_at - stated.last_transition_time
    members = [one for one in cluster.labelled(Pod, NAMESPACE, f"{LABEL}={ETCD}") if isinstance(one, Pod)]
    if len(members) < 2 or since < PATIENCE:
        return
    container = pod.spec.containers[0].name
    at_work = sum(map(ready, members))
    spare = at_work - (len(members) // 2 + 1)
    left = f"{counted(spare, 'more failure')} can be tolerated" if spare > 0 else "no further failure can be tolerated"
    yield Finding(
        about=ref(pod),
        summary=f"member {pod.name} of etcd is not ready for {human_duration(since)}: {at_work} of {len(members)} members"
        f" are, and {left if spare >= 0 else 'more than half must be'}",
        evidence=(
            quote(pod, _READY, stated.reason),
            quote(pod, f"metadata.labels[{LABEL}]", f"{len(members)} pods have it"),
        ),
        confidence=Confidence.CERTAIN,
        because_of=(ref(pod), *((Ref("Node", "", pod.spec.node_name),) if pod.spec.node_name else ())),
        fixes=(Fix(f"Repair the pod on {pod.spec.node_name or 'its node'} before another member fails"),),
        commands=(
            look_at_log(pod, container, previous=_waits_for_its_restart(pod, container), why="what the member reports"),
            look_at_pod(pod, "its state and events"),
        ),
    )


def _waits_for_its_restart(pod: Pod, container: str) -> bool:
    """While it waits in CrashLoopBackOff, what ended it is in the log of the run before."""
    for status in pod.status.container_statuses or ():
        if status.name == container:
            return status.state is not None and status.state.waiting is not None and status.restart_count > 0
    return False
