"""Objects that no one should have made: nulls, wrong types, hostile text, cycles, and far too much of everything."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kubedoctor.cluster import Ref
from kubedoctor.engine import load_catalogue
from kubedoctor.engine.suppressions.writing import written_in_annotation
from kubedoctor.sandbox import SandboxState, load_recording, serve
from tests.bad_input.said import say
from tests.bad_input.sick import POD, RECORDING, Objects, finds_the_cause, hasty, one, sandbox, sick

__all__ = ["hasty"]
Capture = pytest.CaptureFixture[str]
HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\u202eevil\u2066"
BOTH = pytest.mark.parametrize(
    "words", [("scan", "-n", "shop"), ("deploy", "checkout", "-n", "shop")], ids=["scan", "deploy"]
)


ANNOTATIONS = {
    "spaces": "KD1" + " " * (256 << 10),
    "words": "a " * (128 << 10),
    "untils": " until a" * (32 << 10),
    "colons": "KD1 :" * (52 << 10),
    "commas": "KD1005," * (37 << 10),
    "lines": "KD1005 until 2026-12-31: x\n" * (9 << 10),
}


@pytest.mark.parametrize("name", ANNOTATIONS)
def test_an_annotation_is_read_in_a_moment(name: str) -> None:
    catalogue, before = load_catalogue(), time.process_time()
    made = written_in_annotation(ANNOTATIONS[name], Ref("Pod", "shop", "a"), catalogue, None)
    assert time.process_time() - before < 1
    assert made.refused
    assert len(made.refused) < 200
    assert all(len(sentence) < 300 for sentence in made.refused)


def nulls_for_lists(objects: Objects) -> None:
    pod = one(objects, "Pod", "db-0")
    pod["metadata"].update(labels=None, annotations=None, ownerReferences=None)
    pod["spec"].update(containers=None, volumes=None, tolerations=None)
    pod["status"].update(conditions=None, containerStatuses=None)
    one(objects, "Deployment", "checkout")["status"]["conditions"] = None
    one(objects, "ReplicaSet", "web-7465595d67")["spec"]["template"]["spec"]["containers"] = None
    for each in objects:
        if each["kind"] == "Service":
            each["spec"].update(ports=None, selector=None)
        if each["kind"] == "EndpointSlice":
            each.update(endpoints=None, ports=None)
        if each["kind"] == "Node":
            each["status"].update(addresses=None, images=None)
            each["spec"]["taints"] = None


def wrong_types(objects: Objects) -> None:
    one(objects, "Deployment", "web")["spec"]["replicas"] = "three"
    one(objects, "Pod", "db-0")["spec"]["containers"] = {"name": "db"}
    one(objects, "Pod", "migrate-8tnfz")["status"]["phase"] = ["Succeeded"]
    one(objects, "Deployment", "api")["metadata"]["creationTimestamp"] = "yesterday"


def wrong_quantities(objects: Objects) -> None:
    container = one(objects, "Pod", "db-0")["spec"]["containers"][0]
    container["resources"] = {"requests": {"cpu": "lots", "memory": "-1Zi"}, "limits": {"memory": ""}}


def nothing_but_names(objects: Objects) -> None:
    for each in objects:
        if each["metadata"]["name"] in ("db-0", "web", "worker", "data-db-0"):
            for key in set(each) - {"apiVersion", "kind", "metadata"}:
                each[key] = None


def owners_in_a_circle(objects: Objects) -> None:
    def owned(by: dict[str, str]) -> list[dict[str, object]]:
        return [{"apiVersion": "apps/v1", "uid": "u", "controller": True, **by}]

    web, api = one(objects, "ReplicaSet", "web-7465595d67"), one(objects, "ReplicaSet", "api-8545c87ffb")
    web["metadata"]["ownerReferences"] = owned({"kind": "ReplicaSet", "name": "api-8545c87ffb"})
    api["metadata"]["ownerReferences"] = owned({"kind": "ReplicaSet", "name": "web-7465595d67"})
    worker = one(objects, "Deployment", "worker")
    worker["metadata"]["ownerReferences"] = owned({"kind": "Deployment", "name": "worker"})


def ten_thousand_events(objects: Objects) -> None:
    like = next(each for each in objects if each["kind"] == "Event" and each["involvedObject"]["name"] == POD)
    for number in range(10_000):
        objects.append({**like, "metadata": {**like["metadata"], "name": f"{POD}.{number}"}})


def a_megabyte_of_annotations(objects: Objects) -> None:
    for kind, name in (("Pod", POD), ("Deployment", "checkout"), ("Deployment", "web")):
        one(objects, kind, name)["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied": "x" * 2**20}


def hostile_text(objects: Objects) -> None:
    pod = one(objects, "Pod", POD)
    for status in pod["status"]["containerStatuses"]:
        status["state"] = {"waiting": {"reason": f"CrashLoopBackOff{HOSTILE}", "message": HOSTILE}}
    for each in objects:
        if each["kind"] == "Event":
            each.update(message=f"{each.get('message')}{HOSTILE}", reason=f"{each.get('reason')}{HOSTILE}")
    pod["metadata"]["annotations"] = {HOSTILE: HOSTILE}
    copy = deepcopy(pod)
    copy["metadata"].update(name=f"checkout{HOSTILE}", uid="0", ownerReferences=[])
    objects.append(copy)


CLUSTERS: dict[str, Callable[[Objects], None]] = {
    "nulls where lists belong": nulls_for_lists,
    "wrong types": wrong_types,
    "quantities that are none": wrong_quantities,
    "objects without content": nothing_but_names,
    "owners in a circle": owners_in_a_circle,
    "10,000 events": ten_thousand_events,
    "1 MB of annotations": a_megabyte_of_annotations,
    "escape sequences": hostile_text,
}


@BOTH
@pytest.mark.parametrize("name", CLUSTERS)
def test_what_a_cluster_may_hold(name: str, words: tuple[str, ...], capsys: Capture) -> None:
    with serve(sandbox(change=CLUSTERS[name])) as served:
        said = say(capsys, *words, "--kubeconfig", str(served.kubeconfig))
    assert finds_the_cause(said)


@BOTH
@pytest.mark.parametrize("name", CLUSTERS)
def test_what_a_file_may_hold(name: str, words: tuple[str, ...], capsys: Capture, tmp_path: Path) -> None:
    objects = deepcopy(sick().objects)
    CLUSTERS[name](objects)
    path = tmp_path / "all.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    assert finds_the_cause(say(capsys, *words, "--from", str(path)))


def test_wrong_types_are_told(capsys: Capture) -> None:
    with serve(sandbox(change=wrong_types)) as served:
        said = say(capsys, "scan", "-n", "shop", "--kubeconfig", str(served.kubeconfig))
    assert "Deployment shop/web: spec.replicas cannot be decoded and is ignored" in said.text
    assert "Pod shop/db-0: spec.containers cannot be decoded and is ignored" in said.text


def test_escape_sequences_in_a_log_are_shown(capsys: Capture) -> None:
    state = sick()
    logs = {key: dict.fromkeys(("current", "previous"), f"panic: {HOSTILE}\n" * 9) for key in state.logs}
    hostile = SandboxState(state.objects, logs, state.kubernetes, state.taken_at, state.namespace)
    with serve(hostile) as served:
        assert finds_the_cause(say(capsys, "scan", "-n", "shop", "--kubeconfig", str(served.kubeconfig)))


@pytest.mark.usefixtures("hasty")
def test_a_cluster_with_nothing_in_it(capsys: Capture) -> None:
    with serve(SandboxState([])) as served:
        everywhere = say(capsys, "scan", "-A", "--kubeconfig", str(served.kubeconfig))
        named = say(capsys, "scan", "-n", "shop", "--kubeconfig", str(served.kubeconfig))
        deployment = say(capsys, "deploy", "checkout", "-n", "shop", "--kubeconfig", str(served.kubeconfig))
    assert everywhere.code == 0
    assert named.code == 2
    assert "namespace shop not found in kubedoctor-demo" in named.text
    assert deployment.code == 2
    assert "namespace shop not found in kubedoctor-demo" in deployment.text


EMPTY = {
    (
        "node",
        "x",
    ): "Node x not found\n  The cluster has no nodes. Is it the right cluster? See: kubectl config current-context\n",
    ("nodes",): "no nodes\n  Is it the right cluster?",
    ("crds",): "no customresourcedefinitions\n  Is it the right cluster?",
    ("ns",): "no namespaces\n  Is it the right cluster?",
    ("pods",): "namespace default not found in kubedoctor-demo",
    ("deploy,nodes", "-A"): "no deployments or nodes\n  Is it the right cluster?",
    ("checkout",): "no object in namespace default has that name\n  All commands: kubedoctor --help",
}


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("words", EMPTY, ids=" ".join)
def test_what_a_cluster_with_nothing_in_it_answers(words: tuple[str, ...], capsys: Capture) -> None:
    with serve(SandboxState([])) as served:
        said = say(capsys, *words, "--kubeconfig", str(served.kubeconfig))
    assert said.code == 2
    assert EMPTY[words] in said.err


def test_a_namespace_with_nothing_in_it(capsys: Capture) -> None:
    def empty(objects: Objects) -> None:
        objects.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "empty"}})

    with serve(sandbox(change=empty)) as served:
        said = say(capsys, "scan", "-n", "empty", "--kubeconfig", str(served.kubeconfig))
    assert (said.code, said.out.splitlines()[0]) == (0, "✓ namespace empty: no problems found")


@BOTH
def test_kinds_that_nobody_knows(words: tuple[str, ...], capsys: Capture, tmp_path: Path) -> None:
    gizmo = {"apiVersion": "acme.example/v9", "kind": "Gizmo", "metadata": {"name": "g", "namespace": "shop"}}
    strange = [gizmo, {"kind": "Pod"}, {"apiVersion": 7, "kind": ["x"]}, None, 3]
    path = tmp_path / "all.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [*sick().objects, *strange]}))
    assert finds_the_cause(say(capsys, *words, "--from", str(path)))


@pytest.mark.parametrize("by", [timedelta(days=-4000), timedelta(hours=3), timedelta(days=4000)], ids=str)
def test_objects_of_another_time(by: timedelta, capsys: Capture) -> None:
    with serve(load_recording(RECORDING, rebase_to=datetime.now(UTC) + by)) as served:
        assert finds_the_cause(say(capsys, "scan", "-n", "shop", "--kubeconfig", str(served.kubeconfig)))
