"""`timeline`: what happened, and where more of it is."""

from __future__ import annotations

import pytest

from kubedoctor.answers.question import Choices
from kubedoctor.answers.questions.timeline import timeline
from kubedoctor.answers.sheet import Conclusion, Sheet
from kubedoctor.cluster import Ref
from kubedoctor.engine.asking import ask
from tests.engine.clinic import live, node, pod
from tests.engine.test_examination import Server


def answered(subject: Ref, *refused: str) -> Sheet:
    server = Server(live(), node("n1"), pod("a", node="n1"), refused=refused)
    return ask(timeline, subject, Choices(), server.snapshot, server.gather).sheet


@pytest.mark.parametrize(
    ("subject", "namespace"), [(Ref("Pod", "shop", "a"), "shop"), (Ref("Node", "", "n1"), "default")]
)
def test_the_events_of_an_object_without_a_namespace_are_in_default(subject: Ref, namespace: str) -> None:
    (command,) = answered(subject).next
    assert command.line == f"kubectl get events --sort-by=.lastTimestamp -n {namespace}"


@pytest.mark.parametrize(
    ("refused", "conclusion"), [((), Conclusion.ACCOUNT), (("Event",), Conclusion.UNKNOWN)], ids=("read", "refused")
)
def test_events_that_cannot_be_read_leave_the_answer_open(refused: tuple[str, ...], conclusion: Conclusion) -> None:
    assert answered(Ref("Pod", "shop", "a"), *refused).conclusion is conclusion
