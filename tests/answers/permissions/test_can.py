"""`can VERB RESOURCE --as SUBJECT`: by which binding, which rule is nearest, and what would allow it."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.answers.question import Choices
from kubedoctor.answers.questions.can import can
from kubedoctor.answers.sheet import Conclusion, Sheet
from kubedoctor.cluster import Cluster, Ref
from kubedoctor.cluster.seen.snapshot import UNKNOWN_TIME, Source
from kubedoctor.collect.recording import whole_state
from kubedoctor.problems import UsageProblem
from tests.engine.clinic import complete

RBAC = "rbac.authorization.k8s.io/v1"


def account(name: str, namespace: str = "shop") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}


def role(name: str, namespace: str, *rules: dict[str, Any]) -> dict[str, Any]:
    kind = "Role" if namespace else "ClusterRole"
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": RBAC, "kind": kind, "metadata": metadata, "rules": list(rules)}


def binding(binding_name: str, space: str, to: str, role_kind: str, **subject: str) -> dict[str, Any]:
    metadata = {"name": binding_name, **({"namespace": space} if space else {})}
    return {
        "apiVersion": RBAC,
        "kind": "RoleBinding" if space else "ClusterRoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": to},
        "subjects": [subject],
    }


def web(**template: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "app", "image": "web:1"}], **template}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"template": {"spec": spec}},
    }


READER = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}
CLUSTER = (
    account("web"),
    account("default"),
    web(serviceAccountName="web"),
    role("reader", "shop", READER),
    binding("web-reads", "shop", "reader", "Role", kind="ServiceAccount", name="web", namespace="shop"),
    role("scraper", "", {"nonResourceURLs": ["/metrics"], "verbs": ["get"]}, {**READER, "resources": ["nodes"]}),
    binding("scrapers", "", "scraper", "ClusterRole", kind="Group", name="system:serviceaccounts:shop"),
)


def asked(verb: str, resource: str, who: str = "", namespace: str = "shop", subresource: str = "") -> Sheet:
    given = {"verb": (verb,), "resource": (resource,), "as": (who,) if who else (), "subresource": (subresource,)}
    return can.answer(Ref("Namespace", "", namespace), Choices(given), Cluster(complete(*CLUSTER)))


@pytest.mark.parametrize(
    ("verb", "resource", "who", "verdict"),
    [
        (
            "list",
            "pods",
            "web",
            "may list pods in namespace shop: RoleBinding shop/web-reads gives it Role shop/reader",
        ),
        ("list", "po", "shop/web", "may list pods in namespace shop"),
        ("list", "pods", "deployment/web", "may list pods in namespace shop"),
        ("list", "pods", "system:serviceaccount:shop:web", "may list pods in namespace shop"),
        ("get", "nodes", "web", "may get nodes at the cluster scope: ClusterRoleBinding scrapers"),
        ("get", "/metrics", "default", "may get /metrics: ClusterRoleBinding scrapers gives it ClusterRole scraper"),
        ("delete", "deployments", "group:system:masters", "group system:masters may do everything"),
        (
            "watch",
            "pods",
            "web",
            "may not watch pods in namespace shop; nearly: a rule for pods has get, list, not watch",
        ),
        ("get", "pods/db-0", "user:jane", 'may not get pods "db-0" in namespace shop; no role is bound to it'),
        ("get", "certificates.cert-manager.io", "web", "may not get certificates.cert-manager.io in namespace shop"),
        ("get", "pods", "deployment/gone", "does not exist"),
    ],
)
def test_the_verdict(verb: str, resource: str, who: str, verdict: str) -> None:
    sheet = asked(verb, resource, who)
    assert verdict in sheet.headline
    expected = (
        Conclusion.TROUBLE if "may not" in verdict else Conclusion.WELL if "may" in verdict else Conclusion.UNKNOWN
    )
    assert sheet.conclusion is expected


def test_a_subresource_is_a_right_of_its_own() -> None:
    sheet = asked("get", "pods", "web", subresource="log")
    assert "may not get pods/log in namespace shop; nearly: a rule has pods, not pods/log" in sheet.headline
    assert [(fix.verified, fix.command) for fix in sheet.fixes] == [
        (
            True,
            'kubectl patch role/reader -n shop --type=json -p \'[{"op": "add", "path": "/rules/-", "value": '
            '{"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]}}]\'',
        )
    ]
    assert sheet.next[0].line == (
        "kubectl auth can-i get pods --subresource=log --as=system:serviceaccount:shop:web -n shop"
    )


def test_who_may() -> None:
    (table,) = asked("list", "pods").tables
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["ServiceAccount", "shop/web", "RoleBinding shop/web-reads", "Role shop/reader"]
    ]
    assert asked("delete", "pods").tables == ()
    assert "no binding allows it" in asked("delete", "pods").verdict


def test_an_account_that_does_not_exist_is_said() -> None:
    sheet = asked("list", "pods", "shop/wbe")
    assert sheet.conclusion is Conclusion.TROUBLE
    assert sheet.verdict.startswith(
        "does not exist, so no pod may list pods in namespace shop with it; did you mean web?"
    )
    assert [fact.text for fact in sheet.facts] == ["RBAC would not allow it to an account of this name"]
    assert not any(fix.verified or "role" in fix.command for fix in sheet.fixes)
    assert sheet.fixes[-1].command == "kubectl create serviceaccount wbe -n shop"
    assert "does not exist" in asked("get", "/metrics", "shop/wbe").verdict


def test_a_subresource_in_place_of_a_name() -> None:
    assert "may not get pods/log in namespace shop" in asked("get", "pods/log", "web").verdict


def test_a_right_in_one_namespace_is_none_in_all() -> None:
    sheet = asked("list", "pods", "shop/web", namespace="")
    assert sheet.conclusion is Conclusion.TROUBLE
    assert "it may in namespace shop: RoleBinding shop/web-reads gives it that there" in sheet.verdict
    assert sheet.fixes == ()
    assert sheet.next[0].line.endswith("--all-namespaces")


@pytest.mark.parametrize("who", ["web", ""])
def test_without_the_bindings_nothing_is_known(who: str) -> None:
    files = whole_state(
        UNKNOWN_TIME, Source("files", "test"), [account("web")], {"RoleBinding": "not in this recording"}
    )
    given = {"verb": ("list",), "resource": ("pods",), "as": (who,) if who else ()}
    sheet = can.answer(Ref("Namespace", "", "shop"), Choices(given), Cluster(files))
    assert sheet.conclusion is Conclusion.UNKNOWN
    assert "RoleBindings could not be read" in sheet.verdict
    assert sheet.fixes == ()


@pytest.mark.parametrize(
    ("verb", "resource", "who"),
    [
        ("GET", "pods", "web"),
        ("get", "", "web"),
        ("get", "Some Thing", "web"),
        ("get", "pods", "a/b/c"),
        ("get", "pods", "user:"),
    ],
)
def test_what_cannot_be_asked(verb: str, resource: str, who: str) -> None:
    with pytest.raises(UsageProblem):
        asked(verb, resource, who)


@pytest.mark.parametrize(
    ("who", "title"),
    [
        ("shop:web", "ServiceAccount shop/web"),
        ("serviceaccount:shop:web", "ServiceAccount shop/web"),
        ("sa:web", "ServiceAccount shop/web"),
        ("sa/web", "ServiceAccount shop/web"),
        ("system:serviceaccount:shop:web", "ServiceAccount shop/web"),
        ("groups:dev", "group dev"),
        ("system:node:worker-a", "user system:node:worker-a"),
    ],
)
def test_the_forms_of_subjects(who: str, title: str) -> None:
    assert asked("get", "pods", who).title == title


def test_an_account_that_does_not_exist_is_said_whatever_its_form() -> None:
    for who in ("shop:gone", "system:serviceaccount:shop:gone", "gone"):
        sheet = asked("get", "pods", who)
        assert sheet.verdict.startswith("does not exist"), who
        assert any("user:gone" in fix.summary for fix in sheet.fixes)


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("group", "write group:NAME"),
        ("user", "write user:NAME"),
        ("system:masters", "write group:system:masters"),
        ("system:serviceaccount:shop", "write system:serviceaccount:NAMESPACE:NAME"),
        ("a:b:c", "NAMESPACE:NAME"),
    ],
)
def test_a_subject_that_lacks_a_part(who: str, words: str) -> None:
    with pytest.raises(UsageProblem) as problem:
        asked("get", "/healthz", who)
    assert words.lower() in str(problem.value).lower()


def test_groups_besides_the_subject() -> None:
    def may(who: str, *groups: str) -> Sheet:
        values = {"verb": ("get",), "resource": ("/metrics",), "as-group": groups, **({"as": (who,)} if who else {})}
        return can.answer(Ref("Namespace", "", "shop"), Choices(values), Cluster(complete(*CLUSTER)))

    assert may("user:jane").conclusion is Conclusion.TROUBLE
    assert may("user:jane", "system:serviceaccounts:shop").conclusion is Conclusion.WELL
    assert may("user:jane", "system:masters").conclusion is Conclusion.WELL
    assert may("", "system:serviceaccounts:shop").title == "group system:serviceaccounts:shop"
    assert may("", "system:serviceaccounts:shop").conclusion is Conclusion.WELL
