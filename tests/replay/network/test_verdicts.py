"""What the data of other engines does not ask: misses, blocks in odd forms, pods on the node's network."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.network import EGRESS, Party, PolicySet


def policy(name: str, **spec: Any) -> NetworkPolicy:
    return msgspec.convert({"metadata": {"name": name, "namespace": "shop"}, "spec": spec}, NetworkPolicy)


def party(name: str, ip: str = "10.0.0.1", *, namespace: str = "shop", **spec: Any) -> Party:
    data = {
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {"containers": [{"name": "c"}], **spec},
        "status": {"podIP": ip},
    }
    return Party.of_pod(msgspec.convert(data, Pod), None)


WEB, DB = party("web"), party("db", "10.0.0.2")


def allowed_to(cidr: str, address: str, except_: list[str] | None = None) -> bool:
    block: dict[str, Any] = {"cidr": cidr, **({"except": except_} if except_ else {})}
    policies = PolicySet([policy("p", policyTypes=["Egress"], egress=[{"to": [{"ipBlock": block}]}])])
    return policies.judge(WEB, Party.outside(address), 80, "TCP").allowed


@pytest.mark.parametrize(
    ("cidr", "address", "expected"),
    [
        ("192.168.242.213/24", "192.168.242.1", True),  # Bits beyond the prefix do not count.
        ("010.0.0.0/8", "10.1.2.3", True),  # Leading zeros are skipped, not octal.
        ("0.0.0.0/0", "2001:db8::1", False),
        ("::/0", "10.0.0.1", False),
        ("::ffff:10.0.0.0/104", "10.1.2.3", True),
        ("10.0.0.0/8", "::ffff:10.1.2.3", True),
        ("no block", "10.0.0.1", False),
        ("10.0.0.0/8", "no address", False),
    ],
)
def test_blocks(cidr: str, address: str, expected: bool) -> None:
    assert allowed_to(cidr, address) is expected


def test_exception() -> None:
    assert not allowed_to("10.0.0.0/8", "10.1.0.1", ["10.1.0.0/16"])
    assert allowed_to("10.0.0.0/8", "10.2.0.1", ["10.1.0.0/16"])


def test_selector_that_is_not_valid_selects_nothing() -> None:
    bad = {"matchExpressions": [{"key": "app", "operator": "Like", "values": ["web"]}]}
    policies = PolicySet([policy("p", podSelector=bad, policyTypes=["Egress"])])
    assert policies.isolating(WEB, EGRESS) == ()


def test_pod_reaches_itself_and_nothing_else() -> None:
    policies = PolicySet([policy("deny", podSelector={}, policyTypes=["Ingress", "Egress"])])
    assert policies.judge(WEB, WEB, 80, "TCP").allowed
    assert not policies.judge(WEB, DB, 80, "TCP").allowed


def test_pod_on_the_nodes_network_is_neither_isolated_nor_selected() -> None:
    agent = party("agent", hostNetwork=True)
    policies = PolicySet([policy("p", podSelector={}, policyTypes=["Egress"], egress=[{"to": [{"podSelector": {}}]}])])
    assert policies.judge(agent, Party.outside("192.0.2.1"), 80, "TCP").allowed
    assert policies.judge(WEB, DB, 80, "TCP").allowed
    assert not policies.judge(WEB, agent, 80, "TCP").allowed


def test_named_port_of_a_sidecar() -> None:
    sidecar = {"name": "s", "restartPolicy": "Always", "ports": [{"name": "metrics", "containerPort": 9100}]}
    init = {"name": "i", "ports": [{"name": "setup", "containerPort": 9200}]}
    target = party("target", "10.0.0.3", initContainers=[sidecar, init])
    rules = [{"ports": [{"port": "metrics"}, {"port": "setup"}]}]
    policies = PolicySet([policy("p", podSelector={}, policyTypes=["Egress"], egress=rules)])
    assert policies.judge(WEB, target, 9100, "TCP").allowed
    assert not policies.judge(WEB, target, 9200, "TCP").allowed


def test_verdict_names_the_rule_that_allows() -> None:
    rules = [{"ports": [{"port": 443}]}, {"ports": [{"port": 80, "endPort": 90}]}]
    policies = PolicySet([policy("p", podSelector={}, policyTypes=["Egress"], egress=rules)])
    side = policies.judge(WEB, DB, 85, "TCP").egress
    assert side.policy is not None
    assert side.rule is not None
    assert (side.policy.ref.name, side.rule.index) == ("p", 1)


def test_misses_come_nearest_first() -> None:
    policies = PolicySet(
        [
            policy("deny", podSelector={}, policyTypes=["Egress"]),
            policy(
                "dns",
                podSelector={},
                policyTypes=["Egress"],
                egress=[
                    {"to": [{"podSelector": {"matchLabels": {"app": "other"}}}], "ports": [{"port": 443}]},
                    {"to": [{"podSelector": {}}], "ports": [{"port": 443, "protocol": "UDP"}, {"port": 53}]},
                ],
            ),
        ]
    )
    misses = policies.misses(EGRESS, WEB, DB, 53, "UDP")
    assert [(each.policy.ref.name, each.rule.index if each.rule else None) for each in misses] == [
        ("dns", 1),
        ("deny", None),
        ("dns", 0),
    ]
    assert (misses[0].peer, misses[0].port, misses[0].protocol) == (True, True, False)
