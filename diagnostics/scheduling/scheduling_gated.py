"""Pod is SchedulingGated.

## What it means
The pod has scheduling gates. The scheduler skips it until all gates are removed, and reports no event about it.

## Why it happens
- A controller added the gate (a quota or queue system, a job queue, a device setup) and has not removed it yet.
- That controller is down, or does not handle this pod: then the gate stays.
- The gate was added to the template by hand.

## How to fix it
1. Find the controller of the gate: its name usually starts with the owner's domain.
2. Check that this controller runs, and why it does not admit the pod.
3. Remove a gate that no controller owns from the template.

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
from kubedoctor.findings import (
    Command,
    Confidence,
    Effect,
    Explains,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
    kubectl,
)

SOON = timedelta(seconds=5)


@diagnostic(
    code="KD1102",
    subject=Pod,
    severity=Severity.WARNING,
    reads=(Pod, *WORKLOADS),
    when=unscheduled,
    explains=(Explains("same", ("KD1201", "KD1204", "KD1215")),),
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
    in_template = template is not None and bool(template.spec.scheduling_gates)
    where = (
        f"its template sets the scheduling gate {names}" if in_template else f"waits for the scheduling gate {names}"
    )
    reason = "status.conditions[type=PodScheduled].reason"
    line = command_line(drop(ref(pod), ("spec", "schedulingGates")), pod)
    yield Finding(
        about=workload,
        summary=f"{where}: the scheduler skips its pods until the gate is removed",
        evidence=(
            quote(pod, "spec.schedulingGates", "all must be removed first"),
            *((quote(pod, reason, ""),) if has_path(pod, reason) else ()),
        ),
        confidence=Confidence.CERTAIN,
        affects=(ref(pod),),
        fixes=(
            Fix("Check why the controller that owns the gate does not remove it"),
            Fix("If no controller owns the gate, remove it", line, Effect.CHANGES),
        ),
        commands=(
            Command(
                kubectl("get", "pod", pod.name, "-o", "yaml", namespace=pod.namespace),
                "its gates, and which client set them",
            ),
        ),
    )
