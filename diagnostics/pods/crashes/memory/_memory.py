"""What an OOM kill is compared with: the memory in use, the heap's settings, and the limit that would have room."""

from __future__ import annotations

import re

from kubedoctor.cluster import Cluster, ConfigMap, Pod, PodMetrics, controller_of, format_bytes
from kubedoctor.findings import (
    SETTABLE,
    ContainerWithStatus,
    Effect,
    Evidence,
    Fix,
    Ref,
    fix_by_hand,
    has_path,
    kubectl,
    quote,
    quote_spec,
)
from kubedoctor.replay.kubelet.memory.heaps import SHARES, HeapUnderLimit, heap_setting, heap_under
from kubedoctor.replay.kubelet.outcome_facts import Outcome, memory_limit
from kubedoctor.replay.kubelet.outcomes import Cause


def heap_of(pod: Pod, part: ContainerWithStatus, cluster: Cluster) -> HeapUnderLimit | None:
    """The heap that the container's settings allow, where its limit leaves too little beside it."""
    setting = heap_setting(part.container, lambda name: cluster.maybe.get(ConfigMap, pod.namespace, name))
    heap = heap_under(setting, memory_limit(part.container)) if setting is not None else None
    return heap if heap is not None and heap.is_too_large else None


def quoted_setting(pod: Pod, name: str, about: Ref, heap: HeapUnderLimit, cluster: Cluster) -> list[Evidence]:
    """The setting in the container, and its value where a ConfigMap has it."""
    setting = heap.setting
    evidence = quote_spec(pod, cluster, about, name, setting.field, "sets the heap's size")
    config_map, key = setting.config
    config = cluster.maybe.get(ConfigMap, pod.namespace, config_map) if config_map else None
    path = f"data[{key}]"
    return [
        *evidence,
        *([quote(config, path, "the heap's size")] if config is not None and has_path(config, path) else []),
    ]


def room_words(heap: HeapUnderLimit) -> str:
    """`-Xmx120m leaves only 8Mi of the limit for the rest of the program`."""
    rest = heap.limit - heap.size
    room = f"only {format_bytes(rest)} of it for the rest of the program" if rest > 0 else "no room below the limit"
    return f"{heap.setting.flag} leaves {room}"


def measured(pod: Pod, container: str, cluster: Cluster) -> list[Evidence]:
    """The memory in use, where it is measured: of the container, else of the same one in another pod of its set."""
    usage = {metrics.name: metrics for metrics in cluster.measured(PodMetrics, pod.namespace)}
    if not usage:
        return []
    owner = controller_of(pod)
    key = (owner.kind, owner.namespace, owner.name) if owner is not None else ()
    siblings = cluster.snapshot.index("Pod", "owner").get(key, ())
    for other in (pod, *siblings):
        metrics = usage.get(other.name)
        path = f"containers[name={container}].usage[memory]"
        if metrics is not None and has_path(metrics, path):
            return [
                quote(metrics, path, "memory in use now" if other is pod else "memory in use in another pod of its set")
            ]
    return []


def memory_fixes(part: ContainerWithStatus, found: Outcome, about: Ref, heap: HeapUnderLimit | None) -> tuple[Fix, ...]:
    """By what ran out: the node, the pod's limit, or the container's."""
    name, own = part.container.name, memory_limit(part.container)
    if found.cause is Cause.NODE_OUT_OF_MEMORY:
        missing = "a memory request" if own else "a memory request and a memory limit"
        return (fix_by_hand(about, f"Set {missing} near the real use for container `{name}`"),)
    pod_limit = (fix_by_hand(about, "Raise the pod's memory limit"),)
    if found.cause is Cause.POD_MEMORY_LIMIT or not own:
        return pod_limit
    raised = _raise_limit(about, name, own, heap)
    if heap is not None:
        # Under a larger limit a percentage is just as large.
        raised = (_lower_heap(about, own, heap), *(() if heap.setting.percent else raised))
    return (*raised, *(pod_limit if found.cause is Cause.EITHER_MEMORY_LIMIT else ()))


def _lower_heap(about: Ref, limit: str, heap: HeapUnderLimit) -> Fix:
    """Where it is set: in the container, or in the ConfigMap that its environment comes from."""
    flag, share = heap.setting.flag, SHARES[heap.setting.runtime]
    config = heap.setting.config[0]
    place = Ref("ConfigMap", about.namespace, config) if config else about
    to = f"{share} %" if heap.setting.percent else f"{format_bytes(heap.advised)}, {share} % of the {limit} limit"
    restart = ", then restart the pods that use it" if config else ""
    return fix_by_hand(place, f"Lower {flag} to {to}{restart}")


def _raise_limit(about: Ref, container: str, limit: str, heap: HeapUnderLimit | None) -> tuple[Fix, ...]:
    """To where the heap has room, else to twice the limit: how much the program needs is not known."""
    larger = _doubled(limit) if heap is None else _mebibytes(heap.needed)
    if not larger:
        return (fix_by_hand(about, f"Raise the memory limit of container `{container}` above {limit}"),)
    words = ("set", "resources", about.argument, "-c", container, f"--limits=memory={larger}")
    if about.kind not in SETTABLE:
        return (Fix(f"Delete and recreate it with a memory limit of {larger} for container `{container}`"),)
    why = "twice the limit that it hit; then watch its memory use"
    if heap is not None:
        why = f"the heap is then {SHARES[heap.setting.runtime]} % of it"
    summary = f"Raise the memory limit of container `{container}` to {larger}: {why}"
    return (Fix(summary, kubectl(*words, namespace=about.namespace), Effect.DISRUPTS),)


def _mebibytes(size: int) -> str:
    """Bytes that are whole MiB: `352Mi`."""
    return f"{size >> 20}Mi"


def _doubled(limit: str) -> str:
    number = re.fullmatch(r"(\d+)(Ki|Mi|Gi|Ti|k|M|G|T|)", limit)
    return f"{2 * int(number.group(1))}{number.group(2)}" if number else ""
