"""Fields that the API server fills in before it asks policies (`pkg/apis/{core,apps,batch}/v1/defaults.go`, v1.37)."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

_POD: Final[Mapping[str, Any]] = {
    "restartPolicy": "Always",
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "terminationGracePeriodSeconds": 30,
    "securityContext": {},
}
_CONTAINER: Final[Mapping[str, Any]] = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
_PROBE: Final[Mapping[str, Any]] = {
    "timeoutSeconds": 1,
    "periodSeconds": 10,
    "successThreshold": 1,
    "failureThreshold": 3,
}
_ROLLING: Final[Mapping[str, Any]] = {"maxUnavailable": "25%", "maxSurge": "25%"}
_WORKLOADS: Final[Mapping[str, Mapping[str, Any]]] = {
    "Deployment": {
        "replicas": 1,
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": dict(_ROLLING)},
    },
    "ReplicaSet": {"replicas": 1},
    "ReplicationController": {"replicas": 1},
    "StatefulSet": {
        "replicas": 1,
        "revisionHistoryLimit": 10,
        "podManagementPolicy": "OrderedReady",
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
    },
    "DaemonSet": {
        "revisionHistoryLimit": 10,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
    },
    "Job": {"completions": 1, "parallelism": 1, "backoffLimit": 6, "completionMode": "NonIndexed", "suspend": False},
    "CronJob": {
        "concurrencyPolicy": "Allow",
        "suspend": False,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
    },
    "Service": {"type": "ClusterIP", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster"},
}
_FILLED_IN: Final = frozenset(
    (
        *_POD,
        *_CONTAINER,
        *_PROBE,
        *(key for fields in _WORKLOADS.values() for key in fields),
        *(
            "imagePullPolicy",
            "protocol",
            "defaultMode",
            "scheme",
            "clusterIP",
            "clusterIPs",
            "ipFamilies",
            "ipFamilyPolicy",
        ),
        *(
            "targetPort",
            "uid",
            "creationTimestamp",
            "generation",
            "managedFields",
            "resourceVersion",
            "status",
            "selector",
        ),
        *("volumeMode", "storageClassName", "type", "rollingUpdate", "finalizers", "hostPort", "serviceAccount"),
    )
)
_OF_PODS: Final = frozenset(
    (
        "requests",
        "enableServiceLinks",
        "serviceAccountName",
        "tolerations",
        "priority",
        "preemptionPolicy",
        "volumes",
        "volumeMounts",
        "nodeName",
    )
)
"""Of pods alone: templates stay without them."""


def may_be_filled_in(key: str, kind: str) -> bool:
    """Whether an object may have a key although its file has none: an expression that misses it decides nothing."""
    return key in _FILLED_IN or (kind == "Pod" and key in _OF_PODS)


def with_defaults(document: Mapping[str, Any]) -> dict[str, Any]:
    """A built-in object of a file as policies see it, as far as defaults are known here."""
    data = deepcopy(dict(document))
    kind, spec = data.get("kind"), data.get("spec")
    if not isinstance(spec, dict):
        return data
    _fill(spec, _WORKLOADS.get(str(kind), {}))
    if kind == "Pod":
        _pod(spec)
        _fill(spec, {"enableServiceLinks": True})
        for container in (*_dicts(spec.get("containers")), *_dicts(spec.get("initContainers"))):
            _resources(container)
    elif kind == "CronJob":
        job = spec.get("jobTemplate")
        inner = job.get("spec") if isinstance(job, dict) else None
        if isinstance(inner, dict):
            _fill(inner, _WORKLOADS["Job"])
            _template(inner)
    elif kind == "Service":
        for port in _dicts(spec.get("ports")):
            _fill(port, {"protocol": "TCP", "targetPort": port.get("port")})
    else:
        _template(spec)
    return data


def _template(spec: dict[str, Any]) -> None:
    template = spec.get("template")
    if isinstance(template, dict) and isinstance(template.get("spec"), dict):
        template.setdefault("metadata", {})
        _pod(template["spec"])


def _pod(spec: dict[str, Any]) -> None:
    _fill(spec, _POD)
    for container in (*_dicts(spec.get("containers")), *_dicts(spec.get("initContainers"))):
        _fill(container, _CONTAINER)
        _fill(container, {"imagePullPolicy": _pull_policy(str(container.get("image", "")))})
        for port in _dicts(container.get("ports")):
            _fill(port, {"protocol": "TCP"})
        for probe in _dicts([container.get(f"{name}Probe") for name in ("liveness", "readiness", "startup")]):
            _fill(probe, _PROBE)
            for action in _dicts([probe.get("httpGet")]):
                _fill(action, {"scheme": "HTTP", "path": "/"})


def _resources(container: dict[str, Any]) -> None:
    """A limit without a request is the request."""
    resources = container.get("resources")
    limits = resources.get("limits") if isinstance(resources, dict) else None
    if isinstance(resources, dict) and isinstance(limits, dict) and limits:
        requests = resources.get("requests")
        resources["requests"] = {**limits, **(requests if isinstance(requests, dict) else {})}


def _pull_policy(image: str) -> str:
    name = image.rpartition("/")[2]
    tag = name.partition(":")[2]
    return "Always" if "@" not in name and tag in ("", "latest") else "IfNotPresent"


def _fill(data: dict[str, Any], defaults: Mapping[str, Any]) -> None:
    for key, value in defaults.items():
        if data.get(key) is None and value is not None:
            data[key] = deepcopy(value)


def _dicts(values: Any) -> list[dict[str, Any]]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []
