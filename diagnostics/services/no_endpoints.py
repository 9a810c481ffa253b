"""A Service has nobody to send traffic to.

## What it means
The Service exists and its name resolves, but no ready pod stands behind it. Clients see
"connection refused" or time out; an Ingress in front of it answers 503.

## Why it happens
- The selector matches no pod: a typo, a renamed label, another namespace.
- It matches pods, but none of them is ready.
- The workload behind it is scaled to zero.

## How to fix it
1. Compare the selector with the labels of the pods that you meant.
2. If pods match, find out why they are not ready: that is the real problem.
3. If the workload has no replicas, scale it up again.

## References
- https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from datetime import timedelta

from kubedoctor.cluster.grammar.selectors import selector_from_map
from kubedoctor.cluster.kinds.apps import DaemonSet, Job
from kubedoctor.cluster.kinds.core import Service
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.networking import EndpointSlice
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.relations.workloads import WORKLOADS, controller_of, workload_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import ready
from kubedoctor.findings import (
    Command,
    Confidence,
    Finding,
    Fix,
    Severity,
    diagnostic,
    has_path,
    quote,
    quote_line,
    ref,
)
from kubedoctor.replay.dns import is_cluster_dns
from kubedoctor.replay.services import Backends, backends, wanted_replicas, workloads_behind
from kubedoctor.replay.services.refusals import refused_by
from kubedoctor.replay.services.selection import Meant, selection_meant

PATIENCE = timedelta(minutes=1)


def _selects(service: Service) -> bool:
    """Without a selector someone else keeps the endpoints; the cluster's DNS has a diagnostic of its own."""
    return bool(service.spec.selector) and service.spec.type != "ExternalName" and not is_cluster_dns(service)


@diagnostic(
    code="KD2001",
    subject=Service,
    severity=Severity.CRITICAL,
    reads=(Service, EndpointSlice, Pod, *WORKLOADS),
    when=_selects,
    symptoms=("no endpoints", "no ready endpoints", "connection refused", "503", "Service Unavailable"),
)
def no_endpoints(service: Service, cluster: Cluster) -> Iterator[Finding]:
    behind = backends(service, cluster)
    if behind.served:
        return
    if behind.live:
        if len(behind.failing) == len(behind.live):
            yield _none_ready(service, behind, cluster)
        return  # Some are still starting: give them time.
    if behind.leaving:
        return  # Pods are being replaced.
    cluster.together(lambda: workloads_behind(service, cluster), lambda: cluster.all(Pod, service.namespace))
    workloads = workloads_behind(service, cluster)
    if not workloads:
        if not behind.finished:
            yield from _selects_nothing(service, cluster)
        return
    lasting = [each for each in workloads if not isinstance(each, Job)]
    if lasting:
        yield from _no_pods(service, max(lasting, key=lambda each: wanted_replicas(each) > 0), cluster)


def _no_pods(service: Service, workload: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
    """The workload that should make the pods has none: it is scaled down, or something keeps it from making them."""
    wanted = wanted_replicas(workload)
    since = workload.metadata.creation_timestamp
    if wanted and since is not None and cluster.taken_at - since < PATIENCE:
        return
    if not wanted and service.spec.is_headless:
        return  # A headless Service of a workload that is scaled down has no clients to disappoint.
    if not wanted and isinstance(workload, DaemonSet):
        return  # No node is meant to run it.
    count = f"{wanted} wanted, none exists" if wanted else "it is scaled to 0"
    path = "spec.replicas" if has_path(workload, "spec.replicas") else "metadata.name"
    ports = service.spec.ports or ()
    refusal = next((each for port in ports if (each := refused_by(service, port, (), cluster)) is not None), None)
    yield Finding(
        about=ref(service),
        summary=f"no pod stands behind it: {ref(workload).title} should make them, {count}",
        confidence=Confidence.CERTAIN,
        # A scale to zero is meant until someone is refused.
        severity=None if wanted or refusal is not None else Severity.NOTICE,
        evidence=(
            quote(service, "spec.selector", "what it selects"),
            quote(workload, path, "the workload whose pods it selects"),
            *((quote_line(refusal.tail, refusal.index, "a client of this Service"),) if refusal is not None else ()),
        ),
        affects=(ref(refusal.pod),) if refusal is not None else (),
        because_of=(ref(workload),),
        commands=(Command(f"kubectl describe -n {workload.namespace} {ref(workload).argument}", "why it has no pods"),),
    )


def _none_ready(service: Service, behind: Backends, cluster: Cluster) -> Finding:
    pod = behind.failing[0]
    condition = "status.conditions[type=Ready].message"
    evidence = [quote(service, "spec.selector", f"selects {_count(len(behind.live))}")]
    evidence += [quote(pod, path, "not ready") for path in (condition, "status.phase") if has_path(pod, path)][:1]
    return Finding(
        about=ref(service),
        summary=f"no endpoint is ready: {_count(len(behind.live))} selected, none ready",
        confidence=Confidence.CERTAIN,
        evidence=tuple(evidence),
        affects=tuple(ref(each) for each in behind.failing),
        because_of=tuple(dict.fromkeys(workload_of(each, cluster) for each in behind.failing)),
        commands=(
            Command(
                f"kubectl get pods -n {service.namespace} -l {shlex.quote(selector_from_map(service.spec.selector or {}).text)}",
                "the pods behind it, and what they wait for",
            ),
        ),
    )


def _selects_nothing(service: Service, cluster: Cluster) -> Iterator[Finding]:
    # A program makes no slips of the pen, and sets the labels on pods when it needs them.
    by_program = controller_of(service) is not None
    meant = None if by_program else selection_meant(service, cluster)
    if meant is None and service.spec.is_headless:
        return  # A headless Service may stand for pods that come and go.
    summary = f"the selector {selector_from_map(service.spec.selector or {}).text} matches no pod"
    evidence = [quote(service, "spec.selector", "no pod in the namespace carries these labels")]
    if meant is not None and meant.pods:
        evidence.append(quote(meant.pods[0], "metadata.labels", f"almost the same: {meant.text}"))
    yield Finding(
        about=ref(service),
        summary=summary + (f"; did you mean {meant.text}?" if meant is not None else ""),
        confidence=Confidence.CERTAIN,
        severity=Severity.NOTICE if by_program else None if meant is not None else Severity.WARNING,
        detail="" if meant is not None else "No workload in the namespace makes such pods either.",
        evidence=tuple(evidence),
        fixes=(_fix(service, meant),) if meant is not None else (),
        commands=(Command(f"kubectl get pods -n {service.namespace} --show-labels", "compare the labels"),),
    )


def _fix(service: Service, meant: Meant) -> Fix:
    patch = json.dumps({"spec": {"selector": meant.change}}, separators=(",", ":"))
    selected = sum(ready(each) for each in meant.pods)
    return Fix(
        summary=f"select {meant.text}" + (f": {_count(selected)} ready" if selected else ""),
        command=f"kubectl patch service {service.name} -n {service.namespace} --type=merge -p {shlex.quote(patch)}",
        verified=selected > 0,
    )


def _count(pods: int) -> str:
    return "1 pod" if pods == 1 else f"{pods} pods"
