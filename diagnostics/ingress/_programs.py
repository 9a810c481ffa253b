"""The programs of ingress controllers: which pods are theirs, and what they write about an Ingress in their logs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kubedoctor.cluster import (
    Cluster,
    Ingress,
    LogTail,
    Pod,
    finished,
)
from kubedoctor.replay.ingress.products import product_in_clusters

_LABELS: Final = ("app.kubernetes.io/name", "app.kubernetes.io/part-of", "app", "k8s-app", "name")


def may_run(controller: str, cluster: Cluster) -> bool:
    """Whether a pod has a word of the controller's name in its names, images or arguments: it may be one of a fork."""
    product = product_in_clusters(controller)
    words = product.like if product is not None else ""
    like = re.compile(rf"(?<![a-z0-9])(?:{words})(?![a-z0-9])")
    return any(not finished(pod) and like.search(" ".join(_words(pod))) for pod in cluster.maybe.all(Pod))


def _words(pod: Pod) -> Iterator[str]:
    yield pod.name
    yield from (pod.labels.get(label, "") for label in _LABELS)
    yield pod.spec.service_account_name
    for container in pod.spec.containers:
        yield from (
            container.name,
            container.image.partition("@")[0],
            *(container.command or ()),
            *(container.args or ()),
        )


def lines_about(
    ingress: Ingress, pods: tuple[Pod, ...], words: re.Pattern[str], cluster: Cluster
) -> tuple[LogTail, int] | None:
    """The last line of a controller's log that has the words and names the Ingress or a Secret of it."""
    names = [f"{ingress.namespace}/{ingress.name}"]
    names += [f"{ingress.namespace}/{row.secret_name}" for row in ingress.spec.tls or () if row.secret_name]
    for pod in pods[:2]:
        for container in pod.spec.containers[:1]:
            tail = cluster.log_tail(pod, container.name, optional=True)
            for index in range(len(tail.lines) - 1, -1, -1) if tail is not None else ():
                if tail is not None and words.search(tail.lines[index]) and _names(tail.lines[index], names):
                    return tail, index
    return None


def _names(line: str, names: list[str]) -> bool:
    return any(re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", line) for name in names)
