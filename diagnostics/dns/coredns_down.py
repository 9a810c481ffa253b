"""The cluster's DNS answers nobody.

## What it means
No pod behind the cluster's DNS Service is ready. No pod can resolve a name: programs that look up
a Service, a database or an outside host fail, and many crash.

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
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from kubedoctor.cluster.core import ConfigMap, Service
from kubedoctor.cluster.meta import KubernetesObject
from kubedoctor.cluster.networking import EndpointSlice
from kubedoctor.cluster.pods import Pod
from kubedoctor.cluster.reading import Cluster
from kubedoctor.cluster.relations import WORKLOADS, workload_of
from kubedoctor.cluster.selectors import nearest_word
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
from kubedoctor.replay.dns import CorefileError, corefile_error, is_cluster_dns, unknown_directives
from kubedoctor.replay.dns.corefile import PLUGINS
from kubedoctor.replay.services import backends, wanted_replicas, workloads_behind

MOST_LOGS = 2


@dataclass(frozen=True)
class _Refused:
    """The Corefile is why CoreDNS does not run. `line` quotes the log, where there is one."""

    configuration: ConfigMap | None
    error: CorefileError
    line: Evidence | None


@diagnostic(
    code="KD2101",
    subject=Service,
    severity=Severity.CRITICAL,
    reads=(Service, EndpointSlice, Pod, ConfigMap, *WORKLOADS),
    when=is_cluster_dns,
    explains=(Explains("same"), Explains("configures", ("KD1003",))),
)
def coredns_down(service: Service, cluster: Cluster) -> Iterator[Finding]:
    if not service.spec.selector:
        return
    behind = backends(service, cluster)
    if behind.served or len(behind.failing) != len(behind.live) or (behind.leaving and not behind.live):
        return
    blamed: list[Ref] = []
    if behind.failing:
        evidence = [quote(service, "spec.selector", f"selects {len(behind.live)} pods, none of them ready")]
        spoken = behind.failing[:MOST_LOGS]
        cluster.together(
            *(partial(_refused, pod, cluster) for pod in spoken),
            *(partial(workload_of, pod, cluster) for pod in behind.failing),
        )
        blamed = list(dict.fromkeys(workload_of(pod, cluster) for pod in behind.failing))
        refused = next((each for pod in spoken if (each := _refused(pod, cluster)) is not None), None)
        if refused is not None and refused.configuration is not None:
            blamed.insert(0, ref(refused.configuration))
            yield _corefile(refused.configuration, refused, blamed[-1])
        elif refused is not None and refused.line is not None:
            evidence.append(refused.line)
        pod = behind.failing[0]
        evidence += [quote(pod, path) for path in ("status.conditions[type=Ready].message",) if has_path(pod, path)]
    else:
        evidence = [quote(service, "spec.selector", "no pod in the namespace carries these labels")]
        workloads = workloads_behind(service, cluster)
        blamed = [ref(each) for each in workloads]
        for workload in workloads:
            if wanted_replicas(workload) == 0 and has_path(workload, "spec.replicas"):
                yield _scaled_down(workload)
    yield Finding(
        about=ref(service),
        summary="no DNS server is ready: no pod in the cluster can resolve a name",
        confidence=Confidence.CERTAIN,
        evidence=tuple(evidence),
        because_of=tuple(blamed),
        commands=(
            Command(f"kubectl get pods -n {service.namespace} -l {_labels(service)}", "the DNS servers"),
            Command(
                f"kubectl logs -n {service.namespace} -l {_labels(service)} --tail=20 --previous", "why they ended"
            ),
        ),
    )


def _scaled_down(workload: KubernetesObject) -> Finding:
    name = ref(workload)
    return Finding(
        about=name,
        summary="it runs the cluster's DNS and is scaled to 0, so no name resolves",
        confidence=Confidence.CERTAIN,
        evidence=(quote(workload, "spec.replicas", "no DNS server is wanted"),),
        fixes=(Fix("run two DNS servers", f"kubectl scale {name.argument}{name.namespace_flag} --replicas=2"),),
        commands=(
            Command(f"kubectl get events{name.namespace_flag} --sort-by=.lastTimestamp", "who scaled it, and when"),
        ),
    )


def _refused(pod: Pod, cluster: Cluster) -> _Refused | None:
    """What the pod's log says about its Corefile; without a log, what the Corefile itself shows."""
    logs = [
        partial(cluster.log_tail, pod, each.name, previous=old) for each in pod.spec.containers for old in (False, True)
    ]
    cluster.together(partial(_configuration, pod, cluster), *logs)
    configuration = _configuration(pod, cluster)
    for log in logs:
        tail = log()
        error = corefile_error(tail.lines) if tail is not None else None
        if tail is not None and error is not None:
            return _Refused(configuration, error, quote_line(tail, error.index, "why CoreDNS does not start"))
    text = (configuration.data or {}).get("Corefile", "") if configuration is not None else ""
    for line, name in unknown_directives(text):
        if nearest_word(name, PLUGINS, 1):  # Without a log only a misspelled plugin is surely wrong.
            return _Refused(configuration, CorefileError(0, f"Unknown directive '{name}'", line, name), None)
    return None


def _configuration(pod: Pod, cluster: Cluster) -> ConfigMap | None:
    for volume in pod.spec.volumes or ():
        if volume.config_map is not None:
            found = cluster.maybe.get(ConfigMap, pod.namespace, volume.config_map.name)
            if found is not None and "Corefile" in (found.data or {}):
                return found
    return None


def _corefile(configuration: ConfigMap, refused: _Refused, workload: Ref) -> Finding:
    error = refused.error
    near = next(iter(nearest_word(error.directive, PLUGINS, 1)), "") if error.directive else ""
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
        confidence=Confidence.CERTAIN if refused.line is not None else Confidence.LIKELY,
        evidence=(
            *((refused.line,) if refused.line is not None else ()),
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
