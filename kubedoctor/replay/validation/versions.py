"""Versions of APIs that releases removed, and keys that nothing sets any more (kubernetes.io/docs/reference/using-api/deprecation-guide,
`k8s.io/api/core/v1/well_known_labels.go`, `pkg/controller/…/well_known_taints.go`, v1.37)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from kubedoctor.replay.validation.fields import Path


class RemovedVersion(msgspec.Struct, frozen=True):
    """minor: 25 of `1.25`, the first release without it. instead: the version of today; empty where the kind is gone."""

    minor: int
    instead: str


def _removed(minor: int, version: str, kinds: str, instead: str) -> dict[tuple[str, str], RemovedVersion]:
    return {(version, kind): RemovedVersion(minor, instead) for kind in kinds.split()}


REMOVED: Final[Mapping[tuple[str, str], RemovedVersion]] = {
    **_removed(16, "extensions/v1beta1", "Deployment DaemonSet ReplicaSet", "apps/v1"),
    **_removed(16, "extensions/v1beta1", "NetworkPolicy", "networking.k8s.io/v1"),
    **_removed(16, "extensions/v1beta1", "PodSecurityPolicy", ""),
    **_removed(16, "apps/v1beta1", "Deployment StatefulSet ReplicaSet", "apps/v1"),
    **_removed(16, "apps/v1beta2", "Deployment StatefulSet DaemonSet ReplicaSet", "apps/v1"),
    **_removed(22, "extensions/v1beta1", "Ingress", "networking.k8s.io/v1"),
    **_removed(22, "networking.k8s.io/v1beta1", "Ingress IngressClass", "networking.k8s.io/v1"),
    **_removed(
        22,
        "admissionregistration.k8s.io/v1beta1",
        "MutatingWebhookConfiguration ValidatingWebhookConfiguration",
        "admissionregistration.k8s.io/v1",
    ),
    **_removed(22, "apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", "apiextensions.k8s.io/v1"),
    **_removed(22, "apiregistration.k8s.io/v1beta1", "APIService", "apiregistration.k8s.io/v1"),
    **_removed(22, "certificates.k8s.io/v1beta1", "CertificateSigningRequest", "certificates.k8s.io/v1"),
    **_removed(22, "coordination.k8s.io/v1beta1", "Lease", "coordination.k8s.io/v1"),
    **_removed(
        22,
        "rbac.authorization.k8s.io/v1beta1",
        "Role RoleBinding ClusterRole ClusterRoleBinding",
        "rbac.authorization.k8s.io/v1",
    ),
    **_removed(22, "scheduling.k8s.io/v1beta1", "PriorityClass", "scheduling.k8s.io/v1"),
    **_removed(22, "storage.k8s.io/v1beta1", "CSIDriver CSINode StorageClass VolumeAttachment", "storage.k8s.io/v1"),
    **_removed(25, "batch/v1beta1", "CronJob", "batch/v1"),
    **_removed(25, "discovery.k8s.io/v1beta1", "EndpointSlice", "discovery.k8s.io/v1"),
    **_removed(25, "events.k8s.io/v1beta1", "Event", "events.k8s.io/v1"),
    **_removed(25, "autoscaling/v2beta1", "HorizontalPodAutoscaler", "autoscaling/v2"),
    **_removed(25, "policy/v1beta1", "PodDisruptionBudget", "policy/v1"),
    **_removed(25, "policy/v1beta1", "PodSecurityPolicy", ""),
    **_removed(25, "node.k8s.io/v1beta1", "RuntimeClass", "node.k8s.io/v1"),
    **_removed(26, "autoscaling/v2beta2", "HorizontalPodAutoscaler", "autoscaling/v2"),
    **_removed(
        26,
        "flowcontrol.apiserver.k8s.io/v1beta1",
        "FlowSchema PriorityLevelConfiguration",
        "flowcontrol.apiserver.k8s.io/v1",
    ),
    **_removed(27, "storage.k8s.io/v1beta1", "CSIStorageCapacity", "storage.k8s.io/v1"),
    **_removed(
        29,
        "flowcontrol.apiserver.k8s.io/v1beta2",
        "FlowSchema PriorityLevelConfiguration",
        "flowcontrol.apiserver.k8s.io/v1",
    ),
    **_removed(
        32,
        "flowcontrol.apiserver.k8s.io/v1beta3",
        "FlowSchema PriorityLevelConfiguration",
        "flowcontrol.apiserver.k8s.io/v1",
    ),
}
NEWEST: Final = 37
"""The release that is meant where none is known."""


class UnsetKey(msgspec.Struct, frozen=True):
    """instead: the key of today. since: the first release that does not set it. label: whether it is a label, else a taint."""

    instead: str
    since: str
    label: bool = True


UNSET_KEYS: Final[Mapping[str, UnsetKey]] = {
    "failure-domain.beta.kubernetes.io/zone": UnsetKey("topology.kubernetes.io/zone", "1.17"),
    "failure-domain.beta.kubernetes.io/region": UnsetKey("topology.kubernetes.io/region", "1.17"),
    "beta.kubernetes.io/instance-type": UnsetKey("node.kubernetes.io/instance-type", "1.17"),
    "beta.kubernetes.io/os": UnsetKey("kubernetes.io/os", "1.14"),
    "beta.kubernetes.io/arch": UnsetKey("kubernetes.io/arch", "1.14"),
    "node-role.kubernetes.io/master": UnsetKey("node-role.kubernetes.io/control-plane", "1.25"),
}
"""Labels of nodes that are deprecated since that release; cloud providers and kubeadm leave them off new nodes."""


def unset_keys(document: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Where an object relies on such a key: node selectors, affinity, tolerations, topology keys. A toleration of the old key
    beside one of the new is for clusters of both ages."""
    for base, spec in pod_specs(document):
        yield from _of_pod(base, spec)


