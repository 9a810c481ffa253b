"""The number of pods that an autoscaler demands and sets, as a sheet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

from kubedoctor.answers.scaling.words import failure_line, load_line
from kubedoctor.answers.sheet import Cell, Conclusion, Fact, Mark, Sheet, SheetRow, Table
from kubedoctor.cluster.grammar.durations import human_duration
from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.kinds.autoscaling import HorizontalPodAutoscaler
from kubedoctor.cluster.kinds.meta import condition
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.autoscalers import is_gone, target_of
from kubedoctor.cluster.relations.workloads import controlling_owner, pods_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.findings.model import Command
from kubedoctor.replay.autoscaling.demand import Demand, demands, tolerance_of
from kubedoctor.replay.autoscaling.failures import failing, metrics_failure, scale_failure
from kubedoctor.replay.autoscaling.limits import Held, Limited, limited, window

_STABILISED = ("ScaleDownStabilized", "ScaleUpStabilized")


class _Verdict(NamedTuple):
    text: str
    conclusion: Conclusion
    result: Limited | None = None


def scaling_sheet(autoscaler: HorizontalPodAutoscaler, cluster: Cluster) -> Sheet:
    """The answer about one autoscaler."""
    found = demands(autoscaler)
    verdict = _verdict(autoscaler, found, cluster)
    return Sheet(
        title=ref(autoscaler).title,
        verdict=verdict.text,
        conclusion=verdict.conclusion,
        facts=tuple(_facts(autoscaler)),
        tables=tuple(_tables(found)),
        next=(Command(ref(autoscaler).describe_command, "its metrics, conditions and events"),),
        data=_data(autoscaler, found, verdict),
    )


def _verdict(autoscaler: HorizontalPodAutoscaler, found: tuple[Demand, ...], cluster: Cluster) -> _Verdict:
    active = condition(autoscaler.status.conditions, "ScalingActive")
    able = condition(autoscaler.status.conditions, "AbleToScale")
    if able is not None and able.status == "False":
        return _Verdict(f"scales nothing: {scale_failure(able)}", Conclusion.TROUBLE)
    target = target_of(autoscaler)
    if is_gone(target, cluster):
        return _Verdict(f"scales nothing: its target {target.title} does not exist", Conclusion.TROUBLE)
    failed = failing(autoscaler)
    if failed is not None:
        workload = cluster.maybe.get_ref(target)
        pods = pods_of(workload, cluster.maybe) if workload is not None else ()
        return _Verdict(f"computes no number: {failure_line(metrics_failure(failed), pods)}", Conclusion.TROUBLE)
    if active is not None and active.status == "False":
        off = active.reason == "ScalingDisabled"
        text = "is disabled, because its target has 0 replicas" if off else f"does not scale: {active.message}"
        return _Verdict(text, Conclusion.TROUBLE)
    if not found or active is None:
        return _Verdict("has reported no metrics yet", Conclusion.UNKNOWN)
    return _decided(autoscaler, found[0], cluster)


def _decided(autoscaler: HorizontalPodAutoscaler, top: Demand, cluster: Cluster) -> _Verdict:
    """The largest demand, and what is left of it."""
    current = autoscaler.status.current_replicas
    result = limited(autoscaler, top.replicas, current, cluster.taken_at)
    able = condition(autoscaler.status.conditions, "AbleToScale")
    kept = able is not None and able.reason in _STABILISED and result.replicas != current
    if kept or result.by is Held.WINDOW:
        result = Limited(top.replicas, current, Held.WINDOW)
        time = human_duration(window(autoscaler, up=top.replicas > current))
        text = f"would be {top.replicas}, stays at {current} within its stabilization window of {time}"
        return _Verdict(text, Conclusion.WELL, result)
    if result.by is Held.BY_NOTHING:
        return _Verdict(_unlimited(autoscaler, top, current), Conclusion.WELL, result)
    how = {
        Held.MAXIMUM: "by maxReplicas",
        Held.MINIMUM: "by minReplicas",
        Held.RATE: "for now by its scaling policies",
        Held.DISABLED: "by selectPolicy Disabled",
    }[result.by]
    word = "held at" if result.replicas == current else "goes to"
    trouble = result.by in (Held.MAXIMUM, Held.DISABLED) and top.replicas > result.replicas
    conclusion = Conclusion.TROUBLE if trouble else Conclusion.WELL
    text = f"would be {top.replicas}, {word} {result.replicas} {how} ({load_line(top)})"
    return _Verdict(text, conclusion, result)


def _unlimited(autoscaler: HorizontalPodAutoscaler, top: Demand, current: int) -> str:
    if top.replicas != current:
        return f"goes from {current} to {top.replicas} ({load_line(top)})"
    tolerance = tolerance_of(autoscaler)
    if top.ratio != 1.0 and tolerance.covers(top.ratio):
        share = tolerance.up if top.ratio > 1 else tolerance.down
        return f"stays at {current}: {load_line(top)}, within the tolerance of {share:.0%}"
    return f"stays at {current} ({load_line(top)})"


def _facts(autoscaler: HorizontalPodAutoscaler) -> Iterator[Fact]:
    spec = autoscaler.spec
    least = 1 if spec.min_replicas is None else spec.min_replicas
    yield Fact("target", f"{target_of(autoscaler).title}, {counted(autoscaler.status.current_replicas, 'pod')} now")
    yield Fact("range", f"{least} to {spec.max_replicas}")
    for up in (True, False):
        time = window(autoscaler, up=up)
        if time > timedelta():
            yield Fact("stabilization", f"{'up' if up else 'down'}: {human_duration(time)}")
    owner = controlling_owner(autoscaler)
    if owner is not None:
        yield Fact("owner", f"{owner.kind} {autoscaler.namespace}/{owner.name}: changes are made there")


def _tables(found: tuple[Demand, ...]) -> Iterator[Table]:
    if found:
        rows = tuple(
            SheetRow(
                (
                    Cell(f"{demand.name} of {demand.container}" if demand.container else demand.name),
                    Cell(demand.current),
                    Cell(demand.target),
                    Cell(counted(demand.replicas, "pod"), Mark.YES if demand is found[0] else Mark.NONE),
                )
            )
            for demand in found
        )
        yield Table(("metric", "current", "target", "demands"), rows)


def _data(autoscaler: HorizontalPodAutoscaler, found: tuple[Demand, ...], verdict: _Verdict) -> dict[str, Any]:
    result = verdict.result
    return {
        "autoscaler": ref(autoscaler),
        "target": target_of(autoscaler),
        "conclusion": verdict.conclusion,
        "current": autoscaler.status.current_replicas,
        "demanded": result.demanded if result else None,
        "replicas": result.replicas if result else None,
        "held_by": result.by if result else None,
        "metrics": [
            {
                "name": demand.name,
                "container": demand.container or None,
                "current": demand.current,
                "target": demand.target,
                "demands": demand.replicas,
            }
            for demand in found
        ],
    }


def without_autoscaler(workload: Ref, replicas: int, *, all_seen: bool) -> Sheet:
    """The answer about a workload that no autoscaler scales, as far as autoscalers were seen."""
    pods = counted(replicas, "pod")
    if not all_seen:
        text = f"is to have {pods} by its own spec, unless an autoscaler that was not seen scales it"
        return Sheet(workload.title, text, Conclusion.UNKNOWN)
    return Sheet(workload.title, f"is to have {pods} by its own spec: no autoscaler scales it", Conclusion.WELL)
