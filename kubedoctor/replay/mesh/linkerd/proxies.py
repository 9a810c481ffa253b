"""Linkerd's control plane and proxies, by their labels and names."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.triage import finished

COMPONENT: Final = "linkerd.io/control-plane-component"
PROXY: Final = "linkerd-proxy"


def has_proxy(pod: Pod) -> bool:
    """Among the containers, or the init containers that keep running."""
    return any(container.name == PROXY for container in (*pod.spec.containers, *(pod.spec.init_containers or ())))


def signs_identities(pod: Pod) -> bool:
    """A pod of the identity controller."""
    return pod.labels.get(COMPONENT) == "identity" and not finished(pod)
