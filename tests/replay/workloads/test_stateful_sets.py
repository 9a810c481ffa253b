"""What StatefulSets wait for."""

from __future__ import annotations

import msgspec

from kubedoctor.cluster.kinds.apps import StatefulSet
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.workloads.stateful_sets import (
    REVISION,
    is_left_over,
    is_new,
    one_by_one,
    updating,
    waits_for_earlier,
)


def stateful_set(current: str = "web-1", update: str = "web-3", policy: str = "OrderedReady") -> StatefulSet:
    status = {"currentRevision": current, "updateRevision": update}
    document = {"metadata": {"name": "web"}, "spec": {"podManagementPolicy": policy}, "status": status}
    return msgspec.convert(document, StatefulSet)


def pod(revision: str = "", *, is_ready: bool = False, phase: str = "Running") -> Pod:
    labels = {REVISION: revision} if revision else {}
    conditions = [{"type": "Ready", "status": "True" if is_ready else "False"}]
    return msgspec.convert(
        {"metadata": {"name": "web-0", "labels": labels}, "status": {"phase": phase, "conditions": conditions}}, Pod
    )


def test_a_pod_is_left_over_if_the_template_was_changed_again() -> None:
    assert is_left_over(stateful_set(), pod("web-2"))
    assert not is_left_over(stateful_set(), pod("web-1"))
    assert not is_left_over(stateful_set(), pod("web-3"))
    assert not is_left_over(stateful_set(), pod())


def test_a_pod_is_new_unless_its_revision_is_another() -> None:
    assert is_new(stateful_set(), pod("web-3"))
    assert not is_new(stateful_set(), pod("web-1"))
    assert is_new(stateful_set(), pod())
    assert is_new(stateful_set(update=""), pod("web-1"))


def test_it_updates_while_the_revisions_differ() -> None:
    assert updating(stateful_set())
    assert not updating(stateful_set(current="web-3"))
    assert not updating(stateful_set(update=""))


def test_only_an_ordered_set_waits_for_earlier_pods() -> None:
    parallel = stateful_set(policy="Parallel")
    assert one_by_one(stateful_set(policy=""))
    assert not one_by_one(parallel)
    assert waits_for_earlier(stateful_set(), [pod(is_ready=True), pod()])
    assert waits_for_earlier(stateful_set(), [pod(is_ready=True, phase="Failed")])
    assert not waits_for_earlier(stateful_set(), [pod(is_ready=True)])
    assert not waits_for_earlier(stateful_set(), [])
    assert not waits_for_earlier(parallel, [pod()])
