"""A program that answers its probes too late, because it uses all the CPU that it may, or its node has none left."""

from __future__ import annotations

from typing import Final, NamedTuple

from kubedoctor.cluster import Cluster, Container, Pod, PodMetrics, amount_of, has_path
from kubedoctor.findings import SETTABLE, Effect, Evidence, Fix, Ref, fix_by_hand, kubectl, quote, quote_spec
from kubedoctor.replay.kubelet.memory.go_collector import busy_collector
from kubedoctor.replay.kubelet.probes import ProbeAnswer

_AT_THE_LIMIT: Final = 0.95
"""Of the limit, over the window of metrics-server: short stops in between are not visible."""


class Starved(NamedTuple):
    clause: str
    fixes: tuple[Fix, ...]
    evidence: tuple[Evidence, ...]


def at_its_cpu_limit(
    pod: Pod, container: Container, answer: ProbeAnswer, about: Ref, cluster: Cluster
) -> Starved | None:
    """Of a probe that timed out: the container's CPU in use is as much as its limit. None where that was not measured."""
    limits = (container.resources.limits if container.resources is not None else None) or {}
    limit = amount_of(str(limits.get("cpu") or ""))
    if answer is not ProbeAnswer.TIMEOUT or limit is None or not limit.milli_value():
        return None
    metrics = next((one for one in cluster.measured(PodMetrics, pod.namespace) if one.name == pod.name), None)
    path = f"containers[name={container.name}].usage[cpu]"
    if metrics is None or not has_path(metrics, path):
        return None
    used = next(one.usage for one in metrics.containers or () if one.name == container.name)
    usage = amount_of(used["cpu"])
    if usage is None or usage.milli_value() < limit.milli_value() * _AT_THE_LIMIT:
        return None
    now, own = f"{usage.milli_value()}m", f"{limit.milli_value()}m"
    words = f"Raise the CPU limit of container `{container.name}` from {own} to {2 * limit.milli_value()}m"
    fix = fix_by_hand(about, words)
    if about.kind in SETTABLE:
        resources = (
            "set",
            "resources",
            about.argument,
            "-c",
            container.name,
            f"--limits=cpu={2 * limit.milli_value()}m",
        )
        fix = Fix(words, kubectl(*resources, namespace=about.namespace), Effect.DISRUPTS)
    clause = f"; the container uses {now} of its {own} CPU limit"
    evidence = (
        *quote_spec(pod, cluster, about, container.name, "resources.limits[cpu]", "its CPU limit"),
        quote(metrics, path, "CPU in use, measured"),
    )
    collector = busy_collector(container, used.get("memory", ""))
    if collector is None:
        return Starved(clause, (fix,), evidence)
    setting = quote_spec(pod, cluster, about, container.name, collector.field, "for the garbage collector of Go")
    return Starved(
        f"{clause}, and with {collector.flag} Go's garbage collector runs {collector.effect}",
        (fix_by_hand(about, f"{collector.advice} in container `{container.name}`"), fix),
        (*evidence, *setting),
    )
