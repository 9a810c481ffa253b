"""What else decides on a container's memory than its template: an autoscaler that sets limits, files kept in memory."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final, NamedTuple

from kubedoctor.cluster import Cluster, Container, Pod, format_bytes, template_of
from kubedoctor.findings import Evidence, Fix, Ref, fix_by_hand, quote, quote_pod_spec, quote_spec
from kubedoctor.replay.kubelet.outcome_facts import memory_limit

_ANNOTATION: Final = "vpaUpdates"
"""Written by the admission controller of the VerticalPodAutoscaler (vertical-pod-autoscaler/pkg/admission-controller)."""
_BY: Final = re.compile(r"updated by (?P<name>[\w.-]+):.*memory limit", re.DOTALL)
VERTICAL: Final = "VerticalPodAutoscaler.autoscaling.k8s.io"
AT_ONCE: Final = timedelta(seconds=30)
OFTEN: Final = 3
SHARED_MEMORY: Final = "/dev/shm"


class LimitSetter(NamedTuple):
    """A VerticalPodAutoscaler that changed the limit at the pod's creation. `own`: the template's limit, if it has one."""

    ref: Ref
    own: str
    evidence: Evidence

    @property
    def words(self) -> str:
        own = f" (the template has {self.own})" if self.own else ""
        return f", set by VerticalPodAutoscaler {self.ref.name}{own}"

    @property
    def fix(self) -> Fix:
        return fix_by_hand(
            self.ref,
            f"Set minAllowed memory in the resourcePolicy of VerticalPodAutoscaler {self.ref.name} to what the container"
            " needs, or controlledValues: RequestsOnly, so that it leaves the limit alone",
        )


def setter_of_the_limit(pod: Pod, container: Container, about: Ref, cluster: Cluster) -> LimitSetter | None:
    """The autoscaler that gave the container another memory limit than its template; None where none did."""
    match = _BY.search((pod.metadata.annotations or {}).get(_ANNOTATION, ""))
    workload = cluster.maybe.get_ref(about) if match is not None and about.kind != "Pod" else None
    template = template_of(workload) if workload is not None else None
    if match is None or template is None:
        return None
    own = next((memory_limit(one) for one in template.spec.containers if one.name == container.name), "")
    if own == memory_limit(container):
        return None
    evidence = quote(pod, f"metadata.annotations[{_ANNOTATION}]", "who set the limit")
    return LimitSetter(Ref(VERTICAL, pod.namespace, match["name"]), own, evidence)


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
