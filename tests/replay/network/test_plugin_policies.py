"""Whom policies of Cilium and Calico isolate, and what they plainly admit."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kubedoctor.cluster import CustomResource, Pod
from kubedoctor.cluster.seen.decoding import convert_object
from kubedoctor.replay.network.plugin_policies import OtherEnd, admits, isolates, other_end

CLIENT = msgspec.convert(
    {
        "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}},
        "status": {"podIP": "10.244.1.5"},
    },
    Pod,
)
SERVER = msgspec.convert({"metadata": {"name": "db", "namespace": "data", "labels": {"app": "db", "tier": "1"}}}, Pod)


def policy(kind: str, spec: dict[str, Any], namespace: str = "") -> CustomResource:
    group = "cilium.io/v2" if kind.startswith("Cilium") else "crd.projectcalico.org/v1"
    data = {"apiVersion": group, "metadata": {"name": "p", "namespace": namespace}, "spec": spec}
    (found,) = convert_object(f"{kind}.{group.partition('/')[0]}", {"kind": kind, **data}).objects
    assert isinstance(found, CustomResource)
    return found


@pytest.mark.parametrize(
    ("spec", "isolated"),
    [
        ({"endpointSelector": {}, "ingress": [{}]}, True),
        ({"endpointSelector": {"matchLabels": {"k8s:app": "db"}}, "ingress": []}, True),
        ({"endpointSelector": {"matchLabels": {"any.app": "db"}}, "ingressDeny": [{}]}, True),
        ({"endpointSelector": {"matchLabels": {"k8s:io.kubernetes.pod.namespace": "shop"}}, "ingress": []}, False),
        (
            {
                "endpointSelector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["db"]}]},
                "ingress": [],
            },
            False,
        ),
        ({"endpointSelector": {}, "egress": []}, False),
        ({"endpointSelector": {}, "ingress": [], "enableDefaultDeny": {"ingress": False}}, False),
        ({"nodeSelector": {}, "ingress": []}, False),
    ],
)
def test_whom_cilium_isolates(spec: dict[str, Any], isolated: bool) -> None:
    assert isolates(policy("CiliumClusterwideNetworkPolicy", spec), SERVER, "Ingress") is isolated


@pytest.mark.parametrize(
    ("spec", "isolated"),
    [
        ({}, True),
        ({"selector": "all()", "types": ["Egress"]}, False),
        ({"selector": "app == 'db' && has(tier)", "types": ["Ingress", "Egress"]}, True),
        ({"selector": "app != 'db'"}, False),
        ({"selector": "app in {'db', 'cache'} || app == 'x'"}, True),
        ({"selector": "!has(tier)"}, False),
        ({"namespaceSelector": "projectcalico.org/name not in {'kube-system', 'data'}"}, False),
        (
            {
                "namespaceSelector": "kubernetes.io/metadata.name == 'data'",
                "egress": [{"action": "Allow"}],
                "ingress": [{}],
            },
            True,
        ),
        ({"selector": "(app == 'db')"}, True),
        ({"selector": "(app == 'x' || app == 'db' || app == 'y') && tier == '2'"}, False),
        ({"selector": "!(app == 'db')"}, False),
        ({"selector": "app starts with 'd' && tier ends with '1' && app contains 'b'"}, True),
        ({"selector": "app starts with 'w'"}, False),
        ({"selector": "app like 'd'"}, False),
        ({"selector": "(app == 'db'"}, False),
        ({"selector": "app == 'db' ||"}, False),
        ({"namespaceSelector": "team != 'payments'"}, False),
    ],
)
def test_whom_calico_isolates(spec: dict[str, Any], isolated: bool) -> None:
    assert isolates(policy("GlobalNetworkPolicy", spec), SERVER, "Ingress") is isolated


def test_a_policy_of_another_namespace_isolates_nobody() -> None:
    assert not isolates(policy("NetworkPolicy", {"selector": "all()"}, "shop"), SERVER, "Ingress")
    assert isolates(policy("NetworkPolicy", {"selector": "all()"}, "data"), SERVER, "Ingress")


@pytest.mark.parametrize(
    ("kind", "rule", "admitted"),
    [
        ("CiliumNetworkPolicy", {}, True),
        ("CiliumNetworkPolicy", {"fromEntities": ["cluster"]}, True),
        ("CiliumNetworkPolicy", {"fromEndpoints": [{"matchLabels": {"app": "web"}}]}, True),
        ("CiliumNetworkPolicy", {"fromEndpoints": [{"matchLabels": {"app": "office"}}]}, False),
        ("CiliumNetworkPolicy", {"toPorts": [{"ports": [{"port": "5432", "protocol": "TCP"}]}]}, True),
        ("CiliumNetworkPolicy", {"toPorts": [{"ports": [{"port": "5432", "protocol": "UDP"}]}]}, False),
        ("CiliumNetworkPolicy", {"fromCIDR": ["10.0.0.0/8"]}, False),
        ("CiliumNetworkPolicy", {"fromEntities": ["world"]}, False),
        ("CiliumNetworkPolicy", {"fromEndpoints": [{"matchLabels": {"k8s:io.cilium.k8s.policy.cluster": "a"}}]}, True),
        (
            "CiliumNetworkPolicy",
            {"fromEndpoints": [{"matchLabels": {"k8s:io.cilium.k8s.policy.cluster": "a", "app": "office"}}]},
            False,
        ),
        ("CiliumNetworkPolicy", {"fromGroups": [{"aws": {}}]}, True),
        ("CiliumNetworkPolicy", {"toPorts": [{"ports": [{"port": "5000", "endPort": 6000}]}]}, True),
        ("CiliumNetworkPolicy", {"toPorts": [{"ports": [{"port": "5000", "endPort": 5400}]}]}, False),
        ("CiliumNetworkPolicy", {"toPorts": [{"ports": [{"port": "5000"}]}]}, False),
        ("CiliumNetworkPolicy", {"toPorts": [{"ports": [{"port": "main", "protocol": "TCP"}]}]}, True),
        ("CiliumNetworkPolicy", {"toPorts": [{"ports": [{"port": "main", "protocol": "UDP"}]}]}, False),
        ("GlobalNetworkPolicy", {"action": "Allow"}, True),
        ("GlobalNetworkPolicy", {"action": "Deny"}, False),
        ("GlobalNetworkPolicy", {"action": "Allow", "protocol": "UDP"}, False),
        ("GlobalNetworkPolicy", {"action": "Allow", "protocol": "TCP", "destination": {"ports": ["5000:6000"]}}, True),
        ("GlobalNetworkPolicy", {"action": "Allow", "destination": {"ports": [80]}}, False),
        ("GlobalNetworkPolicy", {"action": "Allow", "source": {"selector": "app == 'web'"}}, True),
        (
            "GlobalNetworkPolicy",
            {"action": "Allow", "source": {"namespaceSelector": "projectcalico.org/name == 'x'"}},
            False,
        ),
        ("GlobalNetworkPolicy", {"action": "Allow", "source": {"nets": ["10.0.0.0/8"]}}, True),
        ("GlobalNetworkPolicy", {"action": "Allow", "source": {"nets": ["10.96.0.0/16", "fd00::/8"]}}, False),
        ("GlobalNetworkPolicy", {"action": "Allow", "source": {"notNets": ["10.0.0.0/8"]}}, False),
        ("GlobalNetworkPolicy", {"action": "Allow", "source": {"notSelector": "app == 'web'"}}, False),
        ("GlobalNetworkPolicy", {"action": "Allow", "source": {"selector": "(app starts with 'w')"}}, True),
        ("GlobalNetworkPolicy", {"action": "Allow", "source": {"selector": "app starts with 'x'"}}, False),
        ("GlobalNetworkPolicy", {"action": "Allow", "source": {"selector": "app like 'x'"}}, True),
        ("GlobalNetworkPolicy", {"action": "Allow", "source": {"namespaceSelector": "team == 'x'"}}, True),
        ("GlobalNetworkPolicy", {"action": "Allow", "source": {"serviceAccounts": {"names": ["web"]}}}, False),
        ("GlobalNetworkPolicy", {"action": "Allow", "source": {"serviceAccounts": {"selector": "a == 'b'"}}}, True),
        ("GlobalNetworkPolicy", {"action": "Allow", "protocol": 6, "destination": {"ports": ["main"]}}, True),
        ("GlobalNetworkPolicy", {"action": "Allow", "protocol": 17}, False),
    ],
)
def test_what_a_rule_may_admit(kind: str, rule: dict[str, Any], admitted: bool) -> None:
    assert admits(policy(kind, {"ingress": [rule]}), "Ingress", other_end(CLIENT), 5432, "TCP") is admitted


def test_a_client_outside_is_admitted_by_what_names_nobody() -> None:
    nobody = OtherEnd(None)
    assert admits(policy("CiliumNetworkPolicy", {"ingress": [{}]}), "Ingress", nobody, 80, "TCP")
    assert not admits(
        policy("CiliumNetworkPolicy", {"ingress": [{"fromEndpoints": [{}]}]}), "Ingress", nobody, 80, "TCP"
    )


@pytest.mark.parametrize(
    ("kind", "rule", "admitted"),
    [
        ("CiliumNetworkPolicy", {"toCIDR": ["192.0.2.0/24"]}, True),
        ("CiliumNetworkPolicy", {"toCIDR": ["198.51.100.0/24"]}, False),
        ("CiliumNetworkPolicy", {"toCIDRSet": [{"cidr": "192.0.2.0/24", "except": ["192.0.2.0/28"]}]}, False),
        ("CiliumNetworkPolicy", {"toCIDRSet": [{"cidrGroupRef": "office"}]}, True),
        ("CiliumNetworkPolicy", {"toFQDNs": [{"matchName": "db.example"}]}, True),
        ("CiliumNetworkPolicy", {"toServices": [{"k8sService": {"serviceName": "db"}}]}, True),
        ("CiliumNetworkPolicy", {"toEntities": ["world"]}, True),
        ("CiliumNetworkPolicy", {"toEntities": ["none"]}, False),
        ("GlobalNetworkPolicy", {"action": "Allow", "destination": {"nets": ["192.0.2.7/32"]}}, True),
        ("GlobalNetworkPolicy", {"action": "Allow", "destination": {"nets": ["10.0.0.0/8"]}}, False),
        ("GlobalNetworkPolicy", {"action": "Allow", "destination": {"selector": "role == 'office'"}}, True),
    ],
)
def test_what_a_rule_may_admit_of_addresses_outside(kind: str, rule: dict[str, Any], admitted: bool) -> None:
    assert admits(policy(kind, {"egress": [rule]}), "Egress", other_end(None, "192.0.2.7"), 80, "TCP") is admitted
