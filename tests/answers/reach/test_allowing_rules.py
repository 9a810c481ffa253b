"""Every connection of the data that NetworkPolicies deny: the proposed rules allow it, and open nothing else than what the
fixes say. All pairs are compared on all ports, also those with addresses outside."""

from __future__ import annotations

import gzip
import ipaddress
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kubedoctor.answers.reach.connections import ConnectionTarget, labels_of
from kubedoctor.answers.reach.denials import allowing_change, opened_blocks, opened_pairs, opened_ports
from kubedoctor.answers.reach.judging import (
    JudgedTarget,
    allowing_fixes,
    judgement,
)
from kubedoctor.answers.reach.way import ReachSource, source_of
from kubedoctor.cluster import Cluster, Ref
from kubedoctor.cluster.changes import apply_to_snapshot
from kubedoctor.cluster.kinds.admin_policies import GROUP
from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.seen.decoding import convert_object
from kubedoctor.replay.network import NO_PORT, Party, PolicySet, PortSet, connectivity_matrix
from kubedoctor.replay.network.parties import parse_address
from kubedoctor.replay.network.port_sets import port_range
from kubedoctor.replay.network.ranges import address_ranges
from kubedoctor.replay.network.seen import with_admin_policies
from tests.engine.clinic import complete

EVERY = 150
"""One denied flow of so many is tried in an ordinary run; all of them in a long one."""
LEAST = {"packets": 2400, "generated": 15_500}
"""Denied flows of the data."""

End = Ref | str
"""A pod, or an address outside."""


class Flow(NamedTuple):
    source: str
    destination: str
    port: int
    protocol: str
    family: int


class Case:
    """The objects of one row of the data, and the flows that its engine denies."""

    def __init__(self, name: str, objects: list[dict[str, Any]], denied: list[Flow]) -> None:
        self.name, self.denied = name, denied
        kinds = [
            row if row["kind"] in _CLUSTER_WIDE else {**row, "metadata": {"namespace": "default", **row["metadata"]}}
            for row in objects
            if row["kind"] != "Service"
        ]
        admin = [row for row in objects if GROUP in row.get("apiVersion", "")]
        snapshot = complete(*(row for row in kinds if row not in admin))
        for row in admin:
            snapshot.add(convert_object(f"{row['kind']}.{GROUP}", row).objects)
        self.cluster = Cluster(snapshot)

    def policies(self, cluster: Cluster) -> PolicySet:
        return with_admin_policies(cluster.all(NetworkPolicy), cluster)

    def open(self, cluster: Cluster, cuts: PolicySet, family: int) -> dict[tuple[End, End], PortSet]:
        """All pairs. cuts: the policies whose blocks of addresses cut what is outside."""
        pods = [pod for pod in cluster.all(Pod) if not pod.spec.host_network]
        ends: list[End] = [Ref("Pod", pod.namespace, pod.name) for pod in pods]
        parties = [Party.of_pod(pod, labels_of(pod.namespace, cluster), family) for pod in pods]
        for version in (4, 6):
            rows = address_ranges(cuts, version)
            ends += [row.text for row in rows]
            parties += [row.party for row in rows]
        found = connectivity_matrix(self.policies(cluster), parties)
        places = range(len(ends))
        return {(ends[one], ends[other]): found.at(one, other) for one in places for other in places}


