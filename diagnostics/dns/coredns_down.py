"""The cluster's DNS answers nobody.

## What it means
No pod behind the cluster's DNS Service is ready. No pod can resolve a name: programs that look up
a Service, a database or an outside host fail, and many crash.

Pods ask the address that their node's kubelet gives them (`clusterDNS`). Where that is another one, as with Cloud DNS
on GKE, nobody asks this Service, and it may well have no pods.

## Why it happens
- CoreDNS is scaled to zero.
- CoreDNS does not start: a mistake in its Corefile, or a forwarding loop through the node.
- Its pods cannot run: no node, no image, no memory.
- The Service's selector no longer matches the pods of CoreDNS.

## How to fix it
1. Scale the Deployment up again, or repair the Corefile in the ConfigMap `coredns`. Undo the last
   change first; understand it afterwards.
2. Restart the pods of CoreDNS; they take a minute.
3. Pods that crashed meanwhile come back by themselves.

## References
- https://kubernetes.io/docs/tasks/administer-cluster/dns-debugging-resolution/
- https://coredns.io/plugins/loop/#troubleshooting
- https://cloud.google.com/kubernetes-engine/docs/how-to/cloud-dns
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from diagnostics.dns._dependence import asked_elsewhere, sureness
from kubedoctor.cluster.grammar.nearest import misspellings
from kubedoctor.cluster.kinds.core import ConfigMap, Node, Service
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.networking import EndpointSlice
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.relations.workloads import WORKLOADS, workload_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.findings import (
    Command,
    Confidence,
    Effect,
    Evidence,
    Explains,
    Finding,
    Fix,
    Ref,
    Severity,
    diagnostic,
    has_path,
    quote,
    quote_line,
    ref,
)
from kubedoctor.replay.dns import DnsUse, dependence, is_cluster_dns
from kubedoctor.replay.dns.corefile import PLUGINS
from kubedoctor.replay.dns.refusal import CorefileRefusal, refused_corefile
from kubedoctor.replay.services import backends, wanted_replicas, workloads_behind

MOST_LOGS = 2
NOT_READY = "status.conditions[type=Ready].message"


@diagnostic(
    code="KD2101",
    subject=Service,
    severity=Severity.CRITICAL,
    reads=(Service, EndpointSlice, Pod, ConfigMap, Node, *WORKLOADS),
    when=is_cluster_dns,
    explains=(Explains("same"), Explains("configures", ("KD1003",))),
    symptoms=("CoreDNS", "NXDOMAIN", "no such host", "could not resolve host", "Temporary failure in name resolution"),
)
def coredns_down(service: Service, cluster: Cluster) -> Iterator[Finding]:
    if not service.spec.selector:
        return
    behind = backends(service, cluster)
    if behind.served or len(behind.failing) != len(behind.live) or (behind.leaving and not behind.live):
        return
    makers = () if behind.failing else workloads_behind(service, cluster)
    idle = [one for one in makers if wanted_replicas(one) == 0 and has_path(one, "spec.replicas")]
    rests_on = dependence(service, bool(behind.live) or len(idle) < len(makers), cluster)
    if rests_on.asked is DnsUse.ELSEWHERE:
        return
    if rests_on.asked is DnsUse.DOUBTFUL:
        yield asked_elsewhere(service, idle[0] if idle else None, rests_on)
        return
    confidence, known_by, unless = sureness(service, rests_on)
    blamed: list[Ref] = []
    if behind.failing:
        evidence = [quote(service, "spec.selector", f"selects {len(behind.live)} pods, none of them ready")]
        spoken = behind.failing[:MOST_LOGS]
        cluster.together(
            *(partial(refused_corefile, pod, cluster) for pod in spoken),
            *(partial(workload_of, pod, cluster) for pod in behind.failing),
        )
        blamed = list(dict.fromkeys(workload_of(pod, cluster) for pod in behind.failing))
        refused = next((each for pod in spoken if (each := refused_corefile(pod, cluster)) is not None), None)
        if refused is not None and refused.configuration is not None:
            blamed.insert(0, ref(refused.configuration))
            yield _corefile(refused.configuration, refused, blamed[-1])
        elif refused is not None and refused.tail is not None:
            evidence.append(quote_line(refused.tail, refused.error.index, "why CoreDNS does not start"))
        if has_path(behind.failing[0], NOT_READY):
            evidence.append(quote(behind.failing[0], NOT_READY))
    else:
        evidence = [quote(service, "spec.selector", "no pod in the namespace carries these labels")]
        blamed = [ref(each) for each in makers]
        for workload in idle:
            yield _scaled_down(workload, confidence, known_by, unless)
    labels = _labels(service)
    yield Finding(
        about=ref(service),
        summary="no DNS server is ready: no pod in the cluster can resolve a name",
        confidence=confidence,
        evidence=(*evidence, *known_by),
        would_disprove=unless,
        because_of=tuple(blamed),
        commands=(
            Command(f"kubectl get pods -n {service.namespace} -l {labels}", "the DNS servers"),
            Command(f"kubectl logs -n {service.namespace} -l {labels} --tail=20 --previous", "why they ended"),
        ),
    )


def _scaled_down(
    workload: KubernetesObject, confidence: Confidence, known_by: tuple[Evidence, ...], unless: str
) -> Finding:
    name = ref(workload)
    return Finding(
        about=name,
        summary="it runs the cluster's DNS and is scaled to 0, so no name resolves",
        confidence=confidence,
        evidence=(quote(workload, "spec.replicas", "no DNS server is wanted"), *known_by),
        would_disprove=unless,
        fixes=(Fix("run two DNS servers", f"kubectl scale {name.argument}{name.namespace_flag} --replicas=2"),),
        commands=(
            Command(f"kubectl get events{name.namespace_flag} --sort-by=.lastTimestamp", "who scaled it, and when"),
        ),
    )


def _corefile(configuration: ConfigMap, refused: CorefileRefusal, workload: Ref) -> Finding:
    error = refused.error
    near = next(iter(misspellings(error.directive, PLUGINS, 1)), "") if error.directive else ""
    if error.directive:
        what = f"line {error.line} of the Corefile names the plugin {error.directive}, which CoreDNS does not have"
        what += f"; did you mean {near}?" if near else ""
    elif error.loop:
        what = f"the Corefile forwards CoreDNS's questions back to itself: {error.what}"
    else:
        what = "CoreDNS refuses the Corefile" + (f" at line {error.line}" if error.line else "") + f": {error.what}"
    place = f"-n {configuration.namespace}"
    change = f"kubectl edit configmap {place} {configuration.name}"
    return Finding(
        about=ref(configuration),
        summary=what,
        confidence=Confidence.CERTAIN if refused.tail is not None else Confidence.LIKELY,
        evidence=(
            *(
                (quote_line(refused.tail, error.index, "why CoreDNS does not start"),)
                if refused.tail is not None
                else ()
            ),
            quote(configuration, "data[Corefile]", f"line {error.line}" if error.line else ""),
        ),
        fixes=(
            Fix(f"write {near} in line {error.line}" if near else "repair the Corefile", change),
            Fix("restart CoreDNS", f"kubectl rollout restart {workload.argument} {place}", Effect.DISRUPTS),
        )
        if not error.loop
        else (Fix("forward to a resolver outside the node: `forward . 9.9.9.9` in place of /etc/resolv.conf", change),),
        commands=(Command(f"kubectl get configmap {place} {configuration.name} -o yaml", "the whole Corefile"),),
    )


def _labels(service: Service) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((service.spec.selector or {}).items()))
