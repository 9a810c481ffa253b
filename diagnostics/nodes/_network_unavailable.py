"""Why the network of a node is unavailable: no route in the cloud, no range of addresses, or its network plugin."""

from __future__ import annotations

from typing import NamedTuple

from diagnostics.nodes._events import recent_events
from diagnostics.nodes._network_plugin import network_plugin
from kubedoctor.cluster import Cluster, Condition, Evidence, Node, has_path, quote, ref, times, visible_end
from kubedoctor.findings import Fix, Ref

_BY_THE_CLOUD = "NoRouteCreated"
"""The reason that the route controller of a cloud writes (`k8s.io/cloud-provider/controllers/route`, v1.37); a network
plugin writes its own."""
_ROUTE_FAILED = "FailedToCreateRoute"
_RANGE = "spec.podCIDR"
LONGEST_MESSAGE = 240


class NetworkUnavailable(NamedTuple):
    """summary: a clause."""

    summary: str
    fixes: tuple[Fix, ...]
    evidence: tuple[Evidence, ...] = ()
    because_of: tuple[Ref, ...] = ()


def network_unavailable(node: Node, stated: Condition, cluster: Cluster) -> NetworkUnavailable:
    """What the events of the node and the pods of the network plugin tell."""
    if stated.reason == _BY_THE_CLOUD and not (node.spec.pod_cidr or node.spec.pod_cidrs):
        fix = Fix(
            "Find out why the node has no range of pod addresses: without one there is nothing to make a route for"
        )
        return NetworkUnavailable("no route leads to its pods, because it has no podCIDR", (fix,), (), (ref(node),))
    failures = [event for event in recent_events(node, cluster, _ROUTE_FAILED) if has_path(event, "message")]
    if failures:
        message = visible_end(failures[0].message, LONGEST_MESSAGE).rstrip(". ")
        return NetworkUnavailable(
            f"the cloud's controller cannot create the route to its pods: {message}",
            (Fix("Fix what the message names: a limit of routes, a right of the controller, or the route table"),),
            (quote(failures[0], "message", f"{_ROUTE_FAILED}, seen {times(failures[0].times)}"),),
        )
    if stated.reason == _BY_THE_CLOUD:
        evidence = (quote(node, _RANGE, "what the route must lead to"),) if has_path(node, _RANGE) else ()
        fix = Fix(
            "Look at the log of the cloud-controller-manager, and at the limit of routes in the cloud's route table"
        )
        return NetworkUnavailable("the cloud's controller has created no route to its pods", (fix,), evidence)
    plugin = network_plugin(node, cluster)
    blamed = (ref(plugin.suspect),) if plugin.suspect is not None else ()
    clause = f"; {plugin.summary}" if plugin.summary else ""
    return NetworkUnavailable(f"the node's network is not set up{clause}", plugin.fixes, plugin.evidence, blamed)
