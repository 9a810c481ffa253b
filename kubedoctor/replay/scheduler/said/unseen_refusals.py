"""Rejections that unseen objects might overturn."""

from __future__ import annotations

from collections.abc import Iterable

from kubedoctor.cluster.kinds.references import kind_name
from kubedoctor.replay.scheduler import profile
from kubedoctor.replay.scheduler.cycle import Objection, SchedulingVerdict


def rests_on_unseen(verdict: SchedulingVerdict, kinds: Iterable[str]) -> bool:
    """Whether some node, or the pod as a whole, is rejected only by plugins that read these kinds, given by their
    names. Unseen nodes are not considered."""
    names = frozenset(kinds)
    doubtful = frozenset(
        plugin.name for plugin in profile.PLUGINS if any(kind_name(kind) in names for kind in plugin.reads)
    )
    if not doubtful:
        return False
    if verdict.pre_filter is not None:
        return _any_of(verdict.pre_filter, doubtful)
    return any(
        all(_any_of(objection, doubtful) for objection in (node.first, *node.blockers))
        for node in verdict.nodes
        if node.first
    )


def _any_of(objection: Objection, plugins: frozenset[str]) -> bool:
    """Whether the plugin is one of them, or unknown."""
    return not objection.plugin or objection.plugin in plugins
