"""The containers of a pod that matter, whose fault their state is, and where that stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
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
"""What follows from a container that does not run: it is not ready, its rollout stands still, its Service is empty."""


class ContainerWithStatus(NamedTuple):
    """A container of a pod with its status."""

    container: Container
    status: ContainerStatus
    is_init: bool


def stays(pod: Pod) -> bool:
    """Neither finished nor being deleted: what its containers do matters."""
    return not (finished(pod) or terminating(pod))


def parts_of(pod: Pod) -> Iterator[ContainerWithStatus]:
    """The containers that have a status, init containers first."""
    init = {one.name for one in pod.spec.init_containers or ()}
    containers = {one.name: one for one in all_containers(pod)}
    for status in all_statuses(pod):
        if status.name in containers:
            yield ContainerWithStatus(containers[status.name], status, status.name in init)


def waiting_parts(pod: Pod, *reasons: str) -> Iterator[tuple[ContainerWithStatus, ContainerStateWaiting]]:
    """The containers of a pod that stays which wait for one of these reasons."""
    if not stays(pod):
        return
    for part in parts_of(pod):
        waiting = part.status.state.waiting if part.status.state else None
        if waiting is not None and waiting.reason in reasons:
            yield part, waiting


def at_fault(
    pod: Pod, cluster: Cluster, container: str = "", same: Callable[[Container, Container], bool] | None = None
) -> Ref:
    """The workload whose template makes such pods, or the pod itself.

    The pod itself also if its container is no longer what the template says (`same`): the fault is in a version
    that was replaced.
    """
    name = workload_of(pod, cluster)
    if name.kind == "Pod" or same is None:
        return name
    workload = cluster.maybe.get_ref(name)
    template = template_of(workload) if workload is not None else None
    if template is None:
        return name
    mine = next((one for one in all_containers(pod) if one.name == container), None)
    theirs = (*(template.spec.init_containers or ()), *template.spec.containers)
    wanted = next((one for one in theirs if one.name == container), None)
    return ref(pod) if mine and wanted and not same(mine, wanted) else name


def quote_spec(pod: Pod, cluster: Cluster, about: Ref, container: str, field: str, shows: str = "") -> list[Evidence]:
    """A field of the container where it is to be changed: in the workload's template, else in the pod; at most one."""
    return quote_pod_spec(pod, cluster, about, f"{container_path(pod, container)}.{field}", shows)


def quote_pod_spec(pod: Pod, cluster: Cluster, about: Ref, path: str, shows: str = "") -> list[Evidence]:
    """As `quote_spec`, by the path in the pod: `spec.volumes[name=tls].secret.secretName`."""
    workload = cluster.maybe.get_ref(about) if about.kind != "Pod" else None
    places: list[tuple[KubernetesObject, str]] = [(pod, path)]
    if workload is not None and template_of(workload) is not None:
        places.insert(0, (workload, f"{template_path(workload)}{path.removeprefix('spec')}"))
    return next(([quote(obj, where, shows)] for obj, where in places if has_path(obj, where)), [])


def quote_status(pod: Pod, container: str, *fields: str) -> list[Evidence]:
    """Those of the fields of a container's status that hold something."""
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


def seconds(time: timedelta | None) -> str:
    """A duration for people: `3 s`, `4 min`, `2 h`; `no time` for None."""
    if time is None:
        return "no time"
    count = int(time.total_seconds())
    if count < 120:
        return f"{count} s"
    return f"{count // 60} min" if count < 7200 else f"{count // 3600} h"


def times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def in_container(pod: Pod, name: str) -> str:
    """` of container proxy` where a pod has several, nothing where it has one."""
    return f" of container {name}" if len(pod.spec.containers) + len(pod.spec.init_containers or ()) > 1 else ""
