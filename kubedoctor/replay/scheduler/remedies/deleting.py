"""Pods that are deleted to make room for another one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kubedoctor.cluster.changes import Operation
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.replay.scheduler.remedies.edits import Because, Edit, Kind, Remedy

_MOST: Final = 2


def delete_pod(
    pod: Pod, because: Because, node: str = "", names: tuple[str, ...] = (), follows: tuple[Operation, ...] = ()
) -> Edit:
    """Delete another pod; its owner recreates it on another node."""
    about = ref(pod)
    operations = (Operation(about, delete=True),)
    return Edit(Kind.DELETE_POD, about, operations, weight=8, follows=follows, because=because, node=node, names=names)


def delete_pods(pods: Iterable[Pod], because: Because, node: str = "", names: tuple[str, ...] = ()) -> list[Remedy]:
    """Delete other pods; not those of a DaemonSet or static pods, which come back on the same node."""
    distinct = {ref(pod): pod for pod in pods}
    if not distinct or len(distinct) > _MOST or any(comes_back(pod) for pod in distinct.values()):
        return []
    return [tuple(delete_pod(pod, because, node, names) for pod in distinct.values())]


def comes_back(pod: Pod) -> bool:
    return any(owner.kind in ("DaemonSet", "Node") for owner in pod.metadata.owner_references or () if owner.controller)
