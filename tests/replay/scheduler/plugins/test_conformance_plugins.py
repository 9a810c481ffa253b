"""Single filter plugins, by the verdicts in Kubernetes' own unit tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from kubedoctor.cluster.grammar.selectors import CompiledNodeSelector, selector_from_map
from kubedoctor.cluster.kinds.affinity import NodeSelectorRequirement, NodeSelectorTerm, TopologySpreadConstraint
from kubedoctor.cluster.kinds.core import Namespace, Node
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.storage import (
    CSIDriver,
    CSINode,
    CSIStorageCapacity,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeAttachment,
)
from kubedoctor.cluster.seen.decoding import convert_object
from kubedoctor.replay.scheduler.framework import SUCCESS, Plugin, Prepared, Status
from kubedoctor.replay.scheduler.plugins.node_affinity import NodeAffinity
from kubedoctor.replay.scheduler.plugins.pod_topology_spread import PodTopologySpread
from kubedoctor.replay.scheduler.profile import default_plugins
from kubedoctor.replay.scheduler.releases import LATEST
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo, PodInfo

T = TypeVar("T", bound=KubernetesObject)

FILES = {
    "interpodaffinity": "InterPodAffinity",
    "nodeaffinity": "NodeAffinity",
    "nodename": "NodeName",
    "nodeports": "NodePorts",
    "noderesources": "NodeResourcesFit",
    "nodeunschedulable": "NodeUnschedulable",
    "nodevolumelimits": "NodeVolumeLimits",
    "podtopologyspread": "PodTopologySpread",
    "tainttoleration": "TaintToleration",
    "volumebinding": "VolumeBinding",
    "volumerestrictions": "VolumeRestrictions",
}

SKIPPED: dict[tuple[str, int], str] = {
    ("interpodaffinity", 105): "a call without a PreFilter before",
    ("nodeports", 29): "a call without a PreFilter before",
    ("noderesources", 99): "a call without a PreFilter before",
    ("podtopologyspread", 236): "a call without a PreFilter before",
    ("nodevolumelimits", 46): "an error that was injected",
    ("nodeaffinity", 52): "Filter without the PreFilter that would reject first",
    ("noderesources", 60): "ignored resources that were not recorded",
    ("noderesources", 66): "ignored resources that were not recorded",
    ("noderesources", 88): "an extended resource with a DeviceClass that was not recorded",
    ("noderesources", 96): "an extended resource with a DeviceClass that was not recorded",
    ("noderesources", 118): "sidecars turned off, which 1.37 cannot",
    **{("tainttoleration", line): "a gate that is off by default" for line in (11, 13, 15, 17)},
}
"""By file and line; beside these, all filter rows of nodevolumelimits and all of volumezone, whose claims and volumes
were not recorded. The list of the data's own README."""


def convert(struct: type[T], data: dict[str, Any] | None) -> T:
    found = convert_object(struct.__name__, data or {})
    assert not found.problems, found.problems
    (one,) = found.objects
    assert isinstance(one, struct)
    return one


def many(struct: type[T], data: list[dict[str, Any]] | None) -> list[T]:
    return [convert(struct, one) for one in data or ()]


def placed(data: list[dict[str, Any]] | None) -> list[tuple[Node, list[Pod]]]:
    return [(convert(Node, one["node"]), many(Pod, one["pods"])) for one in data or ()]


def state_of(row: dict[str, Any]) -> ClusterState:
    csi_nodes = [*many(CSINode, row.get("csinodes")), *many(CSINode, [row["csinode"]] if row.get("csinode") else None)]
    return ClusterState(
        placed(row.get("nodes")),
        namespaces=many(Namespace, row.get("namespaces")),
        claims=many(PersistentVolumeClaim, row.get("pvcs")),
        volumes=many(PersistentVolume, row.get("pvs")),
        classes=many(StorageClass, row.get("scs")),
        csi_nodes=csi_nodes,
        csi_drivers=many(CSIDriver, row.get("csidrivers")),
        capacities=many(CSIStorageCapacity, row.get("capacities")),
        attachments=many(VolumeAttachment, row.get("vas")),
    )


ADDED_AFFINITY = ("nodeaffinity", range(57, 59))
"""Rows whose configuration adds `zone In [bar]`: upstream's test "Doesn't match added affinity"."""
SERVICE = ("podtopologyspread", (11, 13, 14))
"""Rows with a Service that selects `foo: bar`: upstream's tests "default constraints and a service" and after."""


def plugin_for(name: str, file: str, number: int, row: dict[str, Any]) -> Plugin:
    if file == ADDED_AFFINITY[0] and number in ADDED_AFFINITY[1]:
        bar = NodeSelectorRequirement(key="zone", operator="In", values=("bar",))
        return NodeAffinity(CompiledNodeSelector([NodeSelectorTerm(match_expressions=(bar,))]))
    if name == "PodTopologySpread" and row.get("defaultConstraints"):
        constraints = tuple(convert_constraint(one) for one in row["defaultConstraints"])
        selected = file == SERVICE[0] and number in SERVICE[1]
        return PodTopologySpread(constraints, selector_from_map({"foo": "bar"}) if selected else None)
    return next(one for one in default_plugins(LATEST) if one.name == name)


def convert_constraint(data: dict[str, Any]) -> TopologySpreadConstraint:
    pod = convert(Pod, {"spec": {"topologySpreadConstraints": [data]}})
    assert pod.spec.topology_spread_constraints is not None
    return pod.spec.topology_spread_constraints[0]


def numbered(shared: Path, file: str) -> Iterator[tuple[int, dict[str, Any]]]:
    with (shared / "conformance" / "scheduler" / f"{file}.jsonl").open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if (file, number) not in SKIPPED:
                yield number, json.loads(line)


def filtered(prepared: Prepared, node: NodeInfo) -> Status:
    return prepared.node_filter.check(node) if prepared.node_filter else SUCCESS


@pytest.mark.parametrize(("file", "plugin"), FILES.items())
def test_verdicts_of_one_plugin(shared: Path, file: str, plugin: str) -> None:
    wrong: list[Any] = []
    before: tuple[str, Prepared] = ("", Prepared(SUCCESS))
    compared = 0
    rows = list(numbered(shared, file))
    for at, (number, row) in enumerate(rows):
        pod = convert(Pod, row["pod"])
        if row["t"] == "prefilter":
            if file == "volumerestrictions" and [one for _, one in rows[at + 1 : at + 2] if one["cs"] == row["cs"]]:
                row["nodes"] = [rows[at + 1][1]["ni"]]  # the only node: it is recorded with the next row alone
            prepared = plugin_for(plugin, file, number, row).pre_filter(pod, state_of(row))
            before = (row["cs"], prepared)
            names = sorted(prepared.node_names) if prepared.node_names else None
            if file == "nodeaffinity" and names != (row.get("nodeNames") or None):
                wrong.append((number, names, row["nodeNames"]))
            status = prepared.status
        elif file == "nodevolumelimits":
            continue
        else:
            ni = row["ni"]
            node = NodeInfo(convert(Node, ni["node"]), [PodInfo(one) for one in many(Pod, ni["pods"])])
            prepared = before[1]
            if before[0] != row["cs"]:
                prepared = plugin_for(plugin, file, number, row).pre_filter(pod, state_of(row))
            status = filtered(prepared, node)
        compared += 1
        ours = (status.code.value, sorted(status.texts))
        theirs = (row["status"]["code"], sorted(row["status"].get("reasons") or ()))
        if ours != theirs:
            wrong.append((number, row["t"], ours, theirs))
    assert not wrong, f"{len(wrong)}: {wrong[:12]}"
    assert compared
