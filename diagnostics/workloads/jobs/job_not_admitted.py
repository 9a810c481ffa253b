"""Kueue cannot admit it.

## What it means

Kueue suspends a Job until its queue has quota for all of its pods. This one is not waiting for its turn: as the queues and
the request are, no quota that becomes free will admit it.

## Why it happens

- Its pods together request more of a resource than the ClusterQueue, with what it may borrow, has at most.
- It requests a resource that the ClusterQueue does not cover.
- Its LocalQueue or ClusterQueue does not exist, is stopped, or does not accept its namespace.
- No flavor of the ClusterQueue fits: its node labels or taints do not match the pod template.

## How to fix it

1. Read the condition QuotaReserved of the Workload: `kubectl describe workload NAME`.
2. Request less, run fewer pods at once (parallelism), or raise nominalQuota of the ClusterQueue.
3. Correct the label `kueue.x-k8s.io/queue-name`, or create the queue.

Do not set `suspend: false`: Kueue sets it back.

## References

- https://kueue.sigs.k8s.io/docs/tasks/troubleshooting/troubleshooting_jobs/
- https://kueue.sigs.k8s.io/docs/concepts/cluster_queue/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from kubedoctor.cluster import Cluster, CustomResource, Evidence, Ref, quote, ref, visible_ends
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic
from kubedoctor.replay.status.stated import stated_conditions

_RESERVED: Final = "status.conditions[type=QuotaReserved]"
_PATIENCE: Final = timedelta(minutes=1)
_LONGEST: Final = 400
_WAITS: Final = re.compile(r"insufficient unused quota|more needed|waiting|preempt", re.IGNORECASE)
"""What becomes free later; any flavor that says so can admit the workload."""
_NEVER: Final = (
    (re.compile(r"> ?maximum capacity"), "Request less in all pods at once, or raise the quota of the ClusterQueue"),
    (
        re.compile(r"unavailable in ClusterQueue"),
        "Add the resource to coveredResources of the ClusterQueue and its flavors, or do not request it",
    ),
    (
        re.compile(r"(?:Local|Cluster)Queue \S+ doesn't exist"),
        "Correct the label kueue.x-k8s.io/queue-name, or create the queue",
    ),
    (
        re.compile(r"ClusterQueue \S+ is inactive"),
        "Read the condition Active of the ClusterQueue, and correct what it names",
    ),
    (re.compile(r"namespace doesn't match"), "Let the namespaceSelector of the ClusterQueue match the namespace"),
    (
        re.compile(r"doesn't match node affinity|untolerated taint|flavor \S+ not found", re.IGNORECASE),
        "Let the pod template fit a flavor of the ClusterQueue: its node labels and taints",
    ),
)
"""Messages of the scheduler and its flavor assigner (kueue, pkg/scheduler, v0.14), and what repairs each."""


@diagnostic(
    code="KD1230",
    subject="Workload.kueue.x-k8s.io",
    severity=Severity.WARNING,
    reads=(),
    symptoms=("QuotaReserved", "Inadmissible", "Suspended"),
)
def job_not_admitted(workload: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    conditions = stated_conditions(workload)
    reserved, finished = conditions.get("QuotaReserved"), conditions.get("Finished")
    created = workload.metadata.creation_timestamp
    if reserved is None or workload.metadata.deletion_timestamp is not None:
        return
    if (finished is not None and finished.status == "True") or (workload.spec or {}).get("active") is False:
        return  # It is over, or somebody has deactivated it.
    if reserved.status != "False" or (created is not None and cluster.taken_at - created < _PATIENCE):
        return
    message = " ".join(reserved.message.split())
    fix = next((fix for words, fix in _NEVER if words.search(message)), "")
    if not fix or _WAITS.search(message):
        return
    yield Finding(
        about=ref(workload),
        summary=f"Kueue cannot admit it: {visible_ends(message, _LONGEST)}".rstrip("."),
        evidence=(quote(workload, f"{_RESERVED}.message", "why no quota is reserved"), *_its_queue(workload)),
        confidence=Confidence.CERTAIN,
        affects=_owners(workload),
        fixes=(Fix(fix),),
        commands=(Command(ref(workload).describe_command, "its conditions and events"),),
    )


def _its_queue(workload: CustomResource) -> tuple[Evidence, ...]:
    return (quote(workload, "spec.queueName", "its LocalQueue"),) if (workload.spec or {}).get("queueName") else ()


def _owners(workload: CustomResource) -> tuple[Ref, ...]:
    """The Jobs that wait for it."""
    owners = workload.metadata.owner_references or ()
    return tuple(Ref("Job", workload.namespace, owner.name) for owner in owners if owner.kind == "Job")
