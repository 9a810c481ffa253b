"""The table of bad input: what the command line says to each, from the arguments to the exit code.

What an API server may do is here; kubeconfigs and connections, files, objects and terminals are in tests/bad_input.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from kubedoctor.cli import main
from kubedoctor.sandbox import Fault, serve
from kubedoctor.sandbox.faults import (
    cut_short,
    forbidden,
    group_missing,
    html_page,
    list_expired,
    server_error,
    throttled,
    unauthorized,
)
from tests.bad_input.said import Said, say
from tests.bad_input.sick import finds_the_cause, hasty, sandbox

__all__ = ["hasty"]
FOUND = "KD1005"  # stands for the true finding as the first incident
ALL = ("/",)


@dataclass(frozen=True)
class Case:
    """What is wrong with the server, and the exit code and the words of `scan` and of `deploy checkout`."""

    faults: tuple[Fault, ...]
    scan: tuple[int, Iterable[str]]
    deploy: tuple[int, Iterable[str]]
    flags: tuple[str, ...] = ()


def middle(fault: Fault) -> Fault:
    """Only from the second chunk of a list on."""
    return replace(fault, continued=True)


UNWELL_IN_SCAN = "1 object reports a problem that no diagnostic explains; not everything could be checked"
UNWELL = "reports a problem; the cause may be in what could not be checked"
UNREAD = "Deployment shop/checkout cannot be read"
BUSY = "the server returned 429 (too many requests, please try again later)"
ETCD = "the server returned 500 (Internal error occurred: etcdserver: request timed out)"
BROKE_OFF = "broke in the middle of a response"
PAGE = "is not a Kubernetes API server: it returned a web page"
SERVERS = {
    "nothing": Case((), (1, [FOUND]), (1, [FOUND])),
    "401": Case(
        (unauthorized(),),
        (2, ["rejects the credentials of kubedoctor-demo (401)", "kubectl config view --minify"]),
        (2, ["rejects the credentials of kubedoctor-demo (401)"]),
    ),
    "403 on everything": Case(
        (forbidden(),),
        (3, ["nothing could be checked", "Pod: list pods in shop is forbidden"]),
        (2, [f"{UNREAD}: get deployments.apps/checkout in shop is forbidden", "kubectl auth can-i --list -n shop"]),
    ),
    "403 on the workload": Case(
        (forbidden("deployments"),),
        (1, [FOUND, "Deployment: list deployments.apps in shop is forbidden"]),
        (2, [f"{UNREAD}: get deployments.apps/checkout in shop is forbidden"]),
    ),
    "403 on pods": Case(
        (forbidden("pods"),),
        (3, [UNWELL_IN_SCAN, "Available is False", "Pod: list pods in shop is forbidden"]),
        (3, [UNWELL, "Available is False", "Pod: list pods in shop is forbidden"]),
    ),
    "403 on events": Case(
        (forbidden("events"),),
        (1, [FOUND, "Event: list events in shop is forbidden"]),
        (1, [FOUND, "Event: list events at cluster scope is forbidden"]),
    ),
    "403 on nodes": Case(
        (forbidden("nodes"),),
        (1, [FOUND, "Node: list nodes is forbidden"]),
        (1, [FOUND, "Node: get nodes/node-1 is forbidden"]),
    ),
    "403 on logs": Case((forbidden("pods/log"),), (1, [FOUND]), (1, [FOUND])),
    "403 on lists": Case(
        (forbidden(verbs=["list"]),),
        (3, ["Pod: list pods in shop is forbidden"]),
        (3, [UNWELL, "Available is False", "ReplicaSet: list replicasets.apps in shop is forbidden"]),
    ),
    "403 outside the namespace": Case(
        (forbidden(namespaces=[""]),),
        (1, [FOUND, "is forbidden"]),
        (1, [FOUND, "Node: get nodes/node-1 is forbidden"]),
    ),
    "403 on all namespaces at once": Case(
        (forbidden(namespaces=[""]),),
        (1, [FOUND, "Deployment: only namespace shop could be read: list deployments.apps at cluster scope"]),
        (1, [FOUND]),
        ("-A",),
    ),
    "404 on a kind that every cluster serves": Case(
        (group_missing("apps"),),
        (1, ["128Mi memory limit", "Deployment: this cluster does not serve deployments.apps"]),
        (2, [f"{UNREAD}: this cluster does not serve deployments.apps", "kubectl api-resources"]),
    ),
    "404 on a kind that need not be served": Case((group_missing("policy"),), (1, [FOUND]), (1, [FOUND])),
    "429 that passes": Case((throttled(times=2),), (1, [FOUND]), (1, [FOUND])),
    "429 on events": Case(
        (throttled("events"),),
        (1, [FOUND, f"Event: list events in shop: {BUSY}"]),
        (1, [FOUND, f"Event: list events at cluster scope: {BUSY}"]),
    ),
    "429 on everything": Case(
        (throttled(),),
        (3, ["nothing could be checked", f"Pod: list pods in shop: {BUSY}"]),
        (2, [f"{UNREAD}: get deployments.apps/checkout in shop: {BUSY}", "Try again"]),
    ),
    "500 that passes": Case((server_error(times=2),), (1, [FOUND]), (1, [FOUND])),
    "500 on nodes": Case(
        (server_error("nodes"),),
        (1, [FOUND, f"Node: list nodes: {ETCD}"]),
        (1, [FOUND, f"Node: get nodes/node-1: {ETCD}"]),
    ),
    "500 in the middle of a list": Case(
        (middle(server_error("pods", "events", "replicasets")),),
        (1, [FOUND, f"list pods in shop stopped after 3 objects: {ETCD}"]),
        (1, [FOUND]),
    ),
    "503 on everything": Case(
        (server_error(code=503),),
        (3, ["nothing could be checked", "the server returned 503 (the server is currently unable to handle"]),
        (2, [f"{UNREAD}: get deployments.apps/checkout in shop: the server returned 503", "/readyz?verbose"]),
    ),
    "410 once": Case((list_expired("pods"),), (1, [FOUND]), (1, [FOUND])),
    "410 always": Case((list_expired(times=None),), (1, [FOUND]), (1, [FOUND])),
    "a connection that drops once": Case((cut_short(after_bytes=300, times=1),), (1, [FOUND]), (1, [FOUND])),
    "a connection that always drops on pods": Case(
        (cut_short("pods", after_bytes=300),),
        (3, [UNWELL_IN_SCAN, "Available is False", "Pod: ", BROKE_OFF]),
        (3, [UNWELL, "Available is False", "Pod: ", BROKE_OFF]),
    ),
    "a connection that drops in the middle of a list": Case(
        (middle(cut_short("pods", "events", after_bytes=300)),),
        (1, [FOUND, "list pods in shop stopped after 3 objects: the connection to", BROKE_OFF]),
        (1, [FOUND]),
    ),
    "a connection that always drops": Case(
        (Fault(0, paths=ALL, cut_after=9),),
        (2, [BROKE_OFF, "Try again"]),
        (2, [BROKE_OFF, "Try again"]),
    ),
    "a web page for everything": Case(
        (Fault(200, paths=ALL, page="<html>Please log in</html>"),),
        (2, [PAGE, "a proxy or a login page may be in between"]),
        (2, [PAGE]),
    ),
    "a web page for events": Case(
        (html_page("events"),),
        (1, [FOUND, "Event: ", PAGE]),
        (1, [FOUND, "Event: ", PAGE]),
    ),
    "a bad gateway for events": Case(
        (html_page("events", code=502),),
        (1, [FOUND, "Event: list events in shop: the server returned 502"]),
        (1, [FOUND, "Event: list events at cluster scope: the server returned 502"]),
    ),
    "no answer at all": Case(
        (Fault(0, paths=ALL, delay=60.0),),
        (2, ["did not answer within 0.3s", "--request-timeout=2m"]),
        (2, ["did not answer within 0.3s"]),
        ("--request-timeout=300ms",),
    ),
    "no answer about events": Case(
        (Fault(0, resources=["events"], delay=60.0),),
        (1, [FOUND, "Event: ", "did not answer within 1.5s"]),
        (1, [FOUND, "Event: ", "did not answer within 1.5s"]),
        ("--request-timeout=1500ms",),
    ),
}


ONE_OF_EACH = (
    "nothing",
    "401",
    "403 on everything",
    "403 on pods",
    "403 on events",
    "500 in the middle of a list",
    "a connection that always drops on pods",
    "a web page for events",
    "no answer at all",
)


def missing(said: Said, sentences: Iterable[str]) -> list[str]:
    """What should have been said and was not."""
    return [each for each in sentences if not (finds_the_cause(said) if each is FOUND else each in said.text)]


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("name", SERVERS)
def test_what_a_server_may_do(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    case = SERVERS[name]
    server = sandbox()
    flags = tuple(flag for flag in case.flags if flag != "-A")
    everywhere = ("-A",) if "-A" in case.flags else ("-n", "shop")
    with serve(server) as served:
        for words, (code, sentences) in (
            (("scan", *everywhere), case.scan),
            (("deploy", "checkout", "-n", "shop"), case.deploy),
        ):
            server.faults[:] = [replace(fault) for fault in case.faults]
            said = say(capsys, *words, *flags, "--kubeconfig", str(served.kubeconfig))
            assert said.code == code
            assert not missing(said, sentences)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_json_says_the_same(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    case = SERVERS[name]
    namespace = () if "-A" in case.flags else ("-n", "shop")
    with serve(sandbox(replace(fault) for fault in case.faults)) as served:
        said = say(capsys, "scan", *namespace, *case.flags, "--kubeconfig", str(served.kubeconfig), "-o", "json")
    assert said.code == case.scan[0]


CAPTURES = {
    "nothing": (0, "objects of", ""),
    "403 on pods": (3, "not recorded: Pod (list pods in shop is forbidden)", "Pod: list pods in shop is forbidden"),
    "403 on everything": (2, "nothing can be recorded: list pods in shop is forbidden", ""),
    "503 on everything": (2, "nothing can be recorded: list pods in shop: the server returned 503", ""),
    "500 in the middle of a list": (
        3,
        f"recorded in part: Event (list events in shop: {ETCD}",
        f"Pod: list pods in shop: {ETCD}",
    ),
    "a connection that always drops": (2, BROKE_OFF, ""),
}


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("name", CAPTURES)
def test_a_capture_says_what_it_lacks_and_so_does_its_reader(
    name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, told, read = CAPTURES[name]
    path = str(tmp_path / "state.tar.gz")
    with serve(sandbox(replace(fault) for fault in SERVERS[name].faults)) as served:
        answered = main(["capture", "-n", "shop", "-o", path, "--kubeconfig", str(served.kubeconfig)])
    out, err = capsys.readouterr()
    assert (answered, out) == (code, "")
    assert told in err
    if code == 2:
        assert not Path(path).exists()
        return
    said = say(capsys, "scan", "-n", "shop", "--from", path)
    assert read in said.text
    assert said.code == (1 if name in ("nothing", "500 in the middle of a list") else 3)
