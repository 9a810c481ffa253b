"""Parses the API server's messages when it refuses a pod.

Texts of Kubernetes 1.28 to 1.37: `apiserver/pkg/admission/plugin/resourcequota`, `plugin/pkg/admission/limitranger`,
`pod-security-admission`, `apiserver/pkg/admission/plugin/{webhook,policy}`, `plugin/pkg/admission/{priority,serviceaccount}`.
"""

from __future__ import annotations

import enum
import re
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later


class AdmissionStep(enum.Enum):
    """The admission step that refuses, or the missing object."""

    QUOTA_EXCEEDED = enum.auto()
    QUOTA_NEEDS = enum.auto()
    LIMIT_RANGE = enum.auto()
    POD_SECURITY = enum.auto()
    WEBHOOK_DENIES = enum.auto()
    WEBHOOK_FAILS = enum.auto()
    POLICY = enum.auto()
    POLICY_FAILS = enum.auto()
    PRIORITY_CLASS = enum.auto()
    SERVICE_ACCOUNT = enum.auto()
    RUNTIME_CLASS = enum.auto()
    NAMESPACE = enum.auto()
    OTHER = enum.auto()


class AdmissionRefusal(msgspec.Struct, frozen=True):
    """A refusal. `name` is what the text names: the quota, the policy, the webhook, the class, the account, or the Pod
    Security level; `text` is the reason without the name of the pod; amounts are by resource, as written. `claim`: of the
    claim of a pod, not of the pod. `policy`: the kind of the admission policy."""

    kind: AdmissionStep
    name: str
    text: str
    requested: dict[str, str] = msgspec.field(default_factory=dict)
    used: dict[str, str] = msgspec.field(default_factory=dict)
    limited: dict[str, str] = msgspec.field(default_factory=dict)
    missing: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    claim: str = ""
    policy: str = ""


_HEAD: Final = re.compile(
    r"(?:\(combined from similar events\): )?(?:Error creating: )?(?:[Cc]reate (?:Pod|Claim (?P<own>\S+) for Pod) \S+ in \S+ \S+ failed error: )?"
    r"(?:\[?[Ff]ailed to create PVC (?P<claim>\S+): )?"
    r"(?:\S+ \"[^\"]*\" is forbidden: )?",
)
"""Of claims: `pkg/controller/statefulset/stateful_pod_control.go`, v1.37."""
_EXCEEDED: Final = re.compile(
    r"exceeded quota: (?P<name>[^,]+), requested: (.*?), used: (.*?), limited: (.*)", re.DOTALL
)
_NEEDS: Final = re.compile(r"failed quota: (?P<name>[^:]+): must specify (.*)", re.DOTALL)
_POLICY: Final = (
    r"(?P<policy>(?:Validating|Mutating)AdmissionPolicy) '(?P<name>[^']*)'(?: with binding '[^']*')? denied request: "
)
"""`apiserver/pkg/admission/plugin/policy/validating/dispatcher.go`, v1.37; a condition that fails to be evaluated refuses
as one that is not met does."""
_PATTERNS: Final = (
    (
        AdmissionStep.LIMIT_RANGE,
        r"\[?(?:maximum|minimum) \S+ usage per \w+ is .*|\[?\S+ max limit to request ratio per .*",
    ),
    (AdmissionStep.POD_SECURITY, r'violates PodSecurity "(?P<name>[^"]*)": .*'),
    (AdmissionStep.WEBHOOK_FAILS, r'(?:Internal error occurred: )?failed calling webhook "(?P<name>[^"]*)": .*'),
    (AdmissionStep.WEBHOOK_DENIES, r'admission webhook "(?P<name>[^"]*)" denied the request.*'),
    (
        AdmissionStep.POLICY_FAILS,
        _POLICY
        + r"(?:expression '.*' resulted in error: |failed to configure (?:policy|binding): |validation failed due to"
        r" running out of cost budget|runtime cost could not be calculated|compilation (?:error|failed)|unexpected internal"
        r" error).*",
    ),
    (AdmissionStep.POLICY, _POLICY + ".*"),
    (AdmissionStep.PRIORITY_CLASS, r"no PriorityClass with name (?P<name>\S+) was found"),
    (AdmissionStep.SERVICE_ACCOUNT, r"error looking up service account [^/\s]+/(?P<name>[^\s:]+): .*not found"),
    (AdmissionStep.RUNTIME_CLASS, r'.*RuntimeClass(?:\.node\.k8s\.io)? "(?P<name>[^"]*)" not found'),
    (
        AdmissionStep.NAMESPACE,
        r"unable to create new content in namespace (?P<name>\S+) because it is being terminated",
    ),
)
_COMPILED: Final = tuple((kind, compiled_later(text, re.DOTALL)) for kind, text in _PATTERNS)


def parse_refusal(message: str) -> AdmissionRefusal:
    """Parse the message of a ReplicaFailure condition or of a FailedCreate event; line breaks become spaces."""
    text, claim = " ".join(message.split()), ""
    if head := _HEAD.match(text):
        text, claim = text[head.end() :].strip(), head["own"] or head["claim"] or ""
    if match := _EXCEEDED.fullmatch(text):
        requested, used, limited = (_amounts(match[index]) for index in (2, 3, 4))
        step = AdmissionStep.QUOTA_EXCEEDED
        return AdmissionRefusal(step, match["name"], text, requested, used, limited, claim=claim)
    if match := _NEEDS.fullmatch(text):
        return AdmissionRefusal(AdmissionStep.QUOTA_NEEDS, match["name"], text, missing=_missing(match[2]))
    for kind, pattern in _COMPILED:
        if matched := pattern.fullmatch(text):
            groups = matched.groupdict()
            policy = groups.get("policy") or ""
            return AdmissionRefusal(kind, groups.get("name") or "", text, claim=claim, policy=policy)
    return AdmissionRefusal(AdmissionStep.OTHER, "", text, claim=claim)


def _amounts(text: str) -> dict[str, str]:
    """`pods=1,requests.cpu=500m` by resource."""
    amounts = {}
    for part in text.split(","):
        name, equals, amount = part.strip().partition("=")
        if equals:
            amounts[name] = amount
    return amounts


def _missing(text: str) -> dict[str, tuple[str, ...]]:
    """`limits.cpu for: a,b; requests.memory for: a`: the containers by the resources that they do not set.

    Releases before 1.25 name the resources only: `limits.cpu,limits.memory`.
    """
    missing: dict[str, tuple[str, ...]] = {}
    for part in text.split(";"):
        names, for_, containers = part.strip().partition(" for: ")
        for name in names.split(","):
            if name.strip():
                missing[name.strip()] = tuple(container.strip() for container in containers.split(",")) if for_ else ()
    return missing
