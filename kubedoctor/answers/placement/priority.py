"""The effect of another priority class of the cluster."""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.answers.placement.explaining.case import Case, names
from kubedoctor.answers.placement.outcome import has_other_scheduler
from kubedoctor.cluster import Evidence, PriorityClass, quote
from kubedoctor.replay.scheduler.counterfactuals.priority_classes import HelpfulClass, helpful_class
from kubedoctor.replay.scheduler.said.self_check import Agreement


def helpful(case: Case) -> HelpfulClass | None:
    """The lowest class with which the scheduler would evict pods for this pod; None also where the replay is not
    reliable."""
    answer = case.answer
    if answer is None or answer.incomplete or has_other_scheduler(case.pod):
        return None
    if Agreement.DIFFERS in (answer.agreement, answer.comparison.preemption):
        return None
    classes = case.cluster.maybe.all(PriorityClass)
    return helpful_class(case.pod, answer.state, answer.verdict, answer.preemption, classes)


def class_text(choice: HelpfulClass | None) -> str:
    """A sentence; empty where no class would help."""
    if choice is None:
        return ""
    victims = names(f"{victim.namespace}/{victim.name}" for victim in choice.candidate.victims)
    against = ", which violates a PodDisruptionBudget" if choice.candidate.violations else ""
    priority_class = choice.priority_class
    return f"With PriorityClass {priority_class.name} ({priority_class.value}) it would preempt {victims} on {choice.candidate.node}{against}."


def class_evidence(choice: HelpfulClass | None) -> Iterator[Evidence]:
    """The value of the class."""
    if choice is not None:
        yield quote(choice.priority_class, "value", "the lowest class with which it could preempt pods")
