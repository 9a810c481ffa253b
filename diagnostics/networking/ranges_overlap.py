"""Ranges of pods, Services and nodes overlap.

## What it means
Pods, Services and nodes need ranges of addresses that have nothing in common. An address that is in two of them leads to
one of the two only: the routes and rules of each node decide which. Some connections time out, others reach the wrong
program, and which ones changes with each new pod or Service.

## Why it happens
- The pod range (`--cluster-cidr`, `podSubnet`, a pool of Calico) is a part of the network that the machines are in.
- The Service range (`--service-cluster-ip-range`, `serviceSubnet`, a ServiceCIDR) is a part of the pod range, or of the
  network of the machines.
- Two nodes have the same `spec.podCIDR`: it was set by hand or restored from a backup, or two controllers give out ranges.

## How to fix it
1. Compare: `kubectl get nodes -o 'custom-columns=NAME:.metadata.name,RANGE:.spec.podCIDR,ADDRESS:.status.addresses[0].address'`
   and `kubectl get servicecidrs`.
2. Services can be moved to another range with a second ServiceCIDR (Kubernetes 1.33). The range of pods belongs to the
   cluster: move the nodes to another network, or build the cluster with another range.

## References
- https://kubernetes.io/docs/concepts/cluster-administration/networking/
- https://kubernetes.io/docs/tasks/network/extend-service-ip-ranges/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from diagnostics.control_plane._triage import of_the_control_plane
from kubedoctor.cluster import (
    Cluster,
    Namespace,
    Node,
    Pod,
    Service,
    ServiceCIDR,
    counted,
    flag_of,
    listed,
    quote,
    ref,
    static_pods,
)
from kubedoctor.findings import Command, Confidence, Evidence, Finding, Fix, Severity, diagnostic
from kubedoctor.replay.network.overlaps import (
    Network,
    NodeRange,
    OwnAddress,
    addresses_of,
    network_of,
    node_addresses,
    nodes_in_pods,
    path_of_address,
    pods_in,
    ranges_in_use,
    services_in,
    shared_ranges,
)

_MOST: Final = 3
_NOT_MACHINES: Final = ("type", "liqo.io/type", "vcluster.loft.sh/fake-node")
"""Labels of nodes that stand for something else than a machine: their address is that of a pod or of a Service."""
_COMPARE: Final = Command(
    "kubectl get nodes -o 'custom-columns=NAME:.metadata.name,RANGE:.spec.podCIDR,ADDRESS:.status.addresses[0].address'",
    "the ranges and addresses of all nodes",
)
_RANGES: Final = Command("kubectl get servicecidrs", "the ranges of Services")


class _ServiceRange(NamedTuple):
    network: Network
    evidence: Evidence


@diagnostic(
    code="KD2204",
    subject=Namespace,
    severity=Severity.WARNING,
    reads=(Namespace, Node, Pod, Service, ServiceCIDR),
    when=of_the_control_plane,
    also_known_as=("address ranges overlap", "CIDR overlap"),
    symptoms=("podCIDR", "no route to host", "i/o timeout", "service-cluster-ip-range"),
)
def ranges_overlap(namespace: Namespace, cluster: Cluster) -> Iterator[Finding]:
    """Only where all pods and nodes have been read anyway."""
    if not (cluster.has_all(Pod, "") and cluster.has_all(Node, "")):
        return
    nodes = cluster.maybe.all(Node)
    pods, services = cluster.maybe.all(Pod), cluster.maybe.all(Service)
    own = {text for pod in pods if not pod.spec.host_network for text in addresses_of(pod)}
    ranges = ranges_in_use(nodes, pods)
    addresses = tuple(one for one in node_addresses(nodes) if _is_machine(one.node) and str(one.address) not in own)
    yield from _of_two_nodes(ranges)
    yield from _of_nodes_and_pods(addresses, ranges)
    service_ranges = _service_ranges(cluster)
    yield from _of_services_and_pods(service_ranges, ranges, pods, services)
    yield from _of_services_and_nodes(service_ranges, addresses, services)


def _is_machine(node: Node) -> bool:
    type_, liqo, fake = (node.labels.get(key, "") for key in _NOT_MACHINES)
    return type_ != "virtual-kubelet" and not liqo and not fake


def _service_ranges(cluster: Cluster) -> tuple[_ServiceRange, ...]:
    """By the objects of the cluster, or by the flag of the API server."""
    found = [
        _ServiceRange(network, quote(one, f"spec.cidrs[{index}]", "a range of Services"))
        for one in cluster.maybe.all(ServiceCIDR)
        if one.metadata.deletion_timestamp is None
        for index, text in enumerate(one.spec.cidrs or ())
        if (network := network_of(text)) is not None
    ]
    for pod in () if found else static_pods("kube-apiserver", cluster)[:1]:
        flag = flag_of(pod, "service-cluster-ip-range")
        for text in flag.value.split(",") if flag is not None else ():
            if flag is not None and (network := network_of(text)) is not None:
                words = f"--service-cluster-ip-range={flag.value}"
                found.append(_ServiceRange(network, quote(pod, flag.path, words)))
    return tuple(found)


def _of_two_nodes(ranges: tuple[NodeRange, ...]) -> Iterator[Finding]:
    pairs = list(shared_ranges(ranges))
    if not pairs:
        return
    first, second = pairs[0]
    more = f", and {counted(len(pairs) - 1, 'other node')} overlap as well" if len(pairs) > 1 else ""
    yield Finding(
        about=ref(second.node),
        aspect="pods",
        summary=f"pod ranges of two nodes overlap: {second.network} of {second.node.name} and {first.network} of"
        f" {first.node.name}, so pods of both get the same addresses{more}",
        evidence=(
            quote(second.node, second.path),
            quote(first.node, first.path),
            quote(second.pod, path_of_address(second.pod, second.network), f"a pod on {second.node.name}"),
        ),
        confidence=Confidence.CERTAIN,
        affects=tuple(ref(pair.first.node) for pair in pairs if pair.first.node is not second.node),
        fixes=(
            Fix(
                f"Drain node {second.node.name}, delete it and restart its kubelet, so that it registers again and gets"
                " a range of its own"
            ),
        ),
        commands=(_COMPARE,),
    )


def _of_nodes_and_pods(addresses: tuple[OwnAddress, ...], ranges: tuple[NodeRange, ...]) -> Iterator[Finding]:
    found = list(nodes_in_pods(addresses, ranges))
    if not found:
        return
    first = found[0]
    names = listed((one.address.node.name for one in found), _MOST)
    yield Finding(
        about=ref(first.address.node),
        aspect="node",
        summary=f"address {first.address.address} of node {first.address.node.name} is in the pod range"
        f" {first.range.network} of node {first.range.node.name}: pods cannot tell the node from a pod"
        + (f" (so are those of {counted(len(found), 'node')}: {names})" if len(found) > 1 else ""),
        evidence=(
            quote(first.address.node, first.address.path, "the address of the machine"),
            quote(first.range.node, first.range.path, "pods get their addresses from it"),
            quote(first.range.pod, path_of_address(first.range.pod, first.range.network), "as this one did"),
        ),
        confidence=Confidence.CERTAIN,
        affects=tuple(ref(one.address.node) for one in found[1:]),
        fixes=(
            Fix(
                "Move the machines to a network outside of the pod range, or build the cluster with another pod range"
                " (--cluster-cidr, podSubnet)"
            ),
        ),
        commands=(_COMPARE,),
    )


def _of_services_and_pods(
    service_ranges: tuple[_ServiceRange, ...],
    ranges: tuple[NodeRange, ...],
    pods: tuple[Pod, ...],
    services: tuple[Service, ...],
) -> Iterator[Finding]:
    """By the ranges; where only one of the two is known, by an address of the other kind in it."""
    fixes = (
        Fix(
            "Create a ServiceCIDR outside of the pod range, delete the one that overlaps, and recreate the Services, so"
            " that they get addresses from it; before Kubernetes 1.33 change --service-cluster-ip-range"
        ),
    )
    for service_range in service_ranges:
        node_range = next((one for one in ranges if one.network.overlaps(service_range.network)), None)
        pod = node_range.pod if node_range is not None else next(pods_in(service_range.network, pods), None)
        if pod is None:
            continue
        within = node_range.network if node_range is not None else service_range.network
        of = f"overlaps the pod range {node_range.network} of node {node_range.node.name}" if node_range else ""
        yield Finding(
            about=service_range.evidence.object,
            aspect="services",
            summary=f"Service range {service_range.network} {of or f'has the address of pod {pod.namespace}/{pod.name}'}:"
            " an address in both leads to the Service only",
            evidence=(
                service_range.evidence,
                *((quote(node_range.node, node_range.path, "a range of pods"),) if node_range is not None else ()),
                quote(pod, path_of_address(pod, within), "the address of a pod"),
            ),
            confidence=Confidence.CERTAIN,
            fixes=fixes,
            commands=(_RANGES, _COMPARE),
        )
        return
    for node_range in () if service_ranges else ranges:
        for service, address, path in services_in(node_range.network, services):
            yield Finding(
                about=ref(service),
                aspect="services",
                summary=f"its address {address} is in the pod range {node_range.network} of node {node_range.node.name}:"
                " the ranges of Services and pods overlap",
                evidence=(quote(service, path), quote(node_range.node, node_range.path, "a range of pods")),
                confidence=Confidence.CERTAIN,
                fixes=fixes,
                commands=(_RANGES, _COMPARE),
            )
            return


def _of_services_and_nodes(
    service_ranges: tuple[_ServiceRange, ...], addresses: tuple[OwnAddress, ...], services: tuple[Service, ...]
) -> Iterator[Finding]:
    for address in addresses:
        service_range = next((one for one in service_ranges if address.address in one.network), None)
        if service_range is None:
            continue
        taken = next((row for row in services_in(service_range.network, services) if row[1] == address.address), None)
        same, path = (taken[0], taken[2]) if taken is not None else (None, "")
        yield Finding(
            about=ref(address.node),
            aspect="services",
            severity=None if same is not None else Severity.NOTICE,
            summary=f"address {address.address} of node {address.node.name} is in the Service range"
            f" {service_range.network}: "
            + (f"it is the address of Service {same.namespace}/{same.name}" if same else "a Service may get it"),
            evidence=(
                quote(address.node, address.path, "the address of the machine"),
                service_range.evidence,
                *((quote(same, path, "the same address"),) if same is not None else ()),
            ),
            confidence=Confidence.CERTAIN,
            fixes=(Fix("Use a Service range outside of the network of the machines: a second ServiceCIDR"),),
            commands=(_RANGES, _COMPARE),
        )
        return
