"""Rollout ended every old pod before a new pod was ready.

## What it means
No pod of the Deployment is available: the pods of the old revision are gone, and those of the new revision are not ready.
A rolling update with smaller numbers would have stopped at its first new pod, and the old pods would still serve.

## Why it happens
- `maxUnavailable` is as large as the number of replicas (`100%`, or a number chosen for more replicas), so the Deployment
  may end all old pods at once.
- The strategy is `Recreate`, which ends all old pods first.
- The new revision does not become ready: that is the fault itself, and has a finding of its own where it is known.

## How to fix it
1. Roll back first, if the previous revision was healthy: `kubectl rollout undo`.
2. Find out why the new pods are not ready.
3. Then lower `maxUnavailable`, so that the next bad revision leaves old pods running. `Recreate` is right only where two
   revisions must not run at the same time.

## References
- https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#max-unavailable
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.workloads.rollouts._rollout import first_wait, look
from kubedoctor.answers.rollouts.strategy import careful_again
from kubedoctor.cluster import (
    Cluster,
    Deployment,
    Evidence,
    Pod,
    ReplicaSet,
    counted,
    has_path,
    not_ready,
    pods_of,
    quote,
    ref,
    replica_sets_of,
)
from kubedoctor.findings import Command, Confidence, Explains, Finding, Severity, diagnostic, roll_back, rollout
from kubedoctor.replay.services.starting import still_starting
from kubedoctor.replay.workloads.rolling_update import may_end_all, none_left

_UNAVAILABLE = "spec.strategy.rollingUpdate.maxUnavailable"


@diagnostic(
    code="KD1215",
    subject=Deployment,
    severity=Severity.CRITICAL,
    reads=(Deployment, ReplicaSet, Pod),
    when=none_left,
    explains=(Explains("same", ("KD1201",)), Explains("selects", ("KD2001", "KD2005"))),
    symptoms=("maxUnavailable", "Recreate", "MinimumReplicasUnavailable", "0/3"),
)
def rollout_removed_all(deployment: Deployment, cluster: Cluster) -> Iterator[Finding]:
    if not may_end_all(deployment):
        return
    newest, *older = replica_sets_of(deployment, cluster) or (None,)
    if newest is None or not older:
        return  # The first revision has replaced nothing.
    pods = [pod for pod in pods_of(newest, cluster) if not_ready(pod)]
    if not pods or any(still_starting(pod, cluster.taken_at) for pod in pods):
        return
    wait = first_wait(pods)
    desired = deployment.spec.desired_replicas
    yield Finding(
        about=ref(deployment),
        summary=f"rollout ended every old pod before a new pod was ready: {_rule(deployment)}; 0/{desired} available"
        f"{f', {wait[0]}' if wait else ''}",
        evidence=(*_evidence(deployment), *((wait[1],) if wait else ())),
        confidence=Confidence.CERTAIN,
        affects=tuple(map(ref, pods)),
        fixes=(roll_back(ref(deployment)), *careful_again(deployment)),
        commands=(
            Command(rollout("history", ref(deployment)), "the revisions to roll back to"),
            look(deployment),
        ),
    )


def _rule(deployment: Deployment) -> str:
    if deployment.spec.strategy.type == "Recreate":
        return "its strategy is Recreate"
    numbers = deployment.spec.strategy.rolling_update
    value = numbers.max_unavailable if numbers else None
    return f"maxUnavailable is {value} of {counted(deployment.spec.desired_replicas, 'replica')}"


def _evidence(deployment: Deployment) -> Iterator[Evidence]:
    path = _UNAVAILABLE if has_path(deployment, _UNAVAILABLE) else "spec.strategy.type"
    yield quote(deployment, path, "how many pods may be unavailable" if path == _UNAVAILABLE else "old pods end first")
    yield quote(deployment, "status.updatedReplicas", "all pods are of the new revision, and none is available")
