"""Requests for a sidecar, and the values that a namespace could request."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from kubedoctor.cluster.grammar.nearest import misspellings
from kubedoctor.cluster.kinds.core import Namespace
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.replay.mesh.injection import DATAPLANE, INJECT, INJECTION, REVISION, TAG, Call


class Wish(msgspec.Struct, frozen=True):
    """The object that requests the sidecar, and the path of its label or annotation."""

    asker: Pod | Namespace
    path: str


def wish_of(pod: Pod, namespace: Namespace | None) -> Wish | None:
    """The request for a sidecar, by a valid or a probably misspelled value; None without a request, and where the pod
    or its namespace has opted out or uses the ambient mesh."""
    labels = namespace.labels if namespace is not None else {}
    if DATAPLANE in pod.labels or DATAPLANE in labels:
        return None
    label = pod.labels.get(INJECT, pod.annotations.get(INJECT, ""))
    if label == "false":
        return None
    if pod.labels.get(INJECT) == "true":
        return Wish(pod, f"metadata.labels[{INJECT}]")
    if pod.labels.get(REVISION):
        return Wish(pod, f"metadata.labels[{REVISION}]")
    if label == "true":
        return Wish(pod, f"metadata.annotations[{INJECT}]")
    key = INJECTION if INJECTION in labels else REVISION
    if namespace is None or not labels.get(key) or labels.get(INJECTION) == "disabled":
        return None
    return Wish(namespace, f"metadata.labels[{key}]")


def may_wish(cluster: Cluster) -> Callable[[Pod], bool]:
    """A predicate of the pods that may have a wish: by a mark of their own, or in a namespace with one, or unknown."""
    silent = {space.name for space in cluster.all(Namespace) if space.labels.keys().isdisjoint((INJECTION, REVISION))}

    def marked(pod: Pod) -> bool:
        metadata = pod.metadata
        if metadata.namespace not in silent:
            return True
        labels, annotations = metadata.labels, metadata.annotations
        if labels and (INJECT in labels or REVISION in labels):
            return True
        return annotations is not None and INJECT in annotations

    return marked


def served(calls: tuple[Call, ...]) -> tuple[str, ...]:
    """The revisions and tags that a namespace may use."""
    names = {call.configuration.labels.get(TAG) or call.revision for call in calls if not call.is_deactivated}
    return tuple(sorted(name for name in names if name))


def label_meant(labels: Mapping[str, str], calls: tuple[Call, ...]) -> str:
    """The label, as `key=value`, that a namespace whose label no injector serves should have; empty if unclear."""
    names = served(calls)
    value = labels.get(INJECTION)
    if value is not None and value != "enabled":
        return f"{INJECTION}=enabled"
    near = names[:1] if len(names) == 1 else misspellings(labels.get(REVISION, ""), names, 1)
    return f"{REVISION}={near[0]}" if near else ""
