"""Nodes that the pod or its volume requires by name, and that do not exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubedoctor.answers.placement.explaining.case import Case, names
from kubedoctor.cluster.kinds.affinity import NodeSelectorTerm
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.plugins.required_node_affinity import required_terms
from kubedoctor.replay.scheduler.well_known import HOSTNAME


def named_by(terms: Iterable[NodeSelectorTerm]) -> Iterator[str]:
    """The nodes that terms name, by host name or by the name itself."""
    for term in terms:
        for requirement in (*(term.match_expressions or ()), *(term.match_fields or ())):
            if requirement.operator == "In" and requirement.key in (HOSTNAME, "metadata.name"):
                yield from requirement.values or ()


def named_by_pod(pod: Pod) -> Iterator[str]:
    """The nodes that the pod names, by its nodeSelector, then by its node affinity."""
    if host := (pod.spec.node_selector or {}).get(HOSTNAME):
        yield host
    required = required_terms(pod)
    yield from named_by((required.node_selector_terms if required else None) or ())


def gone(case: Case, node_names: Iterable[str]) -> tuple[str, ...]:
    """The names without a node; empty where not every node was seen."""
    if case.answer is None or not case.nodes or "Node" in case.answer.unseen:
        return ()
    return tuple(dict.fromkeys(name for name in node_names if name and name not in case.names))


def gone_text(missing: tuple[str, ...]) -> str:
    """`node a does not exist`; empty where there is none."""
    if not missing:
        return ""
    return f"node{'' if len(missing) == 1 else 's'} {names(missing)} do{'es' if len(missing) == 1 else ''} not exist"
