"""Linkerd's control plane and proxies, by their labels and names."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster.kinds.control import MutatingWebhookConfiguration
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.triage import finished

COMPONENT: Final = "linkerd.io/control-plane-component"
PROXY: Final = "linkerd-proxy"
INJECT: Final = "linkerd.io/inject"
INJECTS: Final = ("enabled", "ingress")
"""The values of the annotation that request a proxy (`pkg/k8s/labels.go`, `pkg/inject/report.go`, edge-26)."""


def has_proxy(pod: Pod) -> bool:
    """Among the containers, or the init containers that keep running."""
    return any(container.name == PROXY for container in (*pod.spec.containers, *(pod.spec.init_containers or ())))


def signs_identities(pod: Pod) -> bool:
    """A pod of the identity controller."""
    return pod.labels.get(COMPONENT) == "identity" and not finished(pod)


def is_injector(configuration: MutatingWebhookConfiguration) -> bool:
    """The webhook is called `linkerd-proxy-injector.linkerd.io`."""
    return any(webhook.name.endswith("linkerd.io") for webhook in configuration.webhooks or ())
