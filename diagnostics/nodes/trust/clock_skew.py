"""Clock of a node is wrong.

## What it means
The kubelet writes the time of its own clock into the node's lease every 10 seconds. That time differs from the API server's
by minutes. Nothing else shows it, but much depends on it: certificates and tokens look expired or not yet valid from this
node only, sign-ins to clouds are refused, logs and events of the node have wrong times, and databases and etcd complain.

## Why it happens
- No time service runs on the machine (chrony, ntpd, systemd-timesyncd), or it cannot reach its servers.
- A virtual machine was suspended, or was restored from a snapshot.

## How to fix it
1. On the node: `timedatectl`, `chronyc tracking`; start the time service, and let it step the clock.
2. Restart the kubelet and the pods that hold tokens or connections with wrong times.

## References
- https://kubernetes.io/docs/concepts/architecture/leases/#node-heart-beats
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import median

from kubedoctor.cluster import Cluster, Lease, Node, condition, human_duration, quote, ref
from kubedoctor.findings import Command, Confidence, Explains, Finding, Fix, Severity, diagnostic, kubectl

WRONG = timedelta(minutes=1)
"""Less is the way from one clock to the other, or the time until the next renewal."""
SILENT = timedelta(minutes=2)
"""The control plane calls a node lost after 50 seconds without a renewal: one that is still Ready does renew."""
_FRESH = timedelta(seconds=40)
_OF_NODES, _OF_THE_SYSTEM = "kube-node-lease", "kube-system"
_CONTROLLERS = "kube-controller-manager"
_RENEWED = "spec.renewTime"


def of_a_node(lease: Lease) -> bool:
    """A kubelet renews it."""
    return lease.namespace == _OF_NODES and lease.spec.renew_time is not None


@diagnostic(
    code="KD4012",
    subject=Lease,
    severity=Severity.WARNING,
    reads=(Lease, Node),
    when=of_a_node,
    explains=(Explains("blamed", ("KD1003", "KD1204")),),
    also_known_as=("clock drift", "NTP"),
    symptoms=("certificate has expired or is not yet valid", "clock skew", "renewTime", "token used before issued"),
)
def clock_skew(lease: Lease, cluster: Cluster) -> Iterator[Finding]:
    renewed = lease.spec.renew_time
    if renewed is None or -SILENT <= renewed - cluster.taken_at <= WRONG:
        return
    node = cluster.maybe.get(Node, "", lease.name)
    if node is None or not _is_ready(node) or not _others_agree(lease, cluster):
        return  # Lost, or what was seen is older than its time says.
    skew = renewed - cluster.taken_at
    ahead = skew > timedelta()
    if not ahead and not (_is_watched(cluster) and _its_status_agrees(node, renewed)):
        return
    yield Finding(
        about=ref(node),
        summary=f"its clock is {human_duration(abs(skew))} {'ahead of' if ahead else 'behind'} the API server's:"
        " certificates and tokens may look expired or not yet valid there",
        evidence=(
            quote(
                lease,
                _RENEWED,
                f"the API server's time was {cluster.taken_at:%Y-%m-%d %H:%M:%S} UTC"
                if ahead
                else "renewed every 10 seconds, or it would not be Ready any more",
            ),
        ),
        confidence=_confidence(node, ahead=ahead),
        would_disprove=""
        if ahead or _beat(node) is not None
        else "Another lease of the same node, or the Ready condition's lastHeartbeatTime, has the API server's time.",
        fixes=(Fix("Start the time service on the node (chrony, systemd-timesyncd), and let it correct the clock"),),
        commands=(
            Command(
                kubectl("get", "lease", node.name, "-o", "jsonpath={.spec.renewTime}", namespace=_OF_NODES),
                "the node's clock; compare it with `date -u`",
            ),
            Command(kubectl("describe", "node", node.name), "its conditions and events"),
        ),
    )


def _is_ready(node: Node) -> bool:
    """What is not ready has other reasons for a lease that is old."""
    stated = condition(node.status.conditions, "Ready")
    return stated is not None and stated.status == "True"


def _confidence(node: Node, *, ahead: bool) -> Confidence:
    """Only the lease tells it where no heartbeat was recorded."""
    if ahead:
        return Confidence.CERTAIN
    return Confidence.LIKELY if _beat(node) is not None else Confidence.POSSIBLE


def _its_status_agrees(node: Node, renewed: datetime) -> bool:
    """The same clock writes the time of its conditions, at most as often as it renews the lease. One that is later than
    the lease belongs to a kubelet that has left its lease, or never had one."""
    beat = _beat(node)
    return beat is None or beat - renewed <= WRONG


def _beat(node: Node) -> datetime | None:
    stated = condition(node.status.conditions, "Ready")
    return stated.last_heartbeat_time if stated is not None else None


def _others_agree(lease: Lease, cluster: Cluster) -> bool:
    """Most other nodes have the API server's time."""
    times = [other.spec.renew_time for other in cluster.maybe.all(Lease, _OF_NODES) if other.name != lease.name]
    apart = [(time - cluster.taken_at).total_seconds() for time in times if time is not None]
    return bool(apart) and abs(median(apart)) <= _FRESH.total_seconds()


def _is_watched(cluster: Cluster) -> bool:
    """The controllers work that would have called the node lost."""
    lease = cluster.maybe.get(Lease, _OF_THE_SYSTEM, _CONTROLLERS)
    renewed = lease.spec.renew_time if lease is not None else None
    return renewed is not None and abs(cluster.taken_at - renewed) <= _FRESH
