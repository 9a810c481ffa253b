"""What a person types, in kubectl's forms and others, and what it means."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from kubedoctor.cli.formats.wrapping import columns, is_command
from kubedoctor.sandbox import recording_path, serve, serve_recording
from kubedoctor.sandbox.faults import forbidden
from tests.bad_input.sick import sandbox
from tests.cli.recordings import OOM
from tests.cli.test_run import Capture, run

POD = "checkout-797c86bfff-q29bm"
PENDING = str(recording_path("insufficient-cpu"))


def first_line(capsys: Capture, *words: str) -> str:
    code, out, err = run(capsys, "--from", OOM, *words)
    assert code in (0, 1), err
    assert err == ""
    return out.splitlines()[0]


LINES = {
    ("pods",): "10 pods: 1 incident",
    ("po", "-A"): "10 pods: 1 incident",
    ("pods", "-n", "shop"): "8 pods in namespace shop: 1 incident",
    ("get", "pods", "-n", "shop"): "8 pods in namespace shop: 1 incident",
    ("-n", "shop", "get", "po"): "8 pods in namespace shop: 1 incident",
    ("pod", "-n", "shop"): "8 pods in namespace shop: 1 incident",
    ("pod", "-l", "app=api"): "✓ 2 pods: no problems found",
    ("pods", "-l", "app=checkout"): f"Pod shop/{POD}: 1 incident",
    ("pods", POD): f"Pod shop/{POD}: 1 incident",
    ("pod", POD, "-A"): f"Pod shop/{POD}: 1 incident",
    ("get", "all", "-n", "shop"): "namespace shop: 1 incident",
    ("get", "deploy", "checkout"): "Deployment shop/checkout: 1 incident",
    ("deploy", "checkout", "api"): "2 deployments: 1 incident",
    ("deploy/api", "svc/api"): "✓ 2 objects: no problems found",
    ("deploy,svc", "-n", "shop"): "7 objects in namespace shop: 1 incident",
    ("deployments.apps", "checkout"): "Deployment shop/checkout: 1 incident",
    ("describe", "pod", POD): f"Pod shop/{POD}: 1 incident",
    ("describe", "deploy/checkout"): "Deployment shop/checkout: 1 incident",
    ("logs", POD): f"Pod shop/{POD}: 1 incident",
    ("logs", "deploy/checkout"): "Deployment shop/checkout: 1 incident",
    ("logs", "-l", "app=checkout"): f"Pod shop/{POD}: 1 incident",
    (POD,): f"Pod shop/{POD}: 1 incident",
    ("worker", "-n", "shop"): "✓ Deployment shop/worker: no problems found",
    ("node-1",): "✓ Node node-1: no problems found",
}


@pytest.mark.parametrize("words", LINES, ids=" ".join)
def test_what_a_person_means(words: tuple[str, ...], capsys: Capture) -> None:
    assert first_line(capsys, *words) == LINES[words]


def test_a_list_has_a_line_for_each_object_and_the_findings_below(capsys: Capture) -> None:
    _, out, _ = run(capsys, "deploy,svc", "-n", "shop", "--from", PENDING)
    lines = out.splitlines()
    assert lines[2].split() == ["NAME", "READY", "STATUS", "FINDING"]
    assert lines[3].split() == [
        "✗",
        "deployment/checkout",
        "0/2",
        "none",
        "ready",
        "KD1101",
        "scheduling/unschedulable",
    ]
    service = next(place for place, line in enumerate(lines) if "service/checkout" in line)
    assert lines[service].split()[0] == "✗"
    assert "KD1101 scheduling/unschedulable of Deployment shop/checkout" in " ".join(
        " ".join(lines[service : service + 2]).split()
    )
    assert "  ✓ service/db" in lines
    assert "✗ Deployment shop/checkout" in out


def test_wide_has_kubectls_further_columns(capsys: Capture) -> None:
    _, out, _ = run(capsys, "pods", "-n", "shop", "-o", "wide", "--from", OOM)
    header, first = (line.split() for line in out.splitlines()[2:4])
    assert header == ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "NODE", "FINDING"]
    assert first[:5] == ["✗", POD, "0/1", "CrashLoopBackOff", "3"]
    assert first[6] == "node-1"


def test_many_healthy_objects_are_counted_unless_all_are_asked_for(capsys: Capture) -> None:
    _, out, _ = run(capsys, "cm,sa,pods", "-A", "--from", OOM)
    assert " more without findings; -o wide lists all" in out
    _, wide, _ = run(capsys, "cm,sa,pods", "-A", "-o", "wide", "--from", OOM)
    assert " more without findings" not in wide


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("scan",), ["deployment.apps/checkout"]),
        (("pods", "-n", "shop"), [f"pod/{POD}"]),
        (("deploy", "checkout", "api"), ["deployment.apps/checkout"]),
        (("deploy", "api"), []),
    ],
)
def test_names_of_what_has_findings(words: tuple[str, ...], names: list[str], capsys: Capture) -> None:
    code, out, err = run(capsys, *words, "-o", "name", "--from", OOM)
    assert (out.splitlines(), err) == (names, "")
    assert code == (1 if names else 0)


def test_json_names_the_objects_that_were_asked_for(capsys: Capture) -> None:
    _, out, _ = run(capsys, "deploy", "checkout", "api", "-o", "json", "--from", OOM)
    document = json.loads(out)
    schema = json.loads(files("kubedoctor.cli.formats").joinpath("report.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    assert [subject["name"] for subject in document["scope"]["subjects"]] == ["checkout", "api"]
    assert (document["scope"]["subject"], document["scope"]["namespaces"]) == (None, ["shop"])
    _, out, _ = run(capsys, "scan", "-o", "json", "--from", OOM)
    assert "subjects" not in json.loads(out)["scope"]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("describe", "pod", POD), f"kubectl describe pod/{POD} -n shop"),
        (("describe", "po", POD, "-n", "shop"), f"kubectl describe pod/{POD} -n shop"),
        (("logs", POD, "-n", "shop"), f"kubectl logs {POD} -n shop"),
        (("logs", POD, "checkout", "-p"), f"kubectl logs {POD} -n shop -c checkout -p"),
        (("logs", "-f", "deploy/checkout", "--tail", "20"), "kubectl logs deployment/checkout -n shop --tail 20 -f"),
        (("logs", POD, "--follow=true", "-p=false"), f"kubectl logs {POD} -n shop -f"),
        (("logs", "-f", "--tail=5", "-l", "app=checkout"), f"kubectl logs {POD} -n shop --tail 5 -f"),
        (("logs", "node/node-1"), "Node node-1 has no log of its own"),
    ],
)
def test_kubectls_own_line_comes_last(words: tuple[str, ...], line: str, capsys: Capture) -> None:
    _, out, _ = run(capsys, "--from", OOM, *words)
    assert out.splitlines()[-1] == line
    _, out, _ = run(capsys, "--from", OOM, *words, "-o", "json")
    assert json.loads(out)


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120])
@pytest.mark.parametrize(
    "words",
    [
        ("scan",),
        ("pods", "-n", "shop"),
        ("pods", "-A", "-o", "wide"),
        ("deploy,nodes,svc", "-A", "-o", "wide"),
        ("explain", "KD1005"),
        ("--help",),
        ("why-pending", "deploy/checkout"),
    ],
)
def test_no_line_is_wider_than_the_terminal_but_for_what_is_pasted(
    width: int, words: tuple[str, ...], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    _, out, _ = run(capsys, *words, "--from", PENDING)
    assert out
    for line in out.splitlines():
        longest_word = max(map(columns, line.split()), default=0)
        margin = columns(line) - columns(line.lstrip())
        command = any(is_command(line[place:]) for place in (0, 17))
        assert columns(line) <= width or command or margin + longest_word >= columns(line)


def in_the_sandbox(capsys: Capture, *words: str) -> tuple[int, str, str]:
    with serve_recording("oom-killed") as served:
        return run(capsys, *words, "--kubeconfig", str(served.kubeconfig))


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("pods", "-n", "shop"), "8 pods in namespace shop: 1 incident"),
        (("po", "-A"), "10 pods: 1 incident"),
        (("pods", "-l", "app=checkout", "-n", "shop"), f"Pod shop/{POD}: 1 incident"),
        (("deploy", "checkout", "api", "-n", "shop"), "2 deployments in namespace shop: 1 incident"),
        (("deploy", "checkout", "-A"), "Deployment shop/checkout: 1 incident"),
        (("worker", "-n", "shop"), "✓ Deployment shop/worker: no problems found"),
        (("worker", "-A"), "✓ Deployment shop/worker: no problems found"),
    ],
)
def test_a_live_cluster_gives_the_same(words: tuple[str, ...], line: str, capsys: Capture) -> None:
    code, out, err = in_the_sandbox(capsys, *words)
    assert err == ""
    assert out.splitlines()[0] == line
    assert code == (0 if line.startswith("✓") else 1)


def test_a_name_that_nothing_has_names_the_nearest(capsys: Capture) -> None:
    code, out, err = in_the_sandbox(capsys, "chekout", "-n", "shop")
    assert (code, out) == (2, "")
    assert "no object in namespace shop has that name" in err
    assert "did you mean deployment/checkout" in err


LIVE_ELSEWHERE = {
    ("deploy", "checkout"): "did you mean checkout in namespace shop?\n  To look there: -n shop\n",
    ("deploy", "chekout"): "did you mean checkout in namespace shop?\n  To look there: -n shop\n",
    ("why-pending", POD): f"did you mean {POD} in namespace shop?\n  To look there: -n shop\n",
    ("deploy", "x"): "The only Deployment there is coredns\n",
    ("checkout",): "did you mean deployment/checkout in namespace shop?\n  To look there: -n shop\n",
    ("chekout",): "did you mean deployment/checkout in namespace shop?\n  To look there: -n shop\n",
}


@pytest.mark.parametrize("words", LIVE_ELSEWHERE, ids=" ".join)
def test_a_name_of_another_namespace_is_named_with_it(words: tuple[str, ...], capsys: Capture) -> None:
    code, out, err = in_the_sandbox(capsys, *words, "-n", "kube-system")
    assert (code, out) == (2, "")
    assert "not found in namespace kube-system" in err or "no object in namespace kube-system has that name" in err
    assert LIVE_ELSEWHERE[words] in err


def test_other_namespaces_that_may_not_be_read_are_not_named(capsys: Capture) -> None:
    with serve(sandbox([forbidden("deployments", namespaces=[""])])) as served:
        code, _, err = run(capsys, "deploy", "checkout", "-n", "kube-system", "--kubeconfig", str(served.kubeconfig))
    assert code == 2
    assert err.startswith("kubedoctor: Deployment checkout not found in namespace kube-system\n  The only ")


LISTS_REFUSED = {
    (
        "pod",
        "x",
        "-n",
        "shop",
    ): "not found in namespace shop\n  Other names cannot be read: list pods in shop is forbidden\n",
    ("node", "x"): "not found\n  Other names cannot be read: list nodes is forbidden\n",
}


@pytest.mark.parametrize("words", LISTS_REFUSED, ids=" ".join)
def test_names_that_may_not_be_listed_are_not_said_to_be_none(words: tuple[str, ...], capsys: Capture) -> None:
    with serve(sandbox([forbidden("pods", "nodes", verbs=("list",))])) as served:
        code, _, err = run(capsys, *words, "--kubeconfig", str(served.kubeconfig))
    assert code == 2
    assert LISTS_REFUSED[words] in err


def test_a_recording_of_a_namespace_that_does_not_exist_is_not_written(capsys: Capture, tmp_path: Path) -> None:
    target = tmp_path / "state"
    for source in (("-f", OOM), ()):
        code, out, err = in_the_sandbox(capsys, "capture", "-n", "shp", "-o", str(target), *source)
        assert (code, out) == (2, "")
        assert "namespace shp not found in " in err
        assert "did you mean shop?" in err
        assert not target.exists()


def test_a_list_that_is_refused_is_no_health(capsys: Capture) -> None:
    with serve(sandbox([forbidden("pods")])) as served:
        code, out, err = run(capsys, "pods", "-n", "shop", "--kubeconfig", str(served.kubeconfig))
    assert (code, out) == (2, "")
    assert "pods cannot be read: list pods in shop is forbidden" in err
    assert "kubectl auth can-i --list -n shop" in err


def test_one_kind_that_is_refused_keeps_no_other_from_being_diagnosed(capsys: Capture) -> None:
    with serve(sandbox([forbidden("services")])) as served:
        code, out, _ = run(capsys, "deploy,svc", "-n", "shop", "--kubeconfig", str(served.kubeconfig))
        refused, _, err = run(capsys, "svc,svc", "-n", "shop", "--kubeconfig", str(served.kubeconfig))
    assert (code, out.splitlines()[0]) == (
        1,
        "4 objects in namespace shop: 1 incident",
    )
    assert "services cannot be read: list services in shop is forbidden" in out
    assert (refused, err.splitlines()[0]) == (
        2,
        "kubedoctor: services cannot be read: list services in shop is forbidden",
    )


def test_a_bare_name_that_may_be_of_a_refused_kind_is_not_denied(capsys: Capture) -> None:
    with serve(sandbox([forbidden("deployments"), forbidden("pods")])) as served:
        code, out, err = run(capsys, "checkout", "-n", "shop", "--kubeconfig", str(served.kubeconfig))
    assert (code, out) == (2, "")
    assert "no object in namespace shop that can be read has that name" in err
    assert (
        "Not read: get pods/checkout in shop is forbidden, get deployments.apps/checkout in shop is forbidden\n" in err
    )


def test_a_misspelled_command_is_named_without_a_cluster(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    code, _, err = run(capsys, "scna")
    assert code == 2
    assert err.startswith("kubedoctor: 'scna' is neither a command nor a kind\n  Did you mean scan")


def test_every_global_option_is_taken_by_every_command(capsys: Capture) -> None:
    code, out, _ = run(capsys, "--context", "prod", "version", "-n", "shop", "--request-timeout=1s")
    assert (code, out) == (0, "kubedoctor 0.1.0\n")


NARROW = {
    80: (
        "    NAMESPACE    NAME                       READY  STATUS            FINDING",
        f"  ✗ shop         {POD}  0/1    CrashLoopBackOff  KD1005",
        "        pods/out-of-memory",
    ),
    60: (
        "    NAMESPACE  NAME",
        "        READY  STATUS  FINDING",
        f"  ✗ shop  {POD}",
        "        0/1  CrashLoopBackOff  KD1005 pods/out-of-memory",
    ),
    40: (
        "    NAMESPACE  NAME",
        "        READY  STATUS  FINDING",
        f"  ✗ shop  {POD}",
        "        0/1  CrashLoopBackOff  KD1005",
        "        pods/out-of-memory",
    ),
}


@pytest.mark.parametrize("width", NARROW)
def test_the_columns_stand_below_their_object_where_there_is_no_room_beside_it(
    width: int, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    _, out, _ = run(capsys, "pods", "-A", "--from", OOM)
    assert tuple(out.splitlines()[2 : 2 + len(NARROW[width])]) == NARROW[width]


def test_kubelets_that_tell_nothing_of_volumes_are_no_gap(capsys: Capture) -> None:
    """One is asked before the others."""
    with serve_recording("service-selector-typo") as served:
        _, out, _ = run(capsys, "scan", "-A", "--kubeconfig", str(served.kubeconfig), "-o", "json")
    document = json.loads(out)
    assert document["not_checked"] == []
