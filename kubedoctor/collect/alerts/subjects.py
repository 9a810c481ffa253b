"""Which object an alert is about, by its labels.

The names of the labels are those of kube-state-metrics, cAdvisor and the kubelet, and of the rules that most clusters have
(kubernetes-mixin). The target that Prometheus scraped has labels of its own: where `pod` is an exporter, it does not name
the object; where the exporter's own labels were kept, those of the object begin with `exported_`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from kubedoctor.collect.alerts.payload import Alert

_OBJECTS: Final = (
    ("job_name", "Job"),
    ("cronjob", "CronJob"),
    ("horizontalpodautoscaler", "HorizontalPodAutoscaler"),
    ("hpa", "HorizontalPodAutoscaler"),
    ("statefulset", "StatefulSet"),
    ("daemonset", "DaemonSet"),
    ("deployment", "Deployment"),
    ("poddisruptionbudget", "PodDisruptionBudget"),
    ("resourcequota", "ResourceQuota"),
    ("persistentvolumeclaim", "PersistentVolumeClaim"),
    ("persistentvolume", "PersistentVolume"),
    ("pod", "Pod"),
    ("pod_name", "Pod"),
    ("replicaset", "ReplicaSet"),
    ("ingress", "Ingress"),
    ("node", "Node"),
    ("nodename", "Node"),
    ("service", "Service"),
)
"""The first label that an alert has counts: a workload before its pods, a pod before its node and the Service scraped."""
_NAMED: Final = (
    (re.compile(r"^Cert-?[Mm]anager"), "Certificate.cert-manager.io"),
    (re.compile(r"^Argo-?[Cc]?[Dd]?App"), "Application.argoproj.io"),
    (re.compile(r"^Velero"), "Schedule.velero.io"),
)
"""Rules whose label `name` is of an object of this kind."""
_OF_THE_NODE: Final = re.compile(r"^(?:Kube)?Node(?!Exporter)|^Kubelet|^Host[A-Z]")
_EXPORTERS: Final = re.compile(
    r"kube-state-metrics|node-exporter|blackbox-exporter|^kubelet$|^apiserver$|^kube-prometheus"
)
_CLUSTER_SCOPED: Final = frozenset({"Node", "PersistentVolume", "Namespace"})
_ALWAYS: Final = frozenset({"Watchdog", "DeadMansSwitch", "InfoInhibitor"})
_ADDRESS: Final = re.compile(r"^(?P<host>.+?)(?::\d+)?$")


class AlertSubject(msgspec.Struct, frozen=True):
    """What an alert is about. kind: empty where its labels name no object, then `namespace` alone may be known. address: of
    the node, where it has no name. always: the rule fires while nothing is wrong."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    address: str = ""
    always: bool = False


def meant_by(alert: Alert) -> AlertSubject:
    """The object by the labels alone, whether or not it exists."""
    if alert.name in _ALWAYS:
        return AlertSubject(always=True)
    labels = _own(alert.labels)
    namespace = labels.get("namespace", "")
    if _OF_THE_NODE.search(alert.name):
        return _node(labels) or AlertSubject(namespace=namespace)
    if "name" in labels and (kind := labels.get("kind") or labels.get("customresource_kind")):
        return AlertSubject(kind, namespace, labels["name"])
    for rule, kind in _NAMED:
        if rule.search(alert.name) and "name" in labels:
            return AlertSubject(kind, namespace, labels["name"])
    for label, kind in _OBJECTS:
        name = labels.get(label, "")
        if name:
            return AlertSubject(kind, "" if kind in _CLUSTER_SCOPED else namespace, name)
    return AlertSubject(namespace=namespace)


def _node(labels: Mapping[str, str]) -> AlertSubject | None:
    name = labels.get("node") or labels.get("nodename")
    if name:
        return AlertSubject("Node", "", name)
    found = _ADDRESS.match(labels.get("instance", ""))
    return AlertSubject("Node", "", "", found["host"].strip("[]")) if found else None


def _own(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels of the object: without those of the target that was scraped."""
    kept = {
        label: value
        for label, value in labels.items()
        if not (label in ("pod", "service", "container") and _EXPORTERS.search(value))
    }
    exported = {
        label.removeprefix("exported_"): value for label, value in labels.items() if label.startswith("exported_")
    }
    if exported:
        for label in ("pod", "service", "container"):
            kept.pop(label, None)
    return {**kept, **exported}


_REPLICA_SET: Final = re.compile(r"^(?P<owner>.+?)-[0-9a-z]{6,10}-[0-9a-z]{5}$")
_GENERATED: Final = re.compile(r"^(?P<owner>.+)-[0-9a-z]{5}$")
_ORDINAL: Final = re.compile(r"^(?P<owner>.+)-\d+$")


def owners_of_lost(pod: str) -> tuple[tuple[str, str], ...]:
    """The workloads that may have made a pod of this name, as kinds and names: what is left of it when it is gone."""
    rows = (
        (_REPLICA_SET, ("Deployment",)),
        (_ORDINAL, ("StatefulSet",)),
        (_GENERATED, ("DaemonSet", "Job", "ReplicaSet")),
    )
    return tuple((kind, found["owner"]) for form, kinds in rows if (found := form.match(pod)) for kind in kinds)
