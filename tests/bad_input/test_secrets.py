"""A secret that a cluster holds is in no view: text, JSON, YAML, Markdown, describe, logs, captures, terminal UI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.cli import main
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.engine import load_catalogue
from kubedoctor.problems import UsageProblem
from kubedoctor.tui.app import KubedoctorApp
from kubedoctor.tui.session import Session
from kubedoctor.tui.state.sources import Opener
from tests.collect import bundle_forms as forms
from tests.collect.test_redaction import planted
from tests.tui.recordings import command, press
from tests.tui.screenshots import settle
from tests.tui.test_markup import screen_text

SECRET = "Zq7hunter2x"
KEPT = "LOG_LEVEL=debug user=bob"
"""What stands beside the secrets and is none."""
LINES = (
    f"panic: cannot connect to postgres://app:{SECRET}@db/shop",
    f"password={SECRET}",
    f"Authorization: Bearer {SECRET}",
    f"redis-cli -a {SECRET} ping",
    f"mysql -uroot -p{SECRET}",
    f"curl -u bob:{SECRET} https://x",
    f"Set-Cookie: session={SECRET}; Path=/",
    f"POST https://hooks.slack.com/services/T0/B0/{SECRET}",
    "password: correcthorse",
    KEPT,
)


def told(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """Objects that tell of the secrets: the pod's own status, an Event about it, a custom resource."""
    text, at = "; ".join(LINES), "2026-01-15T09:00:00Z"
    status = pod.setdefault("status", {})
    trouble = {"status": "False", "reason": "Failed", "message": text, "lastTransitionTime": at}
    status["conditions"] = [{"type": "Ready", **trouble}]
    status["containerStatuses"] = [
        {
            "name": container["name"],
            "image": container.get("image", ""),
            "ready": False,
            "restartCount": 3,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": text}},
            "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "message": text, "finishedAt": at}},
        }
        for container in pod["spec"]["containers"]
    ]
    about = {"kind": "Pod", "namespace": "shop", "name": pod["metadata"]["name"]}
    return [
        {
            "kind": "Event",
            "apiVersion": "v1",
            "metadata": {"name": "e", "namespace": "shop", "creationTimestamp": at},
            "involvedObject": about,
            "type": "Warning",
            "reason": "FailedMount",
            "message": text,
            "count": 5,
            "lastTimestamp": at,
        },
        {
            "kind": "Widget",
            "apiVersion": "example.com/v1",
            "metadata": {"name": "w", "namespace": "shop", "annotations": {"password": SECRET}},
            "spec": {"password": SECRET, "url": f"https://bob:{SECRET}@x"},
            "status": {"phase": "Failed", "conditions": [{"type": "Ready", **trouble}]},
        },
    ]


@pytest.fixture
def recording(tmp_path: Path) -> str:
    log = "\n".join((*LINES, ""))
    state = json.loads(forms.recording(logs={"shop/web-1/app": {"current": log, "previous": log}}))
    state["objects"] = [obj for obj in state["objects"] if obj["kind"] not in ("Pod",)] + planted(SECRET)
    web: dict[str, Any] = next(obj for obj in state["objects"] if obj["kind"] == "Pod")
    web["spec"]["containers"][0]["env"].append({"name": "SETTINGS", "value": KEPT})
    config: dict[str, Any] = next(obj for obj in state["objects"] if obj["kind"] == "ConfigMap")
    config["data"]["settings.yaml"] = f"secret: |\n  {SECRET}\nurl: https://bob:{SECRET}@x\nkept: {KEPT}\n"
    state["objects"] += told(web)
    file = tmp_path / "state.json"
    file.write_text(json.dumps(state))
    return str(file)


COMMANDS = (
    "scan -A",
    "scan -A -o wide",
    "scan -A -o json",
    "scan -A -o yaml",
    "scan -A -o markdown",
    "pod web-1 -n shop",
    "pod web-1 -n shop -o wide",
    "pod web-1 -n shop -o json",
    "pod web-1 -n shop -o yaml",
    "pod web-1 -n shop -o markdown",
    "describe pod web-1 -n shop",
    "logs web-1 -n shop",
    "secret s -n shop",
    "configmap c -n shop",
    "pods -A",
    "pods -A -o wide",
    "why-pending web-1 -n shop",
    "pod web-1 -n shop --debug",
    "scan -A -o sarif",
    "scan -A -o junit",
    "timeline web-1 -n shop",
    "timeline web-1 -n shop -o json",
    "connectivity -n shop",
    "connectivity -n shop -o svg",
    "widget w -n shop",
    "widget w -n shop -o yaml",
    "logs web-1 -n shop -p",
)


@pytest.mark.parametrize("words", COMMANDS)
def test_no_command_prints_a_secret(words: str, recording: str, capsys: pytest.CaptureFixture[str]) -> None:
    main([*words.split(), "--from", recording])
    printed = capsys.readouterr()
    assert len(printed.out) + len(printed.err) > 20
    for secret in (SECRET, "correcthorse"):
        assert secret not in printed.out
        assert secret not in printed.err


@pytest.mark.parametrize("ending", ["html", "md"])
def test_no_report_holds_a_secret(ending: str, recording: str, tmp_path: Path) -> None:
    path = tmp_path / f"report.{ending}"
    main(["report", "--from", recording, "-o", str(path)])
    text = path.read_text()
    assert "shop/web-1" in text
    for secret in (SECRET, "correcthorse"):
        assert secret not in text


@pytest.mark.parametrize("name", ["out", "out.tar.gz"])
def test_no_capture_holds_a_secret(name: str, recording: str, tmp_path: Path) -> None:
    target = tmp_path / name
    assert main(["capture", "-A", "--from", recording, "-o", str(target)]) in (0, 3)
    again = tmp_path / "unpacked"
    if not target.is_dir():
        main(["capture", "-A", "--from", str(target), "-o", str(again)])
    files = [path for path in (again if again.exists() else target).rglob("*") if path.is_file()]
    text = "\n".join(path.read_text() for path in files)
    assert text.count(KEPT) >= 3, "of the variable, and of both logs"
    for secret in (SECRET, "correcthorse"):
        assert secret not in text


def app_of(recording: str) -> KubedoctorApp:
    def refuse(name: str) -> Any:
        raise UsageProblem(f"No context {name}.", "")

    source = open_source(Options(from_=(recording,)))
    return KubedoctorApp(lambda: Session(source, load_catalogue(), Opener(lambda: (), refuse), "x"), "", "x")


VIEWS = {"why": "w", "YAML": "y", "describe": "d", "logs": "l", "previous logs": "p", "command": "x"}


@pytest.mark.parametrize("view", VIEWS)
async def test_no_view_of_a_pod_shows_a_secret(view: str, recording: str) -> None:
    app = app_of(recording)
    async with app.run_test(size=(200, 150)) as pilot:
        await settle(app)
        await command(pilot, app, "po")
        await press(pilot, app, VIEWS[view])
        shown = screen_text(app)
        assert SECRET not in shown
        assert "correcthorse" not in shown
        if view in ("YAML", "logs", "previous logs"):
            assert "".join(KEPT.split()) in shown


@pytest.mark.parametrize("kind", ["secrets", "cm", "events", "findings"])
async def test_no_list_or_yaml_of_a_kind_shows_a_secret(kind: str, recording: str) -> None:
    app = app_of(recording)
    async with app.run_test(size=(200, 100)) as pilot:
        await settle(app)
        await command(pilot, app, kind)
        assert SECRET not in screen_text(app)
        await press(pilot, app, "y")
        assert SECRET not in screen_text(app)
