"""Placement: the outcome, what is tried, and what could not be seen."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.answers.placement.node import node_in_full
from kubedoctor.answers.placement.outcome import agreement_lines, preemption_lines
from kubedoctor.answers.placement.placement import Placement, PlacementOutcome, place
from kubedoctor.answers.placement.pod_changes import PodChangeError
from kubedoctor.answers.placement.sheet import placement_sheet
from kubedoctor.answers.placement.verdict import headline
from kubedoctor.answers.question import Choices
from kubedoctor.answers.questions.why_pending import why_pending
from kubedoctor.answers.sheet import Cell, Mark
from kubedoctor.cluster import Cluster, Ref, Snapshot
from kubedoctor.engine.asking import Answered, ask
from kubedoctor.replay.scheduler.said.self_check import Agreement
from tests.engine.clinic import complete, deployment, live, pod, replica_set
from tests.engine.fleet import FLEET, WAITING, fleet_node, waiting_pod
from tests.engine.test_examination import Server

TOLERANT = [{"operator": "Exists"}]


def place_in(snapshot: Snapshot, *changes: str, subject: Ref = WAITING) -> Placement:
    return place(subject, Cluster(snapshot), changes)


def placed(*changes: str, manifests: tuple[dict[str, Any], ...] = FLEET, **spec: Any) -> Placement:
    return place_in(complete(*manifests, waiting_pod(**spec)), *changes)


def asked(server: Server, *changes: str, subject: Ref = WAITING) -> Answered:
    return ask(why_pending, subject, Choices({"what-if": changes}), server.snapshot, server.gather)


def outcome_of(answered: Answered) -> str:
    return str((answered.sheet.data or {})["outcome"])


def test_every_blocker_of_every_node_the_closest_first() -> None:
    found = placed()
    assert found.outcome is PlacementOutcome.FITS_NOWHERE
    (table,) = placement_sheet(found).tables
    assert table.columns == ("nodes", "NodeUnschedulable", "TaintToleration", "NodeAffinity", "NodeResourcesFit")
    assert [[cell.text for cell in row.cells] for row in table.every_row] == [
        ["near", "", "", "", "lacks 200m cpu"],
        ["far", "", "", "", "lacks 900m cpu"],
        ["gpu", "", "taint gpu=true:NoSchedule", "", ""],
        ["plain", "cordoned", "", "labels do not match", ""],
    ]
    assert [cell.mark for cell in table.every_row[0].cells] == [Mark.NONE, Mark.YES, Mark.YES, Mark.YES, Mark.NO]


def test_nodes_with_one_outcome_share_a_row_that_tells_the_span() -> None:
    (table,) = placement_sheet(placed()).tables
    first = table.rows[0]
    assert (first.cells[0], first.cells[-1]) == (Cell("near, far"), Cell("lacks 200m to 900m cpu", Mark.NO))


def test_the_scheduler_is_heard() -> None:
    found = placed()
    assert found.before is not None
    assert found.before.agreement is Agreement.AGREES
    assert next(agreement_lines(found.before)).startswith("matches the scheduler's own message")
    assert list(preemption_lines(found.before)) == [
        "would not help: evicting pods from 2 nodes does not make room; on 2 nodes no pod has a lower priority than 0"
    ]
    other = placed(says="0/4 nodes are available: 4 Insufficient memory.")
    assert other.before is not None
    assert "Insufficient memory" in " ".join(agreement_lines(other.before))
    assert "resource memory: 4 in the message, 0 in the replay" in list(agreement_lines(other.before))


def test_fixes_are_proven_and_only_for_the_pod_as_it_is() -> None:
    found = placed()
    assert all(fix.verified for fix in found.fixes)
    assert any("800m" in fix.summary and "near" in fix.summary for fix in found.fixes)
    assert any("gpu=true:NoSchedule" in fix.summary for fix in found.fixes)
    assert placed("requests.cpu=900m").fixes == ()


def test_a_claim_that_keeps_the_pod_from_all_nodes_is_named() -> None:
    claim = {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "shop"},
        "spec": {"storageClassName": ""},
        "status": {"phase": "Pending"},
    }
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    found = placed(manifests=(*FLEET, claim), volumes=volumes, says="")
    text = "fits no node: pod has unbound immediate PersistentVolumeClaims (data)"
    assert headline(found) == text


@pytest.mark.parametrize(
    ("changes", "nodes"),
    [
        (("requests.cpu=800m",), ("near",)),
        (("requests.cpu=801m",), ()),
        (("requests.cpu=100m",), ("far", "near")),
        (("toleration=gpu=true:NoSchedule",), ("gpu",)),
        (("toleration=gpu",), ("gpu",)),
        (("toleration=gpu=false:NoSchedule",), ()),
        (("nodeSelector.disk-", "toleration=node.kubernetes.io/unschedulable:NoSchedule"), ("plain",)),
        (("nodeSelector.disk=hdd",), ()),
    ],
)
def test_what_would_be(changes: tuple[str, ...], nodes: tuple[str, ...]) -> None:
    found = placed(*changes)
    assert found.after is not None
    assert found.after.verdict.feasible == nodes
    assert found.outcome is (PlacementOutcome.FITS if nodes else PlacementOutcome.FITS_NOWHERE)
    assert found.before is not None
    assert not found.before.verdict.feasible


def test_a_change_that_makes_no_sense() -> None:
    with pytest.raises(PodChangeError):
        placed("cpu=1")


def test_a_pod_that_runs_is_not_pending() -> None:
    found = place_in(complete(*FLEET), subject=Ref("Pod", "shop", "busy-1"))
    assert (found.outcome, found.node, found.before) == (PlacementOutcome.SCHEDULED, "near", None)
    assert headline(found) == "not pending: bound to node near"
    ended = place_in(complete(pod("done", phase="Succeeded")), subject=Ref("Pod", "shop", "done"))
    assert ended.outcome is PlacementOutcome.ENDED


def test_a_pod_whose_node_does_not_exist_is_lost() -> None:
    found = place_in(complete(*FLEET, pod("ghost", node="gone")), subject=Ref("Pod", "shop", "ghost"))
    assert (found.outcome, found.node) == (PlacementOutcome.LOST, "gone")
    assert headline(found) == "not pending: bound to node gone, which does not exist"


def test_a_node_that_cannot_be_read_may_exist() -> None:
    snapshot = live()
    server = Server(snapshot, *FLEET, pod("ghost", node="gone"), refused=("Node",))
    assert outcome_of(asked(server, subject=Ref("Pod", "shop", "ghost"))) == "scheduled"


def test_a_gated_pod_is_held_back() -> None:
    found = placed(schedulingGates=[{"name": "example.com/wait"}], says="")
    assert found.outcome is PlacementOutcome.GATED
    assert headline(found) == "held back: waiting for scheduling gates: [example.com/wait]"


def test_devices_are_not_replayed_so_a_fit_is_not_sure() -> None:
    found = placed("requests.cpu=100m", resourceClaims=[{"name": "gpu"}])
    assert found.outcome is PlacementOutcome.UNKNOWN
    assert found.gaps == ("resource claim gpu: devices are not replayed",)
    assert "may fit 2 of 4 nodes" in headline(found)


def test_another_scheduler_may_have_other_rules() -> None:
    found = placed(schedulerName="volcano")
    assert "scheduler volcano" in found.gaps[0]
    assert found.fixes
    assert not any(fix.verified for fix in found.fixes)
    fits = placed("requests.cpu=800m", schedulerName="volcano")
    assert (fits.outcome, headline(fits)) == (PlacementOutcome.UNKNOWN, "may fit 1 of 4 nodes: near")


def test_what_is_missing_is_fetched_in_few_rounds() -> None:
    snapshot = live()
    server = Server(snapshot, *FLEET, waiting_pod())
    found = asked(server)
    assert outcome_of(found) == "fits-nowhere"
    assert found.rounds == len(server.rounds) == 2
    assert {"list Node", "list Pod", "list Namespace"} <= server.rounds[1]


def test_nodes_that_may_not_be_read_leave_the_question_open() -> None:
    snapshot = live()
    server = Server(snapshot, *FLEET, waiting_pod(), refused=("Node",))
    found = asked(server)
    assert outcome_of(found) == "unknown"
    assert found.sheet.gaps == ("Node: list Node is forbidden",)


def test_budgets_that_may_not_be_read_are_named_and_decide_nothing() -> None:
    snapshot = live()
    server = Server(snapshot, *FLEET, waiting_pod(), refused=("PodDisruptionBudget",))
    found = asked(server)
    assert outcome_of(found) == "fits-nowhere"
    assert found.sheet.gaps == ("PodDisruptionBudget: list PodDisruptionBudget is forbidden",)


def test_namespaces_that_may_not_be_read_are_named_and_decide_nothing_where_no_pod_asks_for_their_labels() -> None:
    snapshot = live()
    server = Server(snapshot, *FLEET, waiting_pod(), refused=("Namespace",))
    found = asked(server)
    assert found.sheet.gaps == ("Namespace: list Namespace is forbidden",)
    assert found.sheet.fixes
    assert all(fix.verified for fix in found.sheet.fixes)
    assert outcome_of(asked(server, "requests.cpu=800m")) == "fits"


def test_a_workload_means_its_first_pod_without_a_node() -> None:
    owned = pod("web-2", owner="web-abc", phase="Pending")
    ready = pod("web-1", node="near", owner="web-abc")
    snapshot = complete(deployment("web"), replica_set("web-abc", "web"), ready, owned)
    web = Ref("Deployment", "shop", "web")
    assert place_in(snapshot, subject=web).pod == Ref("Pod", "shop", "web-2")
    calm = place_in(complete(deployment("web"), replica_set("web-abc", "web"), ready), subject=web)
    assert (calm.pod, calm.outcome) == (web, PlacementOutcome.SCHEDULED)


def test_pods_that_may_not_be_read_leave_the_question_open() -> None:
    snapshot = live()
    server = Server(snapshot, deployment("web"), refused=("Pod",))
    found = asked(server, subject=Ref("Deployment", "shop", "web"))
    assert outcome_of(found) == "unknown"
    assert found.sheet.gaps == ("Pod: list Pod is forbidden",)


def test_one_node_in_full() -> None:
    terms = [{"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd", "nvme"]}]}]
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}
    found = placed(affinity=affinity)
    assert found.before is not None
    near = node_in_full(found.before, "near")
    assert near is not None
    cpu, memory, pods = near.resources
    assert (cpu.request, cpu.used, cpu.allocatable, cpu.free, cpu.missing) == (1000, 3200, 4000, 800, 200)
    assert (memory.request, memory.missing, pods.used, pods.allocatable) == (0, 0, 1, 110)
    assert [(one.wanted, one.present, one.met, one.term) for one in near.labels] == [
        ("disk=ssd", "ssd", True, 0),
        ("disk In [ssd, nvme]", "ssd", True, 1),
    ]
    plain = node_in_full(found.before, "plain")
    assert plain is not None
    assert [one.filter for one in plain.objections] == ["NodeUnschedulable", "NodeAffinity"]
    assert plain.cordoned
    assert [one.met for one in plain.labels] == [False, False]
    gpu = node_in_full(found.before, "gpu")
    assert gpu is not None
    assert [(one.taint, one.toleration, one.forbids) for one in gpu.taints] == [("gpu=true:NoSchedule", "", True)]
    assert node_in_full(found.before, "nowhere") is None


def test_a_toleration_is_shown_beside_its_taint() -> None:
    found = placed(tolerations=[{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}])
    assert found.before is not None
    gpu = node_in_full(found.before, "gpu")
    assert gpu is not None
    assert gpu.taints[0].toleration == "gpu:NoSchedule"
    assert gpu.fits


def test_a_node_too_small_even_when_empty_is_called_so() -> None:
    found = placed(manifests=(fleet_node("small", "500m"),))
    (table,) = placement_sheet(found).tables
    assert table.rows[0].cells[1:] == (Cell("lacks 500m cpu, node too small", Mark.NO),)


def test_what_fits_by_all_that_is_seen_but_not_for_the_scheduler_is_not_sure() -> None:
    found = placed(nodeSelector=None, says="0/4 nodes are available: 4 Insufficient memory.", tolerations=TOLERANT)
    assert found.before is not None
    assert found.before.verdict.feasible == ("gpu", "plain")
    assert found.outcome is PlacementOutcome.UNKNOWN
    assert headline(found) == "may fit 2 of 4 nodes: gpu, plain"
    error = 'running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded'
    assert placed(nodeSelector=None, says=error, tolerations=TOLERANT).outcome is PlacementOutcome.UNKNOWN
    assert placed(nodeSelector=None, says="", tolerations=TOLERANT).outcome is PlacementOutcome.FITS


def test_a_pod_that_is_being_deleted_waits_no_more() -> None:
    going = waiting_pod()
    going["metadata"]["deletionTimestamp"] = "2026-11-23T10:00:00Z"
    found = place_in(complete(*FLEET, going))
    assert found.outcome is PlacementOutcome.ENDING
    assert headline(found) == "not pending: it is being deleted, so the scheduler skips it"
    assert (found.before, found.fixes) == (None, ())


def test_of_a_workload_the_pod_that_is_being_deleted_is_passed_over() -> None:
    going = pod("web-a-1", owner="web-a", phase="Pending")
    going["metadata"]["deletionTimestamp"] = "2026-11-23T10:00:00Z"
    waits = pod("web-a-2", owner="web-a", phase="Pending")
    seen = complete(replica_set("web-a", "web"), going, waits)
    assert place_in(seen, subject=Ref("ReplicaSet", "shop", "web-a")).pod == Ref("Pod", "shop", "web-a-2")


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("Pod", "Pod shop/waiting: spec.affinity cannot be decoded and is ignored (Expected `object`, got `array`)"),
        ("Node", "Node: an item is null, not an object; ignored"),
    ],
)
def test_what_was_left_out_of_the_objects_is_told_and_nothing_is_proven_without_it(kind: str, problem: str) -> None:
    seen = complete(*FLEET, waiting_pod())
    seen.lose(kind, [problem])
    seen.lose("PersistentVolume", ["PersistentVolume pv: cannot be decoded; ignored"])
    found = place_in(seen)
    assert found.outcome is PlacementOutcome.FITS_NOWHERE
    assert found.fixes
    assert not any(fix.verified for fix in found.fixes)
    assert found.gaps == (problem,)
    assert place_in(seen, "requests.cpu=100m").outcome is PlacementOutcome.UNKNOWN


def test_many_losses_are_counted() -> None:
    seen = complete(*FLEET, waiting_pod())
    seen.lose("Pod", (f"Pod shop/p{number:03}: cannot be decoded; ignored" for number in range(60)))
    told = place_in(seen).gaps
    assert (len(told), told[-1]) == (51, "and 10 more problems of this kind")


def test_a_long_message_is_shortened_and_so_are_its_differences() -> None:
    reasons = ", ".join(f"1 node(s) had untolerated taint {{number-{number:04}: x}}" for number in range(2000))
    found = placed(says=f"0/2000 nodes are available: {reasons}, {reasons.replace('number', 'other')}.")
    many = ", ".join(f"1 Insufficient example.com/{number}" for number in range(20))
    other = placed(says=f"0/4 nodes are available: {many}.")
    assert found.before is not None
    assert other.before is not None
    assert all(len(line) < 1200 for line in agreement_lines(found.before))
    lines = list(agreement_lines(other.before))
    assert lines[-1] == "15 more reasons have other counts"
    assert len([line for line in lines if "in the replay" in line]) == 8


def test_a_message_of_a_clock_that_is_ahead() -> None:
    early = waiting_pod(says="0/4 nodes are available: 4 Insufficient memory.")
    early["status"]["conditions"][0]["lastTransitionTime"] = "2099-01-01T00:00:00Z"
    found = place_in(complete(*FLEET, early))
    assert found.before is not None
    assert next(agreement_lines(found.before)).startswith(
        "differs from the scheduler's message (dated in the future): "
    )
