"""The command line from arguments to exit code, on a recording."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from kubedoctor.cli import main
from kubedoctor.cli.arguments.known import command_names, load_command
from kubedoctor.cli.arguments.overview import overview
from kubedoctor.cli.arguments.parsing import parser_of
from kubedoctor.cli.diagnosing import OBJECTS
from kubedoctor.cli.run import program_name
from tests.cli.recordings import OOM

POD = "checkout-797c86bfff-q29bm"
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
    assert "128Mi memory limit" in out.splitlines()[3]


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
        (("deplo", "x"), "unknown kind 'deplo'\n  Did you mean deploy"),
        (("deploy", "a/b"), "Deployment a/b not found"),
        (("deploy/a/b",), "'deploy/a/b' has more than one slash\n  Write KIND/NAME"),
        (("deploy/",), "'deploy/' has no name after the slash\n  Write deploy/NAME, or deployments for all of them"),
        (("deplo/",), "unknown kind 'deplo'\n  Did you mean deploy"),
        (("deploy/a", "b"), "'b' names no object where others are KIND/NAME"),
        (("deploy", ""), "a name is empty"),
        (
            ("deploy", "chekout", "-n", "shop"),
            "Deployment chekout not found in namespace shop\n  did you mean checkout",
        ),
        (("deploy", "x", "-n", "nowhere"), "namespace nowhere not found in "),
        (("job", "x", "-n", "default"), "Namespace default has no Job. For another namespace: -n NAMESPACE"),
        (
            ("deploy", "checkout", "-n", "default"),
            "Deployment checkout not found in namespace default\n  did you mean checkout in namespace shop?\n"
            "  To look there: -n shop\n",
        ),
        (
            ("deploy", "chekout", "-n", "default"),
            "did you mean checkout in namespace shop?\n  To look there: -n shop\n",
        ),
        (
            ("deploy", "chekout"),
            "Deployment chekout not found in this recording\n  did you mean checkout in namespace shop?",
        ),
        (("why-pending", "chekout"), f"did you mean {POD} in namespace shop?"),
        (("why-pending", "chekout", "-n", "shop"), f"did you mean {POD}?"),
        (("pod", "zzz"), "There are 10 pods, for example api-"),
        (("hpa", "zzz"), "not found in this recording\n  The recording has no horizontalpodautoscalers\n"),
        (("pods", "-n", "shp"), "namespace shp not found in "),
        (("nodes", "-l", "a=b", "-n", "shop"), "no nodes with labels a=b\n  Without -l: all of them\n"),
        (
            ("checkout", "-n", "default"),
            "did you mean deployment/checkout in namespace shop?\n  To look there: -n shop\n",
        ),
        (
            ("chekout", "-n", "default"),
            "did you mean deployment/checkout in namespace shop?\n  To look there: -n shop\n",
        ),
        (("node", "x"), "Node x not found\n  The only Node is node-1\n"),
        (("capture", "-n", "shp", "-o", "never-written"), "namespace shp not found in "),
        (("pods", "-n", "shp"), "did you mean shop?"),
        (("pods", "-l", "app=chekout"), "no pods with labels app=chekout\n  did you mean app=checkout"),
        (
            ("pods", "-l", "!!"),
            "-l '!!' is not a label selector\n  Found '!', expected a label key. For example: -l app=checkout",
        ),
        ((OOM,), f"{OOM!r} is a file\n  To read it as a recording: --from {OOM}\n"),
        (("logs", POD, "-f", OOM), f"{OOM!r} is a file\n  To read it as a recording: --from {OOM}; with logs -f means"),
        (("scan", OOM), f"scan takes no name: {OOM}\n  To read it as a recording: --from {OOM}\n"),
        (("scan", "shop"), "For a namespace: kubedoctor scan -n shop\n  For an object: kubedoctor shop\n"),
        (
            ("get", "pods", "-n", "shop", "--sort-by=.metadata.name"),
            "--sort-by is an option of kubectl alone\n  Run: kubectl get pods -n shop --sort-by=.metadata.name\n",
        ),
        (("pods", "--show-labels"), "Run: kubectl get pods --show-labels\n"),
        (("describe", "pod", "x", "--show-events=false"), "Run: kubectl describe pod x --show-events=false\n"),
        (("logs", "x", "-f", "--since-time=y"), "Run: kubectl logs x -f --since-time=y\n"),
        (("scan", "--sort-by=x"), "unknown option: --sort-by\n"),
        (
            ("get", "pods", "--no-color", "-o", "jsonpath={.items}"),
            "jsonpath is an output format of kubectl alone\n  Run: kubectl get pods -o 'jsonpath={.items}'\n"
            "  Formats of kubedoctor: text, json",
        ),
        (("pods", "-o=custom-columns=A:.metadata.name"), "Run: kubectl get pods -o=custom-columns=A:.metadata.name\n"),
        (("scan", "-o", "jsonpath={.items}"), "unknown output format 'jsonpath={.items}'"),
        (("scan", "--allow-gaps=maybe"), "--allow-gaps takes no value, but has 'maybe'"),
        (("pods", "--watch=true"), "a recording does not change, so it cannot be watched"),
        (("scan", "--watch=true"), "--watch is not available"),
        (("version", "x"), "unexpected argument: x\n  See: kubedoctor version --help"),
        (("tui", "x"), "unexpected argument: x"),
        (("completion", "bash", "x"), "unexpected argument: x"),
        (("demo", "list", "x"), "unexpected argument: x"),
        (("version", "-o", "xml"), "unknown output format 'xml'\n  Formats: text, json, yaml"),
        (("completion", "-o", "json"), "-o is an option of most commands, not of completion"),
        (("explain", "-l", "a=b"), "-l is an option of describe, get, logs, report and scan, not of explain"),
        (("help", "scna"), "there is no command scna\n  Did you mean scan? All commands: kubedoctor --help"),
        (("help", "delete"), "delete changes a cluster, and kubedoctor only reads\n  Run: kubectl delete --help"),
        (("pod", "x", "-l", "app=x"), "a name and -l exclude each other"),
        (("chekout",), "'chekout' is no command and no kind, and no object has that name\n  did you mean"),
        (("scna",), "did you mean scan"),
        (("web",), "2 objects are named web\n  Say which:\n  kubedoctor deployment/web -n shop\n"),
        (("events", "-n", "shop"), "To list them: kubectl events -n shop"),
        (("get",), "diagnose what?"),
        (("describe",), "diagnose what?"),
        (("logs",), "logs of which pod?"),
        (
            ("scan", "-o", "xml"),
            "unknown output format 'xml'\n  Formats: text, json, yaml, markdown, junit, sarif, wide, name",
        ),
        (("scan", "pods"), "scan takes no name: pods\n  Leave scan out: kubedoctor pods"),
        (("scan", "-A", "-n", "shop"), "-A and -n exclude each other"),
        (("scan", "-l", "app=("), "-l 'app=(' is not a label selector"),
        (
            ("scan", "--node", "n1"),
            "--node is an option of why-pending, not of scan\n  See: kubedoctor why-pending --help",
        ),
        (("--node", "n1", "scan"), "--node is an option of why-pending, not of scan"),
        (
            ("deploy", "checkout", "--node", "n1"),
            "--node is an option of why-pending, not of KIND NAME",
        ),
        (("scan", "--filename=x"), "unknown option: --filename\n  Did you mean --from"),
        (("scan", "--allnamespaces"), "unknown option: --allnamespaces\n  Did you mean --all-namespaces"),
        (
            ("scan", "-n", "shop", "--watch"),
            "--watch is not available\n  The terminal UI follows every change: kubedoctor -n shop",
        ),
        (("scan", "--fail-on", "all"), "--fail-on cannot be 'all': use critical, warning, notice"),
        (("scan", "--context"), "--context needs a value"),
        (("explain", "KD9999"), "no page for 'KD9999'"),
        (("demo", "oom-kiled"), "unknown demo 'oom-kiled'\n  Did you mean oom-killed"),
        (("capture",), "capture needs -o"),
        (
            ("capture", "-o", "-"),
            "capture cannot write to standard output\n  Name a folder or a file: kubedoctor capture -o state.tar.gz",
        ),
        (("version", "--client", "x"), "unexpected argument: x"),
        (("capture", "state.tar.gz", "-o", "x"), "unexpected argument: state.tar.gz"),
        (
            ("delete", "pod", "web-1"),
            "delete changes a cluster, and kubedoctor only reads\n  Run: kubectl delete pod web-1",
        ),
        (
            ("exec", "-it", "web-1", "--", "sh"),
            "exec reaches into a cluster, and kubedoctor only reads\n  Run: kubectl exec -it web-1 -- sh",
        ),
        (
            ("edit", "deploy/web", "--from", "state.json", "-n", "shop"),
            "edit changes a cluster, and kubedoctor only reads\n  Run: kubectl edit deploy/web -n shop",
        ),
        (
            ("-f", "x.json", "-fy.json", "--no-color", "-n", "shop", "scale", "deploy/a", "--replicas=0", "--stats"),
            "Run: kubectl -n shop scale deploy/a --replicas=0\n",
        ),
        (("apply", "-f", "x.yaml", "--fail-on", "notice", "--stats"), "Run: kubectl apply -f x.yaml\n"),
        (("exec", "a", "--", "b", "--stats"), "Run: kubectl exec a -- b --stats\n"),
        (("create", "job", "x", "--from=cronjob/y"), "Run: kubectl create job x --from=cronjob/y"),
        (("top", "pods"), "there is no command top\n  Run: kubectl top pods"),
        ((), "the terminal UI needs a terminal\n  For a report: kubedoctor scan"),
    ],
)
def test_what_makes_no_sense_gets_one_sentence(capsys: Capture, words: tuple[str, ...], sentence: str) -> None:
    code, out, err = run(capsys, "--from", OOM, *words)
    assert (code, out) == (2, "")
    assert sentence in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("text", "kubedoctor 0.1.0\n"),
        ("json", '{"version": "0.1.0"}\n'),
        ("yaml", "version: 0.1.0\n"),
    ],
)
def test_the_version_as_kubectl_prints_its_own(output: str, text: str, capsys: Capture) -> None:
    assert run(capsys, "version", "-o", output) == (0, text, "")


def test_a_recording_in_this_folder_is_no_name(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "state.json").write_text("{}")
    (tmp_path / "checkout").mkdir()
    code, _, err = run(capsys, "state.json")
    assert (code, err) == (
        2,
        "kubedoctor: 'state.json' is a file\n  To read it as a recording: --from state.json\n",
    )
    assert run(capsys, "deploy/checkout", "--from", OOM)[0] == 1


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
    assert "128Mi memory limit" in out
    assert "kubectl set resources deployment/" in out
    assert "--kubeconfig" not in out  # It is gone when the report is read.
    assert err.startswith("The demo cluster ended with this report.")


def test_a_reader_that_has_enough_is_no_error() -> None:
    command = f"{sys.executable} -m kubedoctor explain | head -1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_the_plug_in_speaks_of_kubectl() -> None:
    assert program_name("/usr/bin/kubectl-kubedoctor") == "kubectl kubedoctor"
    assert program_name("/usr/bin/kubedoctor") == "kubedoctor"


def test_the_help_is_in_the_words_that_were_typed() -> None:
    assert "\n  kubectl kubedoctor KIND NAME " in overview("kubectl kubedoctor")
    assert "\n  kubedoctor KIND NAME " in overview("kubedoctor")


@pytest.mark.parametrize("words", [("--help",), ("-h",), ("help",), ("help", "help"), ("-n", "shop", "--help")])
def test_help_names_every_command_and_the_exit_codes(capsys: Capture, words: tuple[str, ...]) -> None:
    code, out, err = run(capsys, *words)
    assert (code, err) == (0, "")
    assert "exit codes:" in out
    assert set(command_names()) <= {line.split()[0] for line in out.splitlines() if line.strip()}


@pytest.mark.parametrize("name", ["", *command_names()])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_each_command_has_help_of_its_own(name: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    parser_of.cache_clear()
    command = load_command(name) if name else OBJECTS
    assert command is not None
    text = parser_of(command).format_help()
    parser_of.cache_clear()
    assert text.startswith(f"usage: kubedoctor {command.name}".rstrip())
    assert command.summary[1:] in " ".join(text.split())
    prose = [line for line in text.splitlines() if not line.lstrip().startswith(("usage: ", "kubedoctor "))]
    assert max(map(len, prose)) <= width


def test_the_notes_of_examples_stand_below_them_where_there_is_no_room_beside_them(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    parser_of.cache_clear()
    _, out, _ = run(capsys, "scan", "--help")
    parser_of.cache_clear()
    assert "  kubedoctor scan -n shop -l app=checkout\n      objects of a namespace with a label\n" in out


@pytest.mark.parametrize("words", [("scan", "--help"), ("help", "scan"), ("--help", "scan"), ("-A", "scan", "-h")])
def test_the_help_of_a_command_is_about_it(capsys: Capture, words: tuple[str, ...]) -> None:
    code, out, err = run(capsys, *words)
    assert (code, err) == (0, "")
    assert out.startswith("usage: kubedoctor scan [-n NAMESPACE | -A] [-l LABELS] [flags]")
    assert "--node" not in out


def test_a_workload_stands_for_its_pods_in_a_question(capsys: Capture) -> None:
    code, out, err = run(capsys, "--from", OOM, "why-pending", "checkout")
    assert (code, out, err) == (0, "✓ Deployment shop/checkout: no pod of it waits for a node\n", "")
