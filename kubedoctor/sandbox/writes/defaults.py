"""What the API server fills in (`pkg/apis/*/v1/defaults.go`, and the admission plug-ins DefaultTolerationSeconds and
ServiceAccount, v1.37): the fields that clients, the replay and people read."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from kubedoctor.sandbox.exchange import Object

_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_PROBE: Final = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_SURGE: Final = {"maxSurge": "25%", "maxUnavailable": "25%"}
_NODE_TROUBLE: Final = ("not-ready", "unreachable")


def with_defaults(obj: Object) -> None:
    """Fills in an object, in place."""
    if (fill := _BY_KIND.get(str(obj.get("kind")))) is not None:
        fill(obj)


def _fill(place: Object, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if place.get(name) is None:
            place[name] = value


def _map(place: Object, name: str) -> Object:
    """The map of a field, made where it is missing."""
    value = place.get(name)
    if not isinstance(value, dict):
        value = place[name] = {}
    return value


def _maps(place: Object, name: str) -> list[Object]:
    value = place.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _pod_spec(spec: Object) -> None:
    _fill(
        spec,
        {
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "securityContext": {},
            "schedulerName": "default-scheduler",
        },
    )
    if spec.get("serviceAccountName") and not spec.get("serviceAccount"):
        spec["serviceAccount"] = spec["serviceAccountName"]
    for kind in ("containers", "initContainers"):
        for container in _maps(spec, kind):
            _container(container)
    for volume in _maps(spec, "volumes"):
        _volume(volume)


def _container(container: Object) -> None:
    image = str(container.get("image") or "")
    tag = image.rpartition("/")[2]
    newest = "@" not in image and (":" not in tag or tag.endswith(":latest"))
    _fill(
        container,
        {
            "imagePullPolicy": "Always" if newest else "IfNotPresent",
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            "resources": {},
        },
    )
    for port in _maps(container, "ports"):
        _fill(port, {"protocol": "TCP"})
    for name in _PROBES:
        if isinstance(probe := container.get(name), dict):
            _fill(probe, _PROBE)
            if isinstance(asked := probe.get("httpGet"), dict):
                _fill(asked, {"path": "/", "scheme": "HTTP"})


def _volume(volume: Object) -> None:
    for name in ("configMap", "secret", "projected"):
        if isinstance(source := volume.get(name), dict):
            _fill(source, {"defaultMode": 420})
    if isinstance(host := volume.get("hostPath"), dict):
        _fill(host, {"type": ""})


def _pod(obj: Object) -> None:
    spec = _map(obj, "spec")
    _pod_spec(spec)
    _fill(
        spec, {"serviceAccountName": "default", "enableServiceLinks": True, "preemptionPolicy": "PreemptLowerPriority"}
    )
    spec.setdefault("serviceAccount", spec["serviceAccountName"])
    spec.setdefault("priority", 0)
    for container in (*_maps(spec, "containers"), *_maps(spec, "initContainers")):
        resources = _map(container, "resources")
        for name, amount in (resources.get("limits") or {}).items():
            _map(resources, "requests").setdefault(name, amount)
    tolerated = {
        str(each.get("key")) for each in _maps(spec, "tolerations") if each.get("effect") in (None, "", "NoExecute")
    }
    added = [f"node.kubernetes.io/{what}" for what in _NODE_TROUBLE]
    if wanted := [key for key in added if not tolerated & {key, "None", ""}]:
        rows = [{"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300} for key in wanted]
        spec["tolerations"] = [*_maps(spec, "tolerations"), *rows]


def _template(obj: Object) -> None:
    spec = _map(obj, "spec")
    if isinstance(template := spec.get("template"), dict):
        _pod_spec(_map(template, "spec"))


def _replicated(obj: Object) -> None:
    _fill(_map(obj, "spec"), {"replicas": 1})
    _template(obj)


def _deployment(obj: Object) -> None:
    spec = _map(obj, "spec")
    _fill(spec, {"revisionHistoryLimit": 10, "progressDeadlineSeconds": 600})
    strategy = _map(spec, "strategy")
    _fill(strategy, {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        _fill(_map(strategy, "rollingUpdate"), _SURGE)
    _replicated(obj)


def _stateful_set(obj: Object) -> None:
    spec = _map(obj, "spec")
    retained = {"whenDeleted": "Retain", "whenScaled": "Retain"}
    _fill(
        spec,
        {
            "revisionHistoryLimit": 10,
            "podManagementPolicy": "OrderedReady",
            "persistentVolumeClaimRetentionPolicy": retained,
        },
    )
    strategy = _map(spec, "updateStrategy")
    _fill(strategy, {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        _fill(_map(strategy, "rollingUpdate"), {"partition": 0})
    for claim in _maps(spec, "volumeClaimTemplates"):
        claim.setdefault("apiVersion", "v1")
        claim.setdefault("kind", "PersistentVolumeClaim")
        _claim(claim)
    _replicated(obj)


def _daemon_set(obj: Object) -> None:
    spec = _map(obj, "spec")
    _fill(spec, {"revisionHistoryLimit": 10})
    strategy = _map(spec, "updateStrategy")
    _fill(strategy, {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        _fill(_map(strategy, "rollingUpdate"), {"maxSurge": 0, "maxUnavailable": 1})
    _template(obj)


def _job(obj: Object) -> None:
    spec = _map(obj, "spec")
    if spec.get("completions") is None and spec.get("parallelism") is None:
        _fill(spec, {"completions": 1, "parallelism": 1})
    _fill(
        spec,
        {
            "parallelism": 1,
            "backoffLimit": 6,
            "completionMode": "NonIndexed",
            "suspend": False,
            "manualSelector": False,
            "podReplacementPolicy": "TerminatingOrFailed",
        },
    )
    _template(obj)


def _cron_job(obj: Object) -> None:
    spec = _map(obj, "spec")
    _fill(
        spec,
        {"concurrencyPolicy": "Allow", "suspend": False, "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1},
    )
    if isinstance(template := _map(spec, "jobTemplate").get("spec"), dict):
        _template({"spec": template})


def _service(obj: Object) -> None:
    spec = _map(obj, "spec")
    _fill(spec, {"type": "ClusterIP", "sessionAffinity": "None"})
    for port in _maps(spec, "ports"):
        _fill(port, {"protocol": "TCP", "targetPort": port.get("port")})
    if spec["type"] == "ExternalName":
        return
    _fill(spec, {"internalTrafficPolicy": "Cluster", "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"})
    if spec["type"] in ("NodePort", "LoadBalancer"):
        _fill(spec, {"externalTrafficPolicy": "Cluster"})
        for port in _maps(spec, "ports"):
            _fill(port, {"nodePort": 30000 + _number(obj, f"port {port.get('port')}") % 2768})
    if spec["type"] == "LoadBalancer":
        _fill(spec, {"allocateLoadBalancerNodePorts": True})
    if not spec.get("clusterIP"):
        number = _number(obj, "address")
        spec["clusterIP"] = f"10.96.{number // 250 % 250 + 1}.{number % 250 + 1}"
    _fill(spec, {"clusterIPs": [spec["clusterIP"]]})


def _number(obj: Object, what: str) -> int:
    """The same in each run: the allocators of the API server draw theirs by lot."""
    metadata = obj.get("metadata") or {}
    return zlib.crc32(f"{metadata.get('namespace')}/{metadata.get('name')} {what}".encode())


def _claim(obj: Object) -> None:
    _fill(_map(obj, "spec"), {"volumeMode": "Filesystem"})
    if not obj.get("status"):
        obj["status"] = {"phase": "Pending"}


def _volume_object(obj: Object) -> None:
    _fill(_map(obj, "spec"), {"persistentVolumeReclaimPolicy": "Retain", "volumeMode": "Filesystem"})
    if not obj.get("status"):
        obj["status"] = {"phase": "Available"}


def _namespace(obj: Object) -> None:
    _fill(_map(obj, "spec"), {"finalizers": ["kubernetes"]})
    if not obj.get("status"):
        obj["status"] = {"phase": "Active"}
    _map(obj["metadata"], "labels").setdefault("kubernetes.io/metadata.name", obj["metadata"].get("name"))


def _secret(obj: Object) -> None:
    _fill(obj, {"type": "Opaque"})
    for name, text in (obj.pop("stringData", None) or {}).items():
        _map(obj, "data")[name] = base64.b64encode(str(text).encode()).decode()


def _storage_class(obj: Object) -> None:
    _fill(obj, {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"})


def _network_policy(obj: Object) -> None:
    spec = _map(obj, "spec")
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    for rule in (*_maps(spec, "ingress"), *_maps(spec, "egress")):
        for port in _maps(rule, "ports"):
            _fill(port, {"protocol": "TCP"})


def _binding(obj: Object) -> None:
    role = _map(obj, "roleRef")
    _fill(role, {"apiGroup": "rbac.authorization.k8s.io"})
    for subject in _maps(obj, "subjects"):
        if subject.get("kind") in ("User", "Group"):
            _fill(subject, {"apiGroup": "rbac.authorization.k8s.io"})


def _autoscaler(obj: Object) -> None:
    _fill(_map(obj, "spec"), {"minReplicas": 1})


_BY_KIND: Final[Mapping[str, Callable[[Object], None]]] = {
    "Pod": _pod,
    "Deployment": _deployment,
    "ReplicaSet": _replicated,
    "ReplicationController": _replicated,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Job": _job,
    "CronJob": _cron_job,
    "Service": _service,
    "PersistentVolumeClaim": _claim,
    "PersistentVolume": _volume_object,
    "Namespace": _namespace,
    "Secret": _secret,
    "StorageClass": _storage_class,
    "NetworkPolicy": _network_policy,
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
    "HorizontalPodAutoscaler": _autoscaler,
}
