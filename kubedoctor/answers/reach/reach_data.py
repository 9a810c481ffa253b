"""`reach` for programs: the hops, the endpoints with both verdicts, and the connections in a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kubedoctor.answers.reach.connections import ConnectionTarget
from kubedoctor.answers.reach.destination import ReachEnd
from kubedoctor.answers.reach.judging import Judgement
from kubedoctor.answers.reach.way import ReachSource, Way
from kubedoctor.answers.sheet import Conclusion, Link, Mark
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.relations.workloads import workload_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.replay.network import Side


def reach_data(
    source: ReachSource,
    end: ReachEnd,
    links: Sequence[Link],
    way: Way,
    found: Judgement,
    conclusion: Conclusion,
    cluster: Cluster,
) -> dict[str, Any]:
    """reaches: None where that is not known."""
    reaches = {Conclusion.WELL: True, Conclusion.TROUBLE: False}.get(conclusion)
    return {
        "source": source.name,
        "destination": end.text,
        "service": ref(way.service) if way.service is not None else None,
        "reaches": reaches,
        "hops": hops_data(links),
        "endpoints": [
            {
                "pod": ref(row.target.pod) if row.target.pod is not None else None,
                "address": row.target.address,
                "port": row.target.port,
                "protocol": row.target.protocol,
                "egress": _side_data(row.verdict.egress),
                "ingress": _side_data(row.verdict.ingress),
            }
            for row in found.targets
        ],
        "connections": [
            {"src": _peer(source, cluster), "dst": _end(row.target, cluster), "conn": row.connectivity.text}
            for row in found.targets
        ],
    }


def _side_data(side: Side) -> dict[str, Any]:
    return {
        "allowed": side.allowed,
        "by": side.tier,
        "policy": side.policy.ref if side.policy is not None else None,
        "rule": side.rule.index if side.rule is not None else None,
        "isolatedBy": [policy.ref for policy in side.isolated_by],
    }


def hops_data(links: Sequence[Link]) -> list[dict[str, Any]]:
    """Each hop, and whether the connection passes it."""
    return [{"text": link.text, "verdict": _word(link.mark), "about": link.about} for link in links]


def _word(mark: Mark) -> str:
    return {Mark.YES: "passes", Mark.NO: "stops"}.get(mark, "unknown")


def _peer(source: ReachSource, cluster: Cluster) -> str:
    name = workload_of(source.pod, cluster) if source.pod is not None and not source.planned else source.name
    return f"{name.namespace}/{name.name}[{name.short_kind}]" if name.namespace else f"{name.name}[{name.short_kind}]"


def _end(target: ConnectionTarget, cluster: Cluster) -> str:
    if target.pod is None:
        return f"{target.address}-{target.address}[External]"
    name = workload_of(target.pod, cluster)
    return f"{name.namespace}/{name.name}[{name.short_kind}]"
