"""How nodes, namespaces, events, configuration, access control and admission objects are printed."""

from __future__ import annotations

from datetime import datetime

from kubedoctor.sandbox.exchange import Object
from kubedoctor.sandbox.tables.ages import age, human_duration
from kubedoctor.sandbox.tables.printing import (
    NONE,
    UNKNOWN,
    UNSET,
    Cells,
    Printer,
    at,
    created,
    joined,
    name,
    selector_text,
)

_ROLE_LABEL = "node-role.kubernetes.io/"


def _node_status(obj: Object) -> str:
    ready = next(
        (condition for condition in at(obj, "status", "conditions", default=[]) if condition.get("type") == "Ready"),
        None,
    )
    status = "Unknown" if ready is None else "Ready" if ready.get("status") == "True" else "NotReady"
    return f"{status},SchedulingDisabled" if at(obj, "spec", "unschedulable") else status


def _node_roles(labels: dict[str, str]) -> str:
    roles = {key.removeprefix(_ROLE_LABEL) for key in labels if key.startswith(_ROLE_LABEL)}
    roles.add(labels.get("kubernetes.io/role", ""))
    return joined(sorted(roles - {""}))


def _address(obj: Object, kind: str) -> str:
    rows = at(obj, "status", "addresses", default=[])
    return next((str(row.get("address", "")) for row in rows if row.get("type") == kind), NONE)


def _node(obj: Object, now: datetime) -> Cells:
    info = at(obj, "status", "nodeInfo", default={})
    kernel, architecture = info.get("kernelVersion") or UNKNOWN, info.get("architecture")
    return [
        name(obj),
        _node_status(obj),
        _node_roles(at(obj, "metadata", "labels", default={})),
        created(obj, now),
        info.get("kubeletVersion", ""),
        _address(obj, "InternalIP"),
        _address(obj, "ExternalIP"),
        info.get("osImage") or UNKNOWN,
        f"{kernel} ({architecture})" if architecture else kernel,
        info.get("containerRuntimeVersion") or UNKNOWN,
    ]


def _event(obj: Object, now: datetime) -> Cells:
    first = age(obj.get("firstTimestamp") or obj.get("eventTime"), now)
    last = age(obj["lastTimestamp"], now) if obj.get("lastTimestamp") else first
    count = obj.get("count") or 1
    if series := obj.get("series"):
        last, count = age(series.get("lastObservedTime"), now), series.get("count", 0)
    about = at(obj, "involvedObject", default={})
    target = str(about.get("kind", "")).lower()
    component = at(obj, "source", "component") or obj.get("reportingComponent") or ""
    instance = at(obj, "source", "host") or obj.get("reportingInstance") or ""
    return [
        last,
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{target}/{about['name']}" if about.get("name") else target,
        about.get("fieldPath", ""),
        f"{component}, {instance}" if instance else component,
        str(obj.get("message") or "").strip(),
        first,
        count,
        name(obj),
    ]


def _namespace(obj: Object, now: datetime) -> Cells:
    return [name(obj), at(obj, "status", "phase", default=""), created(obj, now)]


def _config_map(obj: Object, now: datetime) -> Cells:
    return [name(obj), len(at(obj, "data", default={})) + len(at(obj, "binaryData", default={})), created(obj, now)]


def _secret(obj: Object, now: datetime) -> Cells:
    return [name(obj), obj.get("type", ""), len(at(obj, "data", default={})), created(obj, now)]


def _quota(obj: Object, now: datetime) -> Cells:
    hard, used = at(obj, "status", "hard", default={}), at(obj, "status", "used", default={})
    requests = [resource for resource in sorted(hard) if not resource.startswith("limits.")]
    limits = [resource for resource in sorted(hard) if resource.startswith("limits.")]
    columns = [
        ", ".join(f"{resource}: {used.get(resource, '0')}/{hard[resource]}" for resource in part)
        for part in (requests, limits)
    ]
    return [name(obj), *columns, created(obj, now)]


def _binding(obj: Object, now: datetime) -> Cells:
    subjects: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for subject in at(obj, "subjects", default=[]):
        if subject.get("kind") in subjects:
            namespace = f"{subject['namespace']}/" if subject.get("namespace") else ""
            subjects[subject["kind"]].append(namespace + subject["name"])
    role = at(obj, "roleRef", default={})
    return [
        name(obj),
        f"{role.get('kind', '')}/{role.get('name', '')}",
        created(obj, now),
        *(", ".join(names) for names in subjects.values()),
    ]


