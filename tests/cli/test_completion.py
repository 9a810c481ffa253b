"""Completion as a shell asks for it: a line up to the cursor, and argcomplete's protocol in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from argcomplete.lexers import split_line

from kubedoctor.cli.arguments.known import command_names
from kubedoctor.cli.completion import values
from kubedoctor.cli.completion.protocol import Finder, candidates
from kubedoctor.sandbox import serve_recording
from tests.cli.recordings import OOM
from tests.collect.fake_api import kubeconfig

POD = "checkout-797c86bfff-q29bm"
BREAKS = " \t\n\"'><=;|&(:"
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith("KUBE")}


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no failure."""
    monkeypatch.setattr(values, "PATIENCE", 60.0)
    monkeypatch.setattr(values, "_QUICK", "60s")
    monkeypatch.setenv("_ARGCOMPLETE_COMP_WORDBREAKS", BREAKS)


def complete(line: str) -> list[str]:
    """What completes a line with the cursor at its end."""
    before, prefix, _, words, last = split_line(line, len(line))
    if prefix.startswith("-") and "=" in prefix:
        words.append(prefix.partition("=")[0])  # as argcomplete does
    return [word.rstrip() for word in Finder()._get_completions(words, prefix, before, last)]


def ask(line: str, **environment: str) -> tuple[list[str], str]:
    """What a shell gets for a line with the cursor at its end, and what the process printed meanwhile."""
    code = (
        "import os, subprocess, sys\n"
        "read, write = os.pipe()\n"
        "os.dup2(write, 8)\n"
        "os.set_inheritable(8, True)\n"
        "done = subprocess.run([sys.executable, '-m', 'kubedoctor'], pass_fds=[8], capture_output=True)\n"
        "os.close(8), os.close(write)\n"
        "sys.stdout.buffer.write(os.read(read, 1 << 20) + b'\\0' + done.stdout + done.stderr)\n"
    )
    protocol = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line.encode())),
        "_ARGCOMPLETE_COMP_WORDBREAKS": BREAKS,
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**CLEAN, **protocol, **environment},
    )
    found, _, printed = done.stdout.partition("\0")
    return [word.rstrip() for word in found.split("\n") if word], printed


