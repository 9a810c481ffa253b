"""Whom policies of Cilium and Calico isolate, and what they plainly admit."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kubedoctor.cluster import CustomResource, Pod
from kubedoctor.cluster.seen.decoding import convert_object
from kubedoctor.replay.network.plugin_policies import admits, isolates

CLIENT = msgspec.convert({"metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}}}, Pod)
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
        ({"selector": "(app == 'db')"}, False),
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
        ("GlobalNetworkPolicy", {"action": "Allow", "source": {"nets": ["10.0.0.0/8"]}}, False),
    ],
)
def test_what_a_rule_plainly_admits(kind: str, rule: dict[str, Any], admitted: bool) -> None:
    assert admits(policy(kind, {"ingress": [rule]}), "Ingress", CLIENT, 5432, "TCP") is admitted


def test_a_client_outside_is_admitted_by_what_names_nobody() -> None:
    assert admits(policy("CiliumNetworkPolicy", {"ingress": [{}]}), "Ingress", None, 80, "TCP")
    assert not admits(policy("CiliumNetworkPolicy", {"ingress": [{"fromEndpoints": [{}]}]}), "Ingress", None, 80, "TCP")
