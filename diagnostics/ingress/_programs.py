"""The programs of ingress controllers: which pods are theirs, and what they write about an Ingress in their logs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kubedoctor.cluster import Cluster, Ingress, LogTail, Pod, finished

_PROGRAMS: Final = (
    ("k8s.io/ingress-nginx", re.compile(r"ingress-nginx|nginx-ingress")),
    ("nginx.org/ingress-controller", re.compile(r"nginx-ingress|nginx-plus-ingress|ingress-nginx")),
    ("traefik.io/ingress-controller", re.compile(r"traefik")),
    ("haproxy.org/ingress-controller", re.compile(r"haproxy")),
    ("haproxy-ingress.github.io/controller", re.compile(r"haproxy")),
    ("ingress-controllers.konghq.com/kong", re.compile(r"kong")),
    ("projectcontour.io/", re.compile(r"contour")),
    ("apisix.apache.org/", re.compile(r"apisix")),
    ("getambassador.io/ingress-controller", re.compile(r"ambassador|emissary")),
)
"""Controllers that run as pods of the cluster, by the beginning of their names. Those of clouds may run elsewhere."""
_LABELS: Final = ("app.kubernetes.io/name", "app.kubernetes.io/part-of", "app", "k8s-app", "name")


def pods_of_controller(controller: str, cluster: Cluster) -> tuple[Pod, ...] | None:
    """The pods of a controller that runs in clusters, by names, labels, images and arguments; None for others."""
    pattern = next((pattern for name, pattern in _PROGRAMS if controller.startswith(name)), None)
    if pattern is None:
        return None
    return tuple(pod for pod in cluster.all(Pod) if not finished(pod) and pattern.search(" ".join(_words(pod))))


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
