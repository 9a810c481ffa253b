"""LoadBalancer Service has no external address.

## What it means
No controller has assigned an external address to the Service: `kubectl get service` shows `<pending>`. Inside the
cluster, and through its node port, the Service works. Where it has an address, the load balancer keeps its last state.

## Why it happens
- No controller in the cluster provides load balancers: a bare-metal cluster without MetalLB, kube-vip or similar, or a
  cloud controller manager that does not run.
- The Service sets a `loadBalancerClass` that no controller serves.
- The cloud refuses: quota, subnets, permissions, a wrong annotation. Its controller writes an event.
- The pool of addresses is used up (MetalLB, Cilium). Cilium writes no event: see the conditions of the Service.
- On k3s no pod of ServiceLB (`svclb-...`) is ready: another Service or program has the port on each node, no node
  takes the pods, or they do not start.

## How to fix it
1. Read the events of the Service, and its `status.conditions`.
2. On bare metal install a load balancer controller, or use a node port or an Ingress.

## References
- https://kubernetes.io/docs/concepts/services-networking/service/#loadbalancer
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from diagnostics.services._controllers import cloud_identity, controllers_of, still_counts
from diagnostics.services._failures import (
    IDENTITY,
    BalancerFailure,
    is_failure,
    meaning_of,
    of_condition,
    of_event,
    repair_of,
)
from diagnostics.services._pools import CILIUM, METALLB, pools
from diagnostics.services._triage import is_load_balancer
from kubedoctor.answers.statements import LONGEST_MESSAGE
from kubedoctor.cluster import (
    Cluster,
    ConfigMap,
    DaemonSet,
    Event,
    Node,
    Pod,
    Service,
    ServiceAccount,
    condition,
    has_path,
    human_duration,
    source_of,
)
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
    edit_command,
    kubectl,
    quote,
    ref,
)
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.messages.message import Message
from kubedoctor.replay.messages.reader import read_message
from kubedoctor.replay.messages.shown import shown_reason
from kubedoctor.replay.scheduler.plugins.node_ports import HOST_PORT
from kubedoctor.replay.scheduler.said.messages import parse_message

CLOUD_PATIENCE = timedelta(minutes=5)
PATIENCE = timedelta(seconds=10)
"""Controllers on bare metal choose from a list of addresses; a cloud has to create a load balancer."""
_SCHEDULED: Final = "status.conditions[type=PodScheduled].message"
_FINALIZERS: Final = ("service.kubernetes.io/load-balancer-cleanup", "service.k8s.aws/resources")
"""Written by the controller that takes the Service, before it asks the cloud."""


@diagnostic(
    code="KD2003",
    subject=Service,
    severity=Severity.WARNING,
    reads=(Service, Node, Event, Pod, ServiceAccount, DaemonSet, ConfigMap, METALLB, CILIUM),
    when=is_load_balancer,
    symptoms=(
        "<pending>",
        "SyncLoadBalancerFailed",
        "EnsuringLoadBalancer",
        "FailedBuildModel",
        "IPAMRequestSatisfied",
    ),
)
def load_balancer_pending(service: Service, cluster: Cluster) -> Iterator[Finding]:
    events = cluster.events_about(ref(service))
    failures = [event for event in events if is_failure(event)]
    if service.status.load_balancer.ingress:
        if failures and still_counts(failures[-1], events, cluster):
            yield from _failed(service, of_event(failures[-1]), cluster)
        return
    stated = of_condition(service)
    if stated is not None or failures:
        yield from _failed(service, stated or of_event(failures[-1]), cluster)
        return
    since = service.metadata.creation_timestamp
    age = cluster.taken_at - since if since is not None else CLOUD_PATIENCE
    nodes = cluster.maybe.all(Node)
    begun = any(event.reason == "EnsuringLoadBalancer" for event in events)
    cloud = begun or not nodes or any(node.spec.provider_id for node in nodes)
    if age < (CLOUD_PATIENCE if cloud else PATIENCE):
        return
    own = next((row for row in cluster.maybe.all(DaemonSet) if _serves(row, service)), None)
    if own is not None:
        yield from _service_lb(service, own, cluster)
    elif _taken_by(service) or begun:
        yield _silent(service, age)
    else:
        yield _not_handled(service, cloud=cloud)


def _failed(service: Service, failure: BalancerFailure, cluster: Cluster) -> Iterator[Finding]:
    since = service.metadata.creation_timestamp
    age = cluster.taken_at - since if since is not None else None
    message = Message(text=failure.text, reason=failure.reason, kind="Service", type="Warning", age=age)
    reading = read_message(message)
    if reading is not None and reading.message_class.is_healthy:
        return  # The cloud works on it.
    meaning = meaning_of(reading)
    refused = meaning is IDENTITY or (reading is not None and reading.message_class is MessageClass.LOADBALANCER_DENIED)
    pods = controllers_of(failure.event, cluster) if refused and failure.event is not None else ()
    identity = cloud_identity(pods, cluster)
    of_pool = reading is not None and reading.message_class in (
        MessageClass.LOADBALANCER_NO_ADDRESS,
        MessageClass.LOADBALANCER_ADDRESS_TAKEN,
    )
    free = pools(service, failure.controller, failure.text, cluster) if of_pool else None
    mended = free is not None and free.mended
    clause = "no address was found at the last try" if mended else meaning.clause
    words = shown_reason(failure.text, LONGEST_MESSAGE)
    keeps = "cannot be updated: " if service.status.load_balancer.ingress else ""
    yield Finding(
        about=ref(service),
        summary=f"{keeps}{clause}: {words}{free.words if free is not None else ''}",
        confidence=Confidence.POSSIBLE if mended else Confidence.CERTAIN,
        would_disprove="the controller has tried again since, and waits for something else" if mended else "",
        evidence=(_wish(service), failure.evidence, *identity, *(free.evidence if free is not None else ())),
        fixes=(free.fix if free is not None and free.fix is not None else repair_of(service, meaning, failure),),
        commands=_commands(service)[:1],
    )


def _serves(daemon_set: DaemonSet, service: Service) -> bool:
    """Whether ServiceLB of k3s made the DaemonSet for the Service."""
    return source_of(daemon_set) == ref(service)


def _service_lb(service: Service, own: DaemonSet, cluster: Cluster) -> Iterator[Finding]:
    if own.status.number_ready:
        return  # Its address is on its way.
    ports = ", ".join(str(row.port) for row in service.spec.ports or ())
    kept_out = next((pod for pod in cluster.maybe.owned_by(Pod, ref(own)) if _lacks_port(pod)), None)
    fix = Fix(f"Make a pod of {ref(own).title} ready on a node")
    why = ""
    if kept_out is not None:
        why = f". {ref(kept_out).title} finds no node where port {ports} is free"
        fix = Fix(
            f"Give the Service a port that no other program has on the nodes, or free port {ports}",
            edit_command(ref(service)),
        )
    path = "status.numberReady" if has_path(own, "status.numberReady") else "metadata.name"
    yield Finding(
        about=ref(service),
        summary=f"no external address: no pod of {ref(own).title} (ServiceLB) is ready{why}",
        confidence=Confidence.CERTAIN,
        evidence=(
            _wish(service),
            quote(own, path, f"its pods bind port {ports} on the nodes"),
            *((quote(kept_out, _SCHEDULED, "what the scheduler says"),) if kept_out is not None else ()),
        ),
        because_of=(ref(own),),
        fixes=(fix,),
        commands=(Command(kubectl("describe", ref(own).argument, namespace=own.namespace), "its pods and events"),),
    )


def _lacks_port(pod: Pod) -> bool:
    stated = condition(pod.status.conditions, "PodScheduled")
    if stated is None or stated.status != "False" or not has_path(pod, _SCHEDULED):
        return False
    return any(reason.obstacle == HOST_PORT for reason in parse_message(stated.message).reasons)


def _taken_by(service: Service) -> str:
    return next((name for name in _FINALIZERS if name in (service.metadata.finalizers or ())), "")


def _silent(service: Service, age: timedelta) -> Finding:
    finalizer = _taken_by(service)
    places = (service.metadata.finalizers or ()).index(finalizer) if finalizer else 0
    taken = (quote(service, f"metadata.finalizers[{places}]", "of the controller that took it"),) if finalizer else ()
    return Finding(
        about=ref(service),
        summary=f"no external address for {human_duration(age)}: a controller has taken the Service and reports no error",
        confidence=Confidence.POSSIBLE,
        would_disprove="the load balancer exists at the cloud and is still being created",
        evidence=(_wish(service), *taken),
        commands=_commands(service)[:1],
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
        Command(kubectl("describe", "service", service.name, namespace=service.namespace), "its events"),
        Command(
            "kubectl get pods -A | grep -iE 'cloud-controller|metallb|kube-vip|svclb'",
            "controllers that could provide a load balancer",
        ),
    )
