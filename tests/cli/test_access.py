"""`kubedoctor access`: the sheet, the manifest, and the exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import yaml

from kubedoctor.cli.run import main
from kubedoctor.sandbox import Fault, Sandbox, SandboxState, faults, serve
from tests.collect.served import OBJECTS

Capture = pytest.CaptureFixture[str]


@contextmanager
def cluster(*ordered: Fault) -> Iterator[str]:
    with serve(Sandbox(SandboxState(list(OBJECTS), {}, namespace="shop"), faults=ordered)) as served:
        yield str(served.kubeconfig)


def test_everything_may_be_read(capsys: Capture) -> None:
    with cluster() as path:
        assert main(["access", "--kubeconfig", path]) == 0

    out = capsys.readouterr().out
    assert out.startswith("✓ access to kubedoctor-demo: connected; everything that the diagnostics read may be read")
    assert "✓ login: the server knows you as kubedoctor-demo" in out


def test_what_is_refused_is_named_with_who_reads_it_and_a_role(capsys: Capture) -> None:
    with cluster(faults.forbidden("secrets"), faults.forbidden("pods/log")) as path:
        assert main(["access", "--kubeconfig", path, "-o", "json"]) == 1
        data = json.loads(capsys.readouterr().out)
        assert main(["access", "--kubeconfig", path, "--role", "missing"]) == 0
        role, binding = yaml.safe_load_all(capsys.readouterr().out)

    assert {(row["resource"], row["verb"]) for row in data["missing"]} == {
        ("secrets", "get"),
        ("secrets", "list"),
        ("secrets", "watch"),
        ("pods/log", "get"),
    }
    assert "2 resources may not be read" in data["summary"]
    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "watch"]},
    ]
    assert binding["subjects"] == [{"kind": "User", "name": "kubedoctor-demo", "apiGroup": "rbac.authorization.k8s.io"}]
    (fix,) = data["fixes"]
    assert fix["effect"] == "changes"
    assert path not in fix["command"]  # somebody else creates it


def test_rights_in_one_namespace_are_said(capsys: Capture) -> None:
    with cluster(faults.forbidden("pods", namespaces=[""])) as path:
        assert main(["access", "--kubeconfig", path]) == 1
        assert "In namespace shop alone these may be read: pods" in " ".join(capsys.readouterr().out.split())
        assert main(["access", "--kubeconfig", path, "-n", "shop"]) == 0
        assert "may be read in namespace shop" in " ".join(capsys.readouterr().out.split())


def test_reviews_that_fail_are_a_gap_and_not_a_right(capsys: Capture) -> None:
    broken = Fault(500, "InternalError", "no reviews today", paths=("/apis/authorization.k8s.io",))
    with cluster(broken) as path:
        assert main(["access", "--kubeconfig", path, "--request-timeout", "1s"]) == 3
        assert "not all permissions could be asked about" in capsys.readouterr().out
        assert main(["access", "--kubeconfig", path, "--request-timeout", "1s", "--allow-gaps"]) == 0


def test_a_login_that_fails_is_a_finding_and_has_no_role(capsys: Capture) -> None:
    with cluster(faults.unauthorized()) as path:
        assert main(["access", "--kubeconfig", path]) == 1
        assert "✗ login:" in capsys.readouterr().out
        assert main(["access", "--kubeconfig", path, "--role", "needed"]) == 2
    assert "(401)" in capsys.readouterr().err


def test_words_that_exclude_each_other(capsys: Capture) -> None:
    assert main(["access", "-f", "state.tar.gz"]) == 2
    assert "access asks a cluster, not a recording" in capsys.readouterr().err
    assert main(["access", "--role", "catalogue", "-o", "json"]) == 2
    assert "--role prints a manifest, not json" in capsys.readouterr().err
