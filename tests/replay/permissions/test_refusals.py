"""Refusals in the words of the API server, and rules that would allow them."""

from __future__ import annotations

import pytest

from kubedoctor.cluster.kinds.control import PolicyRule
from kubedoctor.replay.permissions.grants import allows
from kubedoctor.replay.permissions.refusals import Refusal, refusal_in

ACCOUNT = "system:serviceaccount:shop:web"


@pytest.mark.parametrize(
    ("message", "refusal"),
    [
        (
            f'pods is forbidden: User "{ACCOUNT}" cannot list resource "pods" in API group "" in the namespace "shop"',
            Refusal(ACCOUNT, "list", "pods", "", "shop"),
        ),
        (
            f'leases.coordination.k8s.io \\"web\\" is forbidden: User \\"{ACCOUNT}\\" cannot update resource \\"leases\\" '
            'in API group \\"coordination.k8s.io\\" in the namespace \\"shop\\"',
            Refusal(ACCOUNT, "update", "leases", "coordination.k8s.io", "shop", "web"),
        ),
        (
            f'nodes is forbidden: User "{ACCOUNT}" cannot list resource "nodes" in API group "" at the cluster scope',
            Refusal(ACCOUNT, "list", "nodes"),
        ),
        (f'forbidden: User "{ACCOUNT}" cannot get path "/metrics"', Refusal(ACCOUNT, "get", path="/metrics")),
        ("pods is forbidden: exceeded quota", None),
    ],
)
def test_who_may_not_do_what(message: str, refusal: Refusal | None) -> None:
    assert refusal_in(message) == refusal


def test_the_service_account_of_a_user() -> None:
    assert Refusal(ACCOUNT, "get").service_account == ("shop", "web")
    assert Refusal("jane", "get").service_account is None


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        (PolicyRule(("list",), ("apps",), ("deployments",)), True),
        (PolicyRule(("*",), ("*",), ("*",)), True),
        (PolicyRule(("get",), ("apps",), ("deployments",)), False),
        (PolicyRule(("list",), ("",), ("deployments",)), False),
        (PolicyRule(("list",), ("apps",), ("deployments/scale",)), False),
        (PolicyRule(("list",), ("apps",), ("deployments",), ("web",)), False),
        (PolicyRule(), False),
    ],
)
def test_a_rule_and_a_list(rule: PolicyRule, allowed: bool) -> None:
    assert allows(rule, Refusal(ACCOUNT, "list", "deployments", "apps", "shop")) is allowed


@pytest.mark.parametrize(
    ("rule", "refusal", "allowed"),
    [
        (PolicyRule(("get",), ("",), ("*/log",)), Refusal(ACCOUNT, "get", "pods/log"), True),
        (PolicyRule(("get",), ("",), ("pods",)), Refusal(ACCOUNT, "get", "pods/log"), False),
        (PolicyRule(("get",), ("",), ("pods",), ("a",)), Refusal(ACCOUNT, "get", "pods", name="a"), True),
        (PolicyRule(("get",), non_resource_urls=("/healthz/*",)), Refusal(ACCOUNT, "get", path="/healthz/etcd"), True),
        (PolicyRule(("get",), non_resource_urls=("/metrics",)), Refusal(ACCOUNT, "get", path="/healthz"), False),
    ],
)
def test_subresources_names_and_paths(rule: PolicyRule, refusal: Refusal, allowed: bool) -> None:
    assert allows(rule, refusal) is allowed
