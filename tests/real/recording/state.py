"""The state of a real cluster as a recording: the objects of one namespace, those of the cluster, and the logs."""

from __future__ import annotations

import json
import re
from datetime import datetime

from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.layout import KUBERNETES_VERSION, Document
from tests.real.namespace import Namespace

LOG_LINES = 200
KINDS = (
    "nodes,pods,events,replicasets,deployments,statefulsets,daemonsets,jobs,cronjobs,services,endpointslices,"
    "persistentvolumeclaims,persistentvolumes,storageclasses,csinodes,csidrivers,csistoragecapacities,configmaps,secrets,serviceaccounts,resourcequotas,"
    "limitranges,networkpolicies,horizontalpodautoscalers,poddisruptionbudgets,priorityclasses,leases,namespaces,ingresses,"
    "ingressclasses,controllerrevisions,validatingwebhookconfigurations,mutatingwebhookconfigurations,"
    "customresourcedefinitions,resourceclaims,resourceslices,deviceclasses,volumeattachments,apiservices,roles,rolebindings,clusterroles,"
    "clusterrolebindings,certificatesigningrequests"
)
ALWAYS = {"", "kube-system", "kube-node-lease", "kube-public", "default", "ingress-nginx"}
OF_A_FAULT = re.compile(r"\bshop-\d+\b")
"""The namespaces of faults that are made at the same time."""


def built_in(item: Document) -> bool:
    """What every cluster has and what tells nothing."""
    labels = item["metadata"].get("labels", {})
    return (
        labels.get("kubernetes.io/bootstrapping") == "rbac-defaults"
        or "kube-aggregator.kubernetes.io/automanaged" in labels
    )


def blanked(item: Document) -> Document:
    """Without the values of Secrets."""
    if item["kind"] == "Secret":
        item["data"] = dict.fromkeys(item.get("data") or {}, "")
        item["metadata"].get("annotations", {}).pop("kubectl.kubernetes.io/last-applied-configuration", None)
    return item


def belongs(item: Document, namespace: str) -> bool:
    """Whether an object is of the namespace's file: what names other namespaces of faults is not."""
    if item["kind"] == "Namespace":
        return item["metadata"]["name"] in ALWAYS | {namespace}
    about = item.get("involvedObject") or item.get("regarding") or {}
    if about.get("kind") == "Namespace" and about.get("name") != namespace:
        return False
    owner = owner_of(item)
    if OF_A_FAULT.fullmatch(owner) and owner != namespace:
        return False
    return item["metadata"].get("namespace", "") in ALWAYS | {namespace}


def owner_of(item: Document) -> str:
    """The namespace of the claim or the snapshot that an object without a namespace belongs to; empty for others."""
    spec = item.get("spec") or {}
    held = spec.get("claimRef") or spec.get("volumeSnapshotRef") or {}
    return str(held.get("namespace", ""))


def without_strangers(kept: list[Document], items: list[Document]) -> list[Document]:
    """Without what is about volumes that belong to other faults: their attachments and events."""
    names = {item["metadata"]["name"] for item in kept if item["kind"] == "PersistentVolume"}
    strange = {item["metadata"]["name"] for item in items if item["kind"] == "PersistentVolume"} - names

    def volume_of(item: Document) -> str:
        if item["kind"] == "VolumeAttachment":
            return str(item["spec"]["source"].get("persistentVolumeName", ""))
        about = item.get("involvedObject") or {}
        return str(about.get("name", "")) if about.get("kind") == "PersistentVolume" else ""

    return [item for item in kept if volume_of(item) not in strange]


def lines_of(text: str, namespace: str) -> str:
    """The last lines of a log that name no other namespace of a fault: some programs serve all."""
    kept = [line for line in text.splitlines(True) if set(OF_A_FAULT.findall(line)) <= {namespace}]
    return "".join(kept[-LOG_LINES:])


def logs_of(cluster: RealCluster, pods: list[Document], at: str) -> dict[str, dict[str, str]]:
    """The last lines of each container's present and previous run, or why they could not be read. at: the namespace of
    the fault."""
    found: dict[str, dict[str, str]] = {}
    for pod in pods:
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        for key in ("initContainerStatuses", "containerStatuses"):
            for status in pod["status"].get(key, []):
                if not status.get("containerID") and not status.get("lastState"):
                    continue
                entry = found[f"{namespace}/{name}/{status['name']}"] = dict[str, str]()
                for which in ("current", "previous") if status.get("lastState") else ("current",):
                    flags = ["--previous"] if which == "previous" else []
                    command = ["logs", "-n", namespace, name, "-c", status["name"], f"--tail={20 * LOG_LINES}"]
                    try:
                        entry[which] = lines_of(cluster.kubectl(*command, *flags), at)
                    except RuntimeError as error:
                        entry[which], entry["error"] = "", str(error).split(": ", 1)[1]
    return found


def state_of(at: Namespace, taken_at: datetime, more_kinds: str = "") -> Document:
    """Also with `more_kinds`, parted by commas."""
    kinds = f"{KINDS},{more_kinds}" if more_kinds else KINDS
    items = json.loads(at.cluster.kubectl("get", kinds, "-A", "-o", "json", "--show-managed-fields"))["items"]
    kept = [blanked(item) for item in items if belongs(item, at.name) and not built_in(item)]
    kept = without_strangers(kept, items)
    return {
        "kubernetes": KUBERNETES_VERSION,
        "captured_at": taken_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "objects": kept,
        "logs": logs_of(at.cluster, [item for item in kept if item["kind"] == "Pod"], at.name),
    }
