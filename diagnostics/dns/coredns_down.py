"""Cluster DNS is down.

## What it means
The cluster's DNS Service has no ready pod, so no pod can resolve a name. Programs that look up a Service, a database
or an external host fail, and many crash.

Pods query the address that the kubelet of their node sets (`clusterDNS`). If that is another address, as with Cloud DNS
on GKE, pods do not use this Service, and it may have no pods.

## Why it happens
- CoreDNS is scaled to 0.
- CoreDNS does not start: an error in its Corefile, or a forwarding loop through the node's resolver.
- The Corefile does not load the plugin that answers a probe: `ready` serves /ready on port 8181, `health` serves /health
  on port 8080.
- The CoreDNS pods are Pending, cannot pull their image, or are OOMKilled.
- The selector of the Service no longer matches the CoreDNS pods.

## How to fix it
1. Scale the Deployment up, or correct the Corefile in the ConfigMap `coredns`. Undo the last change first, then find
   out why it was wrong.
2. Restart the CoreDNS pods: `kubectl rollout restart deployment/coredns -n kube-system`.
3. Pods that crashed because of DNS restart by themselves.

## References
- https://kubernetes.io/docs/tasks/administer-cluster/dns-debugging-resolution/
- https://coredns.io/plugins/loop/#troubleshooting
- https://cloud.google.com/kubernetes-engine/docs/how-to/cloud-dns
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from diagnostics.dns._dependence import asked_elsewhere, certainty
from diagnostics.dns._probes import unserved_by_any, without_plugin
from diagnostics.dns._server import StatedFault, in_words, looping_upstream, quoted, repairs, stated_fault
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    ConfigMap,
    EndpointSlice,
    Event,
    KubernetesObject,
    Node,
    Pod,
    Service,
    counted,
    misspellings,
    workload_of,
)
from kubedoctor.cluster.changes import scale
from kubedoctor.findings import (
    Command,
    Confidence,
    Evidence,
    Explains,
    Finding,
    Fix,
    Ref,
    Severity,
    command_line,
    diagnostic,
    edit_command,
    has_path,
    kubectl,
    quote,
    quote_line,
    ref,
    restart,
)
from kubedoctor.replay.dns.corefile import PLUGINS
from kubedoctor.replay.dns.corefile_refusal import CorefileRefusal, refused_corefile
from kubedoctor.replay.dns.dependence import DnsUse, dependence
from kubedoctor.replay.dns.service import is_cluster_dns
from kubedoctor.replay.services import Backends, backends, serves_already, wanted_replicas, workloads_behind

MOST_LOGS = 2
NOT_READY = "status.conditions[type=Ready].message"


@diagnostic(
    code="KD2101",
    subject=Service,
    severity=Severity.CRITICAL,
    reads=(Service, EndpointSlice, Pod, ConfigMap, Node, Event, *WORKLOADS),
    when=is_cluster_dns,
    explains=(Explains("same"), Explains("configures", ("KD1003", "KD1012", "KD1013", "KD1014"))),
    symptoms=("CoreDNS", "NXDOMAIN", "no such host", "could not resolve host", "Temporary failure in name resolution"),
)
def coredns_down(service: Service, cluster: Cluster) -> Iterator[Finding]:
    if not service.spec.selector or serves_already(service, cluster):
        return
    behind = backends(service, cluster)
    if behind.served or (behind.leaving and not behind.live):
        return
    unserved = unserved_by_any(behind.live[:MOST_LOGS], cluster)
    if unserved is None and len(behind.failing) != len(behind.live):
        return
    creators = () if behind.live else workloads_behind(service, cluster)
    idle = [workload for workload in creators if wanted_replicas(workload) == 0 and has_path(workload, "spec.replicas")]
    rests_on = dependence(service, bool(behind.live) or len(idle) < len(creators), cluster)
    if rests_on.use is DnsUse.ELSEWHERE:
        return
    if rests_on.use is DnsUse.DOUBTFUL:
        yield asked_elsewhere(service, idle[0] if idle else None, rests_on)
        return
    confidence, known_from, unless = certainty(service, rests_on)
    blamed: list[Ref] = []
    why, fixes = "", tuple[Fix, ...]()
    if unserved is not None:
        evidence = [quote(service, "spec.selector", f"selects {counted(len(behind.live), 'pod')}, 0 ready")]
        blamed = [ref(unserved.configuration)]
        yield without_plugin(unserved, cluster)
    elif behind.failing:
        evidence = [quote(service, "spec.selector", f"selects {counted(len(behind.live), 'pod')}, 0 ready")]
        refused = _refused_by_any(behind.failing, cluster)
        blamed = list(dict.fromkeys(workload_of(pod, cluster) for pod in behind.failing))
        if refused is not None and refused.configuration is not None:
            blamed.insert(0, ref(refused.configuration))
            yield _corefile(refused.configuration, refused, blamed[-1])
        elif refused is not None and refused.tail is not None:
            evidence.append(
                quote_line(refused.tail, refused.error.index, "CoreDNS does not start because of this line")
            )
        elif refused is None and (stated := _stated_by_any(behind.failing, cluster)) is not None:
            why = f"; {in_words(stated)}"
            evidence += quoted(stated, cluster)
            fixes = repairs(stated, cluster)
        if has_path(behind.failing[0], NOT_READY):
            evidence.append(quote(behind.failing[0], NOT_READY))
    else:
        evidence = [quote(service, "spec.selector", "no pod in the namespace has these labels")]
        blamed = [ref(workload) for workload in creators]
        for workload in idle:
            yield _scaled_down(workload, confidence, known_from, unless)
    labels = _labels(service)
    yield Finding(
        about=ref(service),
        summary=f"no DNS server is ready: no pod in the cluster can resolve names{why}",
        confidence=confidence,
        evidence=(*evidence, *known_from),
        would_disprove=unless,
        because_of=tuple(blamed),
        fixes=fixes,
        commands=(
            Command(
                kubectl("get", "pods", "-l", labels, namespace=service.namespace), "the DNS servers and their state"
            ),
            _logs(labels, behind, service),
        ),
    )


def _logs(labels: str, behind: Backends, service: Service) -> Command:
    """Of the runs that ended; a pod that was never started again has no earlier log, and kubectl then fails."""
    ended = any(row.restart_count for pod in behind.live for row in pod.status.container_statuses or ())
    words = ("--previous",) if ended or not behind.live else ()
    return Command(
        kubectl("logs", "-l", labels, "--tail=20", *words, namespace=service.namespace),
        "why they exited" if words else "why they are not ready",
    )


def _scaled_down(
    workload: KubernetesObject, confidence: Confidence, known_from: tuple[Evidence, ...], unless: str
) -> Finding:
    name = ref(workload)
    return Finding(
        about=name,
        summary="cluster DNS is scaled to 0, so no name resolves",
        confidence=confidence,
        evidence=(quote(workload, "spec.replicas", "no DNS server runs"), *known_from),
        would_disprove=unless,
        fixes=(Fix("Scale it to 2 replicas", command_line(scale(name, 2))),),
        commands=(
            Command(
                kubectl("get", "events", "--sort-by=.lastTimestamp", namespace=name.namespace),
                "when it was scaled, and by what",
            ),
        ),
    )


def _refused_by_any(pods: Sequence[Pod], cluster: Cluster) -> CorefileRefusal | None:
    """The first Corefile that a pod refuses; the workloads of the pods are fetched in the same round."""
    candidates = pods[:MOST_LOGS]
    cluster.together(
        *(partial(refused_corefile, pod, cluster) for pod in candidates),
        *(partial(workload_of, pod, cluster) for pod in pods),
    )
    return next((error for pod in candidates if (error := refused_corefile(pod, cluster)) is not None), None)


def _stated_by_any(pods: Sequence[Pod], cluster: Cluster) -> StatedFault | None:
    """What the first log that states a fault says; the logs were read for the Corefile."""
    runs = ((pod, previous) for pod in pods[:MOST_LOGS] for previous in (False, True))
    found = (stated_fault(pod, cluster, previous=previous) for pod, previous in runs)
    return next((stated for stated in found if stated is not None), None)


def _corefile(configuration: ConfigMap, refused: CorefileRefusal, workload: Ref) -> Finding:
    error = refused.error
    near = next(iter(misspellings(error.directive, PLUGINS, 1)), "") if error.directive else ""
    if error.directive:
        problem = f"line {error.line} of the Corefile uses plugin {error.directive}, which CoreDNS does not have"
        problem += f"; did you mean {near}?" if near else ""
    elif error.loop:
        problem = f"the Corefile forwards queries of CoreDNS back to CoreDNS (loop): {error.what}"
    else:
        problem = "CoreDNS rejects the Corefile" + (f" at line {error.line}" if error.line else "") + f": {error.what}"
    change = edit_command(ref(configuration))
    return Finding(
        about=ref(configuration),
        summary=problem,
        confidence=Confidence.CERTAIN if refused.tail is not None else Confidence.LIKELY,
        evidence=(
            *(
                (quote_line(refused.tail, error.index, "CoreDNS does not start because of this line"),)
                if refused.tail is not None
                else ()
            ),
            quote(configuration, "data[Corefile]", f"line {error.line}" if error.line else ""),
        ),
        fixes=(
            Fix(f"Change {error.directive} to {near} in line {error.line}" if near else "Correct the Corefile", change),
            restart(workload, "Restart CoreDNS"),
        )
        if not error.loop
        else (
            Fix(
                f"Forward to a resolver outside the node: `forward . 9.9.9.9` instead of {looping_upstream(configuration)}",
                change,
            ),
        ),
        commands=(
            Command(
                kubectl("get", "configmap", configuration.name, "-o", "yaml", namespace=configuration.namespace),
                "the whole Corefile",
            ),
        ),
    )


def _labels(service: Service) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((service.spec.selector or {}).items()))
