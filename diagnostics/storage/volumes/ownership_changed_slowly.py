"""Pod waits while the kubelet changes the owner of each file of a volume.

## What it means
The pod sets `fsGroup`. Before its containers start, the kubelet gives every file of the volume to that group. A volume with
millions of files keeps the pod in ContainerCreating for minutes or hours, at each start.

## Why it happens
`fsGroupChangePolicy` is `Always`, which is the default: the files are walked through although they have the group already.

## How to fix it
Set `securityContext.fsGroupChangePolicy: OnRootMismatch` of the pod: the files are then walked through only where the volume's
top folder has another group. The walk that runs now goes on; a volume that is new to the group needs it once.

## References
- https://kubernetes.io/docs/tasks/configure-pod-container/security-context/#configure-volume-permission-and-ownership-change-policy-for-pods
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from diagnostics.pods.starting._creation import nothing_created
from kubedoctor.cluster import WORKLOADS, Cluster, Event, Pod, not_ready, times
from kubedoctor.findings import (
    Confidence,
    Finding,
    Fix,
    Severity,
    active,
    at_fault,
    diagnostic,
    fix_by_hand,
    look_at_pod,
    quote,
    quote_pod_spec,
    ref,
)

_REASON: Final = "VolumePermissionChangeInProgress"
"""`pkg/volume/volume_linux.go`, v1.33: written after 30 seconds, and every minute."""
_VOLUME: Final = re.compile(r"volumes/kubernetes\.io~[\w.-]+/(?P<name>[^/\s]+)")
_ON_MISMATCH: Final = "OnRootMismatch"


@diagnostic(
    code="KD3012",
    subject=Pod,
    severity=Severity.WARNING,
    reads=(Event, *WORKLOADS),
    when=not_ready,
    symptoms=(_REASON, "ContainerCreating", "Setting volume ownership"),
)
def ownership_changed_slowly(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if not active(pod) or not pod.spec.node_name or not nothing_created(pod):
        return
    said = [event for event in cluster.events_about(ref(pod)) if event.reason == _REASON]
    if not said:
        return
    event, about = said[-1], at_fault(pod, cluster)
    named = _VOLUME.search(event.message)
    security = pod.spec.security_context
    policy = security.fs_group_change_policy if security is not None else None
    group = f" {security.fs_group}" if security is not None and security.fs_group is not None else ""
    which = f"volume {named['name']}" if named is not None else "a volume"
    once = f"; fsGroupChangePolicy is {_ON_MISMATCH}, so this happens once" if policy == _ON_MISMATCH else ""
    fix = (
        Fix("Wait until it is done: later starts do not walk through the files")
        if once
        else fix_by_hand(about, f"Set fsGroupChangePolicy {_ON_MISMATCH} in the securityContext of the pod")
    )
    yield Finding(
        about=about,
        summary=f"the kubelet changes the group of each file of {which} to fsGroup{group} before the containers start{once}",
        evidence=(
            quote(event, "message", f"seen {times(event.times)}"),
            *quote_pod_spec(pod, cluster, about, "spec.securityContext.fsGroup", "the group that files get"),
        ),
        confidence=Confidence.CERTAIN,
        affects=(ref(pod),),
        fixes=(fix,),
        commands=(look_at_pod(pod, "its events"),),
    )
