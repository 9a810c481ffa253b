"""A pod waits behind a scheduling gate.

## What it means
The pod carries one or more scheduling gates. The scheduler does not look at it until all of them are removed. There is
no event: this wait is silent.

## Why it happens
- A controller put the gate there (a quota or queue system, a job queue, a device set-up) and has not yet opened it.
- That controller does not run, or does not know this pod: then nobody ever removes the gate.
- The gate was written into the template by hand.

## How to fix it
1. Find whose gate it is: its name usually begins with the owner's domain.
2. See that this controller runs, and why it holds the pod back.
3. A gate without an owner: remove it from the template.

## References
- https://kubernetes.io/docs/concepts/scheduling-eviction/pod-scheduling-readiness/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    Pod,
    has_path,
    quote,
    ref,
    template_of,
    terminating,
    unscheduled,
    workload_of,
)
from kubedoctor.cluster.changes import drop
from kubedoctor.findings import Command, Confidence, Effect, Explains, Finding, Fix, Severity, command_line, diagnostic

SOON = timedelta(seconds=5)


@diagnostic(
    code="KD1102",
    subject=Pod,
    severity=Severity.WARNING,
    reads=(Pod, *WORKLOADS),
    when=unscheduled,
    explains=(Explains("same", ("KD1201", "KD1204")),),
    also_known_as=("SchedulingGated",),
    symptoms=("Pending",),
)
def scheduling_gated(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    gates = pod.spec.scheduling_gates or ()
    created = pod.metadata.creation_timestamp
    if (
        not gates
        or not unscheduled(pod)
        or terminating(pod)
        or (created is not None and cluster.taken_at - created < SOON)
    ):
        return
    names = ", ".join(gate.name for gate in gates)
    workload = workload_of(pod, cluster)
    owner = cluster.maybe.get_ref(workload)
    template = template_of(owner) if owner is not None else None
    written = template is not None and bool(template.spec.scheduling_gates)
    where = (
        f"its template sets the scheduling gate {names}" if written else f"it waits behind the scheduling gate {names}"
    )
    reason = "status.conditions[type=PodScheduled].reason"
    line = command_line(drop(ref(pod), ("spec", "schedulingGates")), pod)
    yield Finding(
        about=workload,
        summary=f"{where}: the scheduler does not look at its pods until it is removed",
        evidence=(
            quote(pod, "spec.schedulingGates", "each must be removed first"),
            *((quote(pod, reason, ""),) if has_path(pod, reason) else ()),
        ),
        confidence=Confidence.CERTAIN,
        affects=(ref(pod),),
        fixes=(
            Fix("see why the controller that owns the gate does not remove it"),
            Fix("if nobody owns it, remove it", line, Effect.CHANGES),
        ),
        commands=(
            Command(f"kubectl get pod {pod.name} -n {pod.namespace} -o yaml", "its gates, and who put them there"),
        ),
    )
