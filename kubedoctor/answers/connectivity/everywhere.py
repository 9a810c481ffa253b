"""Who else reaches the target of a connection: every workload, by one of its pods."""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.answers.reach.connections import labels_of, party_of
from kubedoctor.answers.reach.way import Way
from kubedoctor.answers.sheet import Cell, Mark, SheetRow, Table
from kubedoctor.cluster.kinds.core import Namespace
from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.relations.workloads import workloads_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished, ready
from kubedoctor.replay.network import Party, Side
from kubedoctor.replay.network.seen import with_admin_policies


def from_everywhere(way: Way, cluster: Cluster) -> tuple[Table, ...]:
    """A row for each workload: whether policies let it out and in, and which rule or policy decides."""
    if not way.targets:
        return ()
    cluster.require(Pod, Namespace, NetworkPolicy)
    policies = with_admin_policies(cluster.maybe.all(NetworkPolicy), cluster)
    target = way.targets[0]
    there = party_of(target, cluster)
    rows = []
    for name, pod in sorted(standing_for_workloads(cluster).items()):
        here = Party.of_pod(pod, labels_of(pod.namespace, cluster))
        verdict = policies.judge(here, there, target.port, target.protocol)
        sides = verdict.egress, verdict.ingress
        decides = next((side for side in sides if not side.allowed), None)
        marks = [Cell("", Mark.YES if side.allowed else Mark.NO) for side in sides]
        rows.append(SheetRow((Cell(name.title), *marks, Cell(_who(decides))), name))
    return (Table(("from", "egress", "ingress", "denied by"), tuple(rows)),)


def _who(side: Side | None) -> str:
    if side is None:
        return ""
    named = side.policy.ref.title if side.policy is not None else ", ".join(row.ref.title for row in side.isolated_by)
    return named or side.tier


def standing_for_workloads(cluster: Cluster) -> dict[Ref, Pod]:
    """A pod that stands for each workload, a ready one before others."""
    pods = [pod for pod in cluster.maybe.all(Pod) if not finished(pod)]
    owners = workloads_of(pods, cluster.maybe)
    chosen: dict[Ref, Pod] = {}
    for pod in sorted(pods, key=lambda row: not ready(row)):
        for name in _named(owners, pod):
            chosen.setdefault(name, pod)
    return chosen


def _named(owners: dict[Ref, Ref], pod: Pod) -> Iterator[Ref]:
    name = owners.get(Ref("Pod", pod.namespace, pod.name))
    if name is not None:
        yield name
