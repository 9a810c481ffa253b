"""LoadBalancer Service has no external address.

## What it means
No controller has assigned an external address to the Service: `kubectl get service` shows `<pending>`. Inside the
cluster, and through its node port, the Service works.

## Why it happens
- No controller in the cluster provides load balancers: a bare-metal cluster without MetalLB, kube-vip or similar, or a
  cloud controller manager that does not run.
- The Service sets a `loadBalancerClass` that no controller serves.
- The cloud refuses: quota, subnets, permissions, a wrong annotation. Its controller writes an event.

## How to fix it
1. Read the events of the Service.
2. On bare metal install a load balancer controller, or use a node port or an Ingress.

## References
- https://kubernetes.io/docs/concepts/services-networking/service/#loadbalancer
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from diagnostics.services._metallb import POOL, Pools, pools
from diagnostics.services._triage import waits_for_address
from kubedoctor.cluster import Cluster, Event, Node, Service
from kubedoctor.cluster.changes import put
from kubedoctor.findings import (
    Command,
    Confidence,
    Evidence,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
    quote,
    ref,
)

CLOUD_PATIENCE = timedelta(minutes=5)
PATIENCE = timedelta(seconds=10)
"""Controllers on bare metal choose from a list of addresses; a cloud has to create a load balancer."""
_NOT_OF_THE_LOAD_BALANCER = re.compile(r"^(ClusterIP|Port|NodePort|TopologyAwareHints|FailedTo(Create|Update)Endpoint)")
"""Warnings of other controllers about a Service: addresses in the cluster, endpoints."""


@diagnostic(
    code="KD2003",
    subject=Service,
    severity=Severity.WARNING,
    reads=(Service, Node, Event, POOL),
    when=waits_for_address,
    symptoms=("<pending>", "SyncLoadBalancerFailed", "EnsuringLoadBalancer", "FailedBuildModel"),
)
def load_balancer_pending(service: Service, cluster: Cluster) -> Iterator[Finding]:
    since = service.metadata.creation_timestamp
    age = cluster.taken_at - since if since is not None else CLOUD_PATIENCE
    failures = [event for event in cluster.events_about(ref(service)) if _is_failure(event)]
    nodes = cluster.maybe.all(Node)
    begun = any(event.reason == "EnsuringLoadBalancer" for event in cluster.events_about(ref(service)))
    cloud = begun or not nodes or any(node.spec.provider_id for node in nodes)
    if not failures and age < (CLOUD_PATIENCE if cloud else PATIENCE):
        return
    if failures:
        yield _failed(service, failures[-1], pools(service, failures[-1], cluster))
    else:
        yield _not_handled(service, cloud=cloud)


def _is_failure(event: Event) -> bool:
    """Each controller has its own reasons: SyncLoadBalancerFailed, FailedBuildModel, AllocationFailed."""
    return event.type != "Normal" and bool(event.message) and not _NOT_OF_THE_LOAD_BALANCER.match(event.reason)


def _failed(service: Service, failure: Event, free: Pools) -> Finding:
    return Finding(
        about=ref(service),
        summary=f"load balancer failed: {failure.message}{free.words}",
        confidence=Confidence.CERTAIN,
        evidence=(_wish(service), quote(failure, "message", "the controller's message"), *free.evidence),
        commands=_commands(service),
    )


def _not_handled(service: Service, *, cloud: bool) -> Finding:
    own_class = service.spec.load_balancer_class
    no_controller = (
        f"no controller has handled loadBalancerClass {own_class}"
        if own_class
        else "no controller has handled the Service"
    )
    evidence = [_wish(service)]
    if own_class:
        evidence.append(quote(service, "spec.loadBalancerClass", "class of the controller that should provide it"))
    if service.metadata.creation_timestamp is not None:
        evidence.append(quote(service, "metadata.creationTimestamp", "pending since"))
    return Finding(
        about=ref(service),
        summary=f"no external address: {no_controller}"
        + ("" if cloud else "; the nodes are bare metal (no providerID)"),
        confidence=Confidence.POSSIBLE if cloud else Confidence.LIKELY,
        would_disprove="a controller log line that shows work on this Service",
        evidence=tuple(evidence),
        fixes=(
            Fix(
                "Use type NodePort instead",
                command_line(put(ref(service), ("spec", "type"), "NodePort"), service),
            ),
        ),
        commands=_commands(service),
    )


def _wish(service: Service) -> Evidence:
    return quote(service, "spec.type", "requests an external address; the status has none")


def _commands(service: Service) -> tuple[Command, ...]:
    return (
        Command(f"kubectl describe service{service.namespace_flag} {service.name}", "its events"),
        Command(
            "kubectl get pods -A | grep -iE 'cloud-controller|metallb|kube-vip|svclb'",
            "controllers that could provide a load balancer",
        ),
    )
