"""What the diagnostics of pods share: the containers to look at, whose fault it is, and command lines."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from kubedoctor.cluster import (
    Cluster,
    Container,
    ContainerStatus,
    Event,
    KubernetesObject,
    LogTail,
    NotCollected,
    Pod,
)
from kubedoctor.cluster.pods import ContainerStateWaiting
from kubedoctor.cluster.relations import template_of, template_path, workload_of
from kubedoctor.cluster.triage import all_containers, all_statuses, container_path, finished, status_path, terminating
from kubedoctor.findings import Command, Evidence, Explains, Fix, Ref, has_path, quote, ref
from kubedoctor.replay.kubelet.endings import Ending, failing, last_ending
from kubedoctor.replay.kubelet.killers import Killer, Proof, Verdict, who_ended
from kubedoctor.replay.kubelet.log_lines import is_no_log

CONSEQUENCES = (Explains("same", ("KD1012", "KD1201", "KD1204")), Explains("selects", ("KD2001",)))
"""What follows from a container that does not run: it is not ready, its rollout stands still, its Service is empty."""
SETTABLE = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "CronJob"})
"""Whose template `kubectl set` changes."""


class Part(NamedTuple):
    """A container of a pod with its status."""

    container: Container
    status: ContainerStatus
    is_init: bool


def stays(pod: Pod) -> bool:
    """Neither finished nor being deleted: what its containers do matters."""
    return not (finished(pod) or terminating(pod))


def parts_of(pod: Pod) -> Iterator[Part]:
    """The containers that have a status, init containers first."""
    init = {one.name for one in pod.spec.init_containers or ()}
    containers = {one.name: one for one in all_containers(pod)}
    for status in all_statuses(pod):
        if status.name in containers:
            yield Part(containers[status.name], status, status.name in init)


def waiting_parts(pod: Pod, *reasons: str) -> Iterator[tuple[Part, ContainerStateWaiting]]:
    """The containers of a pod that stays which wait for one of these reasons."""
    if not stays(pod):
        return
    for part in parts_of(pod):
        waiting = part.status.state.waiting if part.status.state else None
        if waiting is not None and waiting.reason in reasons:
            yield part, waiting


class End(NamedTuple):
    """The last end of a container that still matters, and who caused it. `log`: the lines of that run."""

    part: Part
    ending: Ending
    verdict: Verdict
    log: Log

    @property
    def name(self) -> str:
        return self.part.container.name

    @property
    def killer(self) -> Killer:
        return self.verdict.killer


class Log(NamedTuple):
    """The log of the run that ended; `previous` as kubectl means it."""

    lines: tuple[str, ...]
    previous: bool


def ends_of(pod: Pod, cluster: Cluster, suits: Callable[[Part], bool] = lambda _: True) -> Iterator[End]:
    """The containers of a pod that stays which end again and again, each with the verdict on its last end.

    suits: which containers the diagnostic is about, so that no log is read for another one.
    """
    if not stays(pod):
        return
    for part in parts_of(pod):
        ending = last_ending(part.status)
        if ending is None or not failing(part.status, cluster.taken_at) or _done(part, ending) or not suits(part):
            continue
        _ask_at_once(pod, part, ending, cluster)
        events = cluster.events_about(ref(pod))
        log = Log((), not _ended_now(part))
        verdict = who_ended(pod, part.container, part.status, ending, events)
        if verdict.proof is not Proof.STATED:
            log = log_of_the_end(pod, part, ending, cluster)
            verdict = who_ended(pod, part.container, part.status, ending, events, log.lines)
        yield End(part, ending, verdict, log)


def _ask_at_once(pod: Pod, part: Part, ending: Ending, cluster: Cluster) -> None:
    """Fetch in one round what the verdict and the finding will read."""
    if cluster.snapshot.closed:
        return
    readings: list[Callable[[], object]] = [partial(cluster.events_about, ref(pod)), partial(workload_of, pod, cluster)]
    if not (ending.is_out_of_memory or ending.never_ran):
        readings.append(partial(cluster.log_tail, pod, part.container.name, previous=not _ended_now(part)))
    cluster.together(*readings)


def _done(part: Part, ending: Ending) -> bool:
    """An init container that ended well has done its work, however often it was tried."""
    return part.is_init and not part.container.restarts_always and ending.exit_code == 0 and _ended_now(part)


def _ended_now(part: Part) -> bool:
    return part.status.state is not None and part.status.state.terminated is not None


def log_of_the_end(pod: Pod, part: Part, ending: Ending, cluster: Cluster) -> Log:
    """The log of the run that ended; without lines where the program wrote nothing or it cannot be read."""
    previous = not _ended_now(part)
    tail = cluster.log_tail(pod, part.container.name, previous=previous)
    if tail is None or (tail.lines and is_no_log(tail.lines)):
        # While a container waits for its restart, both logs are those of the run that ended: a recording may hold one.
        running = part.status.state is not None and part.status.state.running is not None
        tail = None if running else _log_at_hand(pod, part.container.name, not previous, cluster)
        previous = previous if tail is None else not previous
    return Log((), previous) if tail is None or is_no_log(tail.lines) else Log(tail.lines, previous)


def _log_at_hand(pod: Pod, container: str, previous: bool, cluster: Cluster) -> LogTail | None:
    """A log that was read already; it is not worth another request."""
    try:
        return cluster.log_tail(pod, container, previous=previous)
    except NotCollected:
        return None


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


def kubectl(*words: str, namespace: str = "") -> str:
    """A command line with the words quoted for the shell."""
    return shlex.join(["kubectl", *words, *(["-n", namespace] if namespace else [])])


def edit_command(about: Ref) -> str:
    """The command that opens an object in an editor."""
    return kubectl("edit", about.argument, namespace=about.namespace)


def change(about: Ref, summary: str) -> Fix:
    """A change by hand of what pods are made from. Pods and Jobs keep theirs for life."""
    if about.kind in ("Pod", "Job"):
        return Fix(f"{summary}; a {about.kind} cannot be changed so: delete it and make it anew")
    return Fix(summary, edit_command(about))


def look_at_pod(pod: Pod, why: str) -> Command:
    return Command(kubectl("describe", "pod", pod.name, namespace=pod.namespace), why)


def look_at_log(pod: Pod, container: str, *, previous: bool, why: str = "") -> Command:
    more = ["--previous"] if previous else []
    line = kubectl("logs", pod.name, "-c", container, *more, namespace=pod.namespace)
    return Command(line, why or ("the end of the run that failed" if previous else "what the program writes"))


def look_at(name: Ref, why: str) -> Command:
    return Command(kubectl("get", name.argument, "-o", "yaml", namespace=name.namespace), why)


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
