"""Where a pending pod's API server fails: nothing is called well or fitting that was not seen, and the rest is told."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Protocol

import pytest

from kubedoctor.cli import main
from kubedoctor.sandbox import Fault, Sandbox, serve
from kubedoctor.sandbox.faults import cut_short, server_error, slow, throttled
from kubedoctor.sandbox.server import SandboxServer
from tests.bad_input.pending import BIG, STORE, TOLD, pending
from tests.bad_input.said import Said, check_manners
from tests.bad_input.sick import hasty

__all__ = ["hasty"]
pytestmark = pytest.mark.usefixtures("hasty")

Capture = pytest.CaptureFixture[str]
EVENTS = ("events", "events.events.k8s.io")
CLAIMS, CLASSES = ("persistentvolumeclaims",), ("storageclasses.storage.k8s.io",)
BUDGETS = ("poddisruptionbudgets.policy",)


class Ordered(Protocol):
    def __call__(self, *resources: str) -> Fault: ...


def answering(code: int, reason: str) -> Ordered:
    return lambda *resources: Fault(code, reason, f"{reason} it is", resources)


FAULTS: dict[str, Ordered] = {
    "403": answering(403, "Forbidden"),
    "404": answering(404, "NotFound"),
    "410": answering(410, "Expired"),
    "429": partial(throttled, retry_after=7),
    "500": partial(server_error, code=500),
    "503": partial(server_error, code=503),
    "the connection drops": partial(cut_short, after_bytes=30),
}
# What fails, the pod that is asked about, and the kind that must be named as not seen.
HELPFUL = ((("namespaces",), BIG, "Namespace"), (EVENTS, BIG, "Event"), (("configmaps",), TOLD, "ConfigMap"))
DECIDING = ((CLAIMS, STORE, "PersistentVolumeClaim"), (CLASSES, STORE, "StorageClass"))


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Sandbox, SandboxServer]]:
    sandbox = Sandbox(pending())
    with serve(sandbox) as running:
        yield sandbox, running


class Ask:
    """Both commands about a pod, while one thing fails."""

    def __init__(self, served: tuple[Sandbox, SandboxServer], capsys: Capture) -> None:
        self.sandbox, self.running = served
        self.capsys = capsys

    def why(self, pod: str, *faults: Fault, flags: tuple[str, ...] = ()) -> Said:
        said = self._say("why-pending", pod, faults, flags)
        assert said.code in (1, 2, 3)
        assert not said.out.startswith("✓")
        if said.code == 2:
            check_manners(said)
        return said

    def pod(self, pod: str, *faults: Fault, flags: tuple[str, ...] = ()) -> Said:
        said = self._say("pod", pod, faults, flags)
        check_manners(said)
        assert said.code in (1, 2)
        return said

    def _say(self, command: str, pod: str, faults: tuple[Fault, ...], flags: tuple[str, ...]) -> Said:
        self.sandbox.faults[:] = faults
        code = main([command, pod, "-n", "shop", "--kubeconfig", str(self.running.kubeconfig), *flags])
        printed = self.capsys.readouterr()
        said = Said(code, printed.out, printed.err)
        assert "Traceback" not in said.text
        return said


@pytest.fixture
def ask(served: tuple[Sandbox, SandboxServer], capsys: Capture) -> Ask:
    return Ask(served, capsys)


def test_nothing_fits_where_nothing_fails(ask: Ask) -> None:
    for pod in (BIG, TOLD, STORE):
        assert ask.why(pod).text.startswith(f"✗ Pod shop/{pod}: fits none of 4 nodes")
        assert ask.pod(pod).code == 1


@pytest.mark.parametrize("name", FAULTS)
def test_nodes_or_pods_that_cannot_be_listed(name: str, ask: Ask) -> None:
    for kind, fault in (("Node", FAULTS[name]("nodes")), ("Pod", FAULTS[name]("pods"))):
        fault.verbs = ("list",)
        for pod in (BIG, STORE):
            said = ask.why(pod, fault)
            assert said.code == 3
            assert "the scheduler cannot be replayed" in said.text
            assert f"not checked {kind}: " in said.text
        for pod in (BIG, STORE, TOLD):
            said = ask.pod(pod, fault)
            assert said.code == 1
            assert f"{kind}: " in said.text
            assert "A scheduler that tried it" not in said.text
        assert "4 Insufficient cpu" in ask.pod(TOLD, fault).text  # the scheduler's words are still there


@pytest.mark.parametrize("name", FAULTS)
def test_a_pod_that_cannot_be_read(name: str, ask: Ask) -> None:
    for said in (ask.why(BIG, FAULTS[name]("pods")), ask.pod(BIG, FAULTS[name]("pods"))):
        assert said.code == 2
        # A server that has never answered is not there.
        assert "Pod shop/big cannot be read: " in said.err or "broke in the middle of a response" in said.err


@pytest.mark.parametrize("name", FAULTS)
def test_what_else_fails_is_named_and_takes_nothing_away(name: str, ask: Ask) -> None:
    for resources, pod, kind in HELPFUL:
        for said in (ask.why(pod, FAULTS[name](*resources)), ask.pod(pod, FAULTS[name](*resources))):
            assert said.code == 1
            assert f"{kind}: " in said.text
            assert "lacks 500m cpu" in said.text
    if name != "404":  # without the group there are none
        said = ask.why(BIG, FAULTS[name](*BUDGETS))
        assert said.code == 1
        assert "PodDisruptionBudget: " in said.text
        assert "lacks 500m cpu" in said.text


@pytest.mark.parametrize("name", FAULTS)
def test_storage_that_cannot_be_read_refuses_no_pod_for_sure(name: str, ask: Ask) -> None:
    for resources, pod, kind in DECIDING:
        said = ask.why(pod, FAULTS[name](*resources))
        assert said.code == 3
        assert "as far as can be seen" in said.text
        assert f"not checked {kind}: " in said.text
        said = ask.pod(pod, FAULTS[name](*resources))
        assert f"as far as can be seen (not all of {kind})" in said.text
        assert f"{kind}: " in said.text


@pytest.mark.parametrize("name", FAULTS)
def test_no_group_is_served(name: str, ask: Ask) -> None:
    for pod in (BIG, TOLD):
        for command in (ask.why, ask.pod):
            broken = FAULTS[name]()
            broken.paths = ("/apis",)
            said = command(pod, broken)
            assert said.code == 1
            assert "lacks 500m cpu" in said.text
    broken = FAULTS[name]()
    broken.paths = ("/apis",)
    for said in (ask.why(STORE, broken), ask.pod(STORE, broken)):
        assert "StorageClass: " in said.text


def test_lists_that_break_off(ask: Ask) -> None:
    """After three nodes, or after three of the pods that leave no room."""
    for resource, kind in (("nodes", "Node"), ("pods", "Pod")):
        broken = server_error(resource, verbs=("list",))
        broken.continued = True
        said = ask.why(BIG, broken)
        assert said.code == 3
        assert said.out.startswith("? ")
        assert f"{kind}: list {resource}" in said.text
        assert "stopped after 3 objects" in said.text
        assert "stopped after 3 objects" in ask.pod(BIG, broken).text
    assert "would place it, as far as can be seen (not all of Pod)" in ask.pod(BIG, broken).text


def test_lists_that_expire_are_read_anew(ask: Ask) -> None:
    for resource in ("nodes", "pods"):
        expired = Fault(410, "Expired", "too old", (resource,), ("list",), continued=True, times=1)
        said = ask.why(BIG, expired)
        assert expired.seen
        assert said.out.startswith("✗ Pod shop/big: fits none of 4 nodes")
        assert "not checked" not in said.text


@pytest.mark.parametrize(
    ("resource", "kind", "pod"), [("nodes", "Node", BIG), (CLAIMS[0], "PersistentVolumeClaim", STORE)]
)
def test_answers_that_do_not_come(resource: str, kind: str, pod: str, ask: Ask) -> None:
    for command in (ask.why, ask.pod):
        said = command(pod, slow(resource, seconds=1), flags=("--request-timeout", "500ms"))
        assert f"{kind}: list {kind}: " in said.text
        assert "did not answer within 0.5s" in said.text
