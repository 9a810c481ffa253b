"""The cluster as the scheduler knows it."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from kubedoctor.cluster import Cluster, Snapshot, Source
from kubedoctor.replay.scheduler.cycle import schedule
from kubedoctor.replay.scheduler.observed import observe
from kubedoctor.replay.scheduler.snapshot import ClusterState
from kubedoctor.testing.oracle import question
from tests.bench import scheduling as made


def test_the_same_nodes_and_pods_with_claims_and_without(shared: Path) -> None:
    """A pod asks for storage, then one does not, then one does again, in upstream's questions."""
    with gzip.open(shared / "conformance" / "fuzz" / "scheduling.jsonl.gz") as lines:
        requests = [
            json.dumps(json.loads(line)["request"]).encode() for line, _ in zip(lines, range(400), strict=False)
        ]
    assert len(requests) == 400
    for request in requests:
        pod, state = question(request)
        plain = replace(pod, spec=replace(pod.spec, volumes=None))
        wanted = schedule(pod, state)
        bare = state.among(namespaces=state.namespaces.values())
        assert schedule(plain, bare) == schedule(plain, question(request)[1])
        objects = {
            "namespaces": state.namespaces.values(),
            "claims": state.claims.values(),
            "volumes": state.volumes.values(),
            "classes": state.classes.values(),
            "csi_nodes": state.csi_nodes.values(),
            "csi_drivers": state.csi_drivers.values(),
            "capacities": state.capacities,
            "attachments": [one for found in state.attachments.values() for one in found],
        }
        assert schedule(pod, bare.among(**objects)) == wanted


def test_what_pods_mount_is_looked_up_anew_among_other_claims() -> None:
    """The node's volumes were counted among claims that have changed since."""
    fleet = made.nodes(1)
    objects = made.storage(30, [node.name for node in fleet])
    bound = made.pending(1500)[::50]
    placed = [replace(one, spec=replace(one.spec, node_name="n00000")) for one in bound[:25]]
    pod = replace(bound[29], spec=replace(bound[29].spec, affinity=None, topology_spread_constraints=None))
    state = ClusterState.of(fleet, placed, **objects)
    assert "NodeVolumeLimits" in {each.plugin for each in schedule(pod, state).nodes[0].blockers}
    fewer = objects | {"claims": [one for one in objects["claims"] if one.name.endswith("-29")]}
    assert "NodeVolumeLimits" not in {each.plugin for each in schedule(pod, state.among(**fewer)).nodes[0].blockers}


def test_pods_of_a_snapshot_share_its_nodes() -> None:
    """Whether they ask for storage or not."""
    fleet, pod = made.nodes(3), made.pending(1)[0]
    snapshot = Snapshot(datetime(2026, 1, 1, tzinfo=UTC), Source("files", "test", "v1.37.0"), complete=True)
    objects = made.storage(1, [node.name for node in fleet])
    for found in (fleet, made.running(3), [pod], *objects.values()):
        snapshot.add(found)
    cluster = Cluster(snapshot)
    with_storage = observe(pod, cluster).state
    without = observe(replace(pod, spec=replace(pod.spec, volumes=None)), cluster).state
    assert with_storage.claims
    assert not without.claims
    assert [one.pods for one in without.nodes] == [one.pods for one in with_storage.nodes]
    assert all(one.pods[0] is other.pods[0] for one, other in zip(without.nodes, with_storage.nodes, strict=True))
    snapshot.add(made.running(4)[60:])
    later = observe(pod, cluster).state
    assert later is not with_storage
