"""Pods and the templates that they were created from: a change of a pod is made in the template."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from kubedoctor.cluster.changes import Path, Step, as_manifest
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.relations.workloads import template_of, template_path

_ENCODER: Final = msgspec.json.Encoder()
_TOKEN_VOLUME: Final = "kube-api-access-"
"""The prefix of the volume that every pod gets (`plugin/pkg/admission/serviceaccount`, v1.37)."""


class _Differs(Exception):
    """The template has another value than the pod."""


def steps_in_template(steps: Iterable[Step], pod: Pod, workload: KubernetesObject) -> tuple[Step, ...]:
    """Steps on a pod's spec as steps on the workload whose template made it. Containers and volumes are found by name;
    empty where the template has another value there, so that the change would have another effect on the next pod."""
    template = template_of(workload)
    if template is None:
        return ()
    pod_spec, source = as_manifest(pod.spec), as_manifest(template.spec)
    prefix: Path = tuple(template_path(workload).split("."))
    try:
        return tuple(msgspec.structs.replace(step, path=(*prefix, *_place(step, pod_spec, source))) for step in steps)
    except _Differs:
        return ()


def _place(step: Step, pod: Any, template: Any) -> Path:
    """Raises _Differs. An amount of a container may differ: LimitRanges and admission set their own."""
    path = step.path[1:]
    amount = not step.remove and path[2:3] == ("resources",)
    template_place: list[str | int] = []
    for part in path:
        if part == "-":
            return (*template_place, part)
        if isinstance(part, int):
            element = pod[part]
            part = _position(part, element, template if isinstance(template, list) else [])
        else:
            element = pod.get(part) if isinstance(pod, dict) else None
        template_place.append(part)
        pod = element
        if isinstance(part, int):
            template = template[part]
        else:
            template = template.get(part) if isinstance(template, dict) else None
    if pod != template and not amount:
        raise _Differs
    return tuple(template_place)


def _position(expected: int, element: Any, candidates: list[Any]) -> int:
    if candidates[expected : expected + 1] == [element]:
        return expected
    name = element.get("name") if isinstance(element, dict) else None
    for index, candidate in enumerate(candidates):
        if candidate == element or (name and isinstance(candidate, dict) and candidate.get("name") == name):
            return index
    raise _Differs


def as_created(pod: Pod) -> bytes:
    """Equal for pods that were created from the same template: namespace, labels, annotations and spec, without the
    name that was generated for the volume with the token of the ServiceAccount."""
    metadata = pod.metadata
    created = _ENCODER.encode((metadata.namespace, metadata.labels, metadata.annotations, pod.spec))
    for volume in pod.spec.volumes or ():
        if volume.name.startswith(_TOKEN_VOLUME):
            created = created.replace(volume.name.encode(), _TOKEN_VOLUME.encode())
    return created
