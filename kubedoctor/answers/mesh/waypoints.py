"""Waypoints: for whom one works, and whether those that a workload is to pass exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from kubedoctor.answers.mesh.edge import gateway_of
from kubedoctor.answers.mesh.sight import MeshSight
from kubedoctor.answers.sheet import Fact
from kubedoctor.cluster.grammar.nearest import misspellings
from kubedoctor.cluster.grammar.text import counted, listed
from kubedoctor.cluster.kinds.core import Namespace, Service
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.services import services_selecting
from kubedoctor.replay.gateway.attachment import GATEWAY
from kubedoctor.replay.gateway.attachment import GROUP as GATEWAY_API
from kubedoctor.replay.mesh.roles import WAYPOINT_CLASS, gateway_name, is_waypoint

USE: Final = "istio.io/use-waypoint"
USE_OF: Final = "istio.io/use-waypoint-namespace"
_NONE: Final = "none"
_MOST: Final = 4


def waypoints_of(sight: MeshSight) -> dict[Ref, Ref]:
    """The waypoints that requests to the workload pass, by who names them: the pod, its Services, else its Namespace."""
    own = [sight.pod, *services_selecting(sight.pod, sight.cluster)]
    found = {ref(one): named for one in own if (named := _named(one.labels, one.namespace)) is not None}
    space = sight.namespace
    of_space = _named(space.labels, space.name) if space is not None else None
    if space is not None and of_space is not None and any(USE not in one.labels for one in own):
        found[ref(space)] = of_space
    return found


def waypoint_troubles(sight: MeshSight) -> Iterator[str]:
    """Of those that do not exist or are none."""
    for waypoint in dict.fromkeys(waypoints_of(sight).values()):
        gateway = sight.cluster.get_ref(waypoint)
        title = f"Gateway {waypoint.namespace}/{waypoint.name}"
        if isinstance(gateway, CustomResource) and not is_waypoint(gateway):
            stated = (gateway.spec or {}).get("gatewayClassName")
            yield f"its waypoint {title} is none: its class is {stated}, not {WAYPOINT_CLASS}"
        elif gateway is None and not any(gap.kind == GATEWAY for gap in sight.source.gaps):
            mine = [one.name for one in sight.custom("Gateway", GATEWAY_API) if one.namespace == waypoint.namespace]
            near = misspellings(waypoint.name, mine, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            yield f"its waypoint {title} does not exist: rules of HTTP (paths, methods, routes) have no effect{hint}"


def _named(labels: Mapping[str, str], namespace: str) -> Ref | None:
    name = labels.get(USE, "")
    return Ref(GATEWAY, labels.get(USE_OF) or namespace, name) if name not in ("", _NONE) else None


def waypoint_facts(sight: MeshSight) -> Iterator[Fact]:
    """The Gateway of a waypoint, and who names it."""
    gateway = gateway_of(sight)
    name, own = gateway_name(sight.pod), sight.pod.namespace
    if gateway is None:
        yield Fact("gateway", f"Gateway {own}/{name} was not found")
        return
    served = gateway.metadata.labels or {}
    yield Fact("gateway", f"{ref(gateway).title}, for {served.get('istio.io/waypoint-for', 'service')}")
    spaces = [space.name for space in sight.cluster.all(Namespace) if _names(space.labels, space.name, own, name)]
    services = [
        f"{one.namespace}/{one.name}"
        for one in sight.cluster.all(Service)
        if _names(one.labels, one.namespace, own, name)
    ]
    said = [f"{'Namespace' if len(spaces) == 1 else 'Namespaces'} {listed(spaces, _MOST)}"] if spaces else []
    said += [f"{counted(len(services), 'Service')} {listed(services, _MOST)}"] if services else []
    yield Fact("serves", " and ".join(said) or f"none: no Namespace and no Service has label {USE}={name}")


def _names(labels: dict[str, str], namespace: str, own: str, name: str) -> bool:
    return labels.get(USE) == name and labels.get(USE_OF, namespace) == own
