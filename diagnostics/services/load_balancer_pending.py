"""A Service of type LoadBalancer has no address outside.

## What it means
Nothing has given the Service an external address: `kubectl get service` shows `<pending>`. Inside
the cluster, and through its node port, it works.

## Why it happens
- Nothing in the cluster makes load balancers: bare machines without MetalLB, kube-vip or the like,
  or a cloud's controller that is not running.
- The Service names a `loadBalancerClass` that no controller serves.
- The cloud refuses: quota, subnets, permissions, a wrong annotation. Its controller writes an event.

## How to fix it
1. Read the events of the Service.
2. On bare machines install a controller for load balancers, or use a node port or an Ingress.

## References
- https://kubernetes.io/docs/concepts/services-networking/service/#loadbalancer
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from kubedoctor.cluster.kinds.core import Event, Node, Service
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic, quote, ref

CLOUD_PATIENCE = timedelta(minutes=5)
PATIENCE = timedelta(seconds=10)
"""Controllers on bare machines choose from a list of addresses; a cloud has to make something."""
FAILED = "SyncLoadBalancerFailed"


def _waits(service: Service) -> bool:
    wanted = service.spec.type == "LoadBalancer" and service.metadata.deletion_timestamp is None
    return wanted and not service.status.load_balancer.ingress


@diagnostic(
    code="KD2003",
    subject=Service,
    severity=Severity.WARNING,
    reads=(Service, Node, Event),
    when=_waits,
    symptoms=("<pending>", "SyncLoadBalancerFailed", "EnsuringLoadBalancer"),
)
def load_balancer_pending(service: Service, cluster: Cluster) -> Iterator[Finding]:
    since = service.metadata.creation_timestamp
    age = cluster.taken_at - since if since is not None else CLOUD_PATIENCE
    failures = [each for each in cluster.events_about(ref(service)) if each.reason == FAILED and each.message]
    nodes = cluster.maybe.all(Node)
    cloud = not nodes or any(each.spec.provider_id for each in nodes)
    if not failures and age < (CLOUD_PATIENCE if cloud else PATIENCE):
        return
    wish = quote(service, "spec.type", "asks for an address outside; its status has none")
    commands = (
        Command(f"kubectl describe service -n {service.namespace} {service.name}", "its events"),
        Command("kubectl get pods -A | grep -iE 'cloud-controller|metallb|kube-vip|svclb'", "what could make one"),
    )
    if failures:
        yield Finding(
            about=ref(service),
            summary=f"no load balancer: {failures[-1].message}",
            confidence=Confidence.CERTAIN,
            evidence=(wish, quote(failures[-1], "message", "the controller's own words")),
            commands=commands,
        )
        return
    own_class = service.spec.load_balancer_class
    nobody = f"no controller has answered for the class {own_class}" if own_class else "no controller has answered"
    evidence = [wish]
    if own_class:
        evidence.append(quote(service, "spec.loadBalancerClass", "who should make it"))
    if since is not None:
        evidence.append(quote(service, "metadata.creationTimestamp", "waits since"))
    yield Finding(
        about=ref(service),
        summary=f"no address outside: {nobody}" + ("" if cloud else "; the nodes belong to no cloud"),
        confidence=Confidence.POSSIBLE if cloud else Confidence.LIKELY,
        would_disprove="a log line of the controller that works on this Service",
        evidence=tuple(evidence),
        fixes=(
            Fix(
                "use its node port instead",
                f'kubectl patch service {service.name} -n {service.namespace} --type=merge -p \'{{"spec":{{"type":"NodePort"}}}}\'',
            ),
        ),
        commands=commands,
    )
