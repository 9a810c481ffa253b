"""Allowed connections against the expectations of netpol-analyzer's own tests."""

from __future__ import annotations

import ipaddress
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.network import Party, PolicySet

OTHER_POLICIES = re.compile(r"^(anp|banp)_|_(anp|banp)_")
OTHER_NETWORKS = re.compile(r"^(nad|udn|cudn)_|virtual_machines|_vms_")
TEMPLATES = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob")
PROTOCOLS = ("TCP", "UDP", "SCTP")
CASES_COMPARED = 29


def cases(shared: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Those with NetworkPolicy alone; AdminNetworkPolicy and secondary networks are not replayed."""
    for path in sorted((shared / "conformance/netpol").glob("netpol-*.json")):
        name = path.stem.removeprefix("netpol-")
        if not OTHER_POLICIES.search(name) and not OTHER_NETWORKS.search(name):
            yield name, json.loads(path.read_text(encoding="utf-8"))


def kind_of(data: dict[str, Any]) -> str:
    """Objects of typed lists have no kind: those with containers are pods, the others namespaces."""
    return str(data.get("kind") or ("Pod" if "containers" in (data.get("spec") or {}) else "Namespace"))


def parties(objects: list[dict[str, Any]]) -> dict[str, list[Party]]:
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
            "metadata": {"name": name, "namespace": namespace, "labels": labels},
            "spec": {"containers": [{"ports": one.get("ports")} for one in template["spec"].get("containers") or []]},
        }
        found[f"{namespace}/{name}[{owner}]"].append(Party.of_pod(msgspec.convert(data, Pod), spaces.get(namespace)))
    return found


def connections(text: str) -> dict[str, list[tuple[int, int]]]:
    if text == "All Connections":
        return {protocol: [(1, 65535)] for protocol in PROTOCOLS}
    found: dict[str, list[tuple[int, int]]] = {}
    protocol = ""
    for part in text.split(","):
        if " " in part:
            protocol, part = part.split(" ")
        first, _, last = part.partition("-")
        found.setdefault(protocol, []).append((int(first), int(last or first)))
    return found


def corners(case: dict[str, Any]) -> list[int]:
    """Ports on both sides of every border that a policy, a container or an expectation draws."""
    text = json.dumps(case["objects"]) + ",".join(each["conn"] for each in case["expect_connectivity"])
    numbers = {
        int(each)
        for found in re.findall(r'"(?:port|endPort|containerPort)": (\d+)|(?<=[ ,-])(\d{1,5})\b', text)
        for each in found
        if each
    }
    return sorted({port for each in numbers for port in (each - 1, each, each + 1) if 1 <= port <= 65535} | {1, 65535})


def ends(name: str) -> tuple[int, int]:
    first, _, last = name.removesuffix("[External]").partition("-")
    return int(ipaddress.IPv4Address(first)), int(ipaddress.IPv4Address(last))


def differences(case: dict[str, Any]) -> list[tuple[Any, ...]]:
    peers = parties(case["objects"])
    policies = PolicySet(
        msgspec.convert(namespaced(each), NetworkPolicy) for each in case["objects"] if kind_of(each) == "NetworkPolicy"
    )
    rows = [(each["src"], each["dst"], connections(each["conn"])) for each in case["expect_connectivity"]]
    blocks = {name for row in rows for name in row[:2] if name.endswith("[External]")}
    outside = {str(ipaddress.IPv4Address(edge)) for block in blocks for edge in ends(block)}
    peers.update({address: [Party.outside(address)] for address in outside})
    expected: dict[tuple[str, str], list[dict[str, list[tuple[int, int]]]]] = defaultdict(list)
    for source, target, allowed in rows:
        for one in held(source, outside):
            for other in held(target, outside):
                expected[one, other].append(allowed)
    ports = corners(case)
    wrong = []
    for source, ours in peers.items():
        for target, theirs in peers.items():
            if source == target or (source in outside and target in outside):
                continue
            for protocol in PROTOCOLS:
                ranges = [each for allowed in expected[source, target] for each in allowed.get(protocol, ())]
                for port in ports:
                    want = any(first <= port <= last for first, last in ranges)
                    got = [policies.judge(a, b, port, protocol).allowed for a in ours for b in theirs]
                    if not (all(got) if want else not any(got)):
                        wrong.append((source, target, protocol, port, want))
    return wrong


def held(name: str, outside: set[str]) -> list[str]:
    """The sampled addresses within a block of addresses; any other peer is itself."""
    if not name.endswith("[External]"):
        return [name]
    first, last = ends(name)
    return [each for each in outside if first <= int(ipaddress.IPv4Address(each)) <= last]


def namespaced(policy: dict[str, Any]) -> dict[str, Any]:
    return {**policy, "metadata": {**policy["metadata"], "namespace": policy["metadata"].get("namespace") or "default"}}


@pytest.mark.long
def test_expected_connections(shared: Path) -> None:
    compared = 0
    for name, case in cases(shared):
        compared += 1
        assert differences(case)[:5] == [], name
    assert compared == CASES_COMPARED
