"""`kubedoctor diff`: causes that are new, gone and still there, between recordings and against a cluster."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from kubedoctor.sandbox import Sandbox, load_recording, recording_path, serve
from tests.cli.recordings import OOM
from tests.cli.test_run import Capture, run

Objects = list[dict[str, Any]]
OLD_POD, NEW_POD = "checkout-797c86bfff-q29bm", "checkout-5d4f7c9b66-x2x2x"


@cache
def _state() -> dict[str, Any]:
    state: dict[str, Any] = json.loads(recording_path("oom-killed").read_text())
    return state


def recorded(path: Path, change: Callable[[Objects], object] = lambda _: None) -> str:
    state = deepcopy(_state())
    change(state["objects"])
    path.write_text(json.dumps(state))
    return str(path)


def without_checkout(objects: Objects) -> None:
    objects[:] = [one for one in objects if not one["metadata"]["name"].startswith("checkout")]


def without_pods(objects: Objects) -> None:
    objects[:] = [one for one in objects if one["kind"] != "Pod"]


def rolled_out(objects: Objects) -> None:
    """The ReplicaSet and the pod have new names, as after a rollout."""
    text = json.dumps(objects).replace(OLD_POD, NEW_POD).replace("797c86bfff", "5d4f7c9b66")
    objects[:] = json.loads(text)


def two_dozen(objects: Objects) -> None:
    """The Deployment in other namespaces too."""
    own = [one for one in objects if one["metadata"]["name"].startswith("checkout") and one["kind"] != "Event"]
    for number in range(24):
        objects += json.loads(json.dumps(own).replace('"shop"', f'"shop-{number}"'))


@pytest.fixture
def before(tmp_path: Path) -> str:
    return recorded(tmp_path / "before.json", without_checkout)


def document(capsys: Capture, *words: str) -> tuple[int, dict[str, Any]]:
    code, out, err = run(capsys, "diff", *words, "-o", "json")
    assert err == ""
    data: dict[str, Any] = json.loads(out)
    schema = json.loads(files("kubedoctor.cli.formats").joinpath("diff.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(data)
    return code, data


def test_a_new_cause_is_shown_with_its_first_fix_and_gives_1(before: str, capsys: Capture) -> None:
    code, out, err = run(capsys, "diff", before, OOM)
    assert (code, err) == (1, "")
    assert out.splitlines()[0] == "1 new, 0 gone, 0 still there"
    assert "✗ Deployment shop/checkout" in out
    assert "--limits=memory=256Mi" in out
    assert "kubedoctor explain KD1005" in out
    code, data = document(capsys, before, OOM)
    assert (code, data["complete"]) == (1, True)
    (new,) = data["new"]
    assert (new["severity"], new["finding"]["code"]) == ("critical", "KD1005")


def test_a_cause_that_is_gone_gives_0(before: str, capsys: Capture) -> None:
    code, out, _ = run(capsys, "diff", OOM, before)
    assert code == 0
    assert "0 new, 1 gone, 0 still there" in out
    assert "✓ Deployment shop/checkout: container `checkout` was OOMKilled" in out
    assert "the object was deleted" in out
    _, data = document(capsys, OOM, before)
    assert (data["gone"][0]["code"], data["gone"][0]["deleted"]) == ("KD1005", True)


def test_a_cause_is_the_same_after_a_rollout(tmp_path: Path, capsys: Capture) -> None:
    code, out, _ = run(capsys, "diff", OOM, recorded(tmp_path / "after.json", rolled_out))
    assert (code, out.splitlines()[0]) == (0, "0 new, 0 gone, 1 still there")


def test_what_could_not_be_seen_at_the_other_time_is_not_gone(tmp_path: Path, capsys: Capture) -> None:
    one = tmp_path / "one.json"
    one.write_text(
        json.dumps({"kind": "List", "items": [each for each in _state()["objects"] if each["kind"] == "Node"]})
    )
    code, out, _ = run(capsys, "diff", OOM, str(one))
    assert code == 3
    assert "? Deployment shop/checkout" in out
    assert "so it may still be there" in " ".join(out.split())
    code, data = document(capsys, str(one), OOM)
    assert code == 1
    assert data["new"][0]["unsure"]


def test_a_cause_read_from_a_log_is_not_gone_without_the_log(tmp_path: Path, shared: Path, capsys: Capture) -> None:
    with_logs = shared / "captures/crash-bad-config.json"
    state = json.loads(with_logs.read_text())
    without = {key: value for key, value in state.items() if key != "logs"}
    for one in (without, {**without, "logs": {}}):
        path = tmp_path / "nologs.json"
        path.write_text(json.dumps(one))
        code, data = document(capsys, str(with_logs), str(path))
        assert (code, data["complete"]) == (3, False)
        assert [(gone["about"]["kind"], gone["unsure"][:4]) for gone in data["gone"]] == [("ConfigMap", "Log:")]
        _, data = document(capsys, str(path), str(with_logs))
        assert data["new"][0]["unsure"].startswith("Log:")


def test_trouble_whose_kind_the_other_state_lacks_is_not_gone(tmp_path: Path, before: str, capsys: Capture) -> None:
    one = recorded(tmp_path / "one.json", without_pods)
    services = tmp_path / "services.json"
    items = [each for each in _state()["objects"] if each["kind"] == "Service"]
    services.write_text(json.dumps({"kind": "List", "items": items}))
    code, out, _ = run(capsys, "diff", one, str(services))
    assert code == 3
    assert "? Deployment shop/checkout: " in out
    assert "so it may still be there" in " ".join(out.split())
    _, data = document(capsys, one, str(services))
    assert data["unexplained"]["gone"][0]["unsure"].startswith("Deployment: ")
    _, data = document(capsys, str(services), one)
    assert data["unexplained"]["new"][0]["unsure"].startswith("Deployment: ")
    _, out, _ = run(capsys, "diff", one, before)
    assert "✓ Deployment shop/checkout: " in out


def test_many_alike_are_one_entry(tmp_path: Path, before: str, capsys: Capture) -> None:
    many = recorded(tmp_path / "many.json", two_dozen)
    _, out, _ = run(capsys, "diff", before, many)
    assert out.splitlines()[0] == "25 new, 0 gone, 0 still there"
    assert out.count("OOMKilled at its") == 1
    assert "and 12 more" in out


def test_a_recording_and_the_cluster(before: str, tmp_path: Path, capsys: Capture) -> None:
    with serve(Sandbox(load_recording(OOM))) as server:
        for words in ((), ("-n", "shop")):
            code, out, err = run(capsys, "diff", before, *words, "--kubeconfig", str(server.kubeconfig), "--allow-gaps")
            assert err == ""
            assert (code, out.splitlines()[0]) == (1, "1 new, 0 gone, 0 still there")


def test_what_is_suppressed_is_neither_new_nor_gone(before: str, tmp_path: Path, capsys: Capture) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("suppressions:\n- {code: KD1005, until: 2099-01-01, reason: known}\n")
    for first in (before, OOM):
        code, out, _ = run(capsys, "diff", first, OOM, "--config", str(config))
        assert code == 0
        assert ", 1 suppressed" in out.splitlines()[0]
        assert "Gone" not in out
        assert "New" not in out


def test_yaml_and_bytes(before: str, capsys: Capture) -> None:
    first, second = (run(capsys, "diff", before, OOM, "-o", "yaml") for _ in range(2))
    assert first == second
    assert first[1].startswith("after:")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "diff of which recordings?"),
        (("none.json",), "no file none.json"),
        (("-f", "x.yaml"), "kubectl diff -f x.yaml"),
        (("-f", "a b.yaml", "-f", "c.yaml"), "kubectl diff -f 'a b.yaml' -f c.yaml"),
        (("-", "-"), "standard input can be only one of the two recordings"),
        ((OOM, OOM, OOM), "unexpected argument"),
        ((OOM, OOM, "-o", "sarif"), "unknown output format 'sarif'"),
        ((OOM, OOM, "-n", "nowhere"), "namespace nowhere not found"),
        ((str(Path(__file__)),), "--from reads"),
    ],
)
def test_bad_input(words: tuple[str, ...], sentence: str, capsys: Capture) -> None:
    code, out, err = run(capsys, "diff", *words)
    assert (code, out) == (2, "")
    assert sentence in err
