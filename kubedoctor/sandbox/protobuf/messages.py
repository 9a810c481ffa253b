"""The messages that kubectl sends as protobuf: numbers, names and types of their fields (`generated.proto` of `k8s.io/api`
and `apimachinery`, v1.37). Only the fields that its commands set are here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class MessageField(NamedTuple):
    """A field as JSON names it. type: `text`, `bytes`, `number`, `flag`, `quantity`, `either` (a number or a text), or another
    message. many: `list`, `map` (keys are texts) or "" (one); `inline`: its fields belong to the message around it."""

    name: str
    type: str
    many: str = ""


_TEXT: Final = """
TypeMeta: 1 apiVersion, 2 kind
ObjectMeta: 1 name, 2 generateName, 3 namespace, 5 uid, 6 resourceVersion, 11 labels {text}, 12 annotations {text},
    13 ownerReferences [OwnerReference], 14 finalizers [text]
OwnerReference: 1 kind, 3 name, 4 uid, 5 apiVersion, 6 controller flag, 7 blockOwnerDeletion flag
DeleteOptions: 1 gracePeriodSeconds number, 2 preconditions Preconditions, 3 orphanDependents flag, 4 propagationPolicy,
    5 dryRun [text]
Preconditions: 1 uid, 2 resourceVersion
Eviction: 1 metadata ObjectMeta, 2 deleteOptions DeleteOptions
LabelSelector: 1 matchLabels {text}, 2 matchExpressions [LabelSelectorRequirement]
LabelSelectorRequirement: 1 key, 2 operator, 3 values [text]
LocalObjectReference: 1 name
ConfigMap: 1 metadata ObjectMeta, 2 data {text}, 3 binaryData {bytes}, 4 immutable flag
Secret: 1 metadata ObjectMeta, 2 data {bytes}, 3 type, 4 stringData {text}, 5 immutable flag
Namespace: 1 metadata ObjectMeta
ServiceAccount: 1 metadata ObjectMeta, 3 imagePullSecrets [LocalObjectReference]
ResourceQuota: 1 metadata ObjectMeta, 2 spec ResourceQuotaSpec
ResourceQuotaSpec: 1 hard {quantity}, 2 scopes [text]
Deployment: 1 metadata ObjectMeta, 2 spec DeploymentSpec
DeploymentSpec: 1 replicas number, 2 selector LabelSelector, 3 template PodTemplateSpec
Job: 1 metadata ObjectMeta, 2 spec JobSpec
JobSpec: 1 parallelism number, 2 completions number, 3 activeDeadlineSeconds number, 4 selector LabelSelector,
    5 manualSelector flag, 6 template PodTemplateSpec, 7 backoffLimit number, 8 ttlSecondsAfterFinished number
CronJob: 1 metadata ObjectMeta, 2 spec CronJobSpec
CronJobSpec: 1 schedule, 2 startingDeadlineSeconds number, 3 concurrencyPolicy, 4 suspend flag, 5 jobTemplate JobTemplateSpec
JobTemplateSpec: 1 metadata ObjectMeta, 2 spec JobSpec
Pod: 1 metadata ObjectMeta, 2 spec PodSpec
PodTemplateSpec: 1 metadata ObjectMeta, 2 spec PodSpec
PodSpec: 2 containers [Container], 3 restartPolicy, 4 terminationGracePeriodSeconds number, 7 nodeSelector {text},
    8 serviceAccountName, 10 nodeName, 15 imagePullSecrets [LocalObjectReference]
Container: 1 name, 2 image, 3 command [text], 4 args [text], 5 workingDir, 6 ports [ContainerPort], 7 env [EnvVar],
    8 resources ResourceRequirements, 14 imagePullPolicy
ContainerPort: 1 name, 2 hostPort number, 3 containerPort number, 4 protocol
EnvVar: 1 name, 2 value
ResourceRequirements: 1 limits {quantity}, 2 requests {quantity}
Service: 1 metadata ObjectMeta, 2 spec ServiceSpec
ServiceSpec: 1 ports [ServicePort], 2 selector {text}, 3 clusterIP, 4 type, 5 externalIPs [text], 7 sessionAffinity,
    10 externalName
