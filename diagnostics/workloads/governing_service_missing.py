"""Service that gives the pods of a StatefulSet their names does not exist (serviceName).

## What it means
`spec.serviceName` names a headless Service. By it each pod has a name that stays the same: `db-0.db.shop.svc`. The Service
does not exist, so these names do not resolve, and the programs, whose settings have such names, do not find each other.
Kubernetes itself reports nothing: it creates the pods all the same.

## Why it happens
- The Service was deleted, or was never applied: a StatefulSet does not create it.
- The name is misspelled, or the Service is in another namespace.

## How to fix it
Create the Service with `clusterIP: None` and the labels of the pods as its selector. `spec.serviceName` itself cannot be
changed: to name another Service, delete the StatefulSet with `--cascade=orphan` and create it again.

## References
- https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-network-id
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from kubedoctor.cluster import Cluster, Container, Evidence, Service, StatefulSet, misspelled, quote, ref
from kubedoctor.cluster.changes import Step, edit
from kubedoctor.findings import (
    Command,
    Confidence,
    Effect,
    Explains,
    Finding,
    Fix,
    Ref,
    Severity,
    command_line,
    diagnostic,
    kubectl,
)

_APPLIED: Final = timedelta(minutes=1)
"""The Service may be applied after the StatefulSet."""


def without_all_pods(stateful_set: StatefulSet) -> bool:
    """It names a Service, and not all of its pods are ready."""
    status, wanted = stateful_set.status, stateful_set.spec.desired_replicas
    return bool(stateful_set.spec.service_name) and status.ready_replicas < wanted


@diagnostic(
    code="KD1232",
    subject=StatefulSet,
    severity=Severity.CRITICAL,
    reads=(Service,),
    when=without_all_pods,
    explains=(Explains("same", ("KD1003", "KD1012", "KD1013", "KD1014", "KD1016", "KD1029", "KD1201", "KD2102")),),
    also_known_as=("headless Service missing",),
    symptoms=("no such host", "Name or service not known", "serviceName"),
)
def governing_service_missing(stateful_set: StatefulSet, cluster: Cluster) -> Iterator[Finding]:
    created, name = stateful_set.metadata.creation_timestamp, stateful_set.spec.service_name
    if created is None or cluster.taken_at - created < _APPLIED or not without_all_pods(stateful_set):
        return
    used = _used_in(stateful_set, name)
    if used is None:
        return  # Its program may not use these names.
    services = cluster.all(Service, stateful_set.namespace)
    if any(service.name == name for service in services):
        return
    near = next((service.name for service in services if misspelled(name, service.name)), "")
    yield Finding(
        about=ref(stateful_set),
        summary=f"its Service {name} (serviceName) does not exist, so the names of its pods do not resolve:"
        f" {stateful_set.name}-0.{name}" + (f"; there is a Service {near}" if near else ""),
        evidence=(quote(stateful_set, "spec.serviceName"), used),
        confidence=Confidence.CERTAIN,
        fixes=(Fix(f"Create headless Service {name}", _creation(stateful_set), Effect.CHANGES),),
        commands=(Command(kubectl("get", "services", namespace=stateful_set.namespace), "the Services that exist"),),
    )


def _used_in(stateful_set: StatefulSet, service: str) -> Evidence | None:
    """Where its template has the name of a pod of the Service."""
    namespace = rf"{re.escape(stateful_set.namespace)}(?![\w-])"
    named = re.compile(rf"(?:-\d+|[)}}])\.{re.escape(service)}(?![\w-])(?!\.(?!{namespace})[\w-])")
    spec = stateful_set.spec.template.spec
    for field, containers in (("initContainers", spec.init_containers or ()), ("containers", spec.containers)):
        for container in containers:
            path = _path_of(container, named)
            if path:
                where = f"spec.template.spec.{field}[name={container.name}].{path}"
                return quote(stateful_set, where, "its program uses these names")
    return None


def _path_of(container: Container, named: re.Pattern[str]) -> str:
    for variable in container.env or ():
        if named.search(variable.value):
            return f"env[name={variable.name}].value"
    return next((field for field in ("command", "args") if named.search(" ".join(getattr(container, field) or ()))), "")


def _creation(stateful_set: StatefulSet) -> str:
    """The line that creates it; empty where its pods have no labels to select. Its names resolve for pods that are not
    ready, too: they may wait for each other."""
    selector, name, namespace = stateful_set.spec.selector, stateful_set.spec.service_name, stateful_set.namespace
    labels = (selector.match_labels if selector is not None else None) or {}
    if not labels:
        return ""
    selected = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    ports = _ports(stateful_set)
    steps = [Step(("spec", "publishNotReadyAddresses"), True)]
    if any(protocol != "TCP" for _, protocol in ports):  # `kubectl create` knows TCP only.
        listed = [
            {"name": f"{protocol.lower()}-{number}", "port": number, "protocol": protocol} for number, protocol in ports
        ]
        steps, ports = [*steps, Step(("spec", "ports"), listed)], []
    tcp = [f"--tcp={number}:{number}" for number, _ in ports]
    lines = (
        kubectl("create", "service", "clusterip", name, "--clusterip=None", *tcp, namespace=namespace),
        kubectl("set", "selector", f"service/{name}", selected, namespace=namespace),
        command_line(edit(Ref("Service", namespace, name), *steps)),
    )
    return " && ".join(lines)


def _ports(stateful_set: StatefulSet) -> list[tuple[int, str]]:
    """Each port of its containers once, and the protocol."""
    ports = [
        (port.container_port, port.protocol or "TCP")
        for container in stateful_set.spec.template.spec.containers
        for port in container.ports or ()
    ]
    return list(dict.fromkeys(ports))
