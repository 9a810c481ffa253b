"""What the path of a file says about its content, in the layouts that tools write.

Own bundles, `kubectl cluster-info dump` (k8s.io/kubectl pkg/cmd/clusterinfo, v1.37) and support bundles of
troubleshoot.sh (pkg/collect/cluster_resources.go, v0.120).
"""

from __future__ import annotations

from dataclasses import dataclass

from kubedoctor.cluster.kinds.resources import kind_from_word
from kubedoctor.cluster.seen.wants import READYZ, VOLUMES, LogWant, volumes_want

MANIFEST = "kubedoctor.json"
_RESOURCES = "cluster-resources"
_DUMPED = frozenset(
    ["events", "replication-controllers", "services", "daemonsets", "deployments", "replicasets", "pods"]
)
_SUPPORT_KINDS = {
    "pvs": "PersistentVolume",
    "pvcs": "PersistentVolumeClaim",
    "network-policy": "NetworkPolicy",
    "resource-quota": "ResourceQuota",
    "resource-quotas": "ResourceQuota",
    "storage": "StorageClass",
    "ingress": "Ingress",
    "storage-classes": "StorageClass",
    "custom-resource-definitions": "CustomResourceDefinition",
    "clusterrolebindings": "ClusterRoleBinding",
    "clusterroles": "ClusterRole",
}
# Files of a support bundle that are not about objects.
_NO_OBJECTS = frozenset(["groups", "resources", "auth-cani-list", "image-pull-secrets", "groups-resources"])
_DATA = (".json", ".yaml", ".yml")


@dataclass(frozen=True)
class PathMeaning:
    """What a path says. `whole`: the file is the answer to a list of the namespace (empty: of all of them)."""

    what: str = "unknown"  # unknown, objects, errors, log, dumped-log, manifest, version, ignored
    kind: str = ""
    namespace: str = ""
    whole: bool = False
    log: LogWant | None = None


def place_of(parts: tuple[str, ...]) -> PathMeaning:
    """The meaning of a path; `unknown` where only the content shows it."""
    name = parts[-1]
    if _RESOURCES in parts[:-1]:
        return _support_place(parts[parts.index(_RESOURCES) + 1 :])
    if parts[-2:] == ("cluster-info", "cluster_version.json"):
        return PathMeaning("version")
    if name == MANIFEST:
        return PathMeaning("manifest")
    if parts[-2:] == ("logs", f"{READYZ.container}.log"):
        return PathMeaning("log", log=READYZ)
    if name == f"{VOLUMES}.log" and parts[-3:-2] == ("logs",):
        return PathMeaning("log", log=volumes_want(parts[-2]))
    if name.endswith(".log") and len(parts) >= 4 and parts[-4] == "logs":
        return PathMeaning("log", log=_log_want(parts[-3], parts[-2], name.removesuffix(".log"), ".previous"))
    if name == "logs.txt":
        return PathMeaning("dumped-log")
    stem, dot, _ = name.rpartition(".")
    if not dot or not name.endswith(_DATA):
        return PathMeaning() if len(parts) == 1 else PathMeaning("ignored" if dot else "unknown")
    if stem in _DUMPED and len(parts) >= 2:
        row = kind_from_word(stem.replace("-", ""))
        return PathMeaning("unknown", row.kind if row else "", parts[-2], whole=True)
    return PathMeaning("unknown", "Node", whole=True) if stem == "nodes" else PathMeaning()


def _support_place(parts: tuple[str, ...]) -> PathMeaning:
    name = parts[-1]
    if parts[:2] == ("pods", "logs"):
        if len(parts) != 5 or not name.endswith(".log"):
            return PathMeaning("ignored")
        return PathMeaning("log", log=_log_want(parts[2], parts[3], name.removesuffix(".log"), "-previous"))
    if not name.endswith(_DATA):
        return PathMeaning("ignored")
    stem = name.rpartition(".")[0]
    folder = parts[0] if len(parts) > 1 else stem
    if stem.endswith("-errors"):
        return PathMeaning("errors", _support_kind(stem.removesuffix("-errors")))
    if folder in _NO_OBJECTS:
        return PathMeaning("ignored")
    if folder == "custom-resources":
        return PathMeaning("objects", namespace=stem if len(parts) > 2 else "", whole=True)
    return PathMeaning("objects", _support_kind(folder), stem if len(parts) > 1 else "", whole=True)


def _support_kind(word: str) -> str:
    if kind := _SUPPORT_KINDS.get(word.lower()):
        return kind
    row = kind_from_word(word.replace("-", ""))
    return row.kind if row else ""


def _log_want(namespace: str, pod: str, container: str, suffix: str) -> LogWant:
    previous = container.endswith(suffix)
    return LogWant(namespace, pod, container.removesuffix(suffix) if previous else container, previous)