@pytest.mark.parametrize(
    ("line", "some", "none"),
    [
        ("kubedoctor ", {"scan", "why-pending", "pods", "deploy"}, {"KD1005", "deployments.apps"}),
        ("kubedoctor sc", {"scan"}, {"explain"}),
        ("kubedoctor -A sc", {"scan"}, {"explain"}),
        (f"kubedoctor deploy -f {OOM} -n shop che", {"checkout"}, {"api"}),
        (f"kubedoctor -n shop -f {OOM} deploy/che", {"deploy/checkout"}, {"deploy/api"}),
        (f"kubedoctor deploy checkout -f {OOM} -n shop ", {"api"}, {"checkout"}),
        (f"kubedoctor get po -n shop --from {OOM} checkout", {POD}, {"checkout"}),
        (f"kubedoctor logs -n shop --from {OOM} checkout", {POD}, {"checkout"}),
        (f"kubedoctor logs -n shop --from {OOM} {POD} -c ", {"checkout"}, {POD}),
        (f"kubedoctor logs -n shop --from {OOM} {POD} --container=", {"checkout"}, {POD}),
        (f"kubedoctor logs -n shop --from {OOM} {POD} ", {"checkout"}, {POD}),
        (f"kubedoctor logs -n shop --from {OOM} deploy/checkout -c ", {"checkout"}, {POD}),
        (f"kubedoctor logs -n shop --from {OOM} deploy checkout -c ", {"checkout"}, {POD}),
        (f"kubedoctor logs -n shop --from {OOM} gone -c ", set(), {"checkout"}),
        (f"kubedoctor why-pending -n shop --from {OOM} checkout", {POD}, {"checkout"}),
        (f"kubedoctor why-pending --from {OOM} {POD} --node no", {"node-1"}, {POD}),
        (f"kubedoctor scan -f {OOM} -n ", {"shop", "kube-system"}, {"checkout"}),
        (f"kubedoctor scan -f {OOM} --namespace=sh", {"shop"}, {"kube-system"}),
        ("kubedoctor help sc", {"scan"}, {"explain", "pods"}),
        ("kubedoctor pods,serv", {"pods,services", "pods,serviceaccounts"}, {"services"}),
        ("kubedoctor explain KD100", {"KD1005"}, {"KD2001"}),
        ("kubedoctor explain oom", {"OOMKilled"}, {"CrashLoopBackOff"}),
        ("kubedoctor explain pods/out", {"pods/out-of-memory"}, {"pods/crash-loop"}),
        ("kubedoctor scan --al", {"--all-namespaces", "--allow-gaps"}, {"--node"}),
        ("kubedoctor why-pending --", {"--node", "--what-if"}, {"--selector"}),
        ("kubedoctor scan -o ", {"json", "wide"}, {"tar"}),
        ("kubedoctor scan --fail-on ", {"critical", "warning", "notice"}, {"scan"}),
        ("kubedoctor completion ", {"bash", "zsh"}, {"scan"}),
        ("kubedoctor demo oom", {"oom-killed"}, {"list"}),
    ],
)
def test_what_may_stand_next(line: str, some: set[str], none: set[str], capfd: pytest.CaptureFixture[str]) -> None:
    found = set(complete(line))
    assert some <= found
    assert not none & found
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("kubedoctor ", {"scan", "why-pending", "pods", "deploy"}),
        ("kubedoctor scan --al", {"--all-namespaces", "--allow-gaps"}),
        ("kubedoctor explain oom", {"OOMKilled"}),
    ],
)
def test_a_shell_gets_it_and_nothing_is_printed(line: str, some: set[str]) -> None:
    found, printed = ask(line)
    assert some <= set(found)
    assert printed == ""


def test_contexts_come_from_the_kubeconfig_and_namespaces_from_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve_recording("oom-killed") as served:
        monkeypatch.setenv("KUBECONFIG", str(served.kubeconfig))
        assert ask("kubedoctor scan --context ", KUBECONFIG=str(served.kubeconfig)) == (["kubedoctor-demo"], "")
        assert complete("kubedoctor scan -n kube-s") == ["kube-system"]
        assert complete("kubedoctor pod -n shop checkout") == [POD]


def test_a_cluster_that_never_answers_is_no_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        config = kubeconfig(tmp_path / "config", f"https://127.0.0.1:{silent.getsockname()[1]}")
        assert ask("kubedoctor pod che", KUBECONFIG=config) == ([], "")


def test_what_takes_too_long_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "PATIENCE", 0.01)
    read, shown = [], threading.Event()

    def slow() -> list[str]:
        if shown.wait(30):
            read.append("late")
        return read

    assert values.in_time(slow) == []
    assert read == []
    shown.set()


@pytest.mark.parametrize(
    "line", ["pod che", "scan --context ", "scan -f /nowhere -n ", "pod -f /nowhere ", "pod/ --as"]
)
def test_where_nothing_can_be_read_there_is_nothing(line: str, tmp_path: Path) -> None:
    broken = tmp_path / "config"
    broken.write_text("{not a kubeconfig")
    found, printed = ask(f"kubedoctor {line}", KUBECONFIG=str(broken))
    assert (found if line != "pod/ --as" else [], printed) == ([], "")


@pytest.mark.parametrize("name", command_names())
def test_every_command_completes_its_options(name: str) -> None:
    found = candidates([name], "--")
    assert {"--help", "--no-color"} <= set(found)


def test_options_that_a_command_ignores_are_not_offered() -> None:
    assert "--context" not in candidates(["version"], "--")
