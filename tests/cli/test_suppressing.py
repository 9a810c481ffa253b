"""Suppressions from the file and the cluster to the exit code, in every format."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from kubedoctor.sandbox import Sandbox, load_recording, recording_path, serve
from tests.cli.recordings import OOM
from tests.cli.test_run import Capture, run

IN_FORCE = "{code: KD1005, until: 2099-12-31, reason: being repaired}"


def config(folder: Path, *entries: str, name: str = ".kubedoctor.yaml") -> Path:
    path = folder / name
    path.write_text("suppressions:\n" + "".join(f"- {entry}\n" for entry in entries))
    return path


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    return tmp_path


@pytest.mark.parametrize("words", [("scan",), ("deploy", "checkout"), ("get", "deploy"), ("deploy",)])
def test_the_file_is_found_from_the_working_directory_upwards(
    words: tuple[str, ...], elsewhere: Path, capsys: Capture
) -> None:
    assert run(capsys, *words, "--from", OOM)[0] == 1
    config(elsewhere, IN_FORCE)
    code, out, err = run(capsys, *words, "--from", OOM)
    assert (code, err) == (0, "")
    assert ": no problems found, 1 suppressed" in out.splitlines()[0]
    assert "until 2099-12-31: being repaired (../.kubedoctor.yaml, entry 1)" in " ".join(out.split())


@pytest.mark.parametrize("name", ["text", "wide", "markdown", "json", "yaml"])
def test_every_format_counts_and_says_what_is_not_in_force(name: str, elsewhere: Path, capsys: Capture) -> None:
    path = config(elsewhere, IN_FORCE, "{code: KD1003, until: 2020-01-01, reason: old}", name="other.yaml")
    code, out, _ = run(capsys, "scan", "--from", OOM, "-o", name, "--config", str(path))
    said = " ".join(out.split())
    assert code == 0
    assert "being repaired" in said
    assert "KD1003 expired on 2020-01-01" in said
    assert "1 suppressed" in said or '"suppressed": 1' in said or "suppressed: 1" in said
    if name == "json":
        schema = json.loads(files("kubedoctor.cli.formats").joinpath("report.schema.json").read_text())
        jsonschema.Draft202012Validator(schema).validate(json.loads(out))


def test_an_expired_one_is_worth_a_notice(elsewhere: Path, capsys: Capture) -> None:
    config(elsewhere, IN_FORCE, "{code: KD1003, until: 2020-01-01, reason: old}")
    assert run(capsys, "scan", "--from", OOM, "--fail-on", "notice")[0] == 1


def test_names_leave_out_what_is_suppressed(elsewhere: Path, capsys: Capture) -> None:
    config(elsewhere, IN_FORCE)
    assert run(capsys, "scan", "--from", OOM, "-o", "name") == (0, "", "")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [("a: [", "it is not YAML, line "), ("x" * (2 << 20), "it is larger than 1Mi"), ("\x00", "it is not YAML")],
)
def test_a_file_that_cannot_be_used_stops_nothing_unless_it_was_named(
    body: str, sentence: str, elsewhere: Path, capsys: Capture
) -> None:
    path = elsewhere / ".kubedoctor.yaml"
    path.write_text(body)
    code, out, err = run(capsys, "scan", "--from", OOM)
    assert (code, err) == (1, "")
    assert f"../.kubedoctor.yaml: {sentence}" in " ".join(out.split())
    code, out, err = run(capsys, "scan", "--from", OOM, "--config", str(path))
    assert (code, out) == (2, "")
    assert sentence in err


@pytest.mark.parametrize("until", ["2026-02-30", "2026-13-45", "!!timestamp foo"])
def test_a_day_that_does_not_exist_costs_no_other_entry(until: str, elsewhere: Path, capsys: Capture) -> None:
    config(elsewhere, IN_FORCE, f"{{code: KD1003, until: {until}, reason: x}}")
    code, out, err = run(capsys, "scan", "--from", OOM)
    assert (code, err) == (0, "")
    said = " ".join(out.split())
    assert ": no problems found, 1 suppressed" in said
    assert f"entry 2: until {until.removeprefix('!!timestamp ')} is not a day" in said


@pytest.mark.parametrize("value", ["!!bool x", '!!int ""', "!!float x", "{[]: 1}", "&a [*a]"])
def test_a_value_that_cannot_be_made_stops_no_diagnosis(value: str, elsewhere: Path, capsys: Capture) -> None:
    config(elsewhere, f"{{code: KD1003, until: {value}, reason: x}}")
    code, out, err = run(capsys, "scan", "--from", OOM)
    assert (code, err) == (1, "")
    assert "../.kubedoctor.yaml" in out


@pytest.mark.parametrize("kind", ["*", "Deploy*", "deployments"])
def test_the_kind_of_an_entry_may_be_a_pattern(kind: str, elsewhere: Path, capsys: Capture) -> None:
    config(elsewhere, f"{{kind: '{kind}', {IN_FORCE[1:]}")
    assert run(capsys, "scan", "--from", OOM)[0] == 0


def test_a_misspelled_kind_is_said(elsewhere: Path, capsys: Capture) -> None:
    config(elsewhere, f"{{kind: deploymnt, {IN_FORCE[1:]}")
    code, out, _ = run(capsys, "scan", "--from", OOM)
    assert code == 1
    assert "no kind is called deploymnt here. Did you mean deployment" in " ".join(out.split())


def test_a_file_that_does_not_exist(capsys: Capture) -> None:
    code, out, err = run(capsys, "deploy", "checkout", "--from", OOM, "--config", "none.yaml")
    assert (code, out) == (2, "")
    assert "--config none.yaml: there is no such file" in err


def annotated(kind: str, name: str) -> Any:
    state = json.loads(recording_path("oom-killed").read_text())
    one = next(obj for obj in state["objects"] if (obj["kind"], obj["metadata"]["name"]) == (kind, name))
    one["metadata"].setdefault("annotations", {})["kubedoctor.dev/ignore"] = "KD1005 until 2099-12-31: being repaired"
    return state


@pytest.mark.parametrize(("kind", "name"), [("Namespace", "shop"), ("Deployment", "checkout")])
def test_an_annotation_counts_live_and_in_a_recording(kind: str, name: str, elsewhere: Path, capsys: Capture) -> None:
    path = elsewhere / "state.json"
    path.write_text(json.dumps(annotated(kind, name)))
    with serve(Sandbox(load_recording(path))) as server:
        for source in (("--from", str(path)), ("--kubeconfig", str(server.kubeconfig))):
            for words in (("scan", "-A"), ("deploy", "checkout", "-n", "shop")):
                code, out, err = run(capsys, *words, *source)
                assert (code, err) == (0, ""), out
                assert ": no problems found, 1 suppressed" in out.splitlines()[0]
