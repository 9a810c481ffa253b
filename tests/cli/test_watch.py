"""`--watch`: each change of the verdict is a line, and it ends: healthy, over, gone, or stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from threading import Event, Thread
from typing import Any

import pytest

from kubedoctor.cli import watching
from kubedoctor.collect.live import changes
from kubedoctor.engine import load_catalogue
from kubedoctor.sandbox import Fault, Sandbox, serve
from kubedoctor.sandbox.faults import forbidden, server_error
from kubedoctor.sandbox.server import SandboxServer
from tests.bad_input.sick import POD, hasty, one, sandbox
from tests.cli.test_run import Capture, run

__all__ = ["hasty"]
DEPLOYMENT = ("deploy", "checkout", "-n", "shop")
BROKEN = "✗ broken: Deployment shop/checkout: container `checkout` was OOMKilled at its 128Mi memory limit"

PATIENCE = 30.0
LOOKED = Event()
"""The first look is over, and shown."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, hasty: None) -> None:
    load_catalogue()  # the first look is not to take longer than the time limits
    wait = changes.Changes.wait

    def looked(self: changes.Changes, most: float) -> None:
        LOOKED.set()
        wait(self, most)

    LOOKED.clear()
    monkeypatch.setattr(changes.Changes, "wait", looked)
    monkeypatch.setattr(watching, "HOLDS", 0.3)
    monkeypatch.setattr(watching, "GONE", 0.3)
    monkeypatch.setattr(watching, "EVERY", 0.5)
    monkeypatch.setattr(changes, "TOGETHER", 0.05)


@pytest.fixture
def served() -> Iterator[SandboxServer]:
    with serve(sandbox()) as server:
        yield server


def heal(box: Sandbox) -> None:
    """The pod runs, and the Deployment says that it is available."""
    pod = deepcopy(one(box.state.objects, "Pod", POD))
    pod["status"]["phase"] = "Running"
    for condition in pod["status"]["conditions"]:
        condition["status"] = "True"
    for status in pod["status"]["containerStatuses"]:
        state = {"running": {"startedAt": "2026-11-23T14:00:00Z"}}
        status.update(ready=True, started=True, state=state, lastState={}, restartCount=0)
    box.put(pod)
    box.put(available(box))


def available(box: Sandbox) -> dict[str, Any]:
    deployment = deepcopy(one(box.state.objects, "Deployment", "checkout"))
    number = deployment["spec"]["replicas"]
    deployment["status"].update(
        readyReplicas=number, availableReplicas=number, updatedReplicas=number, replicas=number, unavailableReplicas=0
    )
    for condition in deployment["status"]["conditions"]:
        available_ = condition["type"] == "Available"
        condition.update(status="True", reason="MinimumReplicasAvailable" if available_ else "NewReplicaSetAvailable")
    return deployment


def later(change: Callable[[], object]) -> None:
    """What happens while it is watched: after the first look, which then waits for it."""

    def wait() -> None:
        if LOOKED.wait(PATIENCE):
            change()

    Thread(target=wait, daemon=True).start()


def watched(server: SandboxServer, capsys: Capture, *words: str) -> tuple[int, list[str], str]:
    code, out, err = run(capsys, *words, "--kubeconfig", str(server.kubeconfig))
    return code, [line.partition("  ")[2] if line[8:9] == "Z" else line for line in out.splitlines()], err


def test_it_ends_with_0_when_the_objects_are_healthy(served: SandboxServer, capsys: Capture) -> None:
    later(lambda: heal(served.sandbox))
    code, lines, err = watched(served, capsys, *DEPLOYMENT, "--until", "healthy", "--timeout", "20s")
    assert (code, err) == (0, "")
    assert lines[0].startswith(BROKEN)
    assert lines[-2:][0] == "✓ healthy: no problems found"
    assert lines[-1].startswith("healthy for ")


