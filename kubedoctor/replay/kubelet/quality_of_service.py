"""The quality of service class of a pod (`pkg/apis/core/v1/helper/qos`, v1.37)."""

from __future__ import annotations

from kubedoctor.cluster.grammar.quantities import Quantity, amount_of
from kubedoctor.cluster.kinds.containers import ResourceRequirements
from kubedoctor.cluster.kinds.pods import Pod, PodSpec
from kubedoctor.replay.scheduler.requests import is_pod_level

BEST_EFFORT = "BestEffort"
BURSTABLE = "Burstable"
GUARANTEED = "Guaranteed"


def quality_of_service(pod: Pod) -> str:
    """The class, computed from the spec; the status keeps the class from the pod's creation."""
    return quality_of_service_of(pod.spec)


def quality_of_service_of(spec: PodSpec) -> str:
    """The class of the pods of a template."""
    whole = spec.resources
    if whole is not None and any(is_pod_level(name) for name in (*(whole.limits or ()), *(whole.requests or ()))):
        return _of(whole)
    classes = {_of(container.resources) for container in (*(spec.init_containers or ()), *spec.containers)}
    return _together(classes)


def _together(classes: set[str]) -> str:
    if not classes:
        return BEST_EFFORT
    return classes.pop() if len(classes) == 1 else BURSTABLE


def _of(resources: ResourceRequirements | None) -> str:
    if resources is None or not (resources.requests or resources.limits):
        return BEST_EFFORT
    return _together({_of_one(resources, name) for name in ("cpu", "memory")})


def _of_one(resources: ResourceRequirements, name: str) -> str:
    request, limit = (
        amount_of((side or {}).get(name)) or Quantity() for side in (resources.requests, resources.limits)
    )
    if request != limit:
        return BURSTABLE
    return BEST_EFFORT if request.is_zero else GUARANTEED
