"""The scheduler's default profile: its filter plugins, and what is derived from all of them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.scheduler.framework import Obstacle, Plugin, PodPart
from kubedoctor.replay.scheduler.plugins.dynamic_resources import DynamicResources
from kubedoctor.replay.scheduler.plugins.inter_pod_affinity import InterPodAffinity
from kubedoctor.replay.scheduler.plugins.node_affinity import NodeAffinity
from kubedoctor.replay.scheduler.plugins.node_declared_features import NodeDeclaredFeatures
from kubedoctor.replay.scheduler.plugins.node_name import NodeName
from kubedoctor.replay.scheduler.plugins.node_ports import NodePorts
from kubedoctor.replay.scheduler.plugins.node_resources_fit import NodeResourcesFit
from kubedoctor.replay.scheduler.plugins.node_unschedulable import NodeUnschedulable
from kubedoctor.replay.scheduler.plugins.node_volume_limits import NodeVolumeLimits
from kubedoctor.replay.scheduler.plugins.pod_topology_spread import PodTopologySpread
from kubedoctor.replay.scheduler.plugins.taint_toleration import TaintToleration
from kubedoctor.replay.scheduler.plugins.volume_binding import VolumeBinding
from kubedoctor.replay.scheduler.plugins.volume_restrictions import VolumeRestrictions
from kubedoctor.replay.scheduler.plugins.volume_zone import VolumeZone
from kubedoctor.replay.scheduler.releases import SchedulerRelease

PLUGINS: tuple[Plugin, ...] = (
    NodeName(),
    NodeUnschedulable(),
    TaintToleration(),
    NodeAffinity(),
    NodePorts(),
    NodeResourcesFit(),
    VolumeRestrictions(),
    NodeVolumeLimits(),
    VolumeBinding(),
    VolumeZone(),
    PodTopologySpread(),
    InterPodAffinity(),
    DynamicResources(),
    NodeDeclaredFeatures(),
)
"""In the order in which they run (`pkg/scheduler/apis/config/v1/default_plugins.go`, v1.37). A new plugin is one
line here."""

_SWAPPED_UNTIL: Final = SchedulerRelease(37)
"""Before this release the first two are in reverse order."""

Patterns = tuple[tuple[re.Pattern[str], Obstacle], ...]


def default_plugins(release: SchedulerRelease) -> tuple[Plugin, ...]:
    """The filter plugins of a release in their order."""
    return _of_release(PLUGINS, release)


@lru_cache(maxsize=64)
def _of_release(plugins: tuple[Plugin, ...], release: SchedulerRelease) -> tuple[Plugin, ...]:
    first, second, *later = plugins
    ordered = (second, first, *later) if release < _SWAPPED_UNTIL else plugins
    return tuple(plugin for plugin in ordered if plugin.runs_in(release))


def plugin_named(name: str) -> Plugin | None:
    """None for an unknown name, such as the empty name of an objection by several plugins."""
    return next((plugin for plugin in PLUGINS if plugin.name == name), None)


def patterns() -> Patterns:
    """The wordings of the reasons of all plugins, and their meaning."""
    return _patterns(PLUGINS)


@lru_cache(maxsize=4)
def _patterns(plugins: tuple[Plugin, ...]) -> Patterns:
    wordings = dict.fromkeys(wording for plugin in plugins for wording in plugin.wordings)
    return tuple((re.compile(wording.pattern, re.DOTALL), wording.obstacle) for wording in wordings)


def pod_parts() -> tuple[PodPart, ...]:
    """Everything that any plugin reads of a pod."""
    return _pod_parts(PLUGINS)


@lru_cache(maxsize=4)
def _pod_parts(plugins: tuple[Plugin, ...]) -> tuple[PodPart, ...]:
    return tuple(dict.fromkeys(part for plugin in plugins for part in plugin.pod_parts))


def kinds_read(pod: Pod | None = None) -> tuple[type[KubernetesObject], ...]:
    """The kinds that the plugins read besides nodes and pods, for any pod or for this one."""
    return tuple(
        dict.fromkeys(kind for plugin in PLUGINS if pod is None or plugin.concerns(pod) for kind in plugin.reads)
    )


def plugins_reading(kind: type[KubernetesObject]) -> tuple[Plugin, ...]:
    """The plugins whose results depend on objects of the kind."""
    return tuple(plugin for plugin in PLUGINS if kind in plugin.reads)
