"""Updates that only say that an object is still alive. A quiet cluster of 5,000 nodes sends 500 of them a second."""

from __future__ import annotations

from msgspec.structs import replace

from kubedoctor.cluster.kinds.coordination import Lease
from kubedoctor.cluster.kinds.core import Node
from kubedoctor.cluster.kinds.meta import KubernetesObject


def is_heartbeat(before: KubernetesObject | None, after: KubernetesObject) -> bool:
    """Whether nothing differs but the version, the renewal of a Lease, or the heartbeats of a Node's conditions.

    `before` None: the object is new.
    """
    if before is None or type(before) is not type(after):
        return False
    return _without_heartbeat(before) == _without_heartbeat(after)


def _without_heartbeat(obj: KubernetesObject) -> KubernetesObject:
    metadata = replace(obj.metadata, resource_version="")
    if isinstance(obj, Lease):
        return replace(obj, metadata=metadata, spec=replace(obj.spec, renew_time=None))
    if isinstance(obj, Node):
        conditions = tuple(replace(condition, last_heartbeat_time=None) for condition in obj.status.conditions or ())
        return replace(obj, metadata=metadata, status=replace(obj.status, conditions=conditions))
    return replace(obj, metadata=metadata)
