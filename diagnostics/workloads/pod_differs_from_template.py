"""Pod runs another image than its template says.

## What it means
The image of a container was changed in the pod itself; the container was then restarted with it. The template of its workload
still has the other image: pods made from now on run that one, and the workload reports nothing.

## Why it happens
- `kubectl set image pod/NAME` or `kubectl edit pod`, during an incident or by mistake.
- A chaos experiment replaces the image (`pause`), so that the pod fails.
- A controller updates images in place (OpenKruise, an image updater).

An image that a webhook rewrites when the pod is created, such as a mirror of the registry, is the same in every pod of the
workload, and is not reported.

## How to fix it
1. If the image is right, set it in the template, so that it stays.
2. If not, delete the pod: its workload makes a new one from the template. A running chaos experiment would repeat it: end that
   first.

## References
- https://kubernetes.io/docs/concepts/workloads/pods/#pod-update-and-replacement
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    Container,
    Event,
    Evidence,
    KubernetesObject,
    Pod,
    container_path,
    controller_of,
    ended_before,
    pods_of,
    quote,
    ref,
    template_of,
    terminating,
    workload_of,
)
from kubedoctor.cluster.changes import delete
from kubedoctor.findings import (
    Command,
    Confidence,
    Effect,
    Explains,
    Finding,
    Fix,
    Severity,
    command_line,
    container_command,
    diagnostic,
    kubectl,
    look_at_pod,
    newest_event,
)

_CHANGED: Final = "definition changed"
"""Of the kubelet's event `Killing` (`pkg/kubelet/kuberuntime/kuberuntime_manager.go`, v1.37)."""
_PAUSE: Final = re.compile(r"(?:^|/)pause(?:-\w+)?(?:[:@]|$)")
_KEEPING: Final = ("ReplicaSet", "Job", "ReplicationController")
"""Owners whose template never changes while its pods exist, or not without making others."""


@diagnostic(
    code="KD1219",
    subject=Pod,
    severity=Severity.WARNING,
    reads=(Pod, Event, *WORKLOADS),
    when=ended_before,
    explains=(Explains("same", ("KD1001", "KD1003", "KD1004", "KD1012", "KD1201", "KD2001")),),
    symptoms=("definition changed", "pause"),
)
def pod_differs_from_template(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    owner = controller_of(pod)
    if owner is None or owner.kind not in _KEEPING or terminating(pod):
        return
    maker = cluster.maybe.get_ref(owner)
    template = template_of(maker) if maker is not None else None
    if maker is None or template is None:
        return
    images = {container.name: container.image for container in template.spec.containers}
    for container in pod.spec.containers:
        intended = images.get(container.name, container.image)
        if intended not in ("", "auto", container.image):
            yield from _differs(pod, container, intended, maker, cluster)


def _differs(
    pod: Pod, container: Container, intended: str, maker: KubernetesObject, cluster: Cluster
) -> Iterator[Finding]:
    shown = _shown(pod, container, intended, maker, cluster)
    if shown is None:
        return
    confidence, proof = shown
    path, workload = f"{container_path(pod, container.name)}.image", workload_of(pod, cluster)
    keep = container_command(cluster.maybe.get_ref(workload), (container.name,), ("image",), container.image)
    yield Finding(
        about=ref(pod),
        aspect=container.name,
        summary=f"container `{container.name}` runs image {container.image}, its template has {intended}: the image was "
        "changed in the pod itself",
        evidence=(
            quote(pod, path, "what it runs"),
            quote(maker, f"spec.template.{path}", "its template"),
            *proof,
        ),
        confidence=confidence,
        affects=(ref(pod),),
        fixes=(
            Fix(
                f"Delete the pod: {workload.title} makes a new one from its template",
                command_line(delete(ref(pod))),
                Effect.DISRUPTS,
            ),
            Fix(f"Or, if {container.image} is right, set it in the template", keep, Effect.DISRUPTS),
        ),
        commands=(
            look_at_pod(pod, "its events"),
            Command(
                kubectl("get", "pod", pod.name, "-o", "yaml", "--show-managed-fields", namespace=pod.namespace),
                "who changed it",
            ),
        ),
    )


def _shown(
    pod: Pod, container: Container, intended: str, maker: KubernetesObject, cluster: Cluster
) -> tuple[Confidence, tuple[Evidence, ...]] | None:
    """What shows that the pod was created with another image: the kubelet's event, else a pod of the same template that
    has another. A webhook would have given both the same."""
    event = newest_event(pod, cluster, "Killing", text=_CHANGED)
    if event is not None:
        return Confidence.CERTAIN, (quote(event, "message", "the kubelet saw the change"),)
    others = () if _rewritten(intended, container.image) else pods_of(maker, cluster.maybe)
    for other in others:
        same = next((one for one in other.spec.containers if one.name == container.name), None)
        if same is not None and same.image != container.image:
            path = f"{container_path(other, container.name)}.image"
            return Confidence.LIKELY, (quote(other, path, "another pod of the same template"),)
    return (Confidence.LIKELY, ()) if _PAUSE.search(container.image) else None


def _rewritten(intended: str, image: str) -> bool:
    """The same program of another registry or by its digest, as a webhook writes it into pods from some day on. A mirror may
    put the name of the registry before that of the program: `mirror/docker-io-shop-app:1`."""
    ends = [text.rpartition("/")[2] for text in (intended, image)]
    names = [re.split("[:@]", end)[0] for end in ends]
    same = names[0] == names[1] or re.search(rf"[-_.]{re.escape(names[0])}$", names[1]) is not None
    return same and (ends[0][len(names[0]) :] == ends[1][len(names[1]) :] or "@" in image)
