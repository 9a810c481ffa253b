"""The command line from arguments to exit code, on a recording."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from kubedoctor.cli import main
from kubedoctor.cli.arguments import parser
from kubedoctor.cli.run import program_name
from tests.cli.recordings import OOM

Capture = pytest.CaptureFixture[str]


def run(capsys: Capture, *words: str) -> tuple[int, str, str]:
    code = main(words)
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize(
    "words",
    [
        ("deploy", "checkout", "-n", "shop"),
        ("deployment/checkout", "-n", "shop"),
        ("-n", "shop", "deployments.apps", "checkout"),
        ("deploy", "checkout"),  # a recording has one of that name only
    ],
)
def test_kind_and_name_in_all_of_kubectls_forms(capsys: Capture, words: tuple[str, ...]) -> None:
    code, out, err = run(capsys, *words, "--from", OOM)
    assert (code, err) == (1, "")
    assert "memory limit of 128Mi" in out.splitlines()[3]


def test_a_healthy_workload_is_healthy(capsys: Capture) -> None:
    code, out, _ = run(capsys, "deploy", "api", "-n", "shop", "--from", OOM)
    assert (code, out.splitlines()[0]) == (0, "✓ Deployment shop/api: no problems found")


def test_a_scan_finds_the_cause_first(capsys: Capture) -> None:
    code, out, _ = run(capsys, "scan", "-A", "-o", "json", "--from", OOM)
    report = json.loads(out)
    first = next(one for one in report["findings"] if one["id"] == report["incidents"][0]["cause"])
    assert (code, first["code"], first["about"]["name"]) == (1, "KD1005", "checkout")


def test_json_and_yaml_say_the_same(capsys: Capture) -> None:
    _, as_json, _ = run(capsys, "scan", "-o", "json", "--from", OOM)
    _, as_yaml, _ = run(capsys, "scan", "-o", "yaml", "--from", OOM)
    assert json.loads(as_json) == yaml.safe_load(as_yaml)


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (("--fail-on", "critical"), 1),
        (("--fail-on", "notice"), 1),
        (("-l", "app=api"), 0),
        (("-n", "kube-system"), 0),
    ],
)
def test_exit_codes(capsys: Capture, flags: tuple[str, ...], code: int) -> None:
    assert run(capsys, "scan", "--from", OOM, *flags)[0] == code


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("deplo", "x"), "'deplo' is neither a command nor a kind that kubedoctor knows\n  Did you mean deploy"),
        (("deploy",), "which deployment?\n  Name one: kubedoctor deployment NAME"),
        (("deploy", "a", "b"), "one deployment at a time: 'b' is too much"),
        (
            ("deploy", "chekout", "-n", "shop"),
            "there is no Deployment chekout in namespace shop\n  did you mean checkout",
        ),
        (("deploy", "x", "-n", "nowhere"), "There is none at all in nowhere. Another namespace?"),
        (("scan", "-o", "xml"), "there is no output format 'xml'"),
        (("scan", "pods"), "scan takes no name: pods"),
        (("scan", "-A", "-n", "shop"), "-A and -n exclude each other"),
        (("scan", "-l", "app=("), "-l app=("),
        (("scan", "--node", "n1"), "--node belongs to why-pending"),
        (("deploy", "checkout", "--what-if", "requests.cpu=1"), "--what-if belongs to why-pending"),
        (("scan", "--nonsense"), "unrecognized arguments: --nonsense"),
        (("scan", "--fail-on", "all"), "invalid choice: 'all'"),
        (("explain", "KD9999"), "no page for 'KD9999'"),
        (("explain", "oomkiled"), "Did you mean OOMKilled"),
        (("explain", "SIGKILL"), "Pages that mention it: KD"),
        (("explain", "qqq"), "All pages: kubedoctor explain"),
        (("explain", "KD1005", "-o", "json"), "explain has no output format 'json'"),
        (("demo", "oom-kiled"), "there is no demo 'oom-kiled'\n  There are: oom-killed"),
        (("capture",), "capture where?"),
        ((), "the terminal UI needs a terminal\n  Try: kubedoctor scan"),
    ],
)
def test_what_makes_no_sense_gets_one_sentence(capsys: Capture, words: tuple[str, ...], sentence: str) -> None:
    code, out, err = run(capsys, *words, "--from", OOM)
    assert (code, out) == (2, "")
    assert sentence in err
    assert "Traceback" not in err


def test_a_file_that_is_not_there(capsys: Capture, tmp_path: Path) -> None:
    code, _, err = run(capsys, "scan", "--from", str(tmp_path / "gone.json"))
    assert code == 2
    assert "gone.json" in err


def test_statistics_go_to_stderr(capsys: Capture) -> None:
    _, out, err = run(capsys, "deploy", "checkout", "--stats", "-o", "json", "--from", OOM)
    json.loads(out)
    assert " requests, " in err
    assert " rounds, " in err


def test_every_diagnostic_can_be_explained(capsys: Capture) -> None:
    code, out, _ = run(capsys, "explain")
    codes = [line.split()[0] for line in out.splitlines()]
    assert code == 0
    for one in codes:
        assert run(capsys, "explain", one)[0] == 0
        assert run(capsys, "explain", one, "-o", "markdown")[1].startswith(f"# {one}: ")


def test_the_demo_prints_its_report_where_there_is_no_terminal(capsys: Capture) -> None:
    code, out, err = run(capsys, "demo", "oom-killed")
    assert code == 0
    assert "memory limit of 128Mi" in out
    assert err == ""


def test_a_reader_that_has_enough_is_no_error() -> None:
    command = f"{sys.executable} -m kubedoctor explain | head -1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_the_plug_in_speaks_of_kubectl() -> None:
    assert program_name("/usr/bin/kubectl-kubedoctor") == "kubectl kubedoctor"
    assert program_name("/usr/bin/kubedoctor") == "kubedoctor"


def test_the_help_is_in_the_words_that_were_typed() -> None:
    assert "kubectl kubedoctor scan -A" in parser("kubectl kubedoctor").format_help()
    assert "\n  kubedoctor scan -A" in parser().format_help()


def test_help_names_the_exit_codes(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    assert "exit codes:" in capsys.readouterr().out


def test_completion_knows_commands_kinds_codes_and_names() -> None:
    import argparse

    from kubedoctor.cli.arguments import complete_word, parse

    assert "scan" in complete_word("sc", argparse.Namespace(words=[]))
    assert {"deploy", "deployments"} <= set(complete_word("deploy", argparse.Namespace(words=[])))
    options = parse(["deploy", "--from", OOM, "-n", "shop"], "kubedoctor")
    assert complete_word("che", options) == ["checkout"]
    assert "KD1005" in complete_word("KD100", parse(["explain"], "kubedoctor"))
    assert {"OOMKilled", "OOMKilling"} <= set(complete_word("oomk", parse(["explain"], "kubedoctor")))
