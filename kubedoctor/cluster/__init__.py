"""What was seen: typed Kubernetes objects, the snapshot, relations between objects."""

import importlib
import typing

if typing.TYPE_CHECKING:
    from kubedoctor.cluster.changes import Change
    from kubedoctor.cluster.grammar.certificates import CertificateValidity, certificate_names, certificate_validities
    from kubedoctor.cluster.grammar.durations import human_duration, parse_duration
    from kubedoctor.cluster.grammar.label_requirements import SelectorError
    from kubedoctor.cluster.grammar.nearest import likeness, misspelled, misspellings, nearest_labels, nearest_word
    from kubedoctor.cluster.grammar.quantities import (
        Quantity,
        amount_of,
        format_bytes,
        format_milli,
    )
    from kubedoctor.cluster.grammar.redaction import REDACTED, looks_secret
    from kubedoctor.cluster.grammar.selectors import node_selector_matches, selector_from_map, selector_of
    from kubedoctor.cluster.grammar.text import capitalised, counted, listed, times, visible, visible_end, visible_ends
    from kubedoctor.cluster.grammar.tolerations import untolerated
    from kubedoctor.cluster.grammar.versions import Version, VersionError
    from kubedoctor.cluster.kinds.affinity import Toleration
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
    from kubedoctor.cluster.kinds.certificates import CertificateSigningRequest
    from kubedoctor.cluster.kinds.containers import (
        Container,
        ContainerRestartRule,
        ContainerStateTerminated,
        ContainerStateWaiting,
        ContainerStatus,
        LifecycleHandler,
        Probe,
        VolumeMount,
    )
    from kubedoctor.cluster.kinds.control import (
        APIService,
        ClusterRole,
        ClusterRoleBinding,
        CustomResourceDefinition,
        DeviceClass,
        MutatingWebhookConfiguration,
        PriorityClass,
        ResourceClaim,
        ResourceSlice,
        Role,
        RoleBinding,
        RuntimeClass,
        ValidatingAdmissionPolicy,
        ValidatingAdmissionPolicyBinding,
        ValidatingWebhookConfiguration,
        Webhook,
        WebhookClientConfig,
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
        ServicePort,
        Taint,
    )
    from kubedoctor.cluster.kinds.flow_control import FlowSchema, PriorityLevelConfiguration
    from kubedoctor.cluster.kinds.karpenter import NodePool
    from kubedoctor.cluster.kinds.manifests import DeadKey, Manifest, ManifestRefusal, MissingPort
    from kubedoctor.cluster.kinds.meta import (
        Condition,
        CustomResource,
        KubernetesObject,
        LabelSelector,
        OwnerReference,
        condition,
    )
    from kubedoctor.cluster.kinds.metrics import NodeMetrics, PodMetrics
    from kubedoctor.cluster.kinds.networking import (
        EndpointSlice,
        Ingress,
        IngressBackend,
        IngressClass,
        IngressServiceBackend,
        IngressTLS,
        NetworkPolicy,
        ServiceCIDR,
    )
    from kubedoctor.cluster.kinds.pods import Pod
    from kubedoctor.cluster.kinds.policy import PodDisruptionBudget
    from kubedoctor.cluster.kinds.references import Ref, custom_kind_name, kind_name, ref
    from kubedoctor.cluster.kinds.storage import (
        DEFAULT_CLASS_ANNOTATIONS,
        CSIDriver,
        CSINode,
        PersistentVolume,
        PersistentVolumeClaim,
        StorageClass,
        VolumeAttachment,
    )
    from kubedoctor.cluster.kinds.volumes import HostPathSource, Volume
    from kubedoctor.cluster.mirror_pods import flag_of, static_pods
    from kubedoctor.cluster.relations.autoscalers import autoscalers_of, target_of
    from kubedoctor.cluster.relations.claims import claim_names, pods_mounting
    from kubedoctor.cluster.relations.drivers import holder_of, lease_of, pod_that_said, provisioning_container
    from kubedoctor.cluster.relations.family import Family
    from kubedoctor.cluster.relations.missing_nodes import REMOVALS, is_missing
    from kubedoctor.cluster.relations.operators import OPERATOR_KINDS, operator_pod
    from kubedoctor.cluster.relations.policies import applies_to
    from kubedoctor.cluster.relations.references import circle_of, depends_on, made_for, referenced
    from kubedoctor.cluster.relations.related import Related, related
    from kubedoctor.cluster.relations.services import (
        pods_selected_by,
        ready_endpoints,
        selected_so_far,
        services_selecting,
    )
    from kubedoctor.cluster.relations.workloads import (
        WORKLOAD_KINDS,
        WORKLOADS,
        controller_of,
        controlling_owner,
        foreign_pods,
        later_run_succeeded,
        owner_chain,
        pods_of,
        replica_sets_of,
        selector_of_workload,
        source_of,
        template_of,
        template_path,
        workload_of,
        workloads_of,
    )
    from kubedoctor.cluster.seen.quoting import Evidence, has_path, quote
    from kubedoctor.cluster.seen.reading import Cluster
    from kubedoctor.cluster.seen.snapshot import Snapshot, Source
    from kubedoctor.cluster.seen.statuses import statuses_were_recorded
    from kubedoctor.cluster.seen.wants import CannotSee, Gap, LogTail, LogWant, NotCollected, Want
    from kubedoctor.cluster.triage import (
        all_containers,
        all_statuses,
        container_path,
        ended_at,
        ended_before,
        finished,
        has_pre_stop,
        not_ready,
        placed,
        ready,
        resized,
        restarted,
        status_path,
        terminating,
        troubled,
        unscheduled,
        waiting,
        with_pre_stop_hook,
    )

