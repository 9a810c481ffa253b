"""The containers of a pod, the object at fault for their state, and the evidence for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from kubedoctor.cluster.kinds.containers import Container, ContainerStateWaiting, ContainerStatus
from kubedoctor.cluster.kinds.core import Event
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.workloads import template_of, template_path, workload_of
from kubedoctor.cluster.seen.quoting import Evidence, has_path, quote
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import all_containers, all_statuses, container_path, finished, status_path, terminating
from kubedoctor.findings.diagnostic import Explains

CONSEQUENCES = (Explains("same", ("KD1012", "KD1201", "KD1204")), Explains("selects", ("KD2001",)))
"""What a container that does not run causes: it is not ready, its rollout is stuck, its Service has no endpoints."""


class ContainerWithStatus(NamedTuple):
    """A container of a pod with its status."""

    container: Container
    status: ContainerStatus
    is_init: bool


def stays(pod: Pod) -> bool:
    """Neither finished nor being deleted: the state of its containers matters."""
    return not (finished(pod) or terminating(pod))


def parts_of(pod: Pod) -> Iterator[ContainerWithStatus]:
    """The containers that have a status, init containers first."""
    init = {container.name for container in pod.spec.init_containers or ()}
    containers = {container.name: container for container in all_containers(pod)}
    for status in all_statuses(pod):
        if status.name in containers:
            yield ContainerWithStatus(containers[status.name], status, status.name in init)


def waiting_parts(pod: Pod, *reasons: str) -> Iterator[tuple[ContainerWithStatus, ContainerStateWaiting]]:
    """The containers that wait for these reasons, in a pod that is neither finished nor being deleted."""
    if not stays(pod):
        return
    for part in parts_of(pod):
        waiting = part.status.state.waiting if part.status.state else None
        if waiting is not None and waiting.reason in reasons:
            yield part, waiting


def at_fault(
    pod: Pod, cluster: Cluster, container: str = "", same: Callable[[Container, Container], bool] | None = None
) -> Ref:
    """The workload whose template creates such pods, or the pod itself.

    The pod itself also if its container differs from the template's (`same`): the fault is in an older revision.
    """
    name = workload_of(pod, cluster)
    if name.kind == "Pod" or same is None:
        return name
    workload = cluster.maybe.get_ref(name)
    template = template_of(workload) if workload is not None else None
    if template is None:
        return name
    mine = next((candidate for candidate in all_containers(pod) if candidate.name == container), None)
    theirs = (*(template.spec.init_containers or ()), *template.spec.containers)
    wanted = next((candidate for candidate in theirs if candidate.name == container), None)
    return ref(pod) if mine and wanted and not same(mine, wanted) else name


def quote_spec(pod: Pod, cluster: Cluster, about: Ref, container: str, field: str, shows: str = "") -> list[Evidence]:
    """A field of the container where it can be changed: in the workload's template, else in the pod; at most one item."""
    return quote_pod_spec(pod, cluster, about, f"{container_path(pod, container)}.{field}", shows)


def quote_pod_spec(pod: Pod, cluster: Cluster, about: Ref, path: str, shows: str = "") -> list[Evidence]:
    """As `quote_spec`, by the path in the pod: `spec.volumes[name=tls].secret.secretName`."""
    workload = cluster.maybe.get_ref(about) if about.kind != "Pod" else None
    places: list[tuple[KubernetesObject, str]] = [(pod, path)]
    if workload is not None and template_of(workload) is not None:
        places.insert(0, (workload, f"{template_path(workload)}{path.removeprefix('spec')}"))
    return next(([quote(obj, where, shows)] for obj, where in places if has_path(obj, where)), [])


def quote_status(pod: Pod, container: str, *fields: str) -> list[Evidence]:
    """The given fields of a container's status that have a value."""
    paths = [f"{status_path(pod, container)}.{field}" for field in fields]
    return [quote(pod, path) for path in paths if has_path(pod, path)]


def newest_event(pod: Pod, cluster: Cluster, *reasons: str, text: str = "", container: str = "") -> Event | None:
    """The newest event about a pod with one of the reasons, and with `text` in its message."""
    for event in reversed(cluster.events_about(ref(pod))):
        if event.reason in reasons and text in event.message:
            place = event.involved_object.field_path
            if not container or not place or f"{{{container}}}" in place:
                return event
    return None


def times(count: int) -> str:
    """`once`, `3 times`."""
    return "once" if count == 1 else f"{count} times"


def in_container(pod: Pod, name: str) -> str:
    """`` of container `proxy` `` in a pod of several containers, nothing in a pod of one."""
    return f" of container `{name}`" if len(pod.spec.containers) + len(pod.spec.init_containers or ()) > 1 else ""
