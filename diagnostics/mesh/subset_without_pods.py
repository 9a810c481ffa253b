"""Istio: subset selects no pod.

## What it means
A rule sends requests to a subset whose labels no pod of the Service has. The proxies have a cluster for it without endpoints:
they answer 503 with the flag `UH` (`no_healthy_upstream`); other subsets work.

## Why it happens
- The label's value differs from that of the pods: `v2` against `2.0`.
- The label is on the Deployment, or on a running pod, and not in the pod template.
- The version is not deployed (any more), but still routed to.

## How to fix it
Correct the labels of the subset or of the pod template, or route to a subset that has pods.

## References
- https://istio.io/latest/docs/concepts/traffic-management/#destination-rules
- https://istio.io/latest/docs/reference/config/analysis/ist0173/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from diagnostics.mesh._config import is_for, proxies_of, requests_seen, services
from kubedoctor.cluster import (
    Cluster,
    CustomResource,
    Pod,
    Service,
    finished,
    pods_selected_by,
    workload_of,
)
from kubedoctor.findings import (
    Command,
    Confidence,
    Finding,
    Fix,
    Severity,
    diagnostic,
    edit_command,
    kubectl,
    quote,
    ref,
)
from kubedoctor.replay.mesh.access_log import NO_HEALTHY_UPSTREAM, Access
from kubedoctor.replay.mesh.config import DESTINATION_RULE, GATEWAY, NETWORKING, VIRTUAL_SERVICE
from kubedoctor.replay.mesh.routes import Destination, destinations
from kubedoctor.replay.mesh.subsets import Subset, rules_for, subset_named


@diagnostic(
    code="KD6006",
    subject=VIRTUAL_SERVICE,
    severity=Severity.CRITICAL,
    reads=(DESTINATION_RULE, GATEWAY, Service, Pod),
    also_known_as=("IST0173",),
    symptoms=("503", "UH", "no_healthy_upstream", "no healthy upstream"),
)
def subset_without_pods(service: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    if service.metadata.deletion_timestamp is not None:
        return
    known_hosts, told = services(cluster), set()
    for target in destinations(service):
        if not target.subset or not target.gets_traffic or (target.host, target.subset) in told:
            continue
        told.add((target.host, target.subset))
        known = known_hosts.find(target.host, service.namespace)
        if known is None or known.service is None or not known.service.spec.selector:
            continue
        rules = rules_for(target.host, cluster.maybe.custom("DestinationRule", NETWORKING))
        subset = subset_named(target.subset, rules)
        pods = [pod for pod in pods_selected_by(known.service, cluster) if not finished(pod)]
        if subset is None or not pods or any(subset.labels.items() <= pod.labels.items() for pod in pods):
            continue
        yield _finding(service, target, subset, pods, cluster)


def _finding(
    service: CustomResource, target: Destination, subset: Subset, pods: list[Pod], cluster: Cluster
) -> Finding:
    near = max(pods, key=lambda pod: len(subset.labels.items() & pod.labels.items()))
    lacks = dict(subset.labels.items() - near.labels.items())

    def unanswered(access: Access) -> bool:
        mine = f"|{subset.name}|" in access.cluster if "|" in access.cluster else is_for(service, access)
        return NO_HEALTHY_UPSTREAM in access.flags and mine

    seen = next(requests_seen(proxies_of(service, cluster), cluster, unanswered), None)
    has = {key: near.labels[key] for key in lacks if key in near.labels}
    instead = f"has {_words(has)}" if has else "has no such label"
    return Finding(
        about=ref(subset.rule),
        aspect=subset.name,
        summary=f"subset {subset.name} of {target.written} selects no pod: none has {_words(lacks)}"
        f"; {workload_of(near, cluster).title} {instead}",
        evidence=(
            quote(subset.rule, f"{subset.path}.labels", "labels that no pod of the host has"),
            quote(service, f"{target.path}.subset", "sends requests there"),
            *((seen.quoted("answered: no healthy upstream"),) if seen is not None else ()),
        ),
        confidence=Confidence.CERTAIN,
        severity=None if seen is not None else Severity.WARNING,
        affects=(ref(service),),
        fixes=(
            Fix(f"Correct the labels of subset {subset.name}", edit_command(ref(subset.rule))),
            Fix(f"Set {_words(lacks)} in the pod template of the workload that the subset means"),
        ),
        commands=(
            Command(kubectl("get", "pods", "--show-labels", namespace=near.namespace), "the labels of the pods"),
        ),
    )


def _words(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(labels.items()))
