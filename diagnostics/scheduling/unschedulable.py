"""Pod does not fit any node (FailedScheduling).

## What it means
The scheduler tried every node and none fits, so the pod stays Pending. Its FailedScheduling message counts the reasons:
each node is counted under the filter that rejected it first. No container starts and no image is pulled until a node
fits.

## Why it happens
- The pod requests more CPU, memory or devices than any node has free, or than any node has in total.
- A nodeSelector or node affinity requires a label that no node has: a typo, or the nodes do not exist yet.
- Nodes have a taint that the pod does not tolerate, are cordoned, or are not ready.
- Rules between pods: anti-affinity with too few nodes, a topology spread, a host port in use.
- A PersistentVolumeClaim is not bound, or its volume is on a node or zone where the pod does not fit.
- The autoscaler adds no node: every suitable node group is at its maximum, the cloud refuses, or it is down.
- No scheduler tries it: `schedulerName` names a scheduler that does not run.

## How to fix it
1. Read the whole message: the reason with the most nodes is rarely the only reason.
2. Change the requests or rules of the pod, or free capacity on a node; preemption evicts only lower priorities.
3. If a claim or a node is the cause, repair it: the scheduler then places the pod by itself.

## References
- https://kubernetes.io/docs/concepts/scheduling-eviction/kube-scheduler/
- https://kubernetes.io/docs/tasks/debug/debug-application/debug-pods/
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.answers.placement import detail as _outcome
from kubedoctor.answers.placement.alike import alike
from kubedoctor.answers.placement.autoscaler import autoscaler_lines, with_autoscaler
from kubedoctor.answers.placement.evidence import commands, evidence
from kubedoctor.answers.placement.explaining.case import Case, Explanation, names
from kubedoctor.answers.placement.explaining.reasons import aspect, blamed, culprit, fact_of, summary
from kubedoctor.answers.placement.fixing.fixes import placement_fixes
from kubedoctor.answers.placement.no_scheduler import no_scheduler_tried
from kubedoctor.answers.placement.outcome import has_other_scheduler
from kubedoctor.answers.placement.passing import fits_by_now, soon_placed
from kubedoctor.answers.placement.priority import class_text, helpful
from kubedoctor.cluster import (
    WORKLOADS,
    CannotSee,
    Cluster,
    Lease,
    Node,
    Pod,
    PriorityClass,
    Ref,
    ResourceClaim,
    ResourceSlice,
    condition,
    terminating,
    unscheduled,
    workload_of,
)
from kubedoctor.findings import Confidence, Explains, Finding, Fix, Severity, diagnostic
from kubedoctor.replay.autoscaling.view import AUTOSCALER_READS, AutoscalerView, autoscaler_view
from kubedoctor.replay.scheduler.framework import Reason
from kubedoctor.replay.scheduler.observed import REPLAY_READS
from kubedoctor.replay.scheduler.pending import PendingAnswer, explain_pending
from kubedoctor.replay.scheduler.said.messages import SchedulingMessage, parse_message
from kubedoctor.replay.scheduler.said.self_check import Agreement, Said, said_of


@diagnostic(
    code="KD1101",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(
        *(ResourceClaim, ResourceSlice, Lease, PriorityClass),
        *AUTOSCALER_READS,
        *REPLAY_READS,
        *WORKLOADS,
    ),
    when=unscheduled,
    alike=alike,
    explains=(
        Explains("same", ("KD1201", "KD1204", "KD1215")),
        Explains("selects", ("KD2001", "KD2005")),
        Explains("affects", ("KD1201", "KD1204", "KD1215", "KD2001", "KD2101")),
    ),
    also_known_as=("pending", "FailedScheduling"),
    symptoms=("Unschedulable", "Insufficient cpu", "Insufficient memory", "SchedulerError"),
)
def unschedulable(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if not unscheduled(pod) or terminating(pod) or pod.spec.scheduling_gates:
        return
    stated = condition(pod.status.conditions, "PodScheduled")
    if stated is not None and stated.status != "False":
        yield from no_scheduler_tried(pod, None, cluster)
        return
    said = said_of(pod, cluster)
    if soon_placed(pod, said, cluster):
        return
    answer = _replayed(pod, cluster)
    if said is None:
        yield from no_scheduler_tried(pod, answer, cluster)
        return
    case = Case(pod, cluster, workload_of(pod, cluster), answer)
    view = autoscaler_view(pod, cluster)
    fits = fits_by_now(case, said)
    if fits is not None and not view.coming:
        yield fits
        return
    yield with_autoscaler(fits or _finding(case, said, view), view)


def _replayed(pod: Pod, cluster: Cluster) -> PendingAnswer | None:
    """The replay; None where nodes or pods cannot be read: then only the scheduler's message is known."""
    cluster.together(
        lambda: explain_pending(pod, cluster),
        lambda: workload_of(pod, cluster),
        lambda: cluster.maybe.all(PriorityClass),
        lambda: autoscaler_view(pod, cluster),
    )
    try:
        return explain_pending(pod, cluster)
    except CannotSee:
        cluster.maybe.all(Node)
        cluster.maybe.all(Pod)
        return None


