"""One of the workloads behind a Service has no ready pod.

## What it means
A Service that selects the pods of several workloads (a stable version and its canary, blue and green, several zones) sends each
request to one of the ready pods. One workload has none: the others get its share. The Service still works, so nothing else shows
it: a canary is not tried, or a few pods carry the load of many.

## Why it happens
- The new version does not start or is never ready: its own finding says why.
- The old version broke, and only the canary is left.

## How to fix it
1. Repair the workload, or take it out: scale a canary to 0, roll back.
2. Where only few pods are left, add some of the version that works before it is overloaded.

## References
- https://kubernetes.io/docs/concepts/workloads/management/#canary-deployments
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    Pod,
    Ref,
    Service,
    controller_of,
    counted,
    finished,
    has_path,
    listed,
    pods_selected_by,
    quote,
    ready,
    ref,
    selector_from_map,
    terminating,
    workloads_of,
)
from kubedoctor.findings import Command, Confidence, Finding, Severity, diagnostic, kubectl
from kubedoctor.replay.services.starting import still_starting

_MOST = 2
_READY = "status.conditions[type=Ready].message"


def _selects(service: Service) -> bool:
    return bool(service.spec.selector) and service.spec.type != "ExternalName" and not service.spec.is_headless


@diagnostic(
    code="KD2005",
    subject=Service,
    severity=Severity.WARNING,
    reads=(Service, Pod, *WORKLOADS),
    when=_selects,
    symptoms=("canary", "blue-green", "weight"),
)
def version_not_ready(service: Service, cluster: Cluster) -> Iterator[Finding]:
    """Only where all pods of the Service have been read anyway: while it works it is not worth a request."""
    selector = selector_from_map(service.spec.selector or {}).text
    if not cluster.has_all(Pod, service.namespace, selector):
        return
    live = [pod for pod in pods_selected_by(service, cluster) if not (finished(pod) or terminating(pod))]
    serving = [pod for pod in live if ready(pod)]
    owners = {controller_of(pod) for pod in serving}
    idle = [pod for pod in live if not ready(pod) and controller_of(pod) not in owners]
    if not serving or not idle or any(controller_of(pod) is None for pod in idle):
        return
    workloads = workloads_of(live, cluster.maybe)
    groups: dict[Ref, list[Pod]] = defaultdict(list)
    for pod in live:
        groups[workloads[ref(pod)]].append(pod)
    for workload, pods in groups.items():
        waiting = [pod for pod in pods if not ready(pod) and not still_starting(pod, cluster.taken_at)]
        if len(waiting) == len(pods):
            yield _finding(service, workload, pods, serving, workloads)


def _finding(
    service: Service, workload: Ref, pods: list[Pod], serving: list[Pod], workloads: dict[Ref, Ref]
) -> Finding:
    others = tuple(dict.fromkeys(workloads[ref(pod)] for pod in serving))
    text = listed((other.title for other in others), _MOST)
    share = f"{len(serving)} of {counted(len(serving) + len(pods), 'pod')}"
    path = _READY if has_path(pods[0], _READY) else "status.phase"
    return Finding(
        about=ref(service),
        aspect=str(workload),
        summary=f"no pod of {workload.title} is ready: {text} {'gets' if len(others) == 1 else 'get'} all requests ({share})",
        evidence=(
            quote(service, "spec.selector", f"matches the pods of {counted(len(others) + 1, 'workload')}"),
            quote(pods[0], path, f"a pod of {workload.title}"),
        ),
        confidence=Confidence.CERTAIN,
        affects=tuple(map(ref, pods)),
        because_of=(workload,),
        commands=(
            Command(
                kubectl(
                    "get",
                    "pods",
                    "-l",
                    selector_from_map(service.spec.selector or {}).text,
                    namespace=service.namespace,
                ),
                "the pods of the Service and their state",
            ),
        ),
    )