def test_json_lines(served: SandboxServer, capsys: Capture) -> None:
    later(lambda: heal(served.sandbox))
    code, lines, _ = watched(served, capsys, *DEPLOYMENT, "--until=healthy", "-o", "json")
    documents = [json.loads(line) for line in lines]
    assert code == 0
    assert {document["schema"] for document in documents} == {"kubedoctor.dev/watch/v1"}
    assert documents[0]["verdict"] == "broken"
    assert documents[0]["cause"]["code"] == "KD1005"
    assert documents[-2]["verdict"] == "healthy"
    assert documents[-1]["end"] == "healthy"


def test_when_the_time_is_over_the_report_follows(served: SandboxServer, capsys: Capture) -> None:
    code, lines, err = watched(served, capsys, *DEPLOYMENT, "--until", "healthy", "--timeout", "1s")
    assert (code, err) == (1, "")
    assert [line for line in lines if "✗ broken" in line] == lines[:1]
    assert lines[1] == "not healthy after 1s"
    assert lines[3] == "Deployment shop/checkout: 1 incident"
    assert any("--limits=memory=256Mi" in line for line in lines)


def test_the_report_is_in_the_last_line_of_json(served: SandboxServer, capsys: Capture) -> None:
    _, lines, _ = watched(served, capsys, *DEPLOYMENT, "--until", "healthy", "--timeout", "1s", "-o", "json")
    last = json.loads(lines[-1])
    assert last["end"] == "timeout"
    assert last["report"]["findings"][0]["code"] == "KD1005"


def test_without_until_the_report_comes_first_and_changes_follow(served: SandboxServer, capsys: Capture) -> None:
    later(lambda: heal(served.sandbox))
    code, lines, _ = watched(served, capsys, *DEPLOYMENT, "-w", "--timeout", "6s")
    assert code == 0
    assert lines[0] == "Deployment shop/checkout: 1 incident"
    assert any(line.startswith(BROKEN) for line in lines)
    assert "✓ healthy: no problems found" in lines
    assert "ended after 6s" in lines


def test_a_rollout_that_is_not_over_is_not_healthy(capsys: Capture) -> None:
    box = sandbox()
    heal(box)
    deployment = available(box)
    deployment["metadata"]["generation"] = 99
    box.put(deployment)
    with serve(box) as server:
        code, lines, _ = watched(server, capsys, *DEPLOYMENT, "--until", "healthy", "--timeout", "1s")
    assert code == 1
    assert lines[0] == "… waiting: Deployment shop/checkout: waiting for deployment spec update to be observed"


def test_an_object_that_is_deleted_ends_it(served: SandboxServer, capsys: Capture) -> None:
    later(lambda: served.sandbox.delete(one(served.sandbox.state.objects, "Deployment", "api")))
    code, lines, _ = watched(served, capsys, "deploy", "api", "-n", "shop", "--watch", "--timeout", "20s")
    assert code == 1
    assert "✗ gone: Deployment api not found in namespace shop" in lines
    assert lines[-1] == "it was deleted, and did not come back"


def test_a_server_that_fails_for_a_while_is_waited_for(served: SandboxServer, capsys: Capture) -> None:
    broken: Fault = server_error("etcdserver: request timed out")

    def fail() -> None:
        served.sandbox.faults.append(broken)
        time.sleep(1.5)
        served.sandbox.faults.clear()
        heal(served.sandbox)

    later(fail)
    code, lines, err = watched(served, capsys, *DEPLOYMENT, "--until", "healthy", "--timeout", "30s")
    assert (code, err) == (0, "")
    assert lines[-1].startswith("healthy for ")


@pytest.mark.parametrize("words", [("pods",), ("pods", "-A"), ("deploy,svc",), ("node", "node-1"), ("checkout",)])
def test_lists_bare_names_and_objects_of_the_cluster_can_be_watched(
    words: tuple[str, ...], served: SandboxServer, capsys: Capture
) -> None:
    place = () if "-A" in words else ("-n", "shop")
    once, first, _ = watched(served, capsys, *words, *place)
    code, lines, err = watched(served, capsys, *words, *place, "--watch", "--timeout", "1s")
    assert (code, err) == (once, "")
    assert lines[0] == first[0]
    assert any(line.startswith("ended after 1s") for line in lines)