def _finding(case: Case, said: Said, view: AutoscalerView) -> Finding:
    message = _present(case.answer) or said.message
    pairs = [(reason, fact_of(case, reason)) for reason in message.reasons]
    pairs.sort(key=lambda pair: (pair[1].minor, -(pair[0].count or 0), pair[0].text))
    major = [(reason, fact) for reason, fact in pairs if not fact.minor] or pairs
    about = culprit(case, major)
    return Finding(
        about=about,
        summary=summary(about, message, [fact.text for _, fact in pairs]) + _fits_here(case.answer),
        evidence=evidence(case, said, [fact for _, fact in pairs]),
        confidence=_confidence(case),
        detail=_detail(case, [fact for _, fact in pairs], view),
        fixes=_fixes(case, major, about),
        commands=commands(case.pod),
        because_of=blamed(major),
        aspect=aspect(major),
    )


def _fits_here(answer: PendingAnswer | None) -> str:
    """The scheduler rejects a pod that fits by everything that was seen."""
    if answer is None or answer.agreement is not Agreement.DIFFERS or answer.incomplete or not answer.verdict.feasible:
        return ""
    return f"; the replay finds that it fits {names(answer.verdict.feasible)}"


def _proven(case: Case) -> tuple[Fix, ...]:
    return placement_fixes(case.answer, case.cluster) if case.answer is not None else ()


def _fixes(case: Case, major: list[tuple[Reason, Explanation]], about: Ref) -> tuple[Fix, ...]:
    """Where a node is the cause, what changes the node comes first."""
    settled = tuple(dict.fromkeys(fix for _, fact in major if fact.settles for fix in fact.fixes))
    fixes = settled or _proven(case) or tuple(dict.fromkeys(fix for _, fact in major for fix in fact.fixes))
    return tuple(sorted(fixes, key=lambda fix: about.kind == "Node" and fix.changes != about))


def _present(answer: PendingAnswer | None) -> SchedulingMessage | None:
    """What the scheduler would report about the current nodes, where its last message is out of date."""
    if answer is None or answer.agreement is not Agreement.STALE or not answer.state.nodes:
        return None
    return parse_message(answer.verdict.message) if answer.verdict.message else None


def _confidence(case: Case) -> Confidence:
    """The scheduler's message is certain as long as the replay does not contradict it; another scheduler's rules are
    unknown."""
    unsure = case.answer is not None and case.answer.agreement in (Agreement.DIFFERS, Agreement.STALE)
    return Confidence.LIKELY if unsure or has_other_scheduler(case.pod) else Confidence.CERTAIN


def _detail(case: Case, facts: list[Explanation], view: AutoscalerView) -> str:
    parts = [" ".join(fact.detail for fact in facts if fact.detail)]
    added = "\n".join(autoscaler_lines(view, case.pod))
    if case.answer is not None:
        parts = [
            _outcome.agreement(case.answer),
            *parts,
            _outcome.waits_for(case.pod, case.answer),
            _outcome.preemption(case.answer),
            class_text(helpful(case)),
            added,
            _outcome.table(case.answer),
        ]
    else:
        parts.append(added)
    return "\n".join(filter(None, parts))
