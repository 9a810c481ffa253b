"""What one may do oneself, as the API server says."""

from __future__ import annotations

from kubedoctor.collect.live.access import may, rights
from kubedoctor.sandbox import faults
from tests.collect.conftest import Open
from tests.collect.fake_api import FakeApi, response
from tests.collect.served import live


def test_rights_are_asked_one_by_one() -> None:
    with live(faults.forbidden("secrets")) as (source, sandbox):
        assert may(source.transport, "list", "pods", namespace="shop").allowed
        assert not may(source.transport, "list", "secrets", namespace="shop").allowed

    assert {(request.method, request.path) for request in sandbox.requests} == {
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
    }


def test_all_rights_of_a_namespace(open_at: Open) -> None:
    status = {"incomplete": True, "resourceRules": [{"verbs": ["list"], "apiGroups": [""], "resources": ["pods"]}]}
    with FakeApi(lambda _: response({"kind": "SelfSubjectRulesReview", "status": status}, "201 Created")) as api:
        found = rights(open_at(api.url).transport, "shop")

    assert found.incomplete
    assert [(rule.verbs, rule.resources) for rule in found.rules] == [(("list",), ("pods",))]
    assert api.asked[0].path == "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    assert b'"namespace":"shop"' in api.asked[0].body
