"""Scheduler or controller manager has not renewed its lease.

## What it means
Of several kube-schedulers or kube-controller-managers one is at work: the one that holds the lease, which it renews every
few seconds. Nothing renews it any more. Without a scheduler new pods stay Pending; without controllers no pod is replaced, no
rollout moves, and nodes that are lost are still called Ready.

## Why it happens
- Its pods crash, were removed from the control-plane nodes, or cannot reach the API server.
- Its certificate or its kubeconfig has expired.
- The clock of its machine is wrong.

## How to fix it
1. Look at its pods in kube-system and at their logs. In a managed cluster, ask the provider.
2. On a control-plane node: `crictl ps -a`, and the manifests in /etc/kubernetes/manifests.

## References
- https://kubernetes.io/docs/concepts/architecture/leases/#leader-election
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from diagnostics.control_plane._triage import NAMESPACE, of_the_control_plane
from kubedoctor.cluster import Cluster, Lease, Namespace, Pod, human_duration, quote, ready, ref
from kubedoctor.findings import Command, Confidence, Explains, Finding, Fix, Severity, diagnostic, kubectl

OF_NODES = "kube-node-lease"
COMPONENTS = {
    "kube-scheduler": "no new pod gets a node",
    "kube-controller-manager": "no pod is replaced, and no rollout moves",
}
PATIENCE = timedelta(minutes=1)
LEFT_BEHIND = timedelta(days=1)
"""An older lease is more likely of a component that no longer elects a leader, as in k3s with one server."""


@diagnostic(
    code="KD4103",
    subject=Namespace,
    severity=Severity.CRITICAL,
    reads=(Lease, Pod),
    when=of_the_control_plane,
    explains=(Explains("same", ("KD1101",)),),
    also_known_as=("leader election lost",),
    symptoms=("kube-scheduler", "kube-controller-manager", "renewTime"),
)
def leader_silent(namespace: Namespace, cluster: Cluster) -> Iterator[Finding]:
    if not of_the_control_plane(namespace):
        return
    for name in COMPONENTS:
        lease = cluster.maybe.get(Lease, NAMESPACE, name)
        renewed = lease.spec.renew_time if lease is not None and lease.spec.holder_identity else None
        if lease is None or renewed is None or not PATIENCE < cluster.taken_at - renewed < LEFT_BEHIND:
            continue
        if _some_are_fresh(cluster):
            yield _finding(lease, cluster.taken_at - renewed, cluster)


def _some_are_fresh(cluster: Cluster) -> bool:
    """Where no lease is fresh, what was seen is old, or the clocks differ."""
    others = [
        other.spec.renew_time for other in cluster.maybe.all(Lease, OF_NODES) if other.spec.renew_time is not None
    ]
    return bool(others) and cluster.taken_at - max(others) <= PATIENCE


def _finding(lease: Lease, silent: timedelta, cluster: Cluster) -> Finding:
    pods = [
        pod
        for pod in cluster.maybe.labelled(Pod, NAMESPACE, f"component={lease.name}")
        if isinstance(pod, Pod) and not ready(pod)
    ]
    failing = f"; pod {pods[0].name} is not ready" if pods else ""
    return Finding(
        about=ref(lease),
        summary=f"{lease.name} has not renewed its lease for {human_duration(silent)}:"
        f" {COMPONENTS[lease.name]}{failing}",
        evidence=(
            quote(lease, "spec.renewTime", "its leader renews it every few seconds"),
            quote(lease, "spec.holderIdentity", "who was at work last"),
        ),
        confidence=Confidence.LIKELY,
        because_of=tuple(ref(pod) for pod in pods),
        fixes=(Fix(f"Start {lease.name} again, or let it reach the API server"),),
        commands=(
            Command(kubectl("get", "pods", "-l", f"component={lease.name}", namespace=NAMESPACE), "whether it runs"),
            Command(kubectl("get", "lease", lease.name, "-o", "yaml", namespace=NAMESPACE), "when it was last at work"),
        ),
    )