_CLUSTER_WIDE = ("Namespace", "Node", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy")


def packets(shared: Path) -> Iterator[Case]:
    for path in sorted((shared / "conformance/packets").glob("*.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        denied = [
            Flow(row["src"], row["dst"], row["port"], row["protocol"], 0)
            for row in case["results"]
            if not row["allowed"] and row["src"] != row["dst"]
        ]
        yield Case(case["name"], case["objects"], denied)


def generated(shared: Path) -> Iterator[Case]:
    with gzip.open(shared / "conformance/fuzz/networkpolicy.jsonl.gz") as lines:
        for row in map(json.loads, lines):
            request, flows = row["request"], row["answer"]["flows"]
            denied = [
                Flow(
                    flow["src"],
                    flow["dst"],
                    flow["port"],
                    flow["protocol"],
                    {"IPv4": 4, "IPv6": 6}.get(flow.get("family"), 0),
                )
                for flow, found in zip(request["flows"], flows, strict=True)
                if not found["allowed"] and _by_network_policies(found)
            ]
            yield Case(row["id"], request["objects"], denied)


def _by_network_policies(found: dict[str, Any]) -> bool:
    return {side.get("by") for side in (found["egress"], found["ingress"]) if not side["allowed"]} == {"NetworkPolicy"}


def judged(flow: Flow, cluster: Cluster) -> tuple[ReachSource, JudgedTarget, End, End]:
    here, there = _pod(flow.source, cluster), _pod(flow.destination, cluster)
    subject = Ref("Pod", here.namespace, here.name) if here is not None else Ref("Address", "", flow.source)
    source = source_of(subject, cluster)
    if here is not None:
        source = source._replace(party=Party.of_pod(here, labels_of(here.namespace, cluster), flow.family))
    address = flow.destination
    if there is not None:
        address = next(
            (row.ip for row in there.status.pod_ips or () if (":" in row.ip) == (flow.family == 6)), there.status.pod_ip
        )
    target = ConnectionTarget(there, address, flow.port, flow.protocol)
    (found,) = judgement(source, (target,), cluster).targets
    ends: list[End] = [
        Ref("Pod", pod.namespace, pod.name) if pod is not None else name
        for pod, name in ((here, flow.source), (there, flow.destination))
    ]
    return source, found, ends[0], ends[1]


def _pod(name: str, cluster: Cluster) -> Pod | None:
    namespace, _, own = name.rpartition("/")
    return cluster.get(Pod, namespace or "default", own) if own and parse_address(name) is None else None


def is_at(end: End, asked: End) -> bool:
    """Whether an end of a pair is the asked one; a range of addresses that has nothing but the asked address is."""
    if isinstance(asked, Ref) and asked.kind == "Address":
        asked = asked.name
    if isinstance(end, Ref) or isinstance(asked, Ref):
        return end == asked
    first, _, last = end.partition("-")
    return parse_address(first) == parse_address(last) == parse_address(asked)


def has(end: End, asked: End) -> bool:
    """Whether the asked address is in a range of addresses; pods as `is_at`."""
    if isinstance(end, Ref) or isinstance(asked, Ref):
        return is_at(end, asked)
    first, last, own = (parse_address(text) for text in (*end.split("-"), asked))
    return first is not None and last is not None and own is not None and first <= own <= last


def check(case: Case, flow: Flow) -> list[str]:
    """What is wrong with the fixes of a flow; empty where nothing is."""
    source, found, here, there = judged(flow, case.cluster)
    if found.verdict.allowed or not found.denials:
        return ["not denied by NetworkPolicies here"]
    fixes = list(allowing_fixes(found, source, case.cluster))
    texts = [fix.summary for fix in fixes]
    after, text = case.cluster, " ".join(texts)
    said: set[tuple[Ref, Ref]] = set()
    ports = port_range(flow.protocol, flow.port, flow.port)
    blocks: tuple[str, ...] = ()
    for denial in found.denials:
        after = after.over(apply_to_snapshot(after.snapshot, allowing_change(denial, case.cluster)))
        said |= set(opened_pairs(denial, case.cluster))
        ports |= opened_ports(denial, case.cluster)
        blocks += opened_blocks(denial, case.cluster)
    cuts = case.policies(after)
    before, now = case.open(case.cluster, cuts, flow.family), case.open(after, cuts, flow.family)
    opened = {pair: now[pair] - before[pair] for pair in now if now[pair] - before[pair] != NO_PORT}
    wrong = [f"closes {pair}" for pair in now if before[pair] - now[pair] != NO_PORT]
    if not any(has(one, here) and has(other, there) for one, other in opened):
        wrong.append("does not open the connection")
    for pair, new in opened.items():
        asked = all(is_at(end, name) for end, name in zip(pair, (here, there), strict=True))
        known = any(all(is_at(end, name) for end, name in zip(pair, names, strict=True)) for names in said)
        if not (
            asked
            or known
            or any(in_block(end, block) for end in pair for block in blocks)
            or _port_said(new, ports, flow)
        ):
            wrong.append(f"opens {pair} {new.text}, unsaid: {texts}")
        if new - ports != NO_PORT:
            wrong.append(f"opens {(new - ports).text} of {pair}, unsaid: {texts}")
    if bool(said) is not ("also opens" in text and " → " in text):
        wrong.append(f"pairs are not told: {said} {texts}")
    wrong += [f"{block} is not told: {texts}" for block in blocks if block not in text]
    if len([fix for fix in fixes if fix.verified]) < len(found.denials):
        wrong.append(f"not proven: {[(fix.summary, fix.verified) for fix in fixes]}")
    return wrong


def _port_said(new: PortSet, ports: PortSet, flow: Flow) -> bool:
    """Where the asked port was open before, only the others that the rule has are new."""
    return new - ports == NO_PORT and not new.holds(flow.protocol, flow.port)


def in_block(end: End, block: str) -> bool:
    """Whether a range of addresses is inside of a block."""
    first = ipaddress.ip_address(end.partition("-")[0]) if isinstance(end, str) else None
    return first is not None and first in ipaddress.ip_network(block, strict=False)


PARTS = 8


def tried(shared: Path, data: str, every: int, part: int = 0, parts: int = 1) -> tuple[int, list[Any]]:
    """How many denied flows the data has, and what is wrong with the fixes of those that are tried."""
    number, wrong = 0, []
    for case in {"packets": packets, "generated": generated}[data](shared):
        for flow in case.denied:
            number += 1
            if number % every == 0 and number // every % parts == part and (found := check(case, flow)):
                wrong.append((case.name, flow, found))
    return number, wrong


@pytest.mark.parametrize("data", LEAST)
def test_some_allowing_rules(shared: Path, data: str) -> None:
    number, wrong = tried(shared, data, EVERY)
    assert number > LEAST[data]
    assert wrong == []


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("data", LEAST)
def test_every_allowing_rule(shared: Path, data: str, part: int) -> None:
    _, wrong = tried(shared, data, 1, part, PARTS)
    assert wrong == []
