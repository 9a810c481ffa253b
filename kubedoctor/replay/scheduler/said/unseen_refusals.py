"""Refusals that might not stand if everything had been seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kubedoctor.replay.scheduler.cycle import Objection, SchedulingVerdict

_VOLUMES = frozenset({"VolumeRestrictions", "NodeVolumeLimits", "VolumeBinding", "VolumeZone"})
_READERS: Mapping[str, frozenset[str]] = {
    "Pod": frozenset({"PodTopologySpread", "InterPodAffinity"}),
    "Namespace": frozenset({"InterPodAffinity"}),
    "PersistentVolumeClaim": _VOLUMES,
    "PersistentVolume": _VOLUMES,
    "StorageClass": _VOLUMES,
    "CSINode": _VOLUMES,
    "CSIDriver": _VOLUMES,
    "CSIStorageCapacity": _VOLUMES,
    "VolumeAttachment": _VOLUMES,
}
"""Kinds, and the plugins that one more object of the kind may turn from no to yes (`pkg/scheduler/framework/plugins`,
v1.37). One more pod only takes more of a node, but it may be the one that an affinity looks for."""


def rests_on_unseen(verdict: SchedulingVerdict, kinds: Iterable[str]) -> bool:
    """Whether some node, or the pod as a whole, is refused only by plugins that look at these kinds. Nodes that were
    not seen are not thought of."""
    doubtful = frozenset(plugin for kind in kinds for plugin in _READERS.get(kind, ()))
    if not doubtful:
        return False
    if verdict.pre_filter is not None:
        return _any_of(verdict.pre_filter, doubtful)
    return any(
        all(_any_of(one, doubtful) for one in (node.first, *node.blockers)) for node in verdict.nodes if node.first
    )


def _any_of(objection: Objection, plugins: frozenset[str]) -> bool:
    """The plugin is one of them, or it is not told which."""
    return not objection.plugin or objection.plugin in plugins
