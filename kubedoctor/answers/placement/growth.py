"""What autoscalers have to do with a pod that no node takes: whether a node comes, and what keeps one away."""

from __future__ import annotations

import msgspec

from kubedoctor.answers.placement.autoscaler import autoscaler_evidence, autoscaler_lines
from kubedoctor.cluster import Pod
from kubedoctor.findings import Command, Finding, Severity
from kubedoctor.replay.autoscaling.status import NAME, NAMESPACE
from kubedoctor.replay.autoscaling.view import AutoscalerView


def with_autoscaler(made: Finding, view: AutoscalerView) -> Finding:
    """The finding with what the autoscalers have to show: a mere notice without fixes where a node comes."""
    made = msgspec.structs.replace(made, evidence=(*made.evidence, *autoscaler_evidence(view)))
    if view.coming:
        summary = f"{made.summary}; a node is being added for it"
        return msgspec.structs.replace(made, summary=summary, severity=Severity.NOTICE, fixes=())
    return msgspec.structs.replace(
        made,
        because_of=tuple(dict.fromkeys((*made.because_of, *view.blamed))),
        commands=(*made.commands, *_commands(view)),
    )


def autoscaler_text(view: AutoscalerView, pod: Pod) -> str:
    """For the detail: a sentence a line."""
    return "\n".join(autoscaler_lines(view, pod))


def _commands(view: AutoscalerView) -> tuple[Command, ...]:
    found = []
    if view.config is not None:
        found.append(Command(f"kubectl get configmap {NAME} -n {NAMESPACE} -o yaml", "what the autoscaler reports"))
    if view.pools or view.claim_name:
        found.append(Command("kubectl get nodepools.karpenter.sh,nodeclaims.karpenter.sh", "how far Karpenter is"))
    return tuple(found)
