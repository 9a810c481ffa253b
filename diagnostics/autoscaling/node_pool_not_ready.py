"""NodePool of Karpenter is not ready.

## What it means
Karpenter ignores the pool: it makes no nodes, and pods that only its nodes suit stay Pending.

## Why it happens
- `spec.template.spec.nodeClassRef` names a class that does not exist, or the kind of another cloud or release.
- The pool is not valid: a requirement with a restricted label, a budget that cannot be read.
- Its node class is not ready: the class states why.

## How to fix it
1. Read the condition of the NodePool that is False.
2. Correct the field that it names, or create the node class.

## References
- https://karpenter.sh/docs/concepts/nodepools/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kubedoctor.cluster import Cluster, Evidence, NodePool, Ref, has_path, misspellings, quote, ref
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic
from kubedoctor.replay.autoscaling.karpenter import node_class_of, not_ready
from kubedoctor.replay.status.vocabulary import PROGRESS, START

_CLASSES: Final = (
    "EC2NodeClass.karpenter.k8s.aws",
    "NodeClass.eks.amazonaws.com",
    "AKSNodeClass.karpenter.azure.com",
    "GCENodeClass.karpenter.k8s.gcp",
)
"""The classes that are looked for; of others the pool says itself whether they exist."""
_REFERENCE: Final = "spec.template.spec.nodeClassRef.name"


@diagnostic(
    code="KD1315",
    subject=NodePool,
    severity=Severity.WARNING,
    reads=_CLASSES,
    symptoms=("NodeClassReady", "ValidationSucceeded", "NodeClass not found on cluster"),
)
def node_pool_not_ready(pool: NodePool, cluster: Cluster) -> Iterator[Finding]:
    stated = not_ready(pool)
    if stated is None or pool.metadata.deletion_timestamp is not None:
        return
    since = stated.last_transition_time
    patience = START if stated.status == "False" else PROGRESS
    if since is not None and cluster.taken_at - since < patience:
        return
    name = node_class_of(pool)
    missing, near = _missing(name, cluster)
    words = f"{stated.type} is {stated.status}: {stated.message or stated.reason}".rstrip(".: ")
    if missing and name is not None:
        guess = f"; did you mean {near}?" if near else ""
        words, fix = f"{name.title} does not exist{guess}", f"Create {name.title}, or correct nodeClassRef"
    else:
        fix = "Correct what the condition names; the pool gets ready by itself"
    yield Finding(
        about=ref(pool),
        summary=f"not ready, so Karpenter makes no node for it: {words}",
        confidence=Confidence.CERTAIN,
        evidence=tuple(_evidence(pool, stated.type, missing=missing)),
        fixes=(Fix(fix),),
        commands=(Command(ref(pool).describe_command, "its conditions and events"),),
        because_of=(name,) if name is not None and not missing else (),
    )


def _missing(name: Ref | None, cluster: Cluster) -> tuple[bool, str]:
    """Whether the class does not exist, and the nearest name."""
    if name is None or name.kind not in _CLASSES:
        return False, ""
    kind, _, group = name.kind.partition(".")
    classes = [one.name for one in cluster.maybe.custom(kind, group)]
    if any(gap.kind == name.kind for gap in cluster.gaps) or name.name in classes:
        return False, ""
    return True, next(iter(misspellings(name.name, classes, 1)), "")


def _evidence(pool: NodePool, kind: str, *, missing: bool) -> Iterator[Evidence]:
    path = f"status.conditions[type={kind}]"
    for field in ("status", "message"):
        if has_path(pool, f"{path}.{field}"):
            yield quote(pool, f"{path}.{field}", "why Karpenter does not use the pool" if field == "message" else "")
    if missing:
        yield quote(pool, _REFERENCE, "no such object")
