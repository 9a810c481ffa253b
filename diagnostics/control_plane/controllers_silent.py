"""No controller works on a new workload.

## What it means
The API server has accepted the workload, and the controller that should create its pods has not even looked at it: its
status has no `observedGeneration`. Nothing says so: there is no event and no condition. All other workloads are kept
running by their nodes, but nothing replaces a lost pod, and no rollout moves.

## Why it happens
- kube-controller-manager does not run, cannot reach the API server, or has lost its leader lease.
- It is far behind: the API server limits its requests, or it has just started in a very large cluster.

## How to fix it
1. Look at the pods of kube-controller-manager in kube-system and at their logs. In a managed cluster, ask the provider.
2. Look at its lease: `kubectl get lease kube-controller-manager -n kube-system -o yaml` shows when it was last renewed.

## References
- https://kubernetes.io/docs/concepts/architecture/#kube-controller-manager
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from kubedoctor.cluster import (
    Cluster,
    DaemonSet,
    Deployment,
    Evidence,
    Lease,
    Ref,
    ReplicaSet,
    StatefulSet,
    has_path,
    human_duration,
    quote,
    ref,
    statuses_were_recorded,
)
from kubedoctor.findings import Command, Confidence, Explains, Finding, Fix, Severity, diagnostic, kubectl, look_at

Workload = Deployment | ReplicaSet | StatefulSet | DaemonSet
PATIENCE = timedelta(minutes=1)
NAMESPACE, NAME = "kube-system", "kube-controller-manager"
RENEWED = "spec.renewTime"


def unobserved(workload: Workload) -> bool:
    """The API server has stored it (a manifest has no generation), and its controller has not seen it."""
    return bool(workload.metadata.generation) and not workload.status.observed_generation


@diagnostic(
    code="KD4102",
    subject=Deployment,
    also_subjects=(ReplicaSet, StatefulSet, DaemonSet),
    severity=Severity.CRITICAL,
    reads=(Lease,),
    when=unobserved,
    explains=(Explains("selects", ("KD2001", "KD2005")),),
    symptoms=("observedGeneration",),
)
def controllers_silent(workload: Workload, cluster: Cluster) -> Iterator[Finding]:
    created = workload.metadata.creation_timestamp
    if created is None or workload.metadata.deletion_timestamp is not None or cluster.taken_at - created < PATIENCE:
        return
    lease, evidence = _lease(cluster)
    age = human_duration(cluster.taken_at - created)
    if not lease and not statuses_were_recorded(cluster.snapshot):
        yield Finding(
            about=ref(workload),
            severity=Severity.NOTICE,
            summary=f"its status has no observedGeneration, {age} after it was created: either no controller works on it,"
            " or statuses were left out, as nothing here has one",
            evidence=(quote(workload, "metadata.generation", "the API server stored it"),),
            confidence=Confidence.POSSIBLE,
            would_disprove="A status of it in the cluster.",
            commands=(look_at(ref(workload), "whether it has a status in the cluster"),),
        )
        return
    yield Finding(
        about=ref(workload),
        summary=f"no controller has looked at it for {age}: kube-controller-manager does not work{lease}",
        evidence=(
            quote(workload, "metadata.generation", "its status has no observedGeneration"),
            quote(workload, "metadata.creationTimestamp"),
            *evidence,
        ),
        confidence=Confidence.CERTAIN if lease else Confidence.LIKELY,
        would_disprove="" if lease else "An observedGeneration in its status: then the controller was only slow.",
        because_of=(Ref("Lease", NAMESPACE, NAME), Ref("Namespace", "", NAMESPACE)),
        fixes=(Fix("Start kube-controller-manager again, or let it reach the API server"),),
        commands=(
            Command(kubectl("get", "pods", "-l", f"component={NAME}", namespace=NAMESPACE), "whether it runs"),
            Command(kubectl("get", "lease", NAME, "-o", "yaml", namespace=NAMESPACE), "when it was last at work"),
        ),
    )


def _lease(cluster: Cluster) -> tuple[str, list[Evidence]]:
    """Since when its lease is not renewed; empty where that cannot be said."""
    lease = cluster.maybe.get(Lease, NAMESPACE, NAME)
    if lease is None or lease.spec.renew_time is None or not has_path(lease, RENEWED):
        return "", []
    silent = cluster.taken_at - lease.spec.renew_time
    if silent < PATIENCE:
        return "", []
    evidence = quote(lease, RENEWED, "its leader renews it every few seconds")
    return f", and its lease was last renewed {human_duration(silent)} ago", [evidence]
