"""Node has no range of pod addresses (CIDRNotAvailable).

## What it means
kube-controller-manager, or the cloud's controller, gives each node a part of the cluster's pod range (`spec.podCIDR`). This
node has none, so a network plugin that uses it (flannel, kubenet, the bridge plug-in, cloud routes) cannot give addresses to
pods: the node stays NotReady, or its pods stay in ContainerCreating.

A plugin that gives out addresses itself (Cilium, Calico, those of the clouds) does not need the range: where the node is
Ready, this is only a notice, and where the pods of other nodes have no address of their nodes' ranges, nothing is said.

## Why it happens
- The cluster's range is used up: `--cluster-cidr` has room for no more parts of `--node-cidr-mask-size`.
- kube-controller-manager runs without `--allocate-node-cidrs`, or is down.
- The ranges of nodes that were deleted are not yet free.

## How to fix it
1. Compare: `kubectl get nodes -o custom-columns=NAME:.metadata.name,RANGE:.spec.podCIDR`, and the flags of
   kube-controller-manager.
2. Delete nodes that are not needed, or give kube-controller-manager a larger `--cluster-cidr`, or a larger
   `--node-cidr-mask-size` for new nodes.

## References
- https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/
- https://kubernetes.io/docs/concepts/cluster-administration/networking/
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from datetime import timedelta

from diagnostics.nodes._events import recent_events
from diagnostics.nodes._stated import stated
from kubedoctor.cluster import (
    Cluster,
    Event,
    Evidence,
    Node,
    Pod,
    condition,
    counted,
    flag_of,
    has_path,
    quote,
    ref,
    static_pods,
    times,
)
from kubedoctor.findings import Command, Confidence, Explains, Finding, Fix, Severity, diagnostic, kubectl
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.network.overlaps import unused_ranges
from kubedoctor.replay.network.pod_ranges import PodRanges, pod_ranges

EVENT = "CIDRNotAvailable"
JOINING = timedelta(minutes=2)
_SEEN = 3
"""Other nodes whose pods are looked at: one network plugin serves all nodes."""
_CONTROLLERS = "kube-controller-manager"
_NO_ROUTE = ("NoRouteCreated", "FailedToCreateRoute")
"""What the cloud's route controller says: it has no range to make a route to."""
_OF_THE_NETWORK = (MessageClass.NODE_NETWORK_NOT_READY, MessageClass.NODE_NETWORK_ROUTE)
_UNNEEDED = (
    "The node is Ready: a network plugin that gives out addresses itself (Cilium, Calico) does not need the range."
)


def without_range(node: Node) -> bool:
    """It has no part of the pod range, as is usual where the network plugin gives out addresses itself."""
    return not node.spec.pod_cidr and not node.spec.pod_cidrs


@diagnostic(
    code="KD4011",
    subject=Node,
    severity=Severity.CRITICAL,
    reads=(Node, Event, Pod),
    when=without_range,
    explains=(Explains("same", ("KD1023", "KD4001")), Explains("blamed", ("KD1023", "KD4002"))),
    also_known_as=("podCIDR not assigned",),
    symptoms=(EVENT, "pod cidr not assigned", "podCIDR", "cni plugin not initialized"),
)
def no_pod_range(node: Node, cluster: Cluster) -> Iterator[Finding]:
    created = node.metadata.creation_timestamp
    if not without_range(node) or node.metadata.deletion_timestamp is not None:
        return
    events = [event for event in recent_events(node, cluster, EVENT) if has_path(event, "message")]
    joins = created is not None and cluster.taken_at - created < JOINING
    network = _network(node)
    down = network in (_Network.DOWN, _Network.NO_ROUTE)
    if network is _Network.OTHER or (not down and not events) or (joins and not events):
        return
    others = [other for other in cluster.maybe.all(Node) if other.spec.pod_cidr or other.spec.pod_cidrs]
    if not events and not others:
        return
    if network in (_Network.DOWN, _Network.UNKNOWN) and _is_unneeded(others, cluster):
        return
    flags, evidence = _cluster_range(cluster)
    ranges = pod_ranges(others, flags)
    full = next((one for one in ranges if one.exhausted), None)
    none_left = "kube-controller-manager has none left; " if events else ""
    have = f"{none_left}{counted(len(others), 'other node')} {'has' if len(others) == 1 else 'have'} one"
    yield Finding(
        about=ref(node),
        summary=f"it has no range of pod addresses (spec.podCIDR): {_used_up(full) if full is not None else have}",
        evidence=(
            *(quote(event, "message", f"{EVENT}, seen {times(event.times)}") for event in events[:1]),
            *(evidence if full is not None else ()),
            *(quote(other, "spec.podCIDR", "the range of another node") for other in others[:1] if other.spec.pod_cidr),
        ),
        severity=Severity.NOTICE if network is _Network.UP else None,
        detail=_UNNEEDED if network is _Network.UP else "",
        confidence=Confidence.CERTAIN if events or full is not None else Confidence.LIKELY,
        fixes=(Fix(_fix(used_up=full is not None or bool(events))),),
        commands=(
            Command(
                "kubectl get nodes -o custom-columns=NAME:.metadata.name,RANGE:.spec.podCIDR", "the range of each node"
            ),
            Command(kubectl("describe", "node", node.name), "its conditions and events"),
        ),
    )


class _Network(enum.Enum):
    """NO_ROUTE: the cloud makes none. UNKNOWN: the node is not Ready, for a reason of no known kind. OTHER: for a reason that
    is not its network."""

    UP = enum.auto()
    DOWN = enum.auto()
    NO_ROUTE = enum.auto()
    UNKNOWN = enum.auto()
    OTHER = enum.auto()


def _network(node: Node) -> _Network:
    ready, unavailable = (condition(node.status.conditions, kind) for kind in ("Ready", "NetworkUnavailable"))
    if unavailable is not None and unavailable.status == "True" and unavailable.reason in _NO_ROUTE:
        return _Network.NO_ROUTE
    if ready is None or ready.status == "True":
        return _Network.UP if ready is not None else _Network.UNKNOWN
    kind = stated(node, ready).kind
    if kind in _OF_THE_NETWORK:
        return _Network.DOWN
    return _Network.UNKNOWN if kind is None else _Network.OTHER


def _is_unneeded(others: list[Node], cluster: Cluster) -> bool:
    """The network plugin gives out addresses itself: pods of other nodes have none of their nodes' ranges."""
    seen = others[:_SEEN]
    return unused_ranges(seen, [pod for other in seen for pod in cluster.maybe.pods_on(other.name)])


def _cluster_range(cluster: Cluster) -> tuple[str, tuple[Evidence, ...]]:
    """`--cluster-cidr` of kube-controller-manager, where its pod is visible."""
    for pod in static_pods(_CONTROLLERS, cluster):
        if (flag := flag_of(pod, "cluster-cidr")) is not None:
            return flag.value, (quote(pod, flag.path, f"--cluster-cidr={flag.value}"),)
    return "", ()


def _used_up(ranges: PodRanges) -> str:
    return f"all {ranges.room} ranges of /{ranges.size} in the cluster's {ranges.whole} are used"


def _fix(*, used_up: bool) -> str:
    if used_up:
        return (
            "Delete nodes that are not needed, so that their ranges become free, or give kube-controller-manager another"
            " --cluster-cidr beside this one"
        )
    return (
        "Check that kube-controller-manager runs with --allocate-node-cidrs, and that its --cluster-cidr has room left"
    )
