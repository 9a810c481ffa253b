"""Manifest selects nodes by a deprecated label or taint.

## What it means
The key was replaced years ago, and many nodes lack it today. Where they do, a node selector or affinity on it fits no node, a
topology on it counts every node apart, and a toleration of it tolerates nothing. The API server accepts the object, at most
with a warning.

## Why it happens
- `failure-domain.beta.kubernetes.io/zone` and `/region` became `topology.kubernetes.io/zone` and `/region` in 1.17.
- `beta.kubernetes.io/os`, `/arch` and `/instance-type` became `kubernetes.io/os`, `kubernetes.io/arch` and
  `node.kubernetes.io/instance-type`.
- The taint and label `node-role.kubernetes.io/master` became `node-role.kubernetes.io/control-plane`; kubeadm stopped setting
  the old ones in 1.25.

## How to fix it
1. Use the key of today.
2. For clusters of both ages, tolerate both taints.

## References
- https://kubernetes.io/docs/reference/labels-annotations-taints/
- https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/create-cluster-kubeadm/
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster import Cluster, DeadKey, Manifest, Node, quote
from kubedoctor.findings import Confidence, Finding, Fix, Severity, diagnostic


def has_dead_keys(manifest: Manifest) -> bool:
    """It relies on a key that nothing sets."""
    return bool(manifest.dead_keys)


_STILL_SET = "beta.kubernetes.io/"
"""The kubelet sets these keys, beside the new ones, to this day."""


@diagnostic(
    code="KD5305",
    subject=Manifest,
    severity=Severity.WARNING,
    reads=(Node,),
    when=has_dead_keys,
    symptoms=("didn't match Pod's node affinity/selector", "had untolerated taint"),
)
def dead_key(manifest: Manifest, cluster: Cluster) -> Iterator[Finding]:
    nodes = tuple(
        node for node in cluster.maybe.all(Node) if node.labels
    )  # one without stands for any, where none was read
    for place, dead in enumerate(manifest.dead_keys or ()):
        if any(_sets(node, dead) for node in nodes):
            continue
        unset = f"{dead.key} is set on no node of this cluster: since Kubernetes {dead.since} it is {dead.instead}"
        old = f"many nodes lack {dead.key}: since Kubernetes {dead.since} it is {dead.instead}"
        yield Finding(
            about=manifest.subject,
            summary=unset if nodes else old,
            evidence=(quote(manifest, f"deadKeys[{place}].key", dead.path),),
            confidence=Confidence.LIKELY,
            severity=Severity.NOTICE if not nodes and dead.key.startswith(_STILL_SET) else None,
            fixes=(Fix(f"Use {dead.instead}"),),
            aspect=f"@{dead.path}",
        )


def _sets(node: Node, dead: DeadKey) -> bool:
    """A cloud provider, or an old cluster, may still set it."""
    return dead.key in node.labels or any(taint.key == dead.key for taint in node.spec.taints or ())
