"""Whether policies let the API server call the pods of a Service: webhooks, extension APIs.

The API server is no pod: its calls come from an address of the control plane, or from the agents of a tunnel
(konnectivity), which are pods.
"""

from __future__ import annotations

from typing import Final

from kubedoctor.answers.reach.connections import (
    AdminDenial,
    Denial,
    Outsider,
    denial,
    denied_to_outsider,
    party_of,
    policies_between,
    targets_behind,
)
from kubedoctor.answers.reach.denials import allowing_fix
from kubedoctor.cluster.kinds.core import Service
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished, ready
from kubedoctor.findings import Fix
from kubedoctor.replay.network import Party
from kubedoctor.replay.network.policies import Block, compile_policy

_TUNNEL: Final = "konnectivity-agent"
_TUNNEL_NAMESPACE: Final = "kube-system"
_NAME_LABELS: Final = ("k8s-app", "app", "app.kubernetes.io/name")
_API_SERVER: Final = "the API server"


def denied_to_api_server(service: Service, port: int, cluster: Cluster) -> Denial | AdminDenial | None:
    """The denial of its calls to a port of the Service; None where an address decides that is not known, or where agents
    may run that were not seen."""
    reached = tuple(targets_behind(service, port, "TCP", cluster))
    if not reached or any(target.pod is None or target.pod.spec.host_network for target in reached):
        return None
    agents = [pod for pod in cluster.maybe.all(Pod, _TUNNEL_NAMESPACE) if _is_agent(pod)]
    if agents:
        caller = next((pod for pod in agents if ready(pod)), None)
        return denial(caller, reached, cluster) if caller is not None and not caller.spec.host_network else None
    if not cluster.has_all(Pod, _TUNNEL_NAMESPACE):
        return None
    found = denied_to_outsider(Outsider(_API_SERVER), Party(), reached, cluster)
    return found if found is not None and not _may_be_in_a_block(found, cluster) else None


def _is_agent(pod: Pod) -> bool:
    return not finished(pod) and any(pod.labels.get(label) == _TUNNEL for label in _NAME_LABELS)


def _may_be_in_a_block(found: Denial, cluster: Cluster) -> bool:
    """Whether a block of addresses may use the port: that of the API server may be in it."""
    there = party_of(found.target, cluster)
    policies = (compile_policy(row) for row in policies_between("", found.target, cluster).values())
    return any(
        rule.ports_at(there).holds(found.target.protocol, found.target.port)
        and any(isinstance(peer, Block) for peer in rule.peers or ())
        for policy in policies
        if policy.selects(there)
        for rule in policy.ingress
    )


def opening_fix(found: Denial | AdminDenial, service: Service, port: int, cluster: Cluster) -> Fix:
    """What lets the API server in, proven by replay."""
    return allowing_fix(found, cluster, lambda after: denied_to_api_server(service, port, after) is None)
