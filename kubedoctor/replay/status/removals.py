"""Which versions of its own types Kubernetes serves no longer, since which release, and what took their place
(https://kubernetes.io/docs/reference/using-api/deprecation-guide/)."""

from __future__ import annotations

from typing import Final, NamedTuple

from kubedoctor.cluster.kinds.resources import plural_of


class Removal(NamedTuple):
    """minor: of the first release that does not serve it. successor: may be empty."""

    kind: str
    minor: int
    successor: str


_ACCESS: Final = (
    "LocalSubjectAccessReview",
    "SelfSubjectAccessReview",
    "SelfSubjectRulesReview",
    "SubjectAccessReview",
)
_ROLES: Final = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
_STORAGE: Final = ("CSIDriver", "CSINode", "StorageClass", "VolumeAttachment")
_FLOW: Final = ("FlowSchema", "PriorityLevelConfiguration")
_APPS: Final = ("DaemonSet", "Deployment", "ReplicaSet")
_REMOVED: Final[dict[str, tuple[tuple[tuple[str, ...], int, str], ...]]] = {
    "admissionregistration.k8s.io/v1beta1": (
        (("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"), 22, "admissionregistration.k8s.io/v1"),
    ),
    "apiextensions.k8s.io/v1beta1": ((("CustomResourceDefinition",), 22, "apiextensions.k8s.io/v1"),),
    "apiregistration.k8s.io/v1beta1": ((("APIService",), 22, "apiregistration.k8s.io/v1"),),
    "apps/v1beta1": ((("Deployment", "StatefulSet"), 16, "apps/v1"),),
    "apps/v1beta2": (((*_APPS, "StatefulSet"), 16, "apps/v1"),),
    "authentication.k8s.io/v1beta1": ((("TokenReview",), 22, "authentication.k8s.io/v1"),),
    "authorization.k8s.io/v1beta1": ((_ACCESS, 22, "authorization.k8s.io/v1"),),
    "autoscaling/v2beta1": ((("HorizontalPodAutoscaler",), 25, "autoscaling/v2"),),
    "autoscaling/v2beta2": ((("HorizontalPodAutoscaler",), 26, "autoscaling/v2"),),
    "batch/v1beta1": ((("CronJob",), 25, "batch/v1"),),
    "certificates.k8s.io/v1beta1": ((("CertificateSigningRequest",), 22, "certificates.k8s.io/v1"),),
    "coordination.k8s.io/v1beta1": ((("Lease",), 22, "coordination.k8s.io/v1"),),
    "discovery.k8s.io/v1beta1": ((("EndpointSlice",), 25, "discovery.k8s.io/v1"),),
    "events.k8s.io/v1beta1": ((("Event",), 25, "events.k8s.io/v1"),),
    "extensions/v1beta1": (
        (_APPS, 16, "apps/v1"),
        (("NetworkPolicy",), 16, "networking.k8s.io/v1"),
        (("Ingress",), 22, "networking.k8s.io/v1"),
    ),
    "flowcontrol.apiserver.k8s.io/v1beta2": ((_FLOW, 29, "flowcontrol.apiserver.k8s.io/v1"),),
    "flowcontrol.apiserver.k8s.io/v1beta3": ((_FLOW, 32, "flowcontrol.apiserver.k8s.io/v1"),),
    "networking.k8s.io/v1beta1": ((("Ingress", "IngressClass"), 22, "networking.k8s.io/v1"),),
    "node.k8s.io/v1beta1": ((("RuntimeClass",), 25, "node.k8s.io/v1"),),
    "policy/v1beta1": ((("PodDisruptionBudget",), 25, "policy/v1"), (("PodSecurityPolicy",), 25, "")),
    "rbac.authorization.k8s.io/v1beta1": ((_ROLES, 22, "rbac.authorization.k8s.io/v1"),),
    "scheduling.k8s.io/v1beta1": ((("PriorityClass",), 22, "scheduling.k8s.io/v1"),),
    "storage.k8s.io/v1beta1": (
        (_STORAGE, 22, "storage.k8s.io/v1"),
        (("CSIStorageCapacity",), 27, "storage.k8s.io/v1"),
    ),
}


def removal(version: str, kind: str) -> Removal | None:
    """version: with its group, `policy/v1beta1`. kind: a kind, or a resource in plural."""
    for kinds, minor, successor in _REMOVED.get(version, ()):
        for one in kinds:
            if kind in (one, plural_of(one)):
                return Removal(one, minor, successor)
    return None
