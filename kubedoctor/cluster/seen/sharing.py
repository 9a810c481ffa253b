"""Equal parts of the pods of one controller are kept once: they come from one template, and are half of a large
cluster. What a change of an object leaves as it was is kept as well."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from msgspec.structs import force_setattr

from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod, PodSpec

_OF_METADATA: Final = ("labels", "annotations", "owner_references")
_OF_SPEC: Final = ("affinity", "tolerations")
_OF_CONTAINER: Final = ("resources", "security_context")
"""The parts that are large in most pods; containers themselves share others (`kinds.containers`)."""
_CHANGING: Final = ("metadata", "status")


MOST_MODELS: Final = 256
"""Pods that are kept to share with those to come. Pods of one controller come one after the other."""
Models = dict[tuple[str, str], Pod]


def share_parts(objects: Iterable[KubernetesObject], models: Models | None = None) -> None:
    """Let pods of the same controller have equal parts in common. The objects must be new: no other code uses them yet.

    models: those of earlier calls, with whose pods they share too; the newest are kept for later calls.
    """
    models = {} if models is None else models
    for pod in objects:
        owners = pod.metadata.owner_references
        if not owners or not isinstance(pod, Pod):
            continue
        model = models.setdefault((pod.metadata.namespace, owners[0].name), pod)
        if model is not pod:
            _take(_OF_METADATA, model.metadata, pod.metadata)
            _take(_OF_SPEC, model.spec, pod.spec)
            for known, container in zip(model.spec.containers, pod.spec.containers, strict=False):
                _take(_OF_CONTAINER, known, container)
            _take_volumes(model.spec, pod.spec)
    for controller in list(models)[:-MOST_MODELS]:
        del models[controller]


def keep_parts(before: KubernetesObject, after: KubernetesObject) -> None:
    """Let a changed object keep what is equal in it; mostly its status alone differs. `after` must be new: no other code
    uses it yet."""
    if type(before) is type(after):
        _take(_OF_METADATA, before.metadata, after.metadata)
        _take(tuple(name for name in after.__struct_fields__ if name not in _CHANGING), before, after)


def _take(fields: tuple[str, ...], model: Any, part: Any) -> None:
    for name in fields:
        value = getattr(part, name)
        if value is not None and value == (known := getattr(model, name)):
            force_setattr(part, name, known)


def _take_volumes(model: PodSpec, spec: PodSpec) -> None:
    """The name of the volume with the token of the ServiceAccount is the pod's own."""
    known, own = model.volumes or (), spec.volumes or ()
    if len(known) != len(own):
        return
    shared = []
    for volume, mine in zip(known, own, strict=True):
        if volume == mine:
            shared.append(volume)
        else:
            _take(("projected",), volume, mine)
            shared.append(mine)
    force_setattr(spec, "volumes", tuple(shared) if own else spec.volumes)
