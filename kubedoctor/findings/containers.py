"""The containers of a pod with their statuses, and evidence from a status."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from kubedoctor.cluster.kinds.containers import Container, ContainerStateWaiting, ContainerStatus
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.seen.quoting import Evidence, has_path, quote
from kubedoctor.cluster.triage import all_containers, all_statuses, finished, status_path, terminating


class ContainerWithStatus(msgspec.Struct, frozen=True):
    """A container of a pod with its status."""

    container: Container
    status: ContainerStatus
    is_init: bool


def active(pod: Pod) -> bool:
    """Neither finished nor being deleted: the state of its containers matters."""
    return not (finished(pod) or terminating(pod))


def containers_with_status(pod: Pod) -> Iterator[ContainerWithStatus]:
    """The containers that have a status, init containers first."""
    init = {container.name for container in pod.spec.init_containers or ()}
    containers = {container.name: container for container in all_containers(pod)}
    for status in all_statuses(pod):
        if status.name in containers:
            yield ContainerWithStatus(containers[status.name], status, status.name in init)


def waiting_containers(pod: Pod, *reasons: str) -> Iterator[tuple[ContainerWithStatus, ContainerStateWaiting]]:
    """The containers that wait for these reasons, in a pod that is neither finished nor being deleted."""
    if not active(pod):
        return
    for part in containers_with_status(pod):
        waiting = part.status.state.waiting if part.status.state else None
        if waiting is not None and waiting.reason in reasons:
            yield part, waiting


def quote_status(pod: Pod, container: str, *fields: str) -> list[Evidence]:
    """The given fields of a container's status that have a value."""
    paths = [f"{status_path(pod, container)}.{field}" for field in fields]
    return [quote(pod, path) for path in paths if has_path(pod, path)]


def in_container(pod: Pod, name: str) -> str:
    """`` of container `proxy` `` in a pod of several containers, nothing in a pod of one."""
    return f" of container `{name}`" if len(pod.spec.containers) + len(pod.spec.init_containers or ()) > 1 else ""
