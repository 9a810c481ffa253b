"""Updates that only say that an object is still alive. A quiet cluster of 5,000 nodes sends 500 of them a second."""

from __future__ import annotations

from functools import cache
from typing import Any

from msgspec.structs import replace

from kubedoctor.cluster.kinds.coordination import LeaseSpec
from kubedoctor.cluster.kinds.core import NodeStatus
from kubedoctor.cluster.kinds.meta import KubernetesObject, ObjectMeta


def is_heartbeat(before: KubernetesObject | None, after: KubernetesObject) -> bool:
    """Whether nothing differs but the version, the renewal of a Lease, or the heartbeats of a Node's conditions.

    `before` None: the object is new.
    """
    if before is None or type(before) is not type(after):
        return False
    for field in _in_turn(type(after)):
        old, new = getattr(before, field), getattr(after, field)
        if old != new and (not isinstance(new, _BEATING) or _still(old) != _still(new)):
            return False
    return True


@cache
def _in_turn(kind: type[KubernetesObject]) -> tuple[str, ...]:
    """The fields of a kind. What changes most often comes first, the status: the rest of the object is then not compared. The
    metadata come last, because their version differs always."""
    return (*reversed([field for field in kind.__struct_fields__ if field != "metadata"]), "metadata")


_BEATING = (ObjectMeta, LeaseSpec, NodeStatus)


def _still(part: Any) -> Any:
    """A part of an object without its heartbeats."""
    if isinstance(part, ObjectMeta):
        return replace(part, resource_version="")
    if isinstance(part, LeaseSpec):
        return replace(part, renew_time=None)
    if isinstance(part, NodeStatus):
        conditions = tuple(replace(condition, last_heartbeat_time=None) for condition in part.conditions or ())
        return replace(part, conditions=conditions)
    return part
