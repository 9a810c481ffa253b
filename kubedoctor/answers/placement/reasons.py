"""Why nodes reject a pod, in a few words: read after a node's name, or in a cell of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kubedoctor.cluster.grammar.quantities import format_bytes, format_milli, parse_quantity
from kubedoctor.cluster.grammar.text import listed
from kubedoctor.replay.scheduler.cycle import Objection
from kubedoctor.replay.scheduler.framework import Code, Reason, Shortage
from kubedoctor.replay.scheduler.many.grouping import NodeVerdictGroup, objections_of
from kubedoctor.replay.scheduler.plugins.inter_pod_affinity import (
    EXISTING_ANTI_AFFINITY,
    POD_AFFINITY,
    POD_ANTI_AFFINITY,
)
from kubedoctor.replay.scheduler.plugins.node_affinity import ENFORCED_AFFINITY, NODE_AFFINITY
from kubedoctor.replay.scheduler.plugins.node_declared_features import NODE_FEATURES
from kubedoctor.replay.scheduler.plugins.node_name import NODE_NAME
from kubedoctor.replay.scheduler.plugins.node_ports import HOST_PORT
from kubedoctor.replay.scheduler.plugins.node_resources_fit import TOO_MANY_PODS
from kubedoctor.replay.scheduler.plugins.node_unschedulable import CORDONED
from kubedoctor.replay.scheduler.plugins.node_volume_limits import VOLUME_LIMIT
from kubedoctor.replay.scheduler.plugins.pod_claims import VOLUME_MISSING
from kubedoctor.replay.scheduler.plugins.pod_topology_spread import TOPOLOGY_LABEL, TOPOLOGY_SPREAD
from kubedoctor.replay.scheduler.plugins.volume_binding import FREE_STORAGE, NO_VOLUME, VOLUME_NODE_AFFINITY
from kubedoctor.replay.scheduler.plugins.volume_restrictions import CLAIM_IN_USE, VOLUME_CONFLICT
from kubedoctor.replay.scheduler.plugins.volume_zone import VOLUME_ZONE

PRE_FILTER: Final = "PreFilter"
"""The title of rejections by several plugins together, before nodes are examined."""
_MEBI: Final = 1 << 20
_MOST_NAMED: Final = 5
_WORDS: Final = {
    CORDONED: "cordoned",
    NODE_NAME: "not the node of nodeName",
    NODE_AFFINITY: "labels do not match",
    ENFORCED_AFFINITY: "excluded by the scheduler's addedAffinity",
    HOST_PORT: "host port in use",
    TOO_MANY_PODS: "maximum number of pods",
    VOLUME_CONFLICT: "disk in use",
    CLAIM_IN_USE: "claim in use by another pod",
    VOLUME_LIMIT: "too many volumes",
    NO_VOLUME: "no volume to bind",
    FREE_STORAGE: "insufficient storage",
    VOLUME_MISSING: "volume does not exist",
    VOLUME_ZONE: "volume in another zone",
    TOPOLOGY_SPREAD: "topology spread: too many pods there",
    TOPOLOGY_LABEL: "topology spread: no label",
    POD_AFFINITY: "pod affinity: no such pod",
    POD_ANTI_AFFINITY: "pod anti-affinity: such a pod runs there",
    EXISTING_ANTI_AFFINITY: "excluded by another pod's anti-affinity",
    NODE_FEATURES: "lacks a feature",
    VOLUME_NODE_AFFINITY: "volume node affinity conflict",
}
"""Where the scheduler names nothing itself."""


def plugin_title(objection: Objection) -> str:
    """The title of the filter that rejects the node."""
    return objection.plugin or PRE_FILTER


def group_reasons(group: NodeVerdictGroup, *, figures: bool = False) -> dict[str, str]:
    """Why each filter rejects the nodes of a group, by the filter's title."""
    by_filter: dict[str, list[Objection]] = {plugin_title(blocker): [] for blocker in group.blockers}
    for node in group.examples or group.nodes:
        for objection in objections_of(node):
            by_filter.setdefault(plugin_title(objection), []).append(objection)
    return {title: short_reason(*objections, figures=figures) for title, objections in by_filter.items()}


def short_reason(*objection: Objection, figures: bool = False) -> str:
    """Why one plugin rejects nodes; for several nodes, the range of what they lack. figures: also what is free, where
    it is the same on all nodes."""
    first = objection[0].status
    if first.shortages:
        return ", ".join(
            _shortage(
                [blocker.status.shortages[index] for blocker in objection if len(blocker.status.shortages) > index],
                figures,
            )
            for index in range(len(first.shortages))
        )
    names = listed(first.named, _MOST_NAMED)
    if names and objection[0].plugin == "TaintToleration":
        return f"taint {names}"
    words = ", ".join(_reason_words(reason) for reason in first.reasons)
    words = words or ("error" if first.code is Code.ERROR else "rejects")
    return f"{words}: {names}" if names and names not in words else words


def _reason_words(reason: Reason) -> str:
    """Upstream's text where that names its subject."""
    words = "" if reason.detail else _WORDS.get(reason.obstacle, "")
    return words or reason.text.removeprefix("node(s) ")


def whole_reason(objection: Objection) -> str:
    """The reason that applies to all nodes at once, in the scheduler's words and with its subject."""
    about = [name for name in objection.status.named if name not in objection.status.message]
    return objection.status.message + (f" ({', '.join(about)})" if about else "")


def _shortage(shortages: Sequence[Shortage], figures: bool) -> str:
    resource = shortages[0].resource
    if resource == "pods":
        return f"maximum of {_span('', [shortage.capacity for shortage in shortages])} pods reached"
    small = ", node too small" if all(shortage.beyond for shortage in shortages) else ""
    text = f"lacks {_span(resource, [shortage.missing for shortage in shortages])} {resource}{small}"
    return text + _rest(shortages[0]) if figures and len(set(shortages)) == 1 else text


def _rest(short: Shortage) -> str:
    whole = amount(short.resource, short.capacity)
    if short.beyond:
        return f" (has {whole} in total)"
    return f" ({amount(short.resource, max(short.capacity - short.used, 0))} of {whole} free)"


def _span(resource: str, numbers: Sequence[int]) -> str:
    smallest, largest = amount(resource, min(numbers)), amount(resource, max(numbers))
    return smallest if smallest == largest else f"{smallest} to {largest}"


def amount(resource: str, number: int) -> str:
    """An amount for people, given as thousandths of a CPU, or as bytes of memory and storage. Nothing is rounded by
    more than 1Mi."""
    if resource == "cpu":
        return format_milli(number)
    if resource not in ("memory", "ephemeral-storage") and not resource.startswith("hugepages-"):
        return str(number)
    short = format_bytes(number)
    exact = abs(number) < _MEBI or parse_quantity(short).value() == number
    return short if exact else f"{-(-number // _MEBI)}Mi"
