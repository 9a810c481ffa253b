"""`--what-if`: of a scan, of an object, and of every question."""

from __future__ import annotations

import json

import pytest

from kubedoctor.cli.run import main
from kubedoctor.sandbox import recording_path

Capture = pytest.CaptureFixture[str]


def run(capsys: Capture, recording: str, *words: str) -> tuple[int, str, str]:
    code = main([*words, "-f", str(recording_path(recording))])
    out, err = capsys.readouterr()
    return code, out, err


def test_of_an_object_in_short(capsys: Capture) -> None:
    code, out, _ = run(capsys, "insufficient-cpu", "deploy", "checkout", "-n", "shop", "--what-if", "requests.cpu=2")
    assert code == 0
    assert out.startswith("✓ requests.cpu=2: 1 incident gone; nothing breaks\n")
    assert "sent" in out


def test_of_a_scan_as_kubectl(capsys: Capture) -> None:
    line = "kubectl scale deploy/checkout --replicas=0 -n shop"
    code, out, _ = run(capsys, "oom-killed", "scan", "--what-if", line, "-o", "json")
    data = json.loads(out)
    assert code == 1
    assert data["schema"] == "kubedoctor.dev/what-if/v1"
    assert data["change"] == [{"kind": "Deployment", "namespace": "shop", "name": "checkout"}]
    assert data["new"]


def test_of_a_question(capsys: Capture) -> None:
    words = ("why-pending", "deploy/checkout", "-n", "shop")
    assert run(capsys, "insufficient-cpu", *words)[0] == 1
    line = "kubectl set resources deploy/checkout -n shop --requests=cpu=2"
    code, out, _ = run(capsys, "insufficient-cpu", *words, "--what-if", line)
    assert code == 0
    assert "what if" in out


def test_what_cannot_be_tried(capsys: Capture) -> None:
    code, _, err = run(capsys, "oom-killed", "scan", "--what-if", "kubectl get pods")
    assert code == 2
    assert "this change cannot be tried: kubectl get only reads" in err


def test_formats_of_reports_are_not_for_it(capsys: Capture) -> None:
    code, _, err = run(capsys, "oom-killed", "scan", "--what-if", "kubectl get pods", "-o", "sarif")
    assert code == 2
    assert "unknown output format" in err