def pod_specs(document: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The specifications of pods in an object."""
    kind = document.get("kind")
    path: Path = ("spec", "template", "spec")
    if kind == "Pod":
        path = ("spec",)
    elif kind == "CronJob":
        path = ("spec", "jobTemplate", "spec", "template", "spec")
    value: Any = document
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    if isinstance(value, Mapping):
        yield path, value


def _of_pod(base: Path, spec: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    for path, key in _keys(spec, base):
        if key in UNSET_KEYS:
            yield path, key
    tolerations = [item for item in _list(spec.get("tolerations")) if isinstance(item, Mapping)]
    keys = {item.get("key") for item in tolerations}
    for place, item in enumerate(_list(spec.get("tolerations"))):
        tolerated = item.get("key") if isinstance(item, Mapping) else None
        if isinstance(tolerated, str) and tolerated in UNSET_KEYS and UNSET_KEYS[tolerated].instead not in keys:
            yield (*base, "tolerations", place, "key"), tolerated


def _keys(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """The keys of node selectors and topologies."""
    if not isinstance(value, Mapping):
        return
    for key in value.get("nodeSelector") or () if isinstance(value.get("nodeSelector"), Mapping) else ():
        yield (*path, "nodeSelector", key), key
    yield from _expressions(value.get("affinity"), (*path, "affinity"))
    for place, item in enumerate(_list(value.get("topologySpreadConstraints"))):
        if isinstance(item, Mapping) and isinstance(item.get("topologyKey"), str):
            yield (*path, "topologySpreadConstraints", place, "topologyKey"), item["topologyKey"]


def _expressions(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, Mapping):
        for key in ("key", "topologyKey"):
            if isinstance(value.get(key), str):
                yield (*path, key), value[key]
        for key, item in value.items():
            yield from _expressions(item, (*path, str(key)))
    for place, item in enumerate(_list(value)):
        yield from _expressions(item, (*path, place))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
