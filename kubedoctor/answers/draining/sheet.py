"""A drain as a sheet: which pods leave, which budget or pod blocks, and where each would go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubedoctor.answers.draining.budgets import budget_fixes, current, refusal_of
from kubedoctor.answers.draining.drained_node import DrainedNode
from kubedoctor.answers.sheet import Cell, Conclusion, Fact, Mark, Sheet, SheetRow, Table
from kubedoctor.cluster.grammar.text import counted, listed
from kubedoctor.cluster.kinds.policy import PodDisruptionBudget
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.workloads import workload_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.findings.commands import kubectl
from kubedoctor.findings.model import Command, Effect, Fix
from kubedoctor.replay.disruption.departures import Departure
from kubedoctor.replay.disruption.drains import Treatment
from kubedoctor.replay.disruption.evictions import Eviction

_SHOWN = 3


def drain_sheet(drained: DrainedNode, cluster: Cluster) -> Sheet:
    """The whole answer."""
    title = drained.subject.title
    if drained.node is None:
        return Sheet(title, "does not exist", Conclusion.UNKNOWN)
    blocked = bool(drained.refused or drained.stranded or drained.lost)
    conclusion = Conclusion.TROUBLE if blocked else Conclusion.UNKNOWN if drained.unseen else Conclusion.WELL
    return Sheet(
        title=title,
        verdict=_verdict(drained),
        conclusion=conclusion,
        facts=tuple(_facts(drained, cluster)),
        tables=tuple(_tables(drained, cluster)),
        fixes=tuple(_fixes(drained, cluster)),
        next=tuple(_next(drained)),
        gaps=tuple(f"{kind}: not seen, so a pod may fit elsewhere than shown" for kind in drained.unseen),
        data=_data(drained, cluster),
    )


def _verdict(drained: DrainedNode) -> str:
    total = len(drained.departures)
    if drained.refused:
        which = "its pod" if total == 1 else f"{len(drained.refused)} of {counted(total, 'pod')}"
        return f"cannot be drained: the eviction of {which} is refused"
    if drained.stranded:
        return f"a drain leaves {len(drained.stranded)} of {counted(total, 'pod')} without a node"
    if drained.lost:
        return f"a drain deletes {counted(len(drained.lost), 'pod')} that nothing creates again"
    if not total:
        return "can be drained: no pod has to leave"
    moved = sum(1 for departure in drained.departures if departure.place)
    if not moved:
        return f"can be drained: {counted(total, 'pod')} to remove, none to place elsewhere"
    return f"can be drained: {counted(moved, 'pod')} {'fits' if moved == 1 else 'fit'} on other nodes"


def _facts(drained: DrainedNode, cluster: Cluster) -> Iterator[Fact]:
    budgets = _budgets(drained)
    for budget in budgets[:_SHOWN]:
        yield Fact("budget", f"{ref(budget).title} {refusal_of(budget, current(budget, cluster))}")
    if further := budgets[_SHOWN:]:
        yield Fact("budget", f"and {len(further)} more")
    for departure in drained.refused:
        if departure.eviction.outcome is Eviction.SEVERAL_BUDGETS:
            names = ", ".join(ref(budget).title for budget in departure.eviction.budgets)
            yield Fact("budget", f"{ref(departure.pod).title} has several, which the eviction API refuses: {names}")
    yield from (Fact("kubectl", text) for departure in drained.refused[:1] for text in departure.eviction.causes)
    if drained.stranded:
        pods = (f"{ref(departure.pod).title} ({_refusal(departure)})" for departure in drained.stranded)
        yield Fact("no node", listed(pods, _SHOWN))
    if drained.lost:
        yield Fact("lost", f"no controller: {listed((ref(one.pod).title for one in drained.lost), _SHOWN)}")
    if drained.local_data:
        yield Fact("lost", f"the emptyDir data of {counted(drained.local_data, 'pod')}")
    stays = {
        "DaemonSet pod": drained.treated(Treatment.IGNORED_DAEMON_SET),
        "static pod": drained.treated(Treatment.SKIPPED_MIRROR),
    }
    staying = ", ".join(counted(number, noun) for noun, number in stays.items() if number)
    if staying:
        yield Fact("stays", staying)


def _budgets(drained: DrainedNode) -> tuple[PodDisruptionBudget, ...]:
    """The budgets that refuse, each once."""
    named = {
        ref(departure.eviction.budgets[0]): departure.eviction.budgets[0]
        for departure in drained.refused
        if len(departure.eviction.budgets) == 1
    }
    return tuple(named[name] for name in sorted(named, key=str))


def _refusal(departure: Departure) -> str:
    return departure.refusal.message.rstrip(".") if departure.refusal is not None else "not replayed"


def _tables(drained: DrainedNode, cluster: Cluster) -> Iterator[Table]:
    order = sorted(drained.departures, key=lambda one: (one.leaves, bool(one.place), one.pod.namespace, one.pod.name))
    rows = tuple(_row(departure, cluster) for departure in order)
    if rows:
        yield Table(("pod", "eviction", "runs next on"), rows)


def _row(departure: Departure, cluster: Cluster) -> SheetRow:
    pod, verdict = departure.pod, departure.eviction
    names = ", ".join(budget.name for budget in verdict.budgets)
    eviction = Cell("allowed", Mark.YES) if verdict.allowed else Cell(f"refused by {names}", Mark.NO)
    if departure.place:
        others = f" (of {departure.places} that fit)" if departure.places > 1 else ""
        place = Cell(f"{departure.place}{others}", Mark.YES)
    elif not verdict.allowed:
        place = Cell("stays")
    elif not departure.replaced:
        finished = pod.status.phase in ("Succeeded", "Failed")
        place = Cell("finished" if finished else "not created again", Mark.NONE if finished else Mark.NO)
    else:
        place = Cell("no node", Mark.NO)
    return SheetRow((Cell(f"{pod.namespace}/{pod.name}"), eviction, place), about=ref(pod))


def _fixes(drained: DrainedNode, cluster: Cluster) -> Iterator[Fix]:
    for budget in _budgets(drained):
        yield from budget_fixes(budget, cluster)
    workloads = dict.fromkeys(workload_of(departure.pod, cluster).title for departure in drained.stranded)
    if workloads:
        yield Fix(f"Before the drain, have another node that accepts {listed(workloads, _SHOWN)}")


def _next(drained: DrainedNode) -> Iterator[Command]:
    node = drained.subject.name
    if drained.refused:
        pod = drained.refused[0].pod
        yield Command(
            kubectl("get", "poddisruptionbudgets", namespace=pod.namespace), "the budgets and what they allow"
        )
    yield Command(kubectl("cordon", node), "new pods go elsewhere; running pods stay", Effect.CHANGES)
    if drained.refused:
        line, why = (
            kubectl("drain", node, *drained.flags, "--timeout=5m"),
            "evict the others; it waits for what is refused",
        )
    else:
        line, why = kubectl("drain", node, *drained.flags), "cordon the node and evict its pods"
    yield Command(line, why, Effect.DISRUPTS)


def _data(drained: DrainedNode, cluster: Cluster) -> dict[str, Any]:
    """The contract for machines."""
    return {
        "node": drained.subject,
        "flags": drained.flags,
        "refusals_without_flags": drained.plain.errors,
        "pods": [_pod_data(departure, cluster) for departure in drained.departures],
        "stays": [drained_pod.shown for drained_pod in drained.drain.pods if not drained_pod.leaves],
    }


def _pod_data(departure: Departure, cluster: Cluster) -> dict[str, Any]:
    verdict = departure.eviction
    workload: Ref = workload_of(departure.pod, cluster)
    return {
        "pod": ref(departure.pod),
        "workload": workload,
        "eviction": verdict.outcome.value,
        "allowed": verdict.allowed,
        "budgets": [ref(budget) for budget in verdict.budgets],
        "causes": verdict.causes,
        "replaced": departure.replaced,
        "place": departure.place or None,
        "places": departure.places,
        "refusal": _refusal(departure) if departure.stranded else None,
    }