def _signing_request(obj: Object, now: datetime) -> Cells:
    stated = {condition.get("type") for condition in at(obj, "status", "conditions", default=[])}
    state = next((kind for kind in ("Denied", "Approved") if kind in stated), "Pending")
    state += ",Failed" if "Failed" in stated else ""
    state += ",Issued" if at(obj, "status", "certificate") else ""
    seconds = at(obj, "spec", "expirationSeconds")
    wanted = human_duration(seconds) if isinstance(seconds, int) else NONE
    signer = at(obj, "spec", "signerName", default="") or NONE
    return [name(obj), created(obj, now), signer, at(obj, "spec", "username", default=""), wanted, state]


def _lease(obj: Object, now: datetime) -> Cells:
    return [name(obj), at(obj, "spec", "holderIdentity", default=""), created(obj, now)]


def _priority_class(obj: Object, now: datetime) -> Cells:
    return [
        name(obj),
        obj.get("value", 0),
        bool(obj.get("globalDefault")),
        created(obj, now),
        obj.get("preemptionPolicy", ""),
    ]


def _runtime_class(obj: Object, now: datetime) -> Cells:
    return [name(obj), obj.get("handler", ""), created(obj, now)]


def _webhooks(obj: Object, now: datetime) -> Cells:
    return [name(obj), len(at(obj, "webhooks", default=[])), created(obj, now)]


def _policy(obj: Object, now: datetime) -> Cells:
    kind = at(obj, "spec", "paramKind")
    text = f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}" if kind else UNSET
    return [name(obj), len(at(obj, "spec", "validations", default=[])), text, created(obj, now)]


def _policy_binding(obj: Object, now: datetime) -> Cells:
    parameter, text = at(obj, "spec", "paramRef"), UNSET
    if parameter and parameter.get("name"):
        text = f"{parameter.get('namespace') or '*'}/{parameter['name']}"
    elif parameter and parameter.get("selector") is not None:
        text = selector_text(parameter["selector"])
    return [name(obj), at(obj, "spec", "policyName", default=""), text, created(obj, now)]


def _api_service(obj: Object, now: datetime) -> Cells:
    """`kube-aggregator/pkg/registry/apiservice/etcd`, v1.37."""
    service = at(obj, "spec", "service")
    condition = next(
        (
            condition
            for condition in at(obj, "status", "conditions", default=[])
            if condition.get("type") == "Available"
        ),
        None,
    )
    available = "Unknown"
    if condition is not None:
        available = condition["status"]
        if available != "True":
            available += f" ({condition.get('reason', '')})"
    backed_by = f"{service.get('namespace', '')}/{service.get('name', '')}" if service else "Local"
    return [name(obj), backed_by, available, created(obj, now)]


def _aged(obj: Object, now: datetime) -> Cells:
    return [name(obj), created(obj, now)]


def _dated(obj: Object, _now: datetime) -> Cells:
    return [name(obj), at(obj, "metadata", "creationTimestamp")]


AGED = Printer("Name, Age", _aged)
DATED = Printer("Name, Created At:date", _dated)
_BINDING = Printer("Name, Role, Age, Users*, Groups*, ServiceAccounts*", _binding)
_WEBHOOKS = Printer("Name, Webhooks:integer, Age", _webhooks)

PRINTERS = {
    "Node": Printer(
        "Name, Status, Roles, Age, Version, Internal-IP*, External-IP*, OS-Image*, Kernel-Version*, Container-Runtime*",
        _node,
    ),
    "Event": Printer(
        "Last Seen, Type, Reason, Object, Subobject*, Source*, Message, First Seen*, Count*, Name*", _event
    ),
    "Namespace": Printer("Name, Status, Age", _namespace),
    "ConfigMap": Printer("Name, Data, Age", _config_map),
    "Secret": Printer("Name, Type, Data, Age", _secret),
    "ServiceAccount": AGED,
    "ResourceQuota": Printer("Name, Request, Limit, Age", _quota),
    "LimitRange": DATED,
    "Role": DATED,
    "ClusterRole": DATED,
    "RoleBinding": _BINDING,
    "ClusterRoleBinding": _BINDING,
    "CertificateSigningRequest": Printer(
        "Name, Age, SignerName, Requestor, RequestedDuration, Condition", _signing_request
    ),
    "Lease": Printer("Name, Holder, Age", _lease),
    "PriorityClass": Printer("Name, Value:integer, Global-Default:boolean, Age, PreemptionPolicy", _priority_class),
    "RuntimeClass": Printer("Name, Handler, Age", _runtime_class),
    "MutatingWebhookConfiguration": _WEBHOOKS,
    "ValidatingWebhookConfiguration": _WEBHOOKS,
    "ValidatingAdmissionPolicy": Printer("Name, Validations:integer, ParamKind, Age", _policy),
    "ValidatingAdmissionPolicyBinding": Printer("Name, PolicyName, ParamRef, Age", _policy_binding),
    "CustomResourceDefinition": DATED,
    "APIService": Printer("Name, Service, Available, Age", _api_service),
    "DeviceClass": AGED,
    "ResourceClaimTemplate": AGED,
}
