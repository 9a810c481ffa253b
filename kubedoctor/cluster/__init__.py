"""What was seen: typed Kubernetes objects, the snapshot, relations between objects."""

from kubedoctor.cluster.kinds.apps import (
    ControllerRevision,
    CronJob,
    DaemonSet,
    Deployment,
    Job,
    ReplicaSet,
    StatefulSet,
)
from kubedoctor.cluster.kinds.autoscaling import HorizontalPodAutoscaler
from kubedoctor.cluster.kinds.containers import Container, ContainerStatus, Probe
from kubedoctor.cluster.kinds.control import (
    APIService,
    ClusterRole,
    ClusterRoleBinding,
    CustomResourceDefinition,
    MutatingWebhookConfiguration,
    PriorityClass,
    Role,
    RoleBinding,
    ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding,
    ValidatingWebhookConfiguration,
)
from kubedoctor.cluster.kinds.coordination import Lease
from kubedoctor.cluster.kinds.core import (
    ConfigMap,
    Event,
    LimitRange,
    Namespace,
    Node,
    ReplicationController,
    ResourceQuota,
    Secret,
    Service,
    ServiceAccount,
)
from kubedoctor.cluster.kinds.meta import Condition, CustomResource, KubernetesObject, LabelSelector, condition
from kubedoctor.cluster.kinds.metrics import NodeMetrics, PodMetrics
from kubedoctor.cluster.kinds.networking import EndpointSlice, Ingress, IngressClass, NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.policy import PodDisruptionBudget
from kubedoctor.cluster.kinds.references import Ref, kind_name, ref
from kubedoctor.cluster.kinds.storage import (
    CSINode,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeAttachment,
)
from kubedoctor.cluster.seen.quoting import Evidence, has_path, quote
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.snapshot import Snapshot, Source
from kubedoctor.cluster.seen.wants import CannotSee, Gap, LogTail, LogWant, NotCollected, Want

__all__ = [
    "APIService",
    "CSINode",
    "CannotSee",
    "Cluster",
    "ClusterRole",
    "ClusterRoleBinding",
    "Condition",
    "ConfigMap",
    "Container",
    "ContainerStatus",
    "ControllerRevision",
    "CronJob",
    "CustomResource",
    "CustomResourceDefinition",
    "DaemonSet",
    "Deployment",
    "EndpointSlice",
    "Event",
    "Evidence",
    "Gap",
    "HorizontalPodAutoscaler",
    "Ingress",
    "IngressClass",
    "Job",
    "KubernetesObject",
    "LabelSelector",
    "Lease",
    "LimitRange",
    "LogTail",
    "LogWant",
    "MutatingWebhookConfiguration",
    "Namespace",
    "NetworkPolicy",
    "Node",
    "NodeMetrics",
    "NotCollected",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Pod",
    "PodDisruptionBudget",
    "PodMetrics",
    "PriorityClass",
    "Probe",
    "Ref",
    "ReplicaSet",
    "ReplicationController",
    "ResourceQuota",
    "Role",
    "RoleBinding",
    "Secret",
    "Service",
    "ServiceAccount",
    "Snapshot",
    "Source",
    "StatefulSet",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
    "Want",
    "condition",
    "has_path",
    "kind_name",
    "quote",
    "ref",
]
