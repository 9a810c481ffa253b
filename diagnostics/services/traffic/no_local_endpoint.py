"""Traffic policy Local leaves clients without an endpoint.

## What it means
With `internalTrafficPolicy: Local` a pod only reaches endpoints on its own node, with `externalTrafficPolicy: Local` a
client from outside only those on the node that it entered by. Where such a node has no ready endpoint, kube-proxy drops the
connection: it times out, although the Service has ready endpoints elsewhere.

## Why it happens
- The policy was set for a DaemonSet, and its pod is missing on one node, or the workload is a Deployment.
- The load balancer does not use the nodes where the pods run: they have the label
  `node.kubernetes.io/exclude-from-external-load-balancers`, as control plane nodes have.
- The endpoints were written by hand and name no node.

## How to fix it
1. If each node should have a pod, find out why one has none.
2. Else set the policy to `Cluster`. For clients from outside this hides their address from the program.

## References
- https://kubernetes.io/docs/concepts/services-networking/service-traffic-policy/
- https://kubernetes.io/docs/tasks/access-application-cluster/create-external-load-balancer/#preserving-the-client-source-ip
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from diagnostics.services._triage import is_load_balancer, is_local
from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster import Cluster, EndpointSlice, Node, Pod, Service, condition, counted, listed, ready_endpoints
from kubedoctor.cluster.changes import put
from kubedoctor.findings import (
    Command,
    Confidence,
    Evidence,
    Explains,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
    kubectl,
    quote,
    quote_line,
    ref,
)
from kubedoctor.replay.services.proxy import Fate, ProxyClient, ServiceProxy, cluster_ips
from kubedoctor.replay.services.refusals import lost_by

_LOCAL: Final = "Local"
_EXCLUDED: Final = "node.kubernetes.io/exclude-from-external-load-balancers"
_SHOWN: Final = 3
_IP_TARGETS: Final = (
    ("service.beta.kubernetes.io/aws-load-balancer-nlb-target-type", "ip"),
    ("service.beta.kubernetes.io/aws-load-balancer-type", "nlb-ip"),
    ("service.beta.kubernetes.io/backend-type", "eni"),
    ("service.cloud.tencent.com/direct-access", "true"),
)
"""Annotations by which AWS, Alibaba Cloud and Tencent Cloud send to the addresses of pods, past the nodes."""
_INTERNAL, _EXTERNAL = "internalTrafficPolicy", "externalTrafficPolicy"


@diagnostic(
    code="KD2010",
    subject=Service,
    severity=Severity.CRITICAL,
    reads=(Service, EndpointSlice, Node, Pod),
    when=is_local,
    explains=(Explains("affects", ("KD1003", "KD1012", "KD1013", "KD1014", "KD1016", "KD1029")),),
    symptoms=(_INTERNAL, _EXTERNAL, "timed out", "i/o timeout"),
)
def no_local_endpoint(service: Service, cluster: Cluster) -> Iterator[Finding]:
    serving = ready_endpoints(service, cluster.maybe)
    if not serving:
        return  # Other diagnostics tell why.
    nodes = {row.node_name for row in serving if row.node_name}
    if service.spec.internal_traffic_policy == _LOCAL and not service.spec.is_headless:
        yield from _inside(service, nodes, cluster)
    if service.spec.external_traffic_policy == _LOCAL and is_load_balancer(service):
        yield from _outside(service, nodes, cluster)


def _inside(service: Service, nodes: set[str], cluster: Cluster) -> Iterator[Finding]:
    """Only where a client's log tells of it: most Services of this kind are meant for the nodes that have a pod."""
    for port in service.spec.ports or ():
        lost = lost_by(service, port, nodes, cluster)
        if lost is None or not _drops(service, port.port, port.protocol, lost.pod.spec.node_name, cluster):
            continue
        node = lost.pod.spec.node_name
        yield Finding(
            about=ref(service),
            aspect=_INTERNAL,
            summary=f"no ready endpoint on node {node}, and {_INTERNAL} is Local: connections of {ref(lost.pod).title}"
            f" to port {port.port} are dropped",
            confidence=Confidence.CERTAIN,
            evidence=(
                quote(
                    service, f"spec.{_INTERNAL}", f"only endpoints on the client's node; they are on {_named(nodes)}"
                ),
                quote(lost.pod, "spec.nodeName", "node of the client"),
                quote_line(lost.tail, lost.index, "log of the client"),
            ),
            affects=(ref(lost.pod),),
            fixes=(_fix(service, port.port, port.protocol, node, cluster),),
            commands=(_endpoints(service),),
        )
        return


