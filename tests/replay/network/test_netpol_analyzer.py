"""Allowed connections of whole clusters against the expectations of netpol-analyzer's own tests: every pair, every port."""

from __future__ import annotations

import ipaddress
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from kubedoctor.cluster.kinds.core import Node
from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.seen.decoding import convert_object
from kubedoctor.replay.network import ADMIN_KINDS, EVERY_PORT, NO_PORT, Party, PolicySet, PortSet, connectivity_matrix
from kubedoctor.replay.network.port_sets import PROTOCOLS, port_range, union

OTHER_NETWORKS = re.compile(r"^(nad|udn|cudn)_|virtual_machines|_vms_")
"""Cases of secondary networks and virtual machines, which are no core kinds."""
INGRESS_CONTROLLER = "{ingress-controller}"
"""A peer that is not among the objects."""
TEMPLATES = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob")
CASES_COMPARED = 56
PROTOCOL_PORTS = union(port_range(protocol, 1, 65535) for protocol in PROTOCOLS)


def cases(shared: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((shared / "conformance/netpol").glob("netpol-*.json")):
        name = path.stem.removeprefix("netpol-")
        if not OTHER_NETWORKS.search(name):
            yield name, json.loads(path.read_text(encoding="utf-8"))


def kind_of(data: dict[str, Any]) -> str:
    """Objects of typed lists have no kind: those with containers are pods, the others namespaces."""
    return str(data.get("kind") or ("Pod" if "containers" in (data.get("spec") or {}) else "Namespace"))


def workloads(objects: list[dict[str, Any]]) -> dict[str, list[Party]]:
    """By `namespace/name[Kind]`; pods of one owner are one peer."""
    spaces = {
        each["metadata"]["name"]: each["metadata"].get("labels") for each in objects if kind_of(each) == "Namespace"
    }
    found: dict[str, list[Party]] = defaultdict(list)
    for each in objects:
        kind, metadata = kind_of(each), each["metadata"]
        owner, name = kind, metadata["name"]
        template = each
        if kind in TEMPLATES:
            spec = each["spec"]["jobTemplate"]["spec"] if kind == "CronJob" else each["spec"]
            template = spec["template"]
        elif kind != "Pod":
            continue
        elif metadata.get("ownerReferences"):
            above = metadata["ownerReferences"][0]
            if above.get("kind") != "Node":  # A static pod stands for itself.
                owner, name = above.get("kind", "Pod"), above["name"]
        namespace = metadata.get("namespace") or "default"
        labels = (template.get("metadata") or {}).get("labels")
        data = {
            "metadata": {"name": metadata["name"], "namespace": namespace, "labels": labels},
            "spec": {"containers": [{"ports": one.get("ports")} for one in template["spec"].get("containers") or []]},
        }
        found[f"{namespace}/{name}[{owner}]"].append(Party.of_pod(msgspec.convert(data, Pod), spaces.get(namespace)))
    return found


def policies_of(objects: list[dict[str, Any]]) -> PolicySet:
    admin = [
        policy
        for kind in ADMIN_KINDS
        for each in objects
        if kind_of(each) == kind.__name__
        for policy in convert_object(f"{kind.__name__}.{kind.api_group}", each).objects
        if isinstance(policy, kind)
    ]
    nodes = [msgspec.convert(each, Node) for each in objects if kind_of(each) == "Node"]
    return PolicySet(
        [msgspec.convert(namespaced(each), NetworkPolicy) for each in objects if kind_of(each) == "NetworkPolicy"],
        admin,
        nodes,
    )


def namespaced(policy: dict[str, Any]) -> dict[str, Any]:
    return {**policy, "metadata": {**policy["metadata"], "namespace": policy["metadata"].get("namespace") or "default"}}


def port_set(text: str) -> PortSet:
    if text == "All Connections":
        return PROTOCOL_PORTS
    found: list[PortSet] = []
    protocol = ""
    for part in text.split(","):
        if " " in part:
            protocol, part = part.split(" ")
        first, _, last = part.partition("-")
        found.append(port_range(protocol, int(first), int(last or first)))
    return union(found)


def ends(name: str) -> tuple[int, int]:
    first, _, last = name.removesuffix("[External]").partition("-")
    return int(ipaddress.IPv4Address(first)), int(ipaddress.IPv4Address(last))


def edges(case: dict[str, Any]) -> list[int]:
    """The first address of each part of the addresses that policies and expectations cut out."""
    found = {0}
    for first, last in (
        ends(name) for row in case["expect_connectivity"] for name in (row["src"], row["dst"]) if "[External]" in name
    ):
        found |= {first, last + 1}
    for text in re.findall(r'"(\d+\.\d+\.\d+\.\d+(?:/\d+)?)"', json.dumps(case["objects"])):
        network = ipaddress.IPv4Network(text, strict=False)
        found |= {int(network.network_address), int(network.broadcast_address) + 1}
    return sorted(number for number in found if number < 1 << 32)


def expected(case: dict[str, Any], starts: list[int]) -> dict[tuple[str, str], PortSet]:
    found: dict[tuple[str, str], PortSet] = {}
    for row in case["expect_connectivity"]:
        if INGRESS_CONTROLLER in (row["src"], row["dst"]):
            continue
        for source in parts(row["src"], starts):
            for target in parts(row["dst"], starts):
                found[source, target] = found.get((source, target), NO_PORT) | port_set(row["conn"])
    return found


def parts(name: str, starts: list[int]) -> Iterable[str]:
    if "[External]" not in name:
        return (name,)
    first, last = ends(name)
    return [str(ipaddress.IPv4Address(start)) for start in starts if first <= start <= last]


def differences(case: dict[str, Any]) -> list[tuple[Any, ...]]:
    starts = edges(case)
    peers = workloads(case["objects"])
    outside = [str(ipaddress.IPv4Address(start)) for start in starts]
    peers.update({address: [Party.outside(address)] for address in outside})
    want = expected(case, starts)
    flat = [(name, party) for name, parties in peers.items() for party in parties]
    matrix = connectivity_matrix(policies_of(case["objects"]), [party for _, party in flat])
    wrong = []
    for row, (source, _) in enumerate(flat):
        for column, (target, _) in enumerate(flat):
            if source == target or (source in outside and target in outside):
                continue
            got = matrix.at(row, column) & PROTOCOL_PORTS
            if got != want.get((source, target), NO_PORT):
                wrong.append((source, target, got.text, want.get((source, target), NO_PORT).text))
    return wrong


def test_expected_connections(shared: Path) -> None:
    compared, wrong = 0, {}
    for name, case in cases(shared):
        compared += 1
        if found := differences(case):
            wrong[name] = found[:5]
    assert wrong == {}
    assert compared == CASES_COMPARED


def test_a_pair_and_the_matrix_agree(shared: Path) -> None:
    for name, case in cases(shared):
        parties = [party for found in workloads(case["objects"]).values() for party in found][:12]
        policies = policies_of(case["objects"])
        matrix = connectivity_matrix(policies, parties)
        for row, source in enumerate(parties):
            for column, target in enumerate(parties):
                assert policies.connectivity(source, target) == matrix.at(row, column), name
                if row == column:
                    assert matrix.at(row, column) == EVERY_PORT
