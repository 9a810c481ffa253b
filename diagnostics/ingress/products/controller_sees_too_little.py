"""Ingress controller may not read what it serves.

## What it means
The pods of the ingress controller are ready, and their log says that the API server refuses to list a kind that they need.
Without EndpointSlices every request gets 503, without Services or Ingresses nothing new is served, without Secrets hosts get
the default certificate.

## Why it happens
- The controller was upgraded and its ClusterRole was not: newer versions read EndpointSlices and IngressClasses.
- The ClusterRoleBinding names the ServiceAccount of another namespace.
- The role is bound in some namespaces only, and the controller is not set to watch only those.

## How to fix it
Add the right to the role of the controller, or apply the manifests of its version again.

## References
- https://kubernetes.github.io/ingress-nginx/deploy/rbac/
- https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from diagnostics.pods.crashes._forbidden import forbidden
from kubedoctor.cluster import (
    Cluster,
    ClusterRole,
    ClusterRoleBinding,
    IngressClass,
    LogTail,
    Pod,
    Role,
    RoleBinding,
    ready,
    ref,
    workload_of,
)
from kubedoctor.findings import Confidence, Explains, Finding, Severity, diagnostic, look_at_log, quote, quote_line
from kubedoctor.replay.ingress.controller_log import UnreadKind, unread_kind
from kubedoctor.replay.ingress.controllers import pods_of_controller

_LOGS: Final = 2
_EFFECTS: Final = {
    "Ingress": "it serves no Ingress that is new or changed",
    "IngressClass": "it cannot tell which Ingresses are its own",
    "Secret": "hosts may get its default certificate",
}


@diagnostic(
    code="KD2321",
    subject=IngressClass,
    severity=Severity.CRITICAL,
    reads=(IngressClass, Pod, Role, RoleBinding, ClusterRole, ClusterRoleBinding),
    explains=(Explains("same", ("KD1029",)),),
    symptoms=("503", "endpointslices.discovery.k8s.io is forbidden", "failed to list"),
)
def controller_sees_too_little(ingress_class: IngressClass, cluster: Cluster) -> Iterator[Finding]:
    pods = pods_of_controller(ingress_class.spec.controller, cluster) or ()
    for pod in sorted((pod for pod in pods if ready(pod)), key=lambda pod: pod.name)[:_LOGS]:
        container = pod.spec.containers[0].name
        tail = cluster.log_tail(pod, container, optional=True)
        found = unread_kind(tail.lines, cluster.taken_at) if tail is not None else None
        if tail is not None and found is not None:
            yield _finding(ingress_class, pod, container, tail, found, cluster)
            return


def _finding(
    ingress_class: IngressClass, pod: Pod, container: str, tail: LogTail, found: UnreadKind, cluster: Cluster
) -> Finding:
    effect = _EFFECTS.get(found.kind, "requests get 503, or go to pods that are gone")
    story = forbidden(tail.lines[found.index], cluster)
    text = story.text if story is not None else f"it may not list {found.kind}"
    return Finding(
        about=workload_of(pod, cluster),
        aspect=found.kind,
        summary=f"the ingress controller of class {ingress_class.name} cannot read kind {found.kind}: {effect}; {text}",
        severity=Severity.WARNING if found.kind == "Secret" else None,
        confidence=Confidence.CERTAIN,
        evidence=(
            quote_line(tail, found.index, f"{found.count} such lines"),
            quote(ingress_class, "spec.controller", "its class"),
            *(story.evidence if story is not None else ()),
        ),
        affects=(ref(ingress_class), ref(pod)),
        fixes=story.fixes if story is not None else (),
        commands=(look_at_log(pod, container, previous=False, why="what it cannot read"),),
    )
