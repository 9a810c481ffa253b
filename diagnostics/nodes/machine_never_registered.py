"""Machine was launched and never joined the cluster (NodeClaim not registered).

## What it means
The cloud has created the machine, and no Node appeared for it. The pods that it was created for stay Pending. Karpenter deletes such
a machine after 15 minutes and creates another, which fails in the same way; the cluster API waits, or replaces it where a
MachineHealthCheck says so.

## Why it happens
- The machine cannot reach the API server: security group, route, proxy, name resolution.
- It may not join: its role is in no access entry and not in `aws-auth`, or its bootstrap token has expired.
- Its start-up script fails: wrong user data, an image that does not fit the Kubernetes version.
- Its certificate request waits: `kubectl get csr`.

## How to fix it
1. On the machine, by its serial console or the cloud's console output: `journalctl -u kubelet`, `/var/log/cloud-init-output.log`.
2. Correct what it names in the NodeClass, the launch template or the bootstrap configuration.

## References
- https://karpenter.sh/docs/troubleshooting/#node-notready
- https://cluster-api.sigs.k8s.io/user/troubleshooting
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from kubedoctor.cluster import (
    Cluster,
    CustomResource,
    Evidence,
    KubernetesObject,
    has_path,
    human_duration,
    quote,
    ref,
)
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic
from kubedoctor.replay.autoscaling.karpenter import unregistered
from kubedoctor.replay.autoscaling.view import NODE_COMES, REGISTERS
from kubedoctor.replay.status.stated import stated_conditions

_CONDITION: Final = "status.conditions[type={}].{}"
_MADE: Final = "Provisioned"
"""The phase of a Machine that the cloud has made, and that has no Node yet (cluster-api, api/v1beta1)."""
_INFRASTRUCTURE: Final = "InfrastructureReady"
_REPAIR: Final = (
    "On the machine, read the log of the kubelet and of its start-up script, and correct what they name: the way to the"
    " API server, the right to join, the user data"
)


@diagnostic(
    code="KD4015",
    subject="NodeClaim.karpenter.sh",
    also_subjects=("Machine.cluster.x-k8s.io",),
    severity=Severity.WARNING,
    reads=(),
    also_known_as=("node did not join",),
    symptoms=("Node not registered with cluster", "NodeNotFound", "NodeProvisioning", "Provisioned"),
)
def machine_never_registered(machine: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
    if isinstance(machine, CustomResource):
        yield from _of_the_cluster_api(machine, cluster)
    else:
        yield from _of_karpenter(machine, cluster)


def _of_karpenter(claim: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
    waits = unregistered(claim)
    if waits is None or cluster.taken_at - waits.since < REGISTERS:
        return
    said = f" ({waits.registered.message})" if waits.registered is not None and waits.registered.message else ""
    paths = (_CONDITION.format("Registered", field) for field in ("reason", "message"))
    evidence = (
        quote(claim, _CONDITION.format("Launched", "lastTransitionTime"), "when the cloud had created it"),
        *(quote(claim, path, "why it is not registered") for path in paths if has_path(claim, path)),
    )
    yield _finding(claim, waits.since, said, evidence, cluster)


def _of_the_cluster_api(machine: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    status: dict[str, Any] = machine.status or {}
    made = stated_conditions(machine).get(_INFRASTRUCTURE)
    since = made.since if made is not None else None
    if machine.metadata.deletion_timestamp is not None or status.get("nodeRef") or status.get("phase") != _MADE:
        return
    if since is None or made is None or made.status != "True" or cluster.taken_at - since < NODE_COMES:
        return
    evidence = (
        quote(machine, "status.phase", "the cloud has created it; it has no nodeRef"),
        quote(machine, _CONDITION.format(_INFRASTRUCTURE, "lastTransitionTime"), "when that was"),
    )
    yield _finding(machine, since, "", evidence, cluster)


def _finding(
    machine: KubernetesObject, since: datetime, said: str, evidence: tuple[Evidence, ...], cluster: Cluster
) -> Finding:
    return Finding(
        about=ref(machine),
        summary=f"its machine was created {human_duration(cluster.taken_at - since)} ago, and has not joined the cluster{said}",
        evidence=evidence,
        confidence=Confidence.CERTAIN,
        fixes=(Fix(_REPAIR),),
        commands=(
            Command(ref(machine).describe_command, "its conditions, its machine in the cloud, and events"),
            Command("kubectl get csr", "whether its kubelet has asked for a certificate"),
        ),
    )
