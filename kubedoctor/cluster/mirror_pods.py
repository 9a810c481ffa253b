"""The static pods of the control plane and the flags that they start with, as far as kubeadm and its kind show them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.seen.reading import Cluster

NAMESPACE, LABEL = "kube-system", "component"


class Flag(msgspec.Struct, frozen=True):
    """path: the field of the container that holds it."""

    value: str
    path: str


def static_pods(component: str, cluster: Cluster) -> tuple[Pod, ...]:
    """The pods of a component; none in a managed cluster, where they are not visible."""
    pods = cluster.maybe.labelled(Pod, NAMESPACE, f"{LABEL}={component}")
    return tuple(pod for pod in pods if isinstance(pod, Pod) and pod.labels.get(LABEL) == component)


def flag_of(pod: Pod, name: str) -> Flag | None:
    """The last value of a flag, as in `--name=value` or `--name value`; `true` for a flag without one."""
    found = None
    for container in pod.spec.containers:
        for field in ("command", "args"):
            words = getattr(container, field) or ()
            for value in _values(words, name):
                found = Flag(value, f"spec.containers[name={container.name}].{field}")
    return found


def _values(words: tuple[str, ...], name: str) -> Iterator[str]:
    for index, word in enumerate(words):
        flag, separator, value = word.partition("=")
        if flag.lstrip("-") != name or not flag.startswith("-"):
            continue
        following = words[index + 1] if index + 1 < len(words) else ""
        yield value if separator else following if following and not following.startswith("-") else "true"
