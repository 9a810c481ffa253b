"""Kinds of extensions are found by discovery and listed within bounds; what is left out is one line."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kubedoctor.cli import main
from kubedoctor.cluster import Ref
from kubedoctor.collect.live import cluster as live_cluster
from kubedoctor.collect.live.cluster import LiveSource
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.sandbox import Fault, SandboxState, serve
from kubedoctor.sandbox.faults import forbidden
from kubedoctor.sandbox.sandbox import Sandbox
from tests.bad_input.said import say
from tests.collect.fake_api import Answer, Asked, FakeApi, kubeconfig, response
from tests.collect.served import live, make

Capture = pytest.CaptureFixture[str]
GROUP = "acme.example"


def definition(kind: str, scope: str = "Namespaced", group: str = GROUP) -> dict[str, Any]:
    plural = f"{kind.lower()}s"
    names = {"kind": kind, "plural": plural, "singular": kind.lower()}
    spec = {
        "group": group,
        "names": names,
        "scope": scope,
        "versions": [{"name": "v1", "served": True, "storage": True}],
    }
    made = make("CustomResourceDefinition", f"{plural}.{group}", "", "apiextensions.k8s.io/v1", spec=spec)
    return {**made, "status": {"conditions": [{"type": "Established", "status": "True"}]}}


def widget(name: str, kind: str = "Widget", namespace: str = "shop", group: str = GROUP) -> dict[str, Any]:
    made = make(kind, name, namespace, f"{group}/v1")
    made["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    failed = {"type": "Ready", "status": "False", "reason": "Failed", "message": f"no room for {name}"}
    return {**made, "status": {"conditions": [{**failed, "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}


WIDGETS = [make("Namespace", "shop", ""), definition("Widget"), widget("w1")]
MANY = [make("Namespace", "shop", ""), *(definition(f"Kind{number}") for number in range(200)), widget("k", "Kind7")]


def told_of(source: LiveSource) -> list[str]:
    return [line for line in source.snapshot.problems if line.startswith("custom resources ")]


def test_a_resource_that_nothing_names_is_in_the_report(capsys: Capture) -> None:
    with serve(SandboxState(WIDGETS, {}, namespace="shop")) as served:
        for words in (("scan",), ("scan", "-n", "shop")):
            said = say(capsys, *words, "--kubeconfig", str(served.kubeconfig))
            assert "Widget shop/w1" in said.text
            assert "no room for w1" in said.text


def test_a_resource_of_a_whole_cluster_is_listed_for_a_namespace_too(capsys: Capture) -> None:
    objects = [make("Namespace", "shop", ""), definition("Zone", "Cluster"), widget("z1", "Zone", "")]
    with serve(SandboxState(objects, {}, namespace="shop")) as served:
        assert "Zone z1" in say(capsys, "scan", "-n", "shop", "--kubeconfig", str(served.kubeconfig)).text


def test_two_hundred_kinds_are_one_request_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_cluster, "EXTENSIONS_TIME", 60.0)  # a busy machine is no failure
    with live(objects=MANY) as (source, sandbox):
        source.list_extensions()
        asked = [request.path for request in sandbox.requests if GROUP in request.path]
        assert len(asked) == len(set(asked)) == 200
        assert len(sandbox.requests) == 201, "one for discovery"
        assert source.snapshot.get(Ref(f"Kind7.{GROUP}", "shop", "k")) is not None
        assert told_of(source) == []


def test_more_kinds_than_the_limit_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_cluster, "MOST_EXTENSIONS", 5)
    with live(objects=MANY) as (source, sandbox):
        source.list_extensions([f"Kind7.{GROUP}"])
        assert len(sandbox.requests) == 6
        assert source.snapshot.get(Ref(f"Kind7.{GROUP}", "shop", "k")) is not None, "a kind that was named comes first"
        (line,) = told_of(source)
        assert line.startswith("custom resources of 195 kinds were not listed whole, for example ")


def test_a_recording_has_them_and_what_it_lacks(capsys: Capture, tmp_path: Path) -> None:
    objects = [*WIDGETS, definition("Gadget")]
    sandbox = Sandbox(SandboxState(objects, {}, namespace="shop"), faults=[forbidden("gadgets")])
    folder = tmp_path / "state"
    with serve(sandbox) as served:
        code = main(["capture", "-o", str(folder), "--kubeconfig", str(served.kubeconfig)])
    line = "custom resources of kind Gadget.acme.example were not listed whole: "
    assert line in capsys.readouterr().err
    assert code == 3
    assert (folder / f"objects/Widget.{GROUP}.json").exists()
    said = say(capsys, "scan", "--from", str(folder))
    assert "no room for w1" in said.text
    assert line in said.text
    again = tmp_path / "again"
    main(["capture", "-o", str(again), "--from", str(folder)])
    assert (again / f"objects/Widget.{GROUP}.json").exists()


FAULTS: dict[str, tuple[Fault, str]] = {
    "forbidden": (forbidden("widgets"), "custom resources of kind Widget.acme.example were not listed whole: list "),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_refused_is_one_line(name: str, capsys: Capture) -> None:
    fault, line = FAULTS[name]
    sandbox = Sandbox(SandboxState(WIDGETS, {}, namespace="shop"), faults=[fault])
    with serve(sandbox) as served:
        said = say(capsys, "scan", "--kubeconfig", str(served.kubeconfig))
    assert said.code == 3
    assert said.text.count("custom resources ") == 1
    assert line in said.text


def groups(*names: str) -> bytes:
    rows = [{"name": name, "versions": [{"version": "v1"}], "preferredVersion": {"version": "v1"}} for name in names]
    return response({"kind": "APIGroupList", "apiVersion": "v1", "groups": rows})


def rows_of(group: str, *kinds: str, verbs: tuple[str, ...] = ("get", "list")) -> bytes:
    rows = [{"name": f"{kind.lower()}s", "kind": kind, "namespaced": True, "verbs": verbs} for kind in kinds]
    rows += [{"name": f"{kind.lower()}s/status", "kind": kind, "namespaced": True, "verbs": ["get"]} for kind in kinds]
    return response({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{group}/v1", "resources": rows})


class Discovered(NamedTuple):
    """What a server says of its groups, by path, the widgets that are found, and the line about the others."""

    answers: dict[str, Answer]
    line: str = ""
    widgets: int = 1


WIDGET_LIST = {"kind": "WidgetList", "apiVersion": f"{GROUP}/v1", "metadata": {}, "items": [widget("w1")]}
OWN: dict[str, Answer] = {
    f"/apis/{GROUP}/v1": rows_of(GROUP, "Widget"),
    f"/apis/{GROUP}/v1/widgets": response(WIDGET_LIST),
}
DOWN = response({"kind": "Status", "message": "down"}, "503 Service Unavailable")
FORBIDDEN = response({"kind": "Status", "message": "no"}, "403 Forbidden")


def aggregated(*items: tuple[str, list[dict[str, Any]]]) -> bytes:
    listed = [{"metadata": {"name": name}, "versions": versions} for name, versions in items]
    return response({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": listed})


def version_of(name: str, *kinds: str, freshness: str = "Current") -> dict[str, Any]:
    rows = [
        {"resource": f"{kind.lower()}s", "responseKind": {"kind": kind}, "scope": "Namespaced", "verbs": ["list"]}
        for kind in kinds
    ]
    return {"version": name, "freshness": freshness, "resources": rows}


def of_groups(*groups: str) -> str:
    return f"custom resources of {', '.join(groups)} were not listed"


DISCOVERIES = {
    "own groups, results of scanners": Discovered(
        {
            "/apis": groups("apps", "events.k8s.io", "metrics.k8s.io", GROUP, "wgpolicyk8s.io"),
            "/apis/wgpolicyk8s.io/v1": rows_of("wgpolicyk8s.io", "PolicyReport"),
            **OWN,
        }
    ),
    "a group that is down": Discovered(
        {"/apis": groups(GROUP, "down.example"), "/apis/down.example/v1": DOWN, **OWN},
        f"{of_groups('group down.example')}: discovery: the server returned 503 (down)",
    ),
    "a group that is forbidden": Discovered(
        {"/apis": groups(GROUP, "shut.example"), "/apis/shut.example/v1": FORBIDDEN, **OWN},
        f"{of_groups('group shut.example')}: discovery: the server returned 403 (no)",
    ),
    "a group that is a page": Discovered(
        {"/apis": groups(GROUP, "page.example"), "/apis/page.example/v1": response(b"<html>login</html>"), **OWN},
        of_groups("group page.example") + ": discovery: ",
    ),
    "a group of another kind": Discovered(
        {"/apis": groups(GROUP, "odd.example"), "/apis/odd.example/v1": response({"kind": "PodList"}), **OWN},
        of_groups("group odd.example") + ": discovery: the server returned a PodList instead of an APIResourceList",
    ),
    "two groups": Discovered(
        {
            "/apis": groups(GROUP, "a.example", "b.example"),
            "/apis/a.example/v1": DOWN,
            "/apis/b.example/v1": FORBIDDEN,
            **OWN,
        },
        f"{of_groups('2 groups')}, for example a.example: discovery: the server returned 503 (down)",
    ),
    "the group of the widgets": Discovered(
        {"/apis": groups(GROUP), f"/apis/{GROUP}/v1": DOWN},
        f"{of_groups(f'group {GROUP}')}: discovery: the server returned 503 (down)",
        widgets=0,
    ),
    "more groups than are read": Discovered(
        {
            "/apis": groups(GROUP, *(f"g{number:03}.example" for number in range(204))),
            **{f"/apis/g{number:03}.example/v1": rows_of(f"g{number:03}.example") for number in range(204)},
            **OWN,
        },
        f"{of_groups('5 groups')}, for example g199.example: discovery: only 200 versions were read",
    ),
    "stale in one answer": Discovered(
        {
            "/apis": aggregated(
                (GROUP, [version_of("v1", "Widget")]), ("old.example", [version_of("v2", freshness="Stale")])
            ),
            **OWN,
        },
        f"{of_groups('group old.example')}: discovery: the server of its version v2 does not respond",
    ),
    "stale metrics": Discovered(
        {
            "/apis": aggregated(
                (GROUP, [version_of("v1", "Widget")]), ("metrics.k8s.io", [version_of("v1beta1", freshness="Stale")])
            ),
            **OWN,
        }
    ),
    "a kind of an older version": Discovered(
        {"/apis": aggregated((GROUP, [version_of("v2", "Other"), version_of("v1", "Widget", "Other")])), **OWN}
    ),
    "a kind of an older version, document by document": Discovered(
        {
            "/apis": response(
                {
                    "kind": "APIGroupList",
                    "groups": [
                        {
                            "name": GROUP,
                            "versions": [{"version": "v2"}, {"version": "v1"}],
                            "preferredVersion": {"version": "v2"},
                        }
                    ],
                }
            ),
            f"/apis/{GROUP}/v2": rows_of(GROUP, "Other"),
            **OWN,
        }
    ),
}


@pytest.mark.parametrize("name", DISCOVERIES)
def test_what_discovery_does_not_say_is_one_line(name: str, tmp_path: Path) -> None:
    answers, line, widgets = DISCOVERIES[name]

    def script(asked: Asked) -> Answer:
        if asked.path.endswith("/others"):
            return response({"kind": "OtherList", "apiVersion": f"{GROUP}/v2", "metadata": {}, "items": []})
        assert asked.path in answers, asked.path
        return answers[asked.path]

    with FakeApi(script) as api:
        source = open_source(Options(kubeconfig=kubeconfig(tmp_path / "config", api.url), request_timeout="5s"))
        source.list_extensions()
        source.close()
    assert len(source.snapshot.of_kind(f"Widget.{GROUP}")) == widgets
    told = [problem for problem in source.snapshot.problems if "custom resources" in problem]
    assert len(told) == bool(line)
    assert all(problem.startswith(line) for problem in told)


def test_what_is_read_again_is_said_no_longer(tmp_path: Path) -> None:
    answers: dict[str, Answer] = {"/apis": groups(GROUP), f"/apis/{GROUP}/v1": DOWN}
    with FakeApi(lambda asked: answers[asked.path]) as api:
        source = open_source(Options(kubeconfig=kubeconfig(tmp_path / "config", api.url), request_timeout="5s"))
        source.list_extensions()
        assert len(source.snapshot.problems) == 1
        answers |= OWN
        source.list_extensions()
        source.close()
    assert source.snapshot.problems == []
    assert len(source.snapshot.of_kind(f"Widget.{GROUP}")) == 1


def test_a_report_that_has_a_state_is_read(capsys: Capture) -> None:
    objects = [make("Namespace", "shop", ""), definition("WidgetReport"), widget("r1", "WidgetReport")]
    with serve(SandboxState(objects, {}, namespace="shop")) as served:
        assert "WidgetReport shop/r1" in say(capsys, "scan", "--kubeconfig", str(served.kubeconfig)).text


def test_a_group_that_is_down_is_said_by_scan_and_capture(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kubedoctor.sandbox.published.discovery._AGGREGATED", ())  # as servers before 1.27
    line = f"custom resources of group {GROUP} were not listed: discovery: the server returned 503 (etcd is down)"
    down = Fault(503, "ServiceUnavailable", "etcd is down", paths=(f"/apis/{GROUP}",))
    sandbox = Sandbox(SandboxState(WIDGETS, {}, namespace="shop"), faults=[down])
    with serve(sandbox) as served:
        said = say(capsys, "scan", "--kubeconfig", str(served.kubeconfig))
        code = main(["capture", "-o", str(tmp_path / "state"), "--kubeconfig", str(served.kubeconfig)])
    assert said.text.count("custom resources ") == 1
    assert line in said.text
    assert said.code == 3
    assert code == 3
    assert line in capsys.readouterr().err
    assert line in say(capsys, "scan", "--from", str(tmp_path / "state")).text


def test_a_kind_that_does_not_answer_costs_no_more_than_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_cluster, "EXTENSIONS_TIME", 0.5)
    released = threading.Event()

    def script(asked: Asked) -> Answer:
        if asked.path == "/apis":
            return groups(GROUP)
        if asked.path == f"/apis/{GROUP}/v1":
            return rows_of(GROUP, "Slow", "Widget")
        if asked.path.endswith("slows"):
            released.wait(10)
        kind = "Widget" if asked.path.endswith("widgets") else "Slow"
        body = {"kind": f"{kind}List", "apiVersion": f"{GROUP}/v1", "metadata": {"continue": "more"}}
        return response({**body, "items": [widget(f"w{number}") for number in range(500)]})

    with FakeApi(script) as api:
        source = open_source(Options(kubeconfig=kubeconfig(tmp_path / "config", api.url)))
        began = time.monotonic()
        source.list_extensions()
        lasted = time.monotonic() - began
        released.set()
        source.close()
    assert lasted < 5
    (line,) = [line for line in source.snapshot.problems if "custom resources" in line]
    assert line == f"custom resources of 2 kinds were not listed whole, for example Slow.{GROUP}: no answer within 0.5s"
    assert len(source.snapshot.of_kind(f"Widget.{GROUP}")) == 500, "one chunk of each kind"


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"items": 7}', b'{"kind": "Status"}', b'{"items": [{"versions": 7}]}'])
def test_discovery_that_cannot_be_read_is_said(body: bytes, tmp_path: Path) -> None:
    with FakeApi(lambda _: response(body)) as api:
        source = open_source(Options(kubeconfig=kubeconfig(tmp_path / "config", api.url), request_timeout="2s"))
        source.list_extensions()
        source.close()
    (line,) = source.snapshot.problems
    assert line.startswith("custom resources were not listed: discovery: ")