__all__ = [
    "DEFAULT_CLASS_ANNOTATIONS",
    "OPERATOR_KINDS",
    "REDACTED",
    "REMOVALS",
    "WORKLOADS",
    "WORKLOAD_KINDS",
    "APIService",
    "CSIDriver",
    "CSINode",
    "CannotSee",
    "CertificateSigningRequest",
    "CertificateValidity",
    "Change",
    "Cluster",
    "ClusterRole",
    "ClusterRoleBinding",
    "Condition",
    "ConfigMap",
    "Container",
    "ContainerRestartRule",
    "ContainerStateTerminated",
    "ContainerStateWaiting",
    "ContainerStatus",
    "ControllerRevision",
    "CronJob",
    "CustomResource",
    "CustomResourceDefinition",
    "DaemonSet",
    "DeadKey",
    "Deployment",
    "DeviceClass",
    "EndpointSlice",
    "Event",
    "Evidence",
    "Family",
    "FlowSchema",
    "Gap",
    "HorizontalPodAutoscaler",
    "HostPathSource",
    "Ingress",
    "IngressBackend",
    "IngressClass",
    "IngressServiceBackend",
    "IngressTLS",
    "Job",
    "KubernetesObject",
    "LabelSelector",
    "Lease",
    "LifecycleHandler",
    "LimitRange",
    "LogTail",
    "LogWant",
    "Manifest",
    "ManifestRefusal",
    "MissingPort",
    "MutatingWebhookConfiguration",
    "Namespace",
    "NetworkPolicy",
    "Node",
    "NodeMetrics",
    "NodePool",
    "NotCollected",
    "OwnerReference",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Pod",
    "PodDisruptionBudget",
    "PodMetrics",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "Probe",
    "Quantity",
    "Ref",
    "Related",
    "ReplicaSet",
    "ReplicationController",
    "ResourceClaim",
    "ResourceQuota",
    "ResourceSlice",
    "Role",
    "RoleBinding",
    "RuntimeClass",
    "Secret",
    "SelectorError",
    "Service",
    "ServiceAccount",
    "ServiceCIDR",
    "ServicePort",
    "Snapshot",
    "Source",
    "StatefulSet",
    "StorageClass",
    "Taint",
    "Toleration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "Version",
    "VersionError",
    "Volume",
    "VolumeAttachment",
    "VolumeMount",
    "Want",
    "Webhook",
    "WebhookClientConfig",
    "all_containers",
    "all_statuses",
    "amount_of",
    "applies_to",
    "autoscalers_of",
    "capitalised",
    "certificate_names",
    "certificate_validities",
    "circle_of",
    "claim_names",
    "condition",
    "container_path",
    "controller_of",
    "controlling_owner",
    "counted",
    "custom_kind_name",
    "depends_on",
    "ended_at",
    "ended_before",
    "finished",
    "flag_of",
    "foreign_pods",
    "format_bytes",
    "format_milli",
    "has_path",
    "has_pre_stop",
    "holder_of",
    "human_duration",
    "is_missing",
    "kind_name",
    "later_run_succeeded",
    "lease_of",
    "likeness",
    "listed",
    "looks_secret",
    "made_for",
    "misspelled",
    "misspellings",
    "nearest_labels",
    "nearest_word",
    "node_selector_matches",
    "not_ready",
    "operator_pod",
    "owner_chain",
    "parse_duration",
    "placed",
    "pod_that_said",
    "pods_mounting",
    "pods_of",
    "pods_selected_by",
    "provisioning_container",
    "quote",
    "ready",
    "ready_endpoints",
    "ref",
    "referenced",
    "related",
    "replica_sets_of",
    "resized",
    "restarted",
    "selected_so_far",
    "selector_from_map",
    "selector_of",
    "selector_of_workload",
    "services_selecting",
    "source_of",
    "static_pods",
    "status_path",
    "statuses_were_recorded",
    "target_of",
    "template_of",
    "template_path",
    "terminating",
    "times",
    "troubled",
    "unscheduled",
    "untolerated",
    "visible",
    "visible_end",
    "visible_ends",
    "waiting",
    "with_pre_stop_hook",
    "workload_of",
    "workloads_of",
]

_NAMES: dict[str, str] = importlib.import_module(f"{__name__}.exported").NAMES
_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}

if not typing.TYPE_CHECKING:

    def __getattr__(name: str) -> typing.Any:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
        return value
