"""The kinds that kubedoctor knows by name: their API group, resource name and kubectl's short names.

Kinds outside this table are custom resources; they are named `Kind.group` (`VirtualService.networking.istio.io`).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import msgspec


class ResourceKind(msgspec.Struct, frozen=True, gc=False):
    """One row of `kubectl api-resources`: how a kind is spelled in objects, paths and on the command line."""

    kind: str
    group: str
    version: str
    plural: str
    singular: str
    namespaced: bool
    short_names: tuple[str, ...] = ()
    older_versions: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        """`v1` for the core group, `apps/v1` for the others."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """The resource with its group, as RBAC messages and `kubectl` print it: `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str | None = None, name: str | None = None, version: str | None = None) -> str:
        """The URL path of the collection, of one namespace's part of it, or of one object."""
        root = f"/apis/{self.group}/{version or self.version}" if self.group else f"/api/{version or self.version}"
        scope = f"/namespaces/{namespace}" if namespace and self.namespaced else ""
        return f"{root}{scope}/{self.plural}" + (f"/{name}" if name else "")


def _kind(
    kind: str, api_version: str, plural: str, short: str = "", *, cluster_scoped: bool = False, older: str = ""
) -> ResourceKind:
    group, _, version = api_version.rpartition("/")
    return ResourceKind(
        kind, group, version, plural, kind.lower(), not cluster_scoped, tuple(short.split()), tuple(older.split())
    )


KINDS: tuple[ResourceKind, ...] = (
    _kind("Pod", "v1", "pods", "po"),
    _kind("Node", "v1", "nodes", "no", cluster_scoped=True),
    _kind("Namespace", "v1", "namespaces", "ns", cluster_scoped=True),
    _kind("Service", "v1", "services", "svc"),
    _kind("Endpoints", "v1", "endpoints", "ep"),
    _kind("ConfigMap", "v1", "configmaps", "cm"),
    _kind("Secret", "v1", "secrets"),
    _kind("ServiceAccount", "v1", "serviceaccounts", "sa"),
    _kind("Event", "v1", "events", "ev"),
    _kind("PersistentVolumeClaim", "v1", "persistentvolumeclaims", "pvc"),
    _kind("PersistentVolume", "v1", "persistentvolumes", "pv", cluster_scoped=True),
    _kind("ResourceQuota", "v1", "resourcequotas", "quota"),
    _kind("LimitRange", "v1", "limitranges", "limits"),
    _kind("ReplicationController", "v1", "replicationcontrollers", "rc"),
    _kind("Deployment", "apps/v1", "deployments", "deploy"),
    _kind("ReplicaSet", "apps/v1", "replicasets", "rs"),
    _kind("StatefulSet", "apps/v1", "statefulsets", "sts"),
    _kind("DaemonSet", "apps/v1", "daemonsets", "ds"),
    _kind("ControllerRevision", "apps/v1", "controllerrevisions"),
    _kind("Job", "batch/v1", "jobs"),
    _kind("CronJob", "batch/v1", "cronjobs", "cj"),
    _kind("HorizontalPodAutoscaler", "autoscaling/v2", "horizontalpodautoscalers", "hpa", older="v1"),
    _kind("Ingress", "networking.k8s.io/v1", "ingresses", "ing"),
    _kind("IngressClass", "networking.k8s.io/v1", "ingressclasses", cluster_scoped=True),
    _kind("NetworkPolicy", "networking.k8s.io/v1", "networkpolicies", "netpol"),
    _kind("ServiceCIDR", "networking.k8s.io/v1", "servicecidrs", cluster_scoped=True, older="v1beta1"),
    _kind("EndpointSlice", "discovery.k8s.io/v1", "endpointslices"),
    _kind("PodDisruptionBudget", "policy/v1", "poddisruptionbudgets", "pdb"),
    _kind("StorageClass", "storage.k8s.io/v1", "storageclasses", "sc", cluster_scoped=True),
    _kind("CSINode", "storage.k8s.io/v1", "csinodes", cluster_scoped=True),
    _kind("CSIDriver", "storage.k8s.io/v1", "csidrivers", cluster_scoped=True),
    _kind("CSIStorageCapacity", "storage.k8s.io/v1", "csistoragecapacities"),
    _kind("VolumeAttachment", "storage.k8s.io/v1", "volumeattachments", cluster_scoped=True),
    _kind("PriorityClass", "scheduling.k8s.io/v1", "priorityclasses", "pc", cluster_scoped=True),
    _kind("Lease", "coordination.k8s.io/v1", "leases"),
    _kind("Role", "rbac.authorization.k8s.io/v1", "roles"),
    _kind("RoleBinding", "rbac.authorization.k8s.io/v1", "rolebindings"),
    _kind("ClusterRole", "rbac.authorization.k8s.io/v1", "clusterroles", cluster_scoped=True),
    _kind("ClusterRoleBinding", "rbac.authorization.k8s.io/v1", "clusterrolebindings", cluster_scoped=True),
    _kind(
        "ValidatingWebhookConfiguration",
        "admissionregistration.k8s.io/v1",
        "validatingwebhookconfigurations",
        cluster_scoped=True,
    ),
    _kind(
        "MutatingWebhookConfiguration",
        "admissionregistration.k8s.io/v1",
        "mutatingwebhookconfigurations",
        cluster_scoped=True,
    ),
    _kind(
        "ValidatingAdmissionPolicy",
        "admissionregistration.k8s.io/v1",
        "validatingadmissionpolicies",
        cluster_scoped=True,
    ),
    _kind(
        "ValidatingAdmissionPolicyBinding",
        "admissionregistration.k8s.io/v1",
        "validatingadmissionpolicybindings",
        cluster_scoped=True,
    ),
    _kind(
        "CustomResourceDefinition",
        "apiextensions.k8s.io/v1",
        "customresourcedefinitions",
        "crd crds",
        cluster_scoped=True,
    ),
    _kind("APIService", "apiregistration.k8s.io/v1", "apiservices", cluster_scoped=True),
    _kind(
        "CertificateSigningRequest",
        "certificates.k8s.io/v1",
        "certificatesigningrequests",
        "csr",
        cluster_scoped=True,
    ),
    _kind(
        "FlowSchema",
        "flowcontrol.apiserver.k8s.io/v1",
        "flowschemas",
        cluster_scoped=True,
        older="v1beta3 v1beta2",
    ),
    _kind(
        "PriorityLevelConfiguration",
        "flowcontrol.apiserver.k8s.io/v1",
        "prioritylevelconfigurations",
        cluster_scoped=True,
        older="v1beta3 v1beta2",
    ),
    _kind("RuntimeClass", "node.k8s.io/v1", "runtimeclasses", cluster_scoped=True),
    _kind("ResourceClaim", "resource.k8s.io/v1", "resourceclaims"),
    _kind("ResourceClaimTemplate", "resource.k8s.io/v1", "resourceclaimtemplates"),
    _kind("DeviceClass", "resource.k8s.io/v1", "deviceclasses", cluster_scoped=True),
    _kind("ResourceSlice", "resource.k8s.io/v1", "resourceslices", cluster_scoped=True),
    _kind("PodMetrics", "metrics.k8s.io/v1beta1", "pods"),
    _kind("NodeMetrics", "metrics.k8s.io/v1beta1", "nodes", cluster_scoped=True),
)


@cache
def _by_kind() -> dict[str, ResourceKind]:
    return {row.kind: row for row in KINDS}


@cache
def _by_word() -> dict[str, ResourceKind]:
    words: dict[str, ResourceKind] = {}
    for row in KINDS:
        if (
            row.group == "metrics.k8s.io"
        ):  # Its resources are also called pods and nodes; these words stand for the core kinds.
            continue
        for word in (row.plural, row.singular, *row.short_names):
            words.setdefault(word, row)
            if row.group:
                words.setdefault(f"{word}.{row.group}", row)
                words.setdefault(f"{word}.{row.version}.{row.group}", row)
    return words


def kind_named(kind: str) -> ResourceKind | None:
    """The row of a kind as objects spell it (`Deployment`), or None for a custom resource."""
    return _by_kind().get(kind)


def is_namespaced(kind: str) -> bool:
    """Whether its objects are in namespaces; a custom resource may be."""
    row = kind_named(kind)
    return row is None or row.namespaced


def kind_from_word(word: str) -> ResourceKind | None:
    """The row that kubectl means by a word: plural, singular or short name, any case, `deployments.apps` too."""
    return _by_word().get(word.lower())


def plural_of(kind: str) -> str:
    """The resource of a kind whose definition is not known, as the API server guesses it
    (`pkg/api/meta/restmapper.go`, UnsafeGuessKindToResource, v1.37)."""
    singular = kind.partition(".")[0].lower()
    if singular.endswith("s"):
        return f"{singular}es"
    return f"{singular[:-1]}ies" if singular.endswith("y") else f"{singular}s"


def kinds_meant(word: str, extensions: Iterable[ResourceKind]) -> tuple[ResourceKind, ...]:
    """The kinds of extensions that kubectl may mean by a word: plural, singular, short name or kind, any case, with its
    group, a start of the group or a version where one is given. The groups that fit whole come first."""
    name, _, group = word.lower().partition(".")
    named = [row for row in extensions if name in _names_of(row)]
    if not group:
        return tuple(named)
    whole = [row for row in named if group in (row.group, f"{row.version}.{row.group}")]
    return tuple(whole or (row for row in named if row.group.startswith(group)))


def _names_of(row: ResourceKind) -> tuple[str, ...]:
    return (row.plural, row.singular, row.kind.partition(".")[0].lower(), *row.short_names)


def kind_words() -> tuple[str, ...]:
    """Every word that `kind_from_word` understands, for completion and for suggesting the nearest."""
    return tuple(_by_word())
