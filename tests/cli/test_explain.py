"""`kubedoctor explain` with the words that kubectl and the API show."""

from __future__ import annotations

import msgspec
import pytest

from kubedoctor.engine import load_catalogue
from tests.cli.test_run import Capture, run

CATALOGUE = load_catalogue()


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("OOMKilled", "pods/out-of-memory"),
        ("exit code 137", "pods/out-of-memory"),
        ("137", "pods/out-of-memory"),
        ("139", "pods/crash-loop"),
        ("CrashLoopBackOff", "pods/crash-loop"),
        ("BackOff", "pods/crash-loop"),
        ("ImagePullBackOff", "pods/image-not-found"),
        ("ErrImagePull", "pods/image-not-found"),
        ("ErrImageNeverPull", "pods/image-never-pull"),
        ("InvalidImageName", "pods/image-name-invalid"),
        ("CreateContainerConfigError", "pods/missing-config"),
        ("RunContainerError", "pods/start-error"),
        ("FailedScheduling", "scheduling/unschedulable"),
        ("Unschedulable", "scheduling/unschedulable"),
        ("Pending", "scheduling/unschedulable"),
        ("FailedMount", "pods/volume-not-mounted"),
        ("FailedAttachVolume", "pods/volume-not-mounted"),
        ("Evicted", "pods/evicted"),
        ("NotReady", "nodes/node-not-ready"),
        ("Unhealthy", "pods/readiness-fails"),
        ("FailedCreate", "admission/pods-refused"),
        ("ProgressDeadlineExceeded", "workloads/rollout-stuck"),
        ("BackoffLimitExceeded", "workloads/job-failed"),
        ("ContainerCreating", "pods/volume-not-mounted"),
        ("no endpoints", "services/no-endpoints"),
    ],
)
def test_a_word_of_the_api_opens_its_page(words: str, first: str) -> None:
    page = CATALOGUE.find(words)
    assert page is not None
    assert page.id == first
    assert CATALOGUE.find(words.upper()) is page


def test_several_pages_are_listed_and_the_most_likely_is_printed(capsys: Capture) -> None:
    code, out, _ = run(capsys, "explain", "ImagePullBackOff")
    assert code == 0
    head, _, page = out.partition("\n\nKD")
    assert head.splitlines()[0] == "ImagePullBackOff: 3 pages, most likely first"
    assert [line.split()[1] for line in head.splitlines()[2:]] == ["KD1001", "KD1002", "KD1006"]
    assert page.startswith("1001  ")


def test_the_words_need_no_quotes(capsys: Capture) -> None:
    assert run(capsys, "explain", "exit", "code", "137") == run(capsys, "explain", "exit code 137")


def test_a_symptom_stands_once_on_a_page() -> None:
    for page in CATALOGUE.diagnostics:
        names = [word.lower() for word in (*page.also_known_as, *page.symptoms)]
        assert len(names) == len(set(names)), page.id


def test_a_page_that_cannot_be_read_is_told_from_one_that_does_not_exist(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = msgspec.structs.replace(CATALOGUE, problems=("acme.checks cannot be imported: KeyError: 'hour'",))
    monkeypatch.setattr("kubedoctor.cli.commands.explain.load_catalogue", lambda: broken)
    code, _, err = run(capsys, "explain", "KD9999")
    assert code == 2
    assert "no page for 'KD9999'\n  acme.checks cannot be imported: KeyError: 'hour'\n" in err
