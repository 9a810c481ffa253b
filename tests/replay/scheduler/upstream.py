"""Upstream's questions and answers, read once."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from kubedoctor.cluster.decoding import decode_object
from kubedoctor.cluster.meta import KubernetesObject
from kubedoctor.cluster.pods import Pod
from kubedoctor.replay.scheduler.framework import Status
from kubedoctor.replay.scheduler.snapshot import ClusterState

ARGUMENTS = {
    "Namespace": "namespaces",
    "PersistentVolumeClaim": "claims",
    "PersistentVolume": "volumes",
    "StorageClass": "classes",
    "CSINode": "csi_nodes",
    "CSIDriver": "csi_drivers",
    "CSIStorageCapacity": "capacities",
    "VolumeAttachment": "attachments",
    "PodDisruptionBudget": "budgets",
}


class _Kind(msgspec.Struct):
    kind: str = ""


class _Request(msgspec.Struct):
    pod: msgspec.Raw
    objects: tuple[msgspec.Raw, ...] | None = None


class _Row(msgspec.Struct):
    id: str
    request: _Request
    answer: dict[str, Any]


class Case(msgspec.Struct):
    """One question with the cluster it is about."""

    id: str
    pod: Pod
    state: ClusterState
    answer: dict[str, Any]


_ROW = msgspec.json.Decoder(_Row)
_KIND = msgspec.json.Decoder(_Kind)


def decoded(kind: str, raw: bytes | msgspec.Raw) -> KubernetesObject:
    found = decode_object(kind, raw)
    assert not found.problems, found.problems
    return found.objects[0]


@cache
def fuzz_cases(shared: Path, name: str) -> tuple[Case, ...]:
    """All rows of a file of generated questions."""
    with gzip.open(shared / "conformance" / "fuzz" / f"{name}.jsonl.gz") as lines:
        return tuple(_case(line) for line in lines)


def _case(line: bytes) -> Case:
    row = _ROW.decode(line)
    objects: dict[str, list[Any]] = {}
    for raw in row.request.objects or ():
        kind = _KIND.decode(raw).kind
        objects.setdefault(kind, []).append(decoded(kind, raw))
    nodes, pods = objects.pop("Node", []), objects.pop("Pod", [])
    state = ClusterState.of(nodes, pods, **{ARGUMENTS[kind]: found for kind, found in objects.items()})
    pod = decoded("Pod", row.request.pod)
    assert isinstance(pod, Pod)
    return Case(row.id, pod, state, row.answer)


def said(status: Status, plugin: str = "") -> dict[str, Any]:
    """A verdict in upstream's form."""
    answer: dict[str, Any] = {"code": status.code.value}
    if plugin:
        answer["plugin"] = plugin
    if status.reasons:
        answer["reasons"] = list(status.reasons)
    return answer
