"""Every denial that was tried with real packets: the proposed rules allow the connection, and what else they open is
what is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.answers.reach.connections import ConnectionTarget, labels_of
from kubedoctor.answers.reach.denials import allowing_change, opened_pairs
from kubedoctor.answers.reach.judging import allowing_fixes, judgement
from kubedoctor.answers.reach.way import source_of
from kubedoctor.cluster import Cluster, Ref
from kubedoctor.cluster.changes import apply_to_snapshot
from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.network import EGRESS, ConnectionVerdict, Party, PolicySet
from tests.engine.clinic import complete

EVERY = 7
"""One denied row of so many is tried: each takes two whole matrices."""


def ref_of(name: str) -> Ref:
    return Ref("Pod", *name.split("/"))


def verdicts(cluster: Cluster, port: int, protocol: str) -> dict[tuple[Ref, Ref], ConnectionVerdict]:
    policies = PolicySet(cluster.all(NetworkPolicy))
    parties = {
        Ref("Pod", pod.namespace, pod.name): Party.of_pod(pod, labels_of(pod.namespace, cluster))
        for pod in cluster.all(Pod)
    }
    return {
        (one, other): policies.judge(source, target, port, protocol)
        for one, source in parties.items()
        for other, target in parties.items()
    }


def denied_rows(shared: Path) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    rows = []
    for path in sorted((shared / "conformance/packets").glob("*.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        rows += [(case["name"], case, row) for row in case["results"] if not row["allowed"]]
    return rows[::EVERY]


@pytest.mark.long
def test_the_proposed_rules(shared: Path) -> None:
    rows = denied_rows(shared)
    assert len(rows) > 300
    snapshots: dict[str, Cluster] = {}
    for name, case, row in rows:
        if name not in snapshots:
            kinds = ("Namespace", "Pod", "Service", "NetworkPolicy", "Node")
            snapshots[name] = Cluster(complete(*(each for each in case["objects"] if each["kind"] in kinds)))
        cluster = snapshots[name]
        source, there = source_of(ref_of(row["src"]), cluster), ref_of(row["dst"])
        pod = cluster.get(Pod, there.namespace, there.name)
        assert pod is not None
        target = ConnectionTarget(pod, pod.status.pod_ip, row["port"], row["protocol"])
        (judged,) = judgement(source, (target,), cluster).targets
        assert judged.denials, (name, row)
        assert all(fix.verified or fix.summary for fix in allowing_fixes(judged, source, cluster))
        after = cluster
        for denial in judged.denials:
            before = verdicts(cluster, row["port"], row["protocol"])
            changed = cluster.over(apply_to_snapshot(cluster.snapshot, allowing_change(denial, cluster)))
            now = verdicts(changed, row["port"], row["protocol"])
            egress = denial.direction == EGRESS
            side = "egress" if egress else "ingress"
            opened = {
                pair for pair in now if getattr(now[pair], side).allowed and not getattr(before[pair], side).allowed
            }
            asked = (source.name, there)
            assert asked in opened, (name, row)
            assert opened - {asked} == set(opened_pairs(denial, cluster)), (name, row)
            after = after.over(apply_to_snapshot(after.snapshot, allowing_change(denial, cluster)))
        assert verdicts(after, row["port"], row["protocol"])[source.name, there].allowed, (name, row)
