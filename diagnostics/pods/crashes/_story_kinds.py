"""What diagnostics that read a log declare to read."""

from __future__ import annotations

from kubedoctor.cluster import (
    APIService,
    ClusterRole,
    ClusterRoleBinding,
    ConfigMap,
    CustomResourceDefinition,
    DaemonSet,
    EndpointSlice,
    Event,
    KubernetesObject,
    Namespace,
    NetworkPolicy,
    Node,
    PersistentVolumeClaim,
    Role,
    RoleBinding,
    Secret,
    Service,
    ServiceAccount,
    StorageClass,
)
from kubedoctor.replay.network.plugin_policies import PLUGIN_KINDS

STORY_KINDS: tuple[type[KubernetesObject] | str, ...] = (
    *(Event, ConfigMap, Secret, ServiceAccount, Service, EndpointSlice, Namespace, NetworkPolicy, Node, DaemonSet),
    *(PersistentVolumeClaim, StorageClass, CustomResourceDefinition, APIService),
    *(Role, ClusterRole, RoleBinding, ClusterRoleBinding),
    *PLUGIN_KINDS,
)
"""The kinds in which the names of a log's line are looked up."""
