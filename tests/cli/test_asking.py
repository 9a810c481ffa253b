"""The words of a question's command: its subject, then its arguments."""

from __future__ import annotations

import pytest

from kubedoctor.answers import Argument, Choices, Conclusion, Question, Sheet
from kubedoctor.cli.arguments.parsing import parse
from kubedoctor.cli.asking import command_of, run_question
from kubedoctor.cluster import Cluster, Ref
from kubedoctor.problems import NoSuchObject, UsageProblem
from kubedoctor.sandbox import recording_path

TARGET = Argument("target", "B:PORT", "a Service and its port")


def answer(subject: Ref, choices: Choices, _: Cluster) -> Sheet:
    return Sheet(str(subject), f"target {choices.one('target')}", Conclusion.WELL)


REACH = Question("reach", "whether A reaches B", ("Deployment", "Pod"), answer, (TARGET,))
EVERYTHING = Question("everything", "about all", (), answer)


def run(question: Question, *words: str) -> int:
    options = parse(command_of(question), [*words, "--from", str(recording_path("oom-killed"))], "kubedoctor")
    return run_question(question, options)


@pytest.mark.parametrize(
    "words", [("checkout", "cart:80"), ("deploy", "checkout", "cart:80"), ("deploy/checkout", "cart:80")]
)
def test_the_last_words_are_the_arguments(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(REACH, *words) == 0
    assert capsys.readouterr().out.startswith("✓ Deployment/shop/checkout: target cart:80")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "which deployment?"),
        (("checkout",), "B:PORT is missing: a Service and its port"),
        (("deploy", "checkout"), "B:PORT is missing: a Service and its port"),
        (("deploy/checkout", "cart:80", "more"), "unexpected argument: more"),
        (("node", "worker", "cart:80"), "reach cannot be asked about a Node"),
        (("widget/x", "cart:80"), "unknown kind 'widget'; reach is asked about deployment"),
    ],
)
def test_missing_and_needless_words(words: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(UsageProblem, match=sentence.replace("?", r"\?")):
        run(REACH, *words)


def test_an_address_takes_the_given_namespace_and_must_be_one(capsys: pytest.CaptureFixture[str]) -> None:
    question = Question("reach", "whether A reaches B", ("Pod",), answer, (TARGET,), addresses=True)
    assert run(question, "10.0.0.9", "cart:80", "-n", "shop") == 0
    assert capsys.readouterr().out.startswith("✓ Address/shop/10.0.0.9: target cart:80")
    with pytest.raises(UsageProblem, match="is not an IP address"):
        run(question, "999.1.1.1", "cart:80")


@pytest.mark.parametrize(
    ("words", "subject"), [((), "Namespace"), (("-n", "shop"), "Namespace/shop"), (("-A",), "Namespace")]
)
def test_without_a_subject_it_is_about_the_namespace(
    words: tuple[str, ...], subject: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(EVERYTHING, *words) == 0
    assert capsys.readouterr().out.startswith(f"✓ {subject}: target")


def test_without_a_subject_in_a_namespace_that_does_not_exist() -> None:
    with pytest.raises(NoSuchObject, match="namespace shup not found"):
        run(EVERYTHING, "-n", "shup")
    with pytest.raises(UsageProblem, match="unexpected argument: shop"):
        run(EVERYTHING, "shop")


def test_the_help_shows_the_arguments() -> None:
    reach, everything = command_of(REACH), command_of(EVERYTHING)
    assert reach.usage == ("DEPLOYMENT B:PORT [-n NAMESPACE] [flags]", "KIND/NAME B:PORT [flags]")
    assert reach.details == "It is asked about: deployment, pod. B:PORT: a Service and its port."
    assert everything.usage == ("[-n NAMESPACE] [flags]",)
