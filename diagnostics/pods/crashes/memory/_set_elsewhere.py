"""What else decides on a container's memory than its template: an autoscaler that sets limits, files kept in memory."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final, NamedTuple

from kubedoctor.cluster import Cluster, Container, LimitRange, Pod, Quantity, format_bytes, template_of
from kubedoctor.findings import Evidence, Fix, Ref, fix_by_hand, quote, quote_pod_spec, quote_spec
from kubedoctor.replay.kubelet.outcome_facts import memory_limit

_ANNOTATION: Final = "vpaUpdates"
"""Written by the admission controller of the VerticalPodAutoscaler (vertical-pod-autoscaler/pkg/admission-controller)."""
_BY: Final = re.compile(r"updated by (?P<name>[\w.-]+):.*memory limit", re.DOTALL)
_DEFAULTS: Final = "kubernetes.io/limit-ranger"
_DEFAULTED: Final = re.compile(r"(?P<resources>[^;:]+) limit for (?:init )?container (?P<container>[\w.-]+)")
"""As the admission plugin notes what it set (`plugin/pkg/admission/limitranger/admission.go`)."""
VERTICAL: Final = "VerticalPodAutoscaler.autoscaling.k8s.io"
AT_ONCE: Final = timedelta(seconds=30)
OFTEN: Final = 3
SHARED_MEMORY: Final = "/dev/shm"


class LimitSetter(NamedTuple):
    """What gave the container its limit at the pod's creation. words: a clause. fix: where the limit of the template would
    not last."""

    words: str
    evidence: tuple[Evidence, ...]
    fix: Fix | None = None


def setter_of_the_limit(pod: Pod, container: Container, about: Ref, cluster: Cluster) -> LimitSetter | None:
    """The autoscaler that gave the container another memory limit than its template, or the LimitRange that gave it one;
    None where none did."""
    annotations = pod.metadata.annotations or {}
    match = _BY.search(annotations.get(_ANNOTATION, ""))
    by_default = _has_a_default(annotations.get(_DEFAULTS, ""), container.name)
    workload = cluster.maybe.get_ref(about) if (match or by_default) and about.kind != "Pod" else None
    template = template_of(workload) if workload is not None else None
    if template is None:
        return None
    own = next((memory_limit(one) for one in template.spec.containers if one.name == container.name), "")
    if own == memory_limit(container):
        return None
    if match is not None:
        return _by_autoscaler(pod, match["name"], own)
    return None if own else _by_default(pod, container, cluster)


def _by_autoscaler(pod: Pod, name: str, own: str) -> LimitSetter:
    fix = fix_by_hand(
        Ref(VERTICAL, pod.namespace, name),
        f"Set minAllowed memory in the resourcePolicy of VerticalPodAutoscaler {name} to what the container"
        " needs, or controlledValues: RequestsOnly, so that it leaves the limit alone",
    )
    stated = f" (the template has {own})" if own else ""
    evidence = quote(pod, f"metadata.annotations[{_ANNOTATION}]", "who set the limit")
    return LimitSetter(f", set by VerticalPodAutoscaler {name}{stated}", (evidence,), fix)


def _has_a_default(annotation: str, container: str) -> bool:
    """Whether the API server noted that a LimitRange gave the container its memory limit."""
    return any(
        found["container"] == container and "memory" in found["resources"] for found in _DEFAULTED.finditer(annotation)
    )


def _is_same(amount: str, other: str) -> bool:
    try:
        return Quantity.parse(amount) == Quantity.parse(other)
    except ValueError:
        return amount == other


def _by_default(pod: Pod, container: Container, cluster: Cluster) -> LimitSetter:
    """The LimitRange whose default is this limit, if it still is."""
    evidence = quote(pod, f"metadata.annotations[{_DEFAULTS}]", "what the API server filled in")
    for limit_range in cluster.maybe.all(LimitRange, pod.namespace):
        for at, item in enumerate(limit_range.spec.limits or ()):
            default = (item.default or {}).get("memory", "")
            if item.type == "Container" and default and _is_same(default, memory_limit(container)):
                path = f"spec.limits[{at}].default[memory]"
                words = f", the default of LimitRange {limit_range.name} (the template has none)"
                return LimitSetter(words, (quote(limit_range, path, "the default limit"), evidence))
    return LimitSetter(", a default of the namespace's LimitRange (the template has none)", (evidence,))


def limit_it_hit(pod: Pod, container: Container, about: Ref, cluster: Cluster, shows: str) -> list[Evidence]:
    """The limit where it can be changed; in the pod, where that has another than the template."""
    field = "resources.limits[memory]"
    stated = quote_spec(pod, cluster, about, container.name, field, shows)
    own = memory_limit(container)
    if stated and own and stated[0].value != own:
        return [quote(pod, f"spec.containers[name={container.name}].{field}", shows)]
    return stated


def limit_words(limit: str) -> str:
    """Bytes without a unit, as autoscalers write them, in words: `104857600` is 100Mi."""
    return format_bytes(int(limit)) if limit.isdigit() else limit


class FilesInMemory(NamedTuple):
    """A volume in memory that the container mounts: what is in it counts as the container's memory."""

    volume: str
    evidence: tuple[Evidence, ...]
    fix: Fix


def files_in_memory(pod: Pod, container: Container, about: Ref, cluster: Cluster) -> FilesInMemory | None:
    """None where it mounts none but the shared memory."""
    mounted = {
        mount.name
        for mount in container.volume_mounts or ()
        if not mount.read_only and mount.mount_path != SHARED_MEMORY
    }
    for volume in pod.spec.volumes or ():
        if volume.name in mounted and volume.empty_dir is not None and volume.empty_dir.medium == "Memory":
            path = f"spec.volumes[name={volume.name}].emptyDir.medium"
            fix = fix_by_hand(
                about,
                f"Give volume {volume.name} a sizeLimit well below the memory limit, or remove medium: Memory; its files go"
                " only with the pod",
            )
            shows = "its files count as memory of the container"
            return FilesInMemory(volume.name, tuple(quote_pod_spec(pod, cluster, about, path, shows)), fix)
    return None