def _drops(service: Service, port: int, protocol: str, node: str, cluster: Cluster) -> bool:
    """Whether kube-proxy on the node drops connections of its pods to the Service."""
    slices = cluster.maybe.slices_of(service.namespace, service.name)
    proxy = ServiceProxy([service], slices, cluster.maybe.get(Node, "", node))
    address = next(iter(cluster_ips(service)), "")
    return proxy.connect(address, port, protocol or "TCP", ProxyClient()).fate is Fate.DROPPED


def _fix(service: Service, port: int, protocol: str, node: str, cluster: Cluster) -> Fix:
    change = put(ref(service), ("spec", _INTERNAL), "Cluster")

    def holds(after: Cluster) -> bool:
        changed = after.get(Service, service.namespace, service.name)
        return changed is not None and not _drops(changed, port, protocol, node, after)

    fix = Fix(f"Set {_INTERNAL} to Cluster", command_line(change, service))
    return proven(fix, prove(change, cluster, holds))


def _outside(service: Service, nodes: set[str], cluster: Cluster) -> Iterator[Finding]:
    """No node that a load balancer may use has an endpoint."""
    if any(service.annotations.get(name) == value for name, value in _IP_TARGETS):
        return
    seen = {node.name: node for node in cluster.maybe.all(Node)}
    entered = {row.ip for row in service.status.load_balancer.ingress or () if row.ip}
    usable = [node for node in seen.values() if _EXCLUDED not in node.labels or _has_one(node, entered)]
    if any(node.name in nodes for node in usable) or not nodes <= set(seen):
        return
    usable = [node for node in usable if _is_ready(node)]
    if not usable:
        return
    evidence: list[Evidence] = [
        quote(service, f"spec.{_EXTERNAL}", "only endpoints on the node that a client enters by")
    ]
    if nodes:
        excluded = seen[min(nodes)]
        evidence.append(
            quote(excluded, f"metadata.labels[{_EXCLUDED}]", "load balancers leave this node out")
            if excluded.labels[_EXCLUDED]
            else quote(excluded, "metadata.name", f"has label {_EXCLUDED}")
        )
        why = f"its endpoints are on {_named(nodes)}, which load balancers leave out"
    else:
        why = "its endpoints name no node"
    change = put(ref(service), ("spec", _EXTERNAL), "Cluster")
    yield Finding(
        about=ref(service),
        aspect=_EXTERNAL,
        summary=f"no node that a load balancer uses has an endpoint, and {_EXTERNAL} is Local: {why}",
        severity=Severity.WARNING,
        confidence=Confidence.LIKELY,
        evidence=tuple(evidence),
        would_disprove="the controller of the load balancer uses every node",
        fixes=(
            Fix(
                f"Let pods of the Service run on {counted(len(usable), 'other node')} ({listed(sorted(node.name for node in usable), _SHOWN)})"
            ),
            Fix(
                f"Or set {_EXTERNAL} to Cluster (the program then does not see the client's address)",
                command_line(change, service),
            ),
        ),
        commands=(_endpoints(service),),
    )


def _is_ready(node: Node) -> bool:
    stated = condition(node.status.conditions, "Ready")
    return stated is not None and stated.status == "True"


def _has_one(node: Node, addresses: set[str]) -> bool:
    """Whether clients enter by an address of the node itself, as with ServiceLB of k3s."""
    return any(row.address in addresses for row in node.status.addresses or ())


def _named(nodes: set[str]) -> str:
    text = listed(sorted(nodes), _SHOWN)
    return f"node {text}" if len(nodes) == 1 else f"nodes {text}" if nodes else "no node"


def _endpoints(service: Service) -> Command:
    label = f"kubernetes.io/service-name={service.name}"
    line = kubectl("get", "endpointslices", "-l", label, "-o", "yaml", namespace=service.namespace)
    return Command(line, "the nodes of its endpoints")
