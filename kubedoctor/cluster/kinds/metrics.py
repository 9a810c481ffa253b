"""The metrics group: resource usage of containers and nodes."""

import msgspec

from kubedoctor.cluster.kinds.meta import (
    KubernetesObject,
    Part,
    Time,
)


class ContainerUsage(Part):
    """Quantities as text."""

    name: str = ""
    usage: dict[str, str] = msgspec.field(default_factory=dict)


class PodMetrics(KubernetesObject):
    """What metrics-server measured for a pod, over `window`, up to `timestamp`."""

    timestamp: Time | None = None
    window: str = ""
    containers: tuple[ContainerUsage, ...] | None = None


class NodeMetrics(KubernetesObject):
    timestamp: Time | None = None
    window: str = ""
    usage: dict[str, str] = msgspec.field(default_factory=dict)
