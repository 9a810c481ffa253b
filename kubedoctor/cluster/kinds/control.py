"""Admission, permissions, extension and the rest of the control plane's kinds."""

from typing import Any

import msgspec

from kubedoctor.cluster.kinds.meta import Condition, KubernetesObject, LabelSelector, Part


class PriorityClass(KubernetesObject):
    value: int = 0
    global_default: bool = False
    preemption_policy: str | None = None


class PolicyRule(Part):
    verbs: tuple[str, ...] | None = None
    api_groups: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    resource_names: tuple[str, ...] | None = None
    non_resource_urls: tuple[str, ...] | None = msgspec.field(default=None, name="nonResourceURLs")


class Role(KubernetesObject):
    rules: tuple[PolicyRule, ...] | None = None


class ClusterRole(KubernetesObject):
    rules: tuple[PolicyRule, ...] | None = None
    aggregation_rule: dict[str, Any] | None = None


class RoleRef(Part):
    kind: str = ""
    name: str = ""
    api_group: str = ""


class Subject(Part):
    kind: str = ""
    name: str = ""
    namespace: str = ""
    api_group: str = ""


class RoleBinding(KubernetesObject):
    role_ref: RoleRef = RoleRef()
    subjects: tuple[Subject, ...] | None = None


class ClusterRoleBinding(KubernetesObject):
    role_ref: RoleRef = RoleRef()
    subjects: tuple[Subject, ...] | None = None


class WebhookServiceReference(Part):
    namespace: str = ""
    name: str = ""
    path: str | None = None
    port: int | None = None


class WebhookClientConfig(Part):
    """`ca_bundle`: PEM in base64; without it the API server trusts the authorities of its machine."""

    service: WebhookServiceReference | None = None
    url: str | None = None
    ca_bundle: str | None = None


class RuleWithOperations(Part):
    operations: tuple[str, ...] | None = None
    api_groups: tuple[str, ...] | None = None
    api_versions: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    scope: str | None = None


class Webhook(Part):
    name: str = ""
    client_config: WebhookClientConfig = WebhookClientConfig()
    failure_policy: str | None = None
    match_policy: str | None = None
    namespace_selector: LabelSelector | None = None
    object_selector: LabelSelector | None = None
    rules: tuple[RuleWithOperations, ...] | None = None
    match_conditions: tuple[dict[str, Any], ...] | None = None
    reinvocation_policy: str | None = None
    timeout_seconds: int | None = None


class ValidatingWebhookConfiguration(KubernetesObject):
    webhooks: tuple[Webhook, ...] | None = None


class MutatingWebhookConfiguration(KubernetesObject):
    webhooks: tuple[Webhook, ...] | None = None


class ValidatingAdmissionPolicy(KubernetesObject):
    spec: dict[str, Any] | None = None
    status: dict[str, Any] | None = None


class ValidatingAdmissionPolicyBinding(KubernetesObject):
    spec: dict[str, Any] | None = None


class CustomResourceNames(Part):
    kind: str = ""
    plural: str = ""
    singular: str = ""
    short_names: tuple[str, ...] | None = None


class CustomResourceVersion(Part):
    name: str = ""
    served: bool = False
    storage: bool = False
    subresources: dict[str, Any] | None = None


class ConversionWebhook(Part):
    client_config: WebhookClientConfig = WebhookClientConfig()


class CustomResourceConversion(Part):
    strategy: str = ""
    webhook: ConversionWebhook | None = None


class CustomResourceDefinitionSpec(Part):
    group: str = ""
    scope: str = ""
    names: CustomResourceNames = CustomResourceNames()
    versions: tuple[CustomResourceVersion, ...] | None = None
    conversion: CustomResourceConversion | None = None


class CustomResourceDefinitionStatus(Part):
    conditions: tuple[Condition, ...] | None = None
    stored_versions: tuple[str, ...] | None = None


class CustomResourceDefinition(KubernetesObject):
    spec: CustomResourceDefinitionSpec = CustomResourceDefinitionSpec()
    status: CustomResourceDefinitionStatus = CustomResourceDefinitionStatus()


class APIServiceReference(Part):
    namespace: str = ""
    name: str = ""
    port: int | None = None


class APIServiceSpec(Part):
    group: str = ""
    version: str = ""
    service: APIServiceReference | None = None
    ca_bundle: str | None = None
    insecure_skip_tls_verify: bool = msgspec.field(default=False, name="insecureSkipTLSVerify")


class APIServiceStatus(Part):
    conditions: tuple[Condition, ...] | None = None


class APIService(KubernetesObject):
    spec: APIServiceSpec = APIServiceSpec()
    status: APIServiceStatus = APIServiceStatus()


class RuntimeClass(KubernetesObject):
    handler: str = ""
    overhead: dict[str, Any] | None = None
    scheduling: dict[str, Any] | None = None


class ResourceClaim(KubernetesObject):
    spec: dict[str, Any] | None = None
    status: dict[str, Any] | None = None


class ResourceClaimTemplate(KubernetesObject):
    spec: dict[str, Any] | None = None


class DeviceClass(KubernetesObject):
    spec: dict[str, Any] | None = None


class ResourceSlice(KubernetesObject):
    spec: dict[str, Any] | None = None
