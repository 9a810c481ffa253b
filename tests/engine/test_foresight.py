"""What will be wanted next is fetched at once, and the report is the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.engine import examination, focus, load_catalogue
from kubedoctor.engine.report import Report
from kubedoctor.sandbox import Sandbox, load_recording, recording_path, serve
from kubedoctor.sandbox.server import SandboxServer

CRASHING = Ref("Pod", "shop", "payments-55fb65c6b5-n4klx")


@pytest.fixture(scope="module")
def served() -> Iterator[SandboxServer]:
    with serve(Sandbox(load_recording(recording_path("shop-at-night")))) as server:
        yield server


def examined(served: SandboxServer, subject: Ref) -> Report:
    source = open_source(Options(kubeconfig=str(served.kubeconfig), namespace=subject.namespace or None))
    try:
        return focus(load_catalogue(), subject, source.snapshot, source.gather)
    finally:
        source.close()


@pytest.mark.parametrize(
    ("subject", "rounds"),
    [
        (CRASHING, 4),
        (Ref("Service", "shop", "payments"), 4),
        (Ref("Deployment", "shop", "payments"), 4),
        (Ref("Node", "", "node-1"), 4),
        (Ref("Namespace", "", "shop"), 4),
    ],
    ids=str,
)
def test_the_report_is_the_same_in_fewer_rounds(
    served: SandboxServer, subject: Ref, rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreseen = examined(served, subject)
    monkeypatch.setattr(examination, "with_foreseen", lambda wants, _: frozenset(wants))
    plain = examined(served, subject)
    found = (foreseen.findings, foreseen.on_it)
    assert found == (plain.findings, plain.on_it) != ((), ())
    assert foreseen.not_checked == plain.not_checked
    assert foreseen.rounds <= rounds < plain.rounds or subject.kind == "Deployment"


MOST_REQUESTS = {
    "Pod": 24,  # Pending with a claim: the replay reads nodes, pods, volumes, classes and drivers of the whole cluster
    "Service": 19,  # the Corefile, where its pods are in trouble
    "Deployment": 26,  # its autoscalers and budgets too
    "ReplicaSet": 25,
    "StatefulSet": 10,
    "DaemonSet": 8,
    "Job": 5,
    "CronJob": 7,  # it has missed runs since it was recorded, and its events might tell why
    "Node": 20,  # its events and its lease tell of its machine and clock; what the OOMKilled containers on it use
    "PersistentVolumeClaim": 23,
    "PersistentVolume": 4,
    "NetworkPolicy": 7,
    "Namespace": 46,  # eight lists, the log of a pod of each template, the Corefile, what its Pending pod needs, the events of a node whose container was OOMKilled, and what its kubelet measures of volumes
}


MOST_OF_A_RUNNING_POD = 10
"""Its log is one of them, and that of another pod of its template."""


def test_every_object_takes_few_rounds_and_requests(served: SandboxServer) -> None:
    """Counted, not timed; with the version. Those of a pod that runs, whose workload is not in trouble, are few."""
    source = open_source(Options(kubeconfig=str(served.kubeconfig), all_namespaces=True))
    try:
        source.list_all(MOST_REQUESTS)
    finally:
        source.close()
    spent = {}
    for kind in MOST_REQUESTS:
        for obj in source.snapshot.of_kind(kind):
            report = examined(served, ref(obj))
            running = isinstance(obj, Pod) and obj.status.phase == "Running" and not report.findings
            spent[ref(obj)] = (
                report.rounds,
                report.requests,
                MOST_OF_A_RUNNING_POD if running else MOST_REQUESTS[kind],
            )
    assert len(spent) > 60
    assert not {name: used for name, used in spent.items() if used[0] > 4 or used[1] > used[2]}
    assert sum(most == MOST_OF_A_RUNNING_POD for _, _, most in spent.values()) > 8


@pytest.mark.long
@pytest.mark.parametrize("name", ["insufficient-cpu", "oom-killed", "quota-exceeded", "service-selector-typo"])
def test_every_object_of_the_other_demos_takes_few_rounds(name: str) -> None:
    with serve(Sandbox(load_recording(recording_path(name)))) as server:
        source = open_source(Options(kubeconfig=str(server.kubeconfig), all_namespaces=True))
        try:
            source.list_all(MOST_REQUESTS)
        finally:
            source.close()
        names = [ref(obj) for kind in MOST_REQUESTS for obj in source.snapshot.of_kind(kind)]
        rounds = {subject: examined(server, subject).rounds for subject in names}
    assert len(rounds) > 30
    assert max(rounds.values()) <= 4