ServicePort: 1 name, 2 protocol, 3 port number, 4 targetPort either, 5 nodePort number
Role: 1 metadata ObjectMeta, 2 rules [PolicyRule]
ClusterRole: 1 metadata ObjectMeta, 2 rules [PolicyRule]
PolicyRule: 1 verbs [text], 2 apiGroups [text], 3 resources [text], 4 resourceNames [text], 5 nonResourceURLs [text]
RoleBinding: 1 metadata ObjectMeta, 2 subjects [Subject], 3 roleRef RoleRef
ClusterRoleBinding: 1 metadata ObjectMeta, 2 subjects [Subject], 3 roleRef RoleRef
Subject: 1 kind, 2 apiGroup, 3 name, 4 namespace
RoleRef: 1 apiGroup, 2 kind, 3 name
PriorityClass: 1 metadata ObjectMeta, 2 value number, 3 globalDefault flag, 4 description, 5 preemptionPolicy
PodDisruptionBudget: 1 metadata ObjectMeta, 2 spec PodDisruptionBudgetSpec
PodDisruptionBudgetSpec: 1 minAvailable either, 2 selector LabelSelector, 3 maxUnavailable either
HorizontalPodAutoscaler: 1 metadata ObjectMeta, 2 spec HorizontalPodAutoscalerSpec
HorizontalPodAutoscalerSpec: 1 scaleTargetRef CrossVersionObjectReference, 2 minReplicas number, 3 maxReplicas number,
    4 metrics [MetricSpec]
CrossVersionObjectReference: 1 kind, 2 name, 3 apiVersion
MetricSpec: 1 type, 4 resource ResourceMetricSource
ResourceMetricSource: 1 name, 2 target MetricTarget
MetricTarget: 1 type, 2 value quantity, 3 averageValue quantity, 4 averageUtilization number
Ingress: 1 metadata ObjectMeta, 2 spec IngressSpec
IngressSpec: 1 defaultBackend IngressBackend, 2 tls [IngressTLS], 3 rules [IngressRule], 4 ingressClassName
IngressTLS: 1 hosts [text], 2 secretName
IngressRule: 1 host, 2 http <IngressRuleValue>
IngressRuleValue: 1 http HTTPIngressRuleValue
HTTPIngressRuleValue: 1 paths [HTTPIngressPath]
HTTPIngressPath: 1 path, 2 backend IngressBackend, 3 pathType
IngressBackend: 4 service IngressServiceBackend
IngressServiceBackend: 1 name, 2 port ServiceBackendPort
ServiceBackendPort: 1 name, 2 number number
SelfSubjectAccessReview: 2 spec SelfSubjectAccessReviewSpec
SelfSubjectAccessReviewSpec: 1 resourceAttributes ResourceAttributes, 2 nonResourceAttributes NonResourceAttributes
ResourceAttributes: 1 namespace, 2 verb, 3 group, 4 version, 5 resource, 6 subresource, 7 name
NonResourceAttributes: 1 path, 2 verb
SelfSubjectRulesReview: 2 spec SelfSubjectRulesReviewSpec
SelfSubjectRulesReviewSpec: 1 namespace
SelfSubjectReview:
"""
"""`Message: NUMBER NAME TYPE, …`; a type in [] is a list, in {} a map, in <> inline; none is a text."""
_MANY: Final = {"[": "list", "{": "map", "<": "inline"}


def _parsed() -> Mapping[str, Mapping[int, MessageField]]:
    messages: dict[str, dict[int, MessageField]] = {}
    for line in _TEXT.replace("\n    ", " ").strip().splitlines():
        name, _, fields = line.partition(":")
        messages[name] = {}
        for text in filter(None, (field.strip() for field in fields.split(","))):
            number, field, *kind = text.split()
            spelt = kind[0] if kind else "text"
            messages[name][int(number)] = MessageField(field, spelt.strip("[]{}<>"), _MANY.get(spelt[0], ""))
    return messages


MESSAGES: Final = _parsed()
"""By the name of the message, by the number of the field."""
