"""The other version of a program that a Service could select: the same labels but for one."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from kubedoctor.cluster.changes import Change, put
from kubedoctor.cluster.kinds.containers import Container
from kubedoctor.cluster.kinds.core import Service
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished, ready, terminating
from kubedoctor.replay.kubelet.image_names import parse_image_name


class OtherVersion(msgspec.Struct, frozen=True):
    """key, value: the label that differs (`version=blue`). pods: its ready pods. change: the selector switched to it."""

    key: str
    value: str
    pods: tuple[Pod, ...]
    change: Change


def other_version(service: Service, containers: Iterable[Container], cluster: Cluster) -> OtherVersion | None:
    """The only other value of one label of the selector that ready pods with all its other labels have; None where there
    is none or more than one. containers: of the selected version; pods of another program are no version of it."""
    programs = {_program(container) for container in containers}
    selector = service.spec.selector or {}
    found: dict[tuple[str, str], list[Pod]] = {}
    pods = cluster.maybe.all(Pod, service.namespace) if len(selector) > 1 else ()
    for pod in pods:
        if (
            not ready(pod)
            or finished(pod)
            or terminating(pod)
            or programs.isdisjoint(map(_program, pod.spec.containers))
        ):
            continue
        unlike = [key for key, value in selector.items() if pod.labels.get(key) != value]
        if len(unlike) == 1 and (value := pod.labels.get(unlike[0])):
            found.setdefault((unlike[0], value), []).append(pod)
    if len(found) != 1:
        return None
    ((key, value), of_it) = next(iter(found.items()))
    return OtherVersion(key, value, tuple(of_it), put(ref(service), ("spec", "selector", key), value))


def _program(container: Container) -> str:
    """The repository of its image."""
    return parse_image_name(container.image).repository
