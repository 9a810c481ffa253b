"""Answers to another question: 200 with JSON or a page that is not what was asked. No list is empty for that."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.cli import main
from kubedoctor.cluster import Want
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.engine import load_catalogue
from kubedoctor.sandbox import Sandbox, SandboxState
from kubedoctor.sandbox.exchange import Request
from kubedoctor.tui.rows import View
from kubedoctor.tui.session import Session
from tests.bad_input.said import say
from tests.bad_input.sick import hasty
from tests.collect.fake_api import Answer, Asked, FakeApi, Script, kubeconfig, refusal, response
from tests.collect.served import make

__all__ = ["hasty"]
Capture = pytest.CaptureFixture[str]
pytestmark = pytest.mark.usefixtures("hasty")
RUNS = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
WELL = [make("Namespace", "shop", ""), make("ConfigMap", "settings", data={"a": "b"})]
PODS = ("/api/v1/pods", "/api/v1/namespaces/shop/pods")


def of_pods(answer: Answer, path: tuple[str, ...] = PODS) -> Script:
    """A healthy cluster that answers requests for pods with this."""
    inner = Sandbox(SandboxState([dict(each) for each in WELL], {}, namespace="shop"))

    def script(asked: Asked) -> Answer:
        if asked.path in path:
            return answer
        query = dict(part.partition("=")[::2] for part in asked.query.split("&") if part)
        headers = {name: values[0] for name, values in asked.headers.items()}
        given = inner.handle(Request(asked.method, asked.path, query, headers, asked.body))
        return response(given.body, f"{given.code} X", given.content_type)

    return script


def listed(kind: str = "PodList", version: str = "v1", items: Any = (), **rest: Any) -> bytes:
    return response({"kind": kind, "apiVersion": version, "metadata": {}, "items": items, **rest})


STATUS = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "token expired", "reason": "Expired"}
FAULTS = {
    "an error of a proxy": (
        response({"error": "unauthenticated"}),
        "the server returned JSON without kind instead of a PodList",
    ),
    "an empty object": (response({}), "the server returned JSON without kind instead of a PodList"),
    "a Status": (response(STATUS), "the server returned a Status instead of a PodList: token expired"),
    "a list of another kind": (listed("ConfigMapList"), "the server returned a ConfigMapList instead of a PodList"),
    "a list of another group": (
        listed(version="metrics.k8s.io/v1beta1"),
        "the server returned a PodList of metrics.k8s.io/v1beta1 instead of a PodList",
    ),
    "an object": (response(make("Pod", "web")), "the server returned a Pod instead of a PodList"),
    "a table": (listed("Table", "meta.k8s.io/v1", rows=[]), "the server returned a Table instead of a PodList"),
    "a kind that is a number": (listed(kind=7), "the server returned JSON without kind"),  # type: ignore[arg-type]  # the fault
    "an array": (response([]), "the response cannot be decoded"),
    "items that are an object": (listed(items={}), "the response cannot be decoded"),
    "a login page": (response(b"<html>Log in</html>", content_type="text/html"), "it returned a web page"),
    "plain text": (response(b"hello", content_type="text/plain"), "it returned 'hello'"),
    "nothing": (response(b""), "it returned nothing"),
    "a kind that is not served": (refusal(404, "NotFound", "not found"), "this cluster does not serve pods"),
    "a list of another version": (
        listed(version="v2"),
        "the server returned a PodList of v2 instead of a PodList",
    ),
    "names without content": (
        listed("PartialObjectMetadataList", "meta.k8s.io/v1", [{"metadata": {"name": "web", "namespace": "shop"}}]),
        "the server returned a PartialObjectMetadataList instead of a PodList",
    ),
    "a List of other objects": (listed("List", items=[make("Service", "web")]), "is a Service"),
    "an item of another kind": (listed(items=[make("Deployment", "web")]), "is a Deployment"),
    "an item of an unknown kind": (listed(items=[make("Gizmo", "web")]), "is a Gizmo"),
    "items that are text": (listed(items=["web"]), "an item"),
    "an item without a name": (listed(items=[{"spec": {}}]), "an item has no name"),
    "a number as a continue token": (listed(metadata={"continue": 5}), "the response cannot be decoded"),
    "truncated JSON": (response(b'{"kind": "PodList", "items": [{'), "the response cannot be decoded"),
    "two values": (response(b'{"kind": "PodList"}{}'), "the response cannot be decoded"),
    "packed noise": (response(b"noise", extra="Content-Encoding: gzip\r\n"), "cannot be unpacked"),
    "half of a packed list": (
        response(
            gzip.compress(b'{"kind": "PodList", "items": [], "x": "' + bytes(range(65, 90)) + b'"}')[:-20],
            extra="Content-Encoding: gzip\r\n",
        ),
        "the response cannot be decoded",
    ),
    "a part of the content": (response({"kind": "PodList", "items": []}, "206 Partial Content"), "returned 206"),
    "no content": (response(b"", "204 No Content"), "the server returned 204"),
    "a byte order mark": (response(b'\xef\xbb\xbf{"kind": "PodList"}'), "is not a Kubernetes API server"),
    "a number": (response(b"5"), "is not a Kubernetes API server: it returned '5'"),
    "hostile words": (response({**STATUS, "message": "a\x1b[2Jb"}), r"a\x1b[2Jb"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_list_that_was_not_asked_for_is_not_empty(name: str, capsys: Capture, tmp_path: Path) -> None:
    answer, sentence = FAULTS[name]
    with FakeApi(of_pods(answer)) as api:
        said = say(capsys, "scan", "--kubeconfig", kubeconfig(tmp_path / "config", api.url))
    assert said.code == 3
    assert sentence in said.text
    assert "list configmaps" not in said.text, "other kinds go on"


@pytest.mark.parametrize("name", FAULTS)
def test_a_recording_says_what_it_lacks(name: str, capsys: Capture, tmp_path: Path) -> None:
    answer, sentence = FAULTS[name]
    folder = tmp_path / "state"
    with FakeApi(of_pods(answer)) as api:
        code = main(["capture", "-o", str(folder), "--kubeconfig", kubeconfig(tmp_path / "config", api.url)])
    told = " ".join(capsys.readouterr().err.split())
    assert code == 3
    assert "not recorded: Pod (" in told or "recorded in part: Pod (" in told
    assert sentence in told
    assert (folder / "objects/ConfigMap.json").exists()
    said = say(capsys, "scan", "--from", str(folder))
    assert said.code == 3
    assert sentence in said.text


def test_the_other_items_of_a_list_stay(capsys: Capture, tmp_path: Path) -> None:
    """An item of another kind is left out and told; the pod beside it is seen."""
    api_pod = {**make("Pod", "api"), "status": {"phase": "Failed", "reason": "Evicted", "message": "low on memory"}}
    pods = listed(items=[make("Deployment", "web"), api_pod])
    folder = tmp_path / "state"
    with FakeApi(of_pods(pods)) as api:
        config = kubeconfig(tmp_path / "config", api.url)
        scanned = say(capsys, "scan", "--kubeconfig", config)
        main(["capture", "-o", str(folder), "--kubeconfig", config])
        capsys.readouterr()
        names = say(capsys, "get", "pods", "-A", "--kubeconfig", config)
        session = Session(open_source(Options(kubeconfig=config)), load_catalogue())
        try:
            session.load(View("Pod", "shop"))
            rows = [row.ref.name for row in session.rows(View("Pod", "shop"), None, "health")]
            refused = session.refused(View("Pod", "shop"))
        finally:
            session.close()
    for said in (scanned, say(capsys, "scan", "--from", str(folder))):
        assert said.code == 1, "the eviction of the other pod is found"
        assert "is a Deployment" in said.text
    assert "Pod shop/web: the object is a Deployment; ignored" in scanned.text
    assert '"api"' in (folder / "objects/Pod.json").read_text()
    assert "shop/api" in names.out
    assert names.out.count("web") == 1, "the sentence about it"
    assert rows == ["api"]
    assert "Pod shop/web: the object is a Deployment; ignored" in refused


HEALTHY = {
    "a list": listed(),
    "no items": response({"kind": "PodList", "apiVersion": "v1", "metadata": {}}),
    "items null": listed(items=None),
    "metadata null": listed(metadata=None),
    "an item with an empty kind": listed(
        items=[{"metadata": {"name": "web", "namespace": "shop"}, "kind": "", "status": RUNS}]
    ),
    "no version": response({"kind": "PodList", "items": []}),
    "a v1 List": listed("List"),
    "unknown fields": listed(extra={"a": [1]}),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_an_empty_list_is_empty(name: str, capsys: Capture, tmp_path: Path) -> None:
    with FakeApi(of_pods(HEALTHY[name])) as api:
        config = kubeconfig(tmp_path / "config", api.url)
        assert say(capsys, "scan", "--kubeconfig", config).code == 0
        assert main(["capture", "-o", str(tmp_path / "state"), "--kubeconfig", config]) == 0
    assert "not recorded: Pod " not in capsys.readouterr().err


WEB = ("/api/v1/namespaces/shop/pods/web",)
OBJECTS = {
    "another name": (response(make("Pod", "api")), "the server returned Pod api instead of web"),
    "another namespace": (response(make("Pod", "web", "other")), "the server returned a Pod of namespace other"),
    "another version": (
        response({**make("Pod", "web"), "apiVersion": "v2"}),
        "the server returned a Pod of v2 instead of a Pod",
    ),
    "names without content": (
        response({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": "web"}}),
        "the server returned a PartialObjectMetadata instead of a Pod",
    ),
    "a table": (
        response({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "rows": []}),
        "the server returned a Table instead of a Pod",
    ),
    "an empty object": (response({}), "the server returned JSON without kind instead of a Pod"),
    "nothing": (response(b""), "it returned nothing"),
    "packed noise": (response(b"noise", extra="Content-Encoding: gzip\r\n"), "cannot be unpacked"),
    "another kind": (response(make("Service", "web")), "the server returned a Service instead of a Pod"),
    "no name": (response({"kind": "Pod", "apiVersion": "v1"}), "the server returned a Pod without name"),
    "a Status": (response(STATUS), "the server returned a Status instead of a Pod: token expired"),
    "an error of a proxy": (response({"error": "x"}), "the server returned JSON without kind instead of a Pod"),
    "a login page": (response(b"<html>Log in</html>", content_type="text/html"), "it returned a web page"),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_that_was_not_asked_for(name: str, capsys: Capture, tmp_path: Path) -> None:
    answer, sentence = OBJECTS[name]
    with FakeApi(of_pods(answer, WEB)) as api:
        said = say(capsys, "pod", "web", "-n", "shop", "--kubeconfig", kubeconfig(tmp_path / "config", api.url))
    assert said.code in (2, 3)
    assert sentence in said.text


def test_objects_of_another_namespace(capsys: Capture, tmp_path: Path) -> None:
    items = [json.loads(json.dumps(make("Pod", "web", "other")))]
    with FakeApi(of_pods(listed(items=items))) as api:
        said = say(capsys, "scan", "-n", "shop", "--kubeconfig", kubeconfig(tmp_path / "config", api.url))
    assert said.code == 3
    assert "the server returned objects of namespace other" in said.text


@pytest.mark.parametrize("name", FAULTS)
def test_the_terminal_interface_says_it(name: str, tmp_path: Path) -> None:
    answer, sentence = FAULTS[name]
    pods = View("Pod", "shop")
    with FakeApi(of_pods(answer)) as api:
        options = Options(kubeconfig=kubeconfig(tmp_path / "config", api.url), request_timeout="1s")
        session = Session(open_source(options), load_catalogue())
        try:
            session.load(pods)
            assert sentence in session.refused(pods)
            session.watch("shop", lambda _: None)
            ends = time.monotonic() + 5
            while not (why := session.freshness().lost or session.refused(pods)) and time.monotonic() < ends:
                time.sleep(0.01)
            assert why
            assert session.rows(pods, None, "health") == ()
            assert sentence in session.refused(pods) or session.freshness().lost
        finally:
            session.close()


def test_a_kind_that_stops_being_served_is_refused_while_it_is_watched(tmp_path: Path) -> None:
    with FakeApi(of_pods(refusal(404, "NotFound", "not found"))) as api:
        options = Options(kubeconfig=kubeconfig(tmp_path / "config", api.url), request_timeout="1s")
        session = Session(open_source(options), load_catalogue())
        try:
            session.watch("shop", lambda _: None)
            ends = time.monotonic() + 5
            while not session.refused(View("Pod", "shop")) and time.monotonic() < ends:
                time.sleep(0.01)
            assert "this cluster does not serve pods" in session.refused(View("Pod", "shop"))
            assert not session.snapshot.covers(Want("Pod", "shop"))
        finally:
            session.close()


@pytest.mark.parametrize("name", FAULTS)
def test_an_object_whose_list_was_not_asked_for_is_not_missing(name: str, capsys: Capture, tmp_path: Path) -> None:
    answer, sentence = FAULTS[name]
    with FakeApi(of_pods(answer)) as api:
        config = kubeconfig(tmp_path / "config", api.url)
        said = say(capsys, "pod", "web", "-n", "shop", "--kubeconfig", config)
    assert said.code == 2
    assert "has no Pod" not in said.text
    assert sentence in said.text or name in ("a kind that is not served", "names without content")
