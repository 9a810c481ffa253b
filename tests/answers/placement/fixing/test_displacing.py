"""Another pod gives way only where it finds a place again, and what replaces it is not what waits."""

from __future__ import annotations

from typing import Any

import msgspec

from kubedoctor.answers.placement.fixing.fixes import placement_fixes
from kubedoctor.cluster import Cluster, Pod, ReplicaSet, Service
from kubedoctor.cluster.changes import apply_to_snapshot
from kubedoctor.replay.scheduler.counterfactuals import Kind, Situation, counterfactuals
from kubedoctor.replay.scheduler.pending import explain_pending
from tests.answers.placement.fixing.test_fixes import TAINT, cluster, container, node

PORTS = [container(ports=[{"containerPort": 80, "hostPort": 80}])]
DELETING = "kubectl delete pod/holder -n shop"


def holder(owner: str, on: str = "n", **metadata: Any) -> Pod:
    """A pod that has the host port."""
    owners = [{"kind": "ReplicaSet", "name": owner, "controller": True, "apiVersion": "apps/v1"}] if owner else []
    data = {
        "metadata": {"name": "holder", "namespace": "shop", "uid": "h", "ownerReferences": owners, **metadata},
        "spec": {"nodeName": on, "containers": PORTS},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }
    return msgspec.convert(data, Pod)


def deletions(*objects: Any, nodes: tuple[str, ...] = ("n",)) -> list[str]:
    seen, waiting = cluster(*(node(name, cpu="4") for name in nodes), containers=PORTS)
    seen.snapshot.add(objects)
    if "m" in nodes:  # The pending pod may only run on n.
        seen, waiting = cluster(
            node("n", cpu="4", only="here"), node("m", cpu="4"), containers=PORTS, nodeSelector={"only": "here"}
        )
        seen.snapshot.add(objects)
    fixes = placement_fixes(explain_pending(waiting, seen), seen)
    assert all(fix.verified for fix in fixes)
    return [fix.summary for fix in fixes if DELETING in fix.command]


def proposed(*objects: Any) -> bool:
    """Whether the search itself comes upon the deletion: else the tests below prove nothing."""
    seen, waiting = cluster(node("n", cpu="4"), containers=PORTS)
    seen.snapshot.add(objects)
    answer = explain_pending(waiting, seen)
    changes = counterfactuals(Situation(waiting, answer.state), answer.verdict)
    return any(edit.kind is Kind.DELETE_POD for change in changes for edit in change.edits)


def test_a_pod_that_finds_another_node_may_be_deleted() -> None:
    assert len(deletions(holder("other-1"), nodes=("n", "m"))) == 1


def test_a_sibling_is_never_deleted() -> None:
    assert proposed(holder("web-1"))
    assert deletions(holder("web-1")) == []
    assert deletions(holder("web-1"), nodes=("n", "m")) == []


def test_nor_a_pod_of_another_revision() -> None:
    by = [{"kind": "Deployment", "name": "web", "controller": True, "apiVersion": "apps/v1"}]
    older = msgspec.convert({"metadata": {"name": "web-0", "namespace": "shop", "ownerReferences": by}}, ReplicaSet)
    assert deletions(older, holder("web-0", labels={"app": "web"}), nodes=("n", "m")) == []


def test_a_pod_that_would_be_pending_in_its_place_is_not_deleted() -> None:
    assert proposed(holder("other-1"))
    assert deletions(holder("other-1")) == []


def test_nor_a_pod_that_nothing_creates_again() -> None:
    assert deletions(holder(""), nodes=("n", "m")) == []


def test_nor_the_last_ready_pod_of_a_service() -> None:
    service = msgspec.convert(
        {"metadata": {"name": "s", "namespace": "shop"}, "spec": {"selector": {"app": "holder"}}}, Service
    )
    assert deletions(service, holder("other-1", labels={"app": "holder"}), nodes=("n", "m")) == []


def test_the_changed_cluster_as_it_would_be_seen_gives_the_same_nodes() -> None:
    """What is applied to the scheduler's state in a search is what the change does to the objects."""
    seen, waiting = cluster(node("n", TAINT), node("m", cpu="500m", disk="ssd"))
    answer = explain_pending(waiting, seen)
    changes = counterfactuals(Situation(waiting, answer.state), answer.verdict)
    assert len({change.kind for change in changes}) > 1
    for change in changes:
        after = Cluster(apply_to_snapshot(seen.snapshot, change.outcome))
        changed = after.get(Pod, "shop", waiting.name)
        assert changed is not None
        feasible = explain_pending(changed, after).verdict.feasible
        assert set(feasible) == set(change.nodes), change
