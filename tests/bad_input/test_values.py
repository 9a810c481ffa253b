"""One value that cannot be read, live and in files: the object is mended, everything else stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kubedoctor.cli import main
from kubedoctor.cluster import Ref
from kubedoctor.collect.bundles import open_bundle
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from tests.bad_input.said import say
from tests.bad_input.sick import hasty
from tests.bad_input.test_answers import WEB, of_pods
from tests.collect.fake_api import FakeApi, kubeconfig, response
from tests.collect.served import pod

__all__ = ["hasty"]
Capture = pytest.CaptureFixture[str]
pytestmark = pytest.mark.usefixtures("hasty")
MARKS = {"\ue000", "\ufdd0"}
"""What stands for values and bytes that cannot be read; nobody sees it."""
VALUES = {
    "a float": b"1e999",
    "a long integer": b"9" * 6000,
    "100,000 deep": b"[" * 100_000 + b"]" * 100_000,
    "a byte": b'"\xff"',
    "no number": b"NaN",
    "infinity": b"-Infinity",
    "half a character": b'"a\\ud83d"',
    "the other half": b'"\\uDE00 \\ud83d\\ude00 \\\\ud83d"',
    "null items": b"null",
}


def pods(value: bytes) -> bytes:
    """Two pods; the generation of the second is this value."""
    bad = pod("bad")
    bad["metadata"]["generation"] = "HERE"
    listed = {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [pod("good"), bad, None]}
    return json.dumps(listed).encode().replace(b'"HERE"', value)


@pytest.mark.parametrize("name", VALUES)
def test_live(name: str, capsys: Capture, tmp_path: Path) -> None:
    with FakeApi(of_pods(response(pods(VALUES[name])))) as api:
        config = kubeconfig(tmp_path / "config", api.url)
        assert "4 objects" in say(capsys, "scan", "--kubeconfig", config).text
        code = main(["capture", "-o", str(tmp_path / "state"), "--kubeconfig", config])
    assert code == (0 if name == "null items" else 3)
    recorded = json.loads((tmp_path / "state/objects/Pod.json").read_text())
    assert [item["metadata"]["name"] for item in recorded["items"]] == ["bad", "good"]


@pytest.mark.parametrize("name", VALUES)
def test_in_a_file(name: str, capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "pods.json"
    path.write_bytes(pods(VALUES[name]))
    assert "2 objects" in say(capsys, "scan", "--from", str(path)).text


@pytest.mark.parametrize("field", ["kind", "apiVersion", "name", "namespace"])
@pytest.mark.parametrize("name", VALUES)
def test_in_the_head_of_an_item(name: str, field: str, capsys: Capture, tmp_path: Path) -> None:
    bad = {"apiVersion": "v1", "kind": "Pod", **pod("bad")}
    (bad if field in bad else bad["metadata"])[field] = "HERE"
    items = [{"apiVersion": "v1", "kind": "Pod", **pod("good")}, bad]
    for body in ({"apiVersion": "v1", "kind": "List", "items": items}, items):
        path = tmp_path / "pods.json"
        path.write_bytes(json.dumps(body).encode().replace(b'"HERE"', VALUES[name]))
        said = say(capsys, "scan", "--from", str(path))
        assert said.code == 3
        assert not MARKS & set(said.out + said.err)
        assert "good" in open_bundle((str(path),)).names("Pod")


@pytest.mark.parametrize("name", VALUES)
def test_in_one_object(name: str, capsys: Capture, tmp_path: Path) -> None:
    bad = {"apiVersion": "v1", "kind": "Pod", **pod("web")}
    bad["metadata"]["generation"] = "HERE"
    body = json.dumps(bad).encode().replace(b'"HERE"', VALUES[name])
    with FakeApi(of_pods(response(body), WEB)) as api:
        config = kubeconfig(tmp_path / "config", api.url)
        assert say(capsys, "pod", "web", "-n", "shop", "--kubeconfig", config).code in (0, 3)
        source = open_source(Options(kubeconfig=config))
        raw = source.raw(Ref("Pod", "shop", "web"))
        source.close()
    assert raw is not None
    assert raw["metadata"]["name"] == "web"
    assert not MARKS & set(json.dumps(raw, ensure_ascii=False))


NOT_UTF8 = "Pod shop/bad: status.message has bytes that are not UTF-8 text"


def with_a_byte(head: str = "") -> bytes:
    """A pod whose message has a byte of Latin-1. `head`: its kind, as JSON."""
    bad = pod("bad")
    bad["status"]["message"] = "Spei~cher"
    return b"{" + head.encode() + json.dumps(bad).encode()[1:].replace(b"~", b"\xe9")


TYPED = with_a_byte('"apiVersion": "v1", "kind": "Pod", ')
FORMS: dict[str, bytes] = {
    "a list of pods": b'{"kind": "PodList", "apiVersion": "v1", "items": [%s]}' % with_a_byte(),
    "kubectl's list": b'{"kind": "List", "apiVersion": "v1", "items": [%s]}' % TYPED,
    "an array": b"[%s]" % TYPED,
    "an object": TYPED,
    "objects one after the other": TYPED + b"\n" + TYPED,
    "YAML": b"---\n" + TYPED,
    "a dump": b"%s\n==== START logs for container app of pod shop/bad ====\nlog \xff\n==== END logs for container app of pod shop/bad ====\n"
    % b'{"kind": "PodList", "apiVersion": "v1", "items": [%s]}'
    % with_a_byte(),
}


@pytest.mark.parametrize("name", FORMS)
def test_bytes_that_are_not_text_are_told_with_their_object(name: str, capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / ("pods.yaml" if name == "YAML" else "pods.json")
    path.write_bytes(FORMS[name])
    said = say(capsys, "scan", "-o", "wide", "--from", str(path))
    assert NOT_UTF8 in said.text
    assert said.code == 3
    assert not MARKS & set(said.text)


def test_bytes_that_are_not_text_are_told_of_a_live_cluster(capsys: Capture, tmp_path: Path) -> None:
    listed, one = FORMS["a list of pods"], ("/api/v1/namespaces/shop/pods/bad",)
    for words, script in (
        (("scan",), of_pods(response(listed))),
        (("pod", "bad", "-n", "shop"), of_pods(response(TYPED), one)),
    ):
        with FakeApi(script) as api:
            said = say(capsys, *words, "--kubeconfig", kubeconfig(tmp_path / "config", api.url))
        assert NOT_UTF8 in said.text
        assert not MARKS & set(said.text)
