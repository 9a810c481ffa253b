"""Commands of a report, pasted into another terminal, reach the cluster that was read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.several import clusters
from tests.cli.test_run import Capture, run


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "my config"
    with clusters(path, {"prod-eu": "oom-killed", "prod-us": "service-selector-typo", "prod-ap": "insufficient-cpu"}):
        yield path


@pytest.fixture
def named(file: Path) -> str:
    return f"kubectl --kubeconfig '{file}' --context prod-us"


def kubectl_lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip().startswith("kubectl ")]


WORDS = (
    ("scan", "-A"),
    ("svc", "checkout", "-n", "shop"),
    ("describe", "svc", "checkout", "-n", "shop"),
    ("logs", "deploy/checkout", "-n", "shop"),
    ("pods", "-A"),
)


@pytest.mark.parametrize("words", WORDS, ids=lambda words: words[0])
def test_in_text(words: tuple[str, ...], capsys: Capture, file: Path, named: str) -> None:
    _, out, _ = run(capsys, *words, "--context", "prod-us", "--kubeconfig", str(file))
    assert all(line.startswith(named) for line in kubectl_lines(out)), out
    assert words == ("pods", "-A") or kubectl_lines(out)


def test_in_json_and_markdown(capsys: Capture, file: Path, named: str) -> None:
    words = ("scan", "-A", "--context", "prod-us", "--kubeconfig", str(file))
    document = json.loads(run(capsys, *words, "-o", "json")[1])
    lines = [fix["command"] for finding in document["findings"] for fix in finding["fixes"] if fix["command"]]
    lines += [command["line"] for finding in document["findings"] for command in finding["commands"]]
    assert lines
    assert all(line.startswith((named, "kubedoctor ")) for line in lines)
    assert f"{named} patch service/checkout" in run(capsys, *words, "-o", "markdown")[1]


def test_in_a_report_that_is_kept(capsys: Capture, tmp_path: Path, file: Path, named: str) -> None:
    place = ("--context", "prod-us", "--kubeconfig", str(file))
    run(capsys, "report", "-A", "-o", str(tmp_path / "r.md"), *place)
    assert f"{named} patch service/checkout" in (tmp_path / "r.md").read_text()


def test_in_an_answer(capsys: Capture, file: Path) -> None:
    place = ("--context", "prod-ap", "--kubeconfig", str(file))
    _, listed, _ = run(capsys, "pods", "-A", *place, "-o", "name")
    pod = next(line for line in listed.splitlines() if "pod" in line.lower()).split()[0].split("/")[-1]
    for output in ("text", "json"):
        _, out, _ = run(capsys, "why-pending", pod, "-A", *place, "-o", output)
        assert "kubectl" in out
        assert out.count("kubectl ") == out.count(f"kubectl --kubeconfig '{file}' --context prod-ap "), out


def test_a_current_context_that_nobody_named_needs_no_flag(
    capsys: Capture, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(file))
    out = run(capsys, "scan", "-A")[1]
    assert kubectl_lines(out)
    assert "--context" not in out
    assert "--kubeconfig" not in out


def test_a_command_that_names_its_cluster_can_be_tried(capsys: Capture, file: Path, named: str) -> None:
    words = ("scan", "-A", "--context", "prod-us", "--kubeconfig", str(file))
    document = json.loads(run(capsys, *words, "-o", "json")[1])
    line = next(fix["command"] for finding in document["findings"] for fix in finding["fixes"] if fix["verified"])
    assert line.startswith(named)
    code, out, err = run(capsys, *words, "--what-if", line)
    assert (code, err) == (0, ""), out
    _, _, err = run(capsys, *words, "--what-if", line.replace("prod-us", "prod-eu"))
    assert "it is about the context prod-eu, and prod-us is what was read" in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("scan", "--context", "a"), "no context a on this machine: there is no kubeconfig"),
        (("scan", "--context", "a,b"), "no context a on this machine: there is no kubeconfig"),
        (("scan", "--all-contexts"), "there is no context on this machine: there is no kubeconfig"),
        (("pods", "--context", "a"), "no context a on this machine: there is no kubeconfig"),
    ],
    ids=" ".join,
)
def test_without_any_kubeconfig(
    words: tuple[str, ...], sentence: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert sentence in err
