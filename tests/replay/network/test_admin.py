"""Administrators' policies in small tables: tiers, priorities, passing on, peers of every kind."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubedoctor.cluster.kinds.admin_policies import GROUP
from kubedoctor.cluster.kinds.core import Namespace
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.network import ADMIN_KINDS, Party, PolicySet, connectivity_matrix
from kubedoctor.testing.asked import State
from kubedoctor.testing.oracle import Oracle

NODE = {
    "kind": "Node",
    "metadata": {"name": "n1", "labels": {"pool": "edge"}},
    "status": {"addresses": [{"type": "InternalIP", "address": "192.168.5.1"}, {"type": "Hostname", "address": "n1"}]},
}


def space(name: str, **labels: str) -> dict[str, Any]:
    return {"kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def pod(namespace: str, name: str, ip: str, **spec: Any) -> dict[str, Any]:
    container = {
        "name": "c",
        "ports": [{"name": "web", "containerPort": 8080}, {"name": "dns", "containerPort": 53, "protocol": "UDP"}],
    }
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {"nodeName": "n1", "containers": [container], **spec},
        "status": {"podIP": ip},
    }


SURROUNDINGS = [
    NODE,
    space("shop", team="red", tenant="a"),
    space("data", team="red"),
    space("lab", team="blue"),
    pod("shop", "web", "10.0.0.1"),
    pod("data", "db", "10.0.0.2"),
    pod("lab", "probe", "10.0.0.3"),
]


def policy(kind: str, name: str = "p", *, priority: int = 10, subject: Any = None, **spec: Any) -> dict[str, Any]:
    subject = subject or {"namespaces": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}
    return {
        "apiVersion": f"{GROUP}/v1alpha1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"priority": priority, "subject": subject, **spec},
    }


def rule(action: str, *peers: Any, **more: Any) -> dict[str, Any]:
    return {"name": f"{action.lower()}-it", "action": action, "to": list(peers), **more}


def everyone() -> dict[str, Any]:
    return {"namespaces": {}}


def verdict(objects: list[dict[str, Any]], target: str = "data/db", port: int = 8080, protocol: str = "TCP") -> str:
    """`allowed` or `denied`, and by which tier, of egress from shop/web."""
    row = {
        "mode": "reach",
        "request": {
            "objects": [*SURROUNDINGS, *objects],
            "flows": [{"src": "shop/web", "dst": target, "port": port, "protocol": protocol}],
        },
    }
    side = Oracle().answer(json.dumps(row).encode())["answer"]["flows"][0]["egress"]
    return f"{'allowed' if side['allowed'] else 'denied'} {side.get('by', '')}".strip()


DENY_ALL = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "deny", "namespace": "shop"},
    "spec": {"podSelector": {}, "policyTypes": ["Egress"]},
}
ANP, BANP, CNP = "AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy"


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([], "allowed"),
        ([policy(ANP, egress=[rule("Deny", everyone())])], "denied AdminNetworkPolicy"),
        ([policy(ANP, egress=[rule("Allow", everyone())]), DENY_ALL], "allowed AdminNetworkPolicy"),
        ([policy(ANP, egress=[rule("Pass", everyone()), rule("Deny", everyone())]), DENY_ALL], "denied NetworkPolicy"),
        ([policy(ANP, egress=[rule("Pass", everyone())]), policy(BANP, egress=[rule("Deny", everyone())])], f"denied {BANP}"),
        ([DENY_ALL, policy(BANP, egress=[rule("Allow", everyone())])], "denied NetworkPolicy"),
        ([policy(BANP, egress=[rule("Deny", everyone())])], f"denied {BANP}"),
        # The lower number comes first, whatever the order of the objects.
        (
            [
                policy(ANP, "z", priority=5, egress=[rule("Allow", everyone())]),
                policy(ANP, "a", priority=6, egress=[rule("Deny", everyone())]),
            ],
            "allowed AdminNetworkPolicy",
        ),
        # A policy for other pods has no say.
        ([policy(ANP, subject={"namespaces": {"matchLabels": {"team": "blue"}}}, egress=[rule("Deny", everyone())])], "allowed"),
        ([policy(ANP, subject={"pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "db"}}}}, egress=[rule("Deny", everyone())])], "allowed"),
        ([policy(ANP, subject={"pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "web"}}}}, egress=[rule("Deny", everyone())])], "denied AdminNetworkPolicy"),
        ([policy(CNP, tier="Admin", egress=[rule("Accept", everyone())]), DENY_ALL], f"allowed {CNP}/Admin"),
        ([policy(CNP, tier="Baseline", egress=[rule("Deny", everyone())])], f"denied {CNP}/Baseline"),
        ([policy(CNP, tier="Baseline", egress=[rule("Pass", everyone()), rule("Deny", everyone())])], "allowed"),
        ([policy(CNP, tier="Admin", egress=[rule("Frobnicate", everyone())])], "allowed"),
    ],
)  # fmt: skip
def test_tiers(objects: list[dict[str, Any]], expected: str) -> None:
    assert verdict(objects) == expected


@pytest.mark.parametrize(
    ("peer", "target", "denied"),
    [
        ({"namespaces": {"matchLabels": {"team": "red"}}}, "data/db", True),
        ({"namespaces": {"matchLabels": {"team": "red"}}}, "lab/probe", False),
        ({"namespaces": {}}, "192.0.2.1", False),  # Selectors are for pods.
        ({"pods": {"namespaceSelector": {"matchLabels": {"team": "red"}}, "podSelector": {"matchLabels": {"app": "db"}}}}, "data/db", True),
        ({"pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "other"}}}}, "data/db", False),
        ({"networks": ["10.0.0.0/24"]}, "data/db", True),
        ({"networks": ["192.0.2.0/24"]}, "192.0.2.9", True),
        ({"networks": ["192.0.2.0/24"]}, "2001:db8::1", False),
        ({"nodes": {"matchLabels": {"pool": "edge"}}}, "192.168.5.1", True),
        ({"nodes": {"matchLabels": {"pool": "core"}}}, "192.168.5.1", False),
        ({"nodes": {}}, "192.168.5.2", False),
        ({"namespaces": {"sameLabels": ["team"]}}, "data/db", True),
        ({"namespaces": {"sameLabels": ["team"]}}, "lab/probe", False),
        ({"namespaces": {"sameLabels": ["tenant"]}}, "data/db", False),  # Its namespace lacks the key.
        ({"namespaces": {"notSameLabels": ["team"]}}, "lab/probe", True),
        ({"namespaces": {"notSameLabels": ["team"]}}, "data/db", False),
        ({"pods": {"namespaces": {"namespaceSelector": {"matchLabels": {"team": "blue"}}}, "podSelector": {}}}, "lab/probe", True),
        ({"fromTheFuture": {}}, "lab/probe", True),  # Nobody must get through.
        ({"domainNames": ["example.com"]}, "192.0.2.1", False),
    ],
)  # fmt: skip
def test_peers(peer: dict[str, Any], target: str, denied: bool) -> None:
    found = verdict([policy(ANP, egress=[rule("Deny", peer)])], target)
    assert found == ("denied AdminNetworkPolicy" if denied else "allowed")


def test_a_peer_from_the_future_does_not_open_anything() -> None:
    assert verdict([policy(ANP, egress=[rule("Allow", {"fromTheFuture": {}})]), DENY_ALL]) == "denied NetworkPolicy"
    assert verdict([policy(ANP, egress=[rule("Pass", {"fromTheFuture": {}})])]) == "denied AdminNetworkPolicy"


@pytest.mark.parametrize(
    ("ports", "port", "protocol", "denied"),
    [
        ({"ports": [{"portNumber": {"protocol": "TCP", "port": 80}}]}, 80, "TCP", True),
        ({"ports": [{"portNumber": {"port": 80}}]}, 80, "UDP", False),
        ({"ports": [{"portRange": {"protocol": "UDP", "start": 50, "end": 60}}]}, 53, "UDP", True),
        ({"ports": [{"portRange": {"protocol": "UDP", "start": 50, "end": 60}}]}, 61, "UDP", False),
        ({"ports": [{"namedPort": "web"}]}, 8080, "TCP", True),
        ({"ports": [{"namedPort": "web"}]}, 80, "TCP", False),
        ({"ports": [{"namedPort": "dns"}]}, 53, "UDP", True),
        ({"ports": [{"namedPort": "dns"}]}, 53, "TCP", False),
        ({"protocols": [{"udp": {}}]}, 9, "UDP", True),
        ({"protocols": [{"udp": {}}]}, 9, "SCTP", False),
        ({"protocols": [{"tcp": {"destinationPort": {"number": 443}}}]}, 443, "TCP", True),
        ({"protocols": [{"sctp": {"destinationPort": {"range": {"start": 1, "end": 9}}}}]}, 9, "SCTP", True),
        ({"protocols": [{"destinationNamedPort": "web"}]}, 8080, "TCP", True),
        ({}, 1, "ICMP", True),
        ({"protocols": [{"tcp": {}}]}, 1, "ICMP", False),
    ],
)
def test_ports(ports: dict[str, Any], port: int, protocol: str, denied: bool) -> None:
    found = verdict(
        [policy(CNP, tier="Admin", egress=[rule("Deny", everyone(), **ports)])], port=port, protocol=protocol
    )
    assert found == (f"denied {CNP}/Admin" if denied else "allowed")


def test_host_network_pods_are_neither_subjects_nor_peers() -> None:
    agent = pod("data", "agent", "192.168.5.1", hostNetwork=True)
    denied = policy(ANP, egress=[rule("Deny", everyone())], subject={"namespaces": {}})
    assert verdict([agent, denied], "data/agent") == "allowed"


def test_the_matrix_knows_subjects_and_names() -> None:
    state = State(
        [
            *SURROUNDINGS,
            policy(ANP, subject={"namespaces": {}}, egress=[rule("Deny", {"namespaces": {"notSameLabels": ["team"]}})]),
            policy(BANP, subject={"namespaces": {}}, ingress=[{"action": "Deny", "from": [everyone()], "ports": [{"namedPort": "web"}]}]),
        ]
    )  # fmt: skip
    labels = {each.name: each.labels for each in state.of(Namespace)}
    parties = [Party.of_pod(each, labels[each.namespace]) for each in state.of(Pod)]
    policies = PolicySet((), [each for kind in ADMIN_KINDS for each in state.of(kind)])
    matrix = connectivity_matrix(policies, parties)
    texts = [[matrix.at(row, column).text for column in range(3)] for row in range(3)]
    most = "SCTP 1-65535,TCP 1-8079,8081-65535,UDP 1-65535"
    assert texts == [
        ["All Connections", most, "No Connections"],
        [most, "All Connections", "No Connections"],
        ["No Connections", "No Connections", "All Connections"],
    ]
