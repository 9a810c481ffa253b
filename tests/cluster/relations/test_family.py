"""Who belongs to whom in a snapshot, and what holds where an owner was not seen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kubedoctor.cluster import Ref, Snapshot, Source
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.seen.decoding import convert_object


def owned(kind: str, name: str, owner: tuple[str, str] | None = None) -> dict[str, Any]:
    owners = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    return {"kind": kind, "metadata": {"name": name, "namespace": "shop", "ownerReferences": owners}}


DEPLOYMENT = owned("Deployment", "web")
REPLICA_SET = owned("ReplicaSet", "web-1", ("Deployment", "web"))
POD = owned("Pod", "web-1-a", ("ReplicaSet", "web-1"))
MIRROR = owned("Pod", "proxy-n1", ("Node", "n1"))


def named(manifest: dict[str, Any]) -> Ref:
    return Ref(manifest["kind"], "shop", manifest["metadata"]["name"])


def family(*manifests: dict[str, Any]) -> Family:
    snapshot = Snapshot(datetime(2026, 1, 15, 10, 0, tzinfo=UTC), Source("files", "test"))
    for manifest in manifests:
        snapshot.add(convert_object(manifest["kind"], manifest).objects)
    return Family(snapshot)


@pytest.mark.parametrize(
    ("seen", "name", "top", "top_seen"),
    [
        pytest.param((DEPLOYMENT, REPLICA_SET, POD), POD, DEPLOYMENT, DEPLOYMENT, id="everything was seen"),
        pytest.param((REPLICA_SET, POD), POD, DEPLOYMENT, REPLICA_SET, id="the topmost owner was not seen"),
        pytest.param((DEPLOYMENT, POD), POD, REPLICA_SET, POD, id="the owner between was not seen"),
        pytest.param((POD,), POD, REPLICA_SET, POD, id="no owner was seen"),
        pytest.param((), POD, POD, POD, id="not even the object was seen"),
        pytest.param((DEPLOYMENT,), DEPLOYMENT, DEPLOYMENT, DEPLOYMENT, id="it has no owner"),
        pytest.param((MIRROR,), MIRROR, MIRROR, MIRROR, id="its owner is no workload"),
    ],
)
def test_the_top_owner_is_named_by_the_object_whether_it_was_seen_or_not(
    seen: tuple[dict[str, Any], ...], name: dict[str, Any], top: dict[str, Any], top_seen: dict[str, Any]
) -> None:
    of_these = family(*seen)
    assert of_these.top(named(name)) == named(top)
    assert of_these.top_seen(named(name)) == named(top_seen)


def test_owners_in_a_circle_own_nothing() -> None:
    first, second = owned("ReplicaSet", "a", ("ReplicaSet", "b")), owned("ReplicaSet", "b", ("ReplicaSet", "a"))
    of_these = family(first, second, owned("Pod", "a-1", ("ReplicaSet", "a")))
    for name in (Ref("ReplicaSet", "shop", "a"), Ref("ReplicaSet", "shop", "b"), Ref("Pod", "shop", "a-1")):
        assert of_these.line(name) == (name,)
        assert of_these.top_seen(name) == name


def test_members_are_what_an_object_controls_and_for_a_pod_its_workload() -> None:
    of_these = family(DEPLOYMENT, REPLICA_SET, POD, MIRROR)
    assert of_these.members(named(DEPLOYMENT)) == {named(one) for one in (DEPLOYMENT, REPLICA_SET, POD)}
    assert of_these.members(named(POD)) == {named(POD), named(DEPLOYMENT)}
    assert family(POD).members(named(POD)) == {named(POD), named(REPLICA_SET)}
