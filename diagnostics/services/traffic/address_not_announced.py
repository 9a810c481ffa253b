"""MetalLB announces an address from no node.

## What it means
The Service has its external address, and no program answers for it in the network: connections from outside get no answer, not
even to ARP. From inside the cluster the address works.

## Why it happens
- Since version 0.13 a pool alone only gives addresses out. An L2Advertisement or BGPAdvertisement of MetalLB's namespace
  announces them, and there is none, or it names another pool or other labels.
- The `nodeSelectors` of the advertisement match no node.

## How to fix it
Create an L2Advertisement, or a BGPAdvertisement where routers are configured as BGPPeer, that names the pool.

## References
- https://metallb.io/configuration/#announce-the-service-ips
- https://metallb.io/configuration/_advanced_l2_configuration/
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, count
from typing import Final

from kubedoctor.cluster import CannotSee, Cluster, CustomResource, Node, Pod, Service, counted, finished, listed
from kubedoctor.cluster.changes import Change, create
from kubedoctor.findings import (
    Command,
    Confidence,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
    edit_command,
    has_path,
    kubectl,
    quote,
    ref,
)
from kubedoctor.replay.services.metallb import ADVERTISEMENTS, GROUP, POOL, has_node, pool_of, selects

_SPEAKER: Final = "metallb/speaker"
_PEER: Final = "BGPPeer"
_MOST: Final = 3


@diagnostic(
    code="KD2012",
    subject=POOL,
    severity=Severity.CRITICAL,
    reads=(Service, Node, Pod, *(f"{kind}.{GROUP}" for kind in (*ADVERTISEMENTS, _PEER))),
    symptoms=("no route to host", "ARP", "L2Advertisement", "EXTERNAL-IP", "timed out"),
)
def address_not_announced(pool: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    users = [service for service in cluster.all(Service) if pool_of(service) == pool.name and _address(service)]
    if not users or pool.metadata.deletion_timestamp is not None:
        return
    try:
        found = [one for kind in ADVERTISEMENTS for one in cluster.custom(kind, GROUP)]
    except CannotSee:
        return
    chosen = [one for one in found if selects(one, pool)]
    if any(has_node(one, cluster.maybe.all(Node)) for one in chosen) or (chosen and not cluster.maybe.all(Node)):
        return
    if not any(_is_speaker(pod) for pod in cluster.maybe.all(Pod)):
        return  # Another program announces what MetalLB's controller gives out.
    yield _finding(pool, users, found, chosen, cluster)


def _address(service: Service) -> str:
    return next((row.ip for row in service.status.load_balancer.ingress or () if row.ip), "")


def _path(service: Service) -> str:
    """Of the address in its status: a row before it can be a host name."""
    rows = enumerate(service.status.load_balancer.ingress or ())
    return next((f"status.loadBalancer.ingress[{place}].ip" for place, row in rows if row.ip), "")


def _is_speaker(pod: Pod) -> bool:
    return not finished(pod) and any(_SPEAKER in container.image for container in pod.spec.containers)


def _finding(
    pool: CustomResource,
    users: list[Service],
    found: list[CustomResource],
    chosen: list[CustomResource],
    cluster: Cluster,
) -> Finding:
    first = users[0]
    others = f" and {counted(len(users) - 1, 'other Service')}" if len(users) > 1 else ""
    kind = "BGPAdvertisement" if cluster.maybe.custom(_PEER, GROUP) else "L2Advertisement"
    evidence = [
        quote(pool, "spec.addresses" if has_path(pool, "spec.addresses") else "metadata.name", "the pool"),
        quote(first, _path(first), f"an address of the pool, of {ref(first).title}"),
    ]
    if chosen:
        why = f"the nodeSelectors of {listed((ref(one).title for one in chosen), _MOST)} match no node"
        evidence += [quote(one, "spec.nodeSelectors", "no node has these labels") for one in chosen[:_MOST]]
        fixes = tuple(
            Fix(f"Correct nodeSelectors of {ref(one).title}, or label a node", edit_command(ref(one)))
            for one in chosen[:1]
        )
    else:
        why = f"no L2Advertisement or BGPAdvertisement selects the pool {pool.name}"
        named = [one for one in found if has_path(one, "spec.ipAddressPools")]
        evidence += [quote(one, "spec.ipAddressPools", "the pools that it announces") for one in named[:_MOST]]
        fixes = (
            Fix(
                f"Create {'a' if kind[0] == 'B' else 'an'} {kind} for pool {pool.name}",
                command_line(_announced(pool, kind, found)),
            ),
        )
    return Finding(
        about=ref(pool),
        summary=f"no node announces address {_address(first)} of {ref(first).title}{others}: {why}",
        detail="Connections from outside the cluster get no answer.",
        confidence=Confidence.LIKELY,
        would_disprove="another program announces the address, such as Calico or Cilium with BGP",
        evidence=tuple(evidence),
        affects=tuple(map(ref, users)),
        fixes=fixes,
        commands=(
            Command(
                kubectl("get", "l2advertisements,bgpadvertisements", "-o", "yaml", namespace=pool.namespace),
                "the pools and nodes that they select",
            ),
        ),
    )


def _announced(pool: CustomResource, kind: str, found: list[CustomResource]) -> Change:
    taken = {one.name for one in found if one.kind == kind}
    numbered = (f"{pool.name}-{number}" for number in count(2))
    name = next(name for name in chain((pool.name, f"{pool.name}-pool"), numbered) if name not in taken)
    return create(
        {
            "apiVersion": f"{GROUP}/v1beta1",
            "kind": kind,
            "metadata": {"name": name, "namespace": pool.namespace},
            "spec": {"ipAddressPools": [pool.name]},
        }
    )