@pytest.mark.parametrize(
    ("words", "code"), [((), 1), (("--fail-on", "critical"), 1), (("--fail-on", "critical", "--allow-gaps"), 1)]
)
def test_without_until_the_exit_code_is_that_of_the_report(
    words: tuple[str, ...], code: int, served: SandboxServer, capsys: Capture
) -> None:
    assert watched(served, capsys, *DEPLOYMENT, *words)[0] == code
    assert watched(served, capsys, *DEPLOYMENT, *words, "--watch", "--timeout", "1s")[0] == code


@pytest.mark.parametrize("how", [("--watch",), ("--until", "healthy")])
def test_what_could_not_be_checked_is_neither_healthy_nor_broken(how: tuple[str, ...], capsys: Capture) -> None:
    box = sandbox()
    heal(box)
    box.faults.append(forbidden("networkpolicies", "resourcequotas", "limitranges"))
    with serve(box) as server:
        code, lines, err = watched(server, capsys, *DEPLOYMENT, *how, "--timeout", "1s")
        assert (code, err) == (3, "")
        assert "? unknown: no problems found, but not everything could be checked" in lines
        code, lines, err = watched(server, capsys, *DEPLOYMENT, *how, "--timeout", "2s", "--allow-gaps")
    assert (code, err) == (0, "")


HEARS_CTRL_C = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("kubedoctor", run_name="__main__", alter_sys=True)
"""
"""A shell without a terminal starts what it leaves behind with Ctrl-C ignored, and so the tests may be run."""


def test_ctrl_c_ends_it_quietly(served: SandboxServer) -> None:
    words = [sys.executable, "-c", HEARS_CTRL_C, *DEPLOYMENT, "--watch", "--kubeconfig", str(served.kubeconfig)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
    assert process.stdout is not None
    for line in process.stdout:
        if "broken" in line:
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "stopped\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--timeout", "5s"), "--timeout is for --watch"),
        (("--watch", "--timeout", "soon"), "'soon' is not a duration"),
        (("--watch", "--timeout", "0s"), "--timeout 0s: it must be positive"),
        (("--watch", "--timeout=-5s"), "--timeout -5s: it must be positive"),
        (("--watch", "--timeout", "-5s"), "--timeout -5s: it must be positive"),
        (("--timeout", "-.5m", "-w"), "--timeout -.5m: it must be positive"),
        (("--watch", "--timeout", "--until", "healthy"), "--timeout needs a value"),
        (("--until", "dead"), "--until cannot be 'dead': use healthy"),
        (
            ("--until", "healthy", "-o", "sarif"),
            "sarif cannot be printed with --until\n  Formats with --until: text, json",
        ),
        (("--watch", "--from", "x.json"), "a recording does not change"),
        (("--watch", "-f", "x.json"), "Leave out -w/--watch, or -f/--from"),
        (("--until", "healthy", "-f", "x.json"), "Leave out --until, or -f/--from"),
        (("-w", "--until", "healthy", "-f", "x.json"), "Leave out -w/--watch and --until, or -f/--from"),
    ],
)
def test_bad_input(words: tuple[str, ...], sentence: str, capsys: Capture) -> None:
    code, out, err = run(capsys, *DEPLOYMENT, *words)
    assert (code, out) == (2, "")
    assert sentence in err


def test_what_does_not_exist_at_first_is_a_mistake(served: SandboxServer, capsys: Capture) -> None:
    code, lines, err = watched(served, capsys, "deploy", "chekout", "-n", "shop", "--until", "healthy")
    assert (code, lines) == (2, [])
    assert "did you mean checkout" in err
