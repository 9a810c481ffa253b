"""Which rules are a way to the rights of others."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.cluster.kinds.control import PolicyRule
from kubedoctor.replay.permissions.escalation import escalation_paths


def rule(verbs: str, group: str, resources: str, *names: str) -> PolicyRule:
    return PolicyRule(tuple(verbs.split()), (group,), tuple(resources.split()), names or None)


@pytest.mark.parametrize(
    ("given", "in_namespace", "found"),
    [
        (rule("*", "*", "*"), False, {("everything", "*", "*")}),
        (rule("get list watch", "", "pods configmaps"), False, set()),
        (rule("get", "", "secrets"), True, {("secrets", "get", "secrets")}),
        (rule("create delete", "", "secrets"), False, set()),
        (rule("create", "", "pods/exec pods/log"), True, {("exec", "create", "pods/exec")}),
        (rule("get", "", "pods/exec"), True, {("exec", "get", "pods/exec")}),
        (rule("create", "", "pods"), True, set()),
        (rule("create", "", "serviceaccounts/token"), True, {("token", "create", "serviceaccounts/token")}),
        (rule("impersonate", "", "users"), False, {("impersonate", "impersonate", "users")}),
        (rule("impersonate", "", "users"), True, set()),
        (rule("escalate", "rbac.authorization.k8s.io", "roles"), True, {("escalate", "escalate", "roles")}),
        (rule("bind", "rbac.authorization.k8s.io", "clusterroles"), True, {("bind", "bind", "clusterroles")}),
        (rule("bind", "", "clusterroles"), False, set()),
        (rule("get", "", "nodes/proxy"), False, {("nodes", "get", "nodes/proxy")}),
    ],
)
def test_paths(given: PolicyRule, in_namespace: bool, found: set[tuple[str, str, str]]) -> None:
    paths = escalation_paths(given, in_namespace=in_namespace)

    assert {(way.path.value, way.verb, way.resource) for way in paths} == found


def test_a_rule_for_some_objects_names_them() -> None:
    found: list[Any] = list(escalation_paths(rule("get", "", "secrets", "db", "tls"), in_namespace=True))

    assert [way.names for way in found] == [("db", "tls")]
