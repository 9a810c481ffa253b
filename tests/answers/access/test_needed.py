"""The role that diagnoses need: from what they declare, and what they really request."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from kubedoctor.answers.access import needed_paths, needed_rights, role_documents, rules_of_rights, subject_of
from kubedoctor.cli.commands.access import manifest_text
from kubedoctor.cluster.kinds.resources import KINDS, ResourceKind
from kubedoctor.engine import load_catalogue, scan
from tests.collect.served import live

SHIPPED = Path(__file__).parents[3] / "kubedoctor" / "answers" / "access" / "reader.yaml"


def allowed(rules: list[dict[str, list[str]]], verb: str, group: str, resource: str) -> bool:
    return any(
        verb in rule["verbs"] and group in rule.get("apiGroups", ()) and resource in rule.get("resources", ())
        for rule in rules
    )


def test_the_shipped_role_is_what_the_diagnostics_read() -> None:
    built_in = [row for row in load_catalogue().diagnostics if row.check.__module__.startswith("diagnostics.")]
    reads = {kind for row in built_in for kind in row.read_kinds if not kind.endswith("kubedoctor.dev")}
    computed = role_documents(needed_rights(reads))

    assert manifest_text(computed) == SHIPPED.read_text(), "write it: kubedoctor access --role catalogue"


def test_it_only_reads_and_names_everything() -> None:
    (role,) = yaml.safe_load_all(SHIPPED.read_text())

    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}
    assert "*" not in {word for rule in role["rules"] for key in rule for word in rule[key]}


def test_every_request_of_a_scan_is_allowed_by_it() -> None:
    """What the transport really sends, in the words of RBAC."""
    catalogue = load_catalogue()
    paths = {row.path(version=version): row for row in KINDS for version in (row.version, *row.older_versions)}
    with live() as (source, sandbox):
        source.list_all(catalogue.reads())
        scan(catalogue, source.snapshot, source.gather)
    rules = rules_of_rights((*needed_rights(catalogue.reads()), *needed_paths()))
    named = {path for rule in rules for path in rule.get("nonResourceURLs", ())}

    unknown = []
    for request in sandbox.requests:
        row = paths.get(request.path)
        if row is not None:
            assert allowed(rules, "list", row.group, row.plural), request.path
        elif request.path not in named and not request.path.startswith("/apis/"):
            unknown.append(request.path)
    assert [path for path in unknown if not path.endswith("/log")] == []
    assert len(sandbox.requests) > 50


def test_a_namespace_has_a_role_of_its_own() -> None:
    documents = role_documents(needed_rights(["Pod", "Node"]), "shop", subject_of("jane"))

    assert [(row["kind"], row["metadata"].get("namespace", "")) for row in documents] == [
        ("ClusterRole", ""),
        ("ClusterRoleBinding", ""),
        ("Role", "shop"),
        ("RoleBinding", "shop"),
    ]
    assert allowed(documents[0]["rules"], "list", "", "nodes")
    assert not allowed(documents[0]["rules"], "list", "", "pods")
    assert allowed(documents[2]["rules"], "get", "", "pods/log")


def test_kinds_of_extensions_are_those_that_the_cluster_has() -> None:
    widget = ResourceKind("Widget.acme.dev", "acme.dev", "v1", "widgetses", "widget", True)
    kinds = ["Pod", "Certificate.cert-manager.io", "Gateway.networking.istio.io"]

    known = {right.what for right in needed_rights(kinds, [widget])}
    guessed = {right.what for right in needed_rights(kinds)}

    assert "widgetses.acme.dev" in known
    assert not known & {"certificates.cert-manager.io", "gateways.networking.istio.io"}
    assert guessed >= {"certificates.cert-manager.io", "gateways.networking.istio.io"}


@pytest.mark.parametrize(
    ("user", "subject"),
    [
        ("jane", {"kind": "User", "name": "jane", "apiGroup": "rbac.authorization.k8s.io"}),
        ("system:serviceaccount:shop:ci", {"kind": "ServiceAccount", "name": "ci", "namespace": "shop"}),
        ("system:anonymous", None),
        ("", None),
    ],
)
def test_the_subject_of_a_user(user: str, subject: dict[str, str] | None) -> None:
    assert subject_of(user) == subject
