"""The oracle's mode `reach`: which connections network policies allow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from kubedoctor.cluster.kinds.core import Namespace, Node
from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.network import ADMIN_KINDS, Party, PolicySet, Side
from kubedoctor.replay.network.parties import parse_address
from kubedoctor.testing.asked import Answer, BadRequest, State

_FAMILIES = {"": 0, "IPv4": 4, "IPv6": 6}


class _Surroundings:
    """The namespaces, nodes, pods and policies among objects."""

    def __init__(self, state: State) -> None:
        self._namespaces = {space.name: space.labels for space in state.of(Namespace)}
        self._pods = {f"{pod.namespace or 'default'}/{pod.name}": pod for pod in state.of(Pod)}
        admin = [policy for kind in ADMIN_KINDS for policy in state.of(kind)]
        self.policies = PolicySet((_in_namespace(row) for row in state.of(NetworkPolicy)), admin, state.of(Node))

    def party(self, name: str, family: str) -> Party:
        """A pod by `namespace/name`, or an address outside; raises BadRequest."""
        if (pod := self._pods.get(name)) is not None:
            return Party.of_pod(_in_namespace(pod), self._namespaces.get(pod.namespace), _FAMILIES.get(family, 0))
        if parse_address(name) is None:
            raise BadRequest(f'no pod "{name}"')
        return Party.outside(name)


def answer_reach(request: msgspec.Raw, state: State) -> Answer:
    """The verdict on each flow of a request; objects of the request stand instead of those of the state."""
    data = msgspec.json.decode(request)
    around = _Surroundings(State(data["objects"]) if data.get("objects") is not None else state)
    return {"flows": list(_verdicts(around, data.get("flows") or ()))}


def _verdicts(around: _Surroundings, flows: Iterable[dict[str, Any]]) -> Iterable[Answer]:
    for flow in flows:
        family = flow.get("family") or ""
        source, destination = around.party(flow["src"], family), around.party(flow["dst"], family)
        verdict = around.policies.judge(source, destination, flow["port"], flow["protocol"])
        yield {"allowed": verdict.allowed, "egress": _said(verdict.egress), "ingress": _said(verdict.ingress)}


def _said(side: Side) -> Answer:
    return {"allowed": side.allowed, **({"by": side.tier} if side.tier else {})}


def _in_namespace(obj: Any) -> Any:
    if obj.namespace:
        return obj
    return msgspec.structs.replace(obj, metadata=msgspec.structs.replace(obj.metadata, namespace="default"))
