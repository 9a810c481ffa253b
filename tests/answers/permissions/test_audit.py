"""`can --audit`: bindings that give nothing, and ways to the rights of others."""

from __future__ import annotations

from typing import Any

from kubedoctor.answers.permissions.audit_sheet import audit_sheet
from kubedoctor.answers.sheet import Conclusion, Sheet
from kubedoctor.cluster import Cluster
from tests.answers.permissions.test_can import account, binding, role
from tests.engine.clinic import complete

READER = role("reader", "shop", {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]})
BOUND = binding("reader", "shop", "reader", "Role", kind="ServiceAccount", name="web")


def audit(*objects: dict[str, Any], namespace: str = "") -> Sheet:
    spaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in ("shop", "ops")]
    return audit_sheet(namespace, Cluster(complete(*spaces, account("web"), READER, BOUND, *objects)))


def rows(sheet: Sheet) -> list[tuple[str, ...]]:
    return [tuple(cell.text for cell in row.cells) for table in sheet.tables for row in table.rows]


def test_a_cluster_without_faults() -> None:
    sheet = audit()

    assert sheet.conclusion is Conclusion.ACCOUNT
    assert rows(sheet) == []


def test_a_binding_to_a_role_that_does_not_exist() -> None:
    sheet = audit(binding("late", "shop", "writer", "Role", kind="User", name="jane"))

    assert sheet.conclusion is Conclusion.TROUBLE
    assert rows(sheet) == [("RoleBinding shop/late", "Role shop/writer")]


def test_a_service_account_that_does_not_exist() -> None:
    sheet = audit(binding("ops", "shop", "reader", "Role", kind="ServiceAccount", name="wbe", namespace="ops"))

    assert rows(sheet) == [("RoleBinding shop/ops", "ServiceAccount ops/wbe")]
    assert "1 subject that does not exist" in sheet.verdict


def test_ways_to_the_rights_of_others_with_where_they_lead() -> None:
    powerful = role(
        "deployer",
        "",
        {"apiGroups": [""], "resources": ["pods/exec", "secrets"], "verbs": ["create", "get"]},
        {"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"]},
    )
    inside = binding("deployer", "shop", "deployer", "ClusterRole", kind="User", name="jane")
    across = binding("all", "", "deployer", "ClusterRole", kind="Group", name="ops")
    admin = role("admin-of-all", "", {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]})
    boss = binding("boss", "", "admin-of-all", "ClusterRole", kind="ServiceAccount", name="web", namespace="shop")

    found = rows(audit(powerful, inside, across, admin, boss))

    assert {(row[1], row[2], row[4]) for row in found} == {
        ("ops", "read Secrets, tokens among them", "cluster"),
        ("ops", "run commands in pods, with their ServiceAccounts", "cluster"),
        ("ops", "act as others", "cluster"),
        ("shop/web", "do everything", "cluster"),
        ("jane", "read Secrets, tokens among them", "namespace shop"),
        ("jane", "run commands in pods, with their ServiceAccounts", "namespace shop"),
    }


def test_what_the_api_server_creates_is_no_news() -> None:
    default = binding("cluster-admin", "", "cluster-admin", "ClusterRole", kind="Group", name="system:masters")
    default["metadata"]["labels"] = {"kubernetes.io/bootstrapping": "rbac-defaults"}

    assert rows(audit(default)) == []


def test_other_namespaces_are_left_out_where_one_is_asked_about() -> None:
    late = binding("late", "shop", "writer", "Role", kind="User", name="jane")

    assert rows(audit(late, namespace="ops")) == []
