"""The objects that an analysis reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from kubedoctor.cluster.kinds.apps import Deployment
from kubedoctor.cluster.kinds.containers import Container
from kubedoctor.cluster.kinds.control import (
    CustomResourceDefinition,
    MutatingWebhookConfiguration,
    ValidatingWebhookConfiguration,
)
from kubedoctor.cluster.kinds.core import ConfigMap, Namespace, Node, Secret, Service
from kubedoctor.cluster.kinds.meta import CustomResource, KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.mesh.config import ROOT_NAMESPACE, text
from kubedoctor.replay.mesh.injection import INJECT, INJECTION, PROXY, REVISION

REDIRECTION: Final = "ambient.istio.io/redirection"
DATAPLANE_MODE: Final = "istio.io/dataplane-mode"


class AnalyzedObjects(msgspec.Struct, frozen=True):
    """`custom`: objects of other kinds by `Kind.group`; `settings`, `networks`: the mesh configuration and its networks
    as plain data; `bad_certificates`: Secrets as (namespace, name) whose certificate is known to be unusable;
    `binds_kubernetes_gateways`: VirtualServices may name Gateways of the Kubernetes API (from Istio 1.32 on)."""

    namespaces: tuple[Namespace, ...] = ()
    services: tuple[Service, ...] = ()
    pods: tuple[Pod, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    nodes: tuple[Node, ...] = ()
    config_maps: tuple[ConfigMap, ...] = ()
    secrets: tuple[Secret, ...] = ()
    injectors: tuple[MutatingWebhookConfiguration, ...] = ()
    validators: tuple[ValidatingWebhookConfiguration, ...] = ()
    definitions: tuple[CustomResourceDefinition, ...] = ()
    custom: Mapping[str, tuple[CustomResource, ...]] = {}
    settings: Mapping[str, Any] = {}
    networks: Mapping[str, Any] = {}
    bad_certificates: frozenset[tuple[str, str]] = frozenset()
    binds_kubernetes_gateways: bool = False

    def of(self, kind: str) -> tuple[CustomResource, ...]:
        """The objects of a kind that has no struct, written `Kind.group`."""
        return self.custom.get(kind, ())

    @property
    def root(self) -> str:
        """The namespace whose policies hold for the whole mesh."""
        return text(self.settings.get("rootNamespace")) or ROOT_NAMESPACE

    def namespace(self, name: str) -> Namespace | None:
        return next((space for space in self.namespaces if space.name == name), None)

    def in_mesh(self, pod: Pod) -> bool:
        """Whether it has a sidecar or requests one (`analyzers/util/in_mesh.go`)."""
        containers = (*pod.spec.containers, *(pod.spec.init_containers or ()))
        return self._in_mesh(containers, pod.labels, pod.annotations, pod.namespace)

    def deployment_in_mesh(self, deployment: Deployment) -> bool:
        """The same for the pods of a Deployment, by its template."""
        template = deployment.spec.template
        metadata = template.metadata
        return self._in_mesh(
            template.spec.containers, metadata.labels or {}, metadata.annotations or {}, deployment.namespace
        )

    def _in_mesh(
        self,
        containers: tuple[Container, ...],
        labels: Mapping[str, str],
        annotations: Mapping[str, str],
        namespace: str,
    ) -> bool:
        if proxy_image(containers):
            return True
        if (value := labels.get(INJECT, annotations.get(INJECT))) is not None:
            return value == "true"
        space = self.namespace(namespace)
        return space is not None and space.labels.get(INJECTION) == "enabled"


def proxy_image(containers: tuple[Container, ...]) -> str:
    """The image of the first container that is called as the sidecar is; empty without one."""
    return next((container.image for container in containers if container.name == PROXY), "")


def is_ambient(pod: Pod) -> bool:
    """Whether the ambient mesh has captured the pod."""
    return pod.annotations.get(REDIRECTION) == "enabled"


def is_ambient_namespace(namespace: Namespace | None) -> bool:
    """Whether pods of the namespace are of the ambient mesh, and get no sidecar."""
    if namespace is None or namespace.labels.get(INJECTION) == "enabled" or namespace.labels.get(REVISION):
        return False
    return namespace.labels.get(DATAPLANE_MODE) == "ambient"


def is_control_plane(obj: KubernetesObject) -> bool:
    """Whether it is part of Istio itself (`analyzers/util/config.go`)."""
    return "istio" in obj.labels or obj.labels.get("release") == "istio"


def full_name(obj: KubernetesObject) -> str:
    """`namespace/name`, as Istio writes names."""
    return f"{obj.namespace}/{obj.name}" if obj.namespace else obj.name


def listed(names: list[str] | tuple[str, ...]) -> str:
    """A list as Go prints it."""
    return f"[{' '.join(names)}]"
