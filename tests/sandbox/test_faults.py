"""The failures that the sandbox can be told to have."""

from __future__ import annotations

import json

import pytest

from kubedoctor.sandbox.faults import (
    Fault,
    cut_short,
    forbidden,
    group_missing,
    html_page,
    list_expired,
    server_error,
    slow,
    throttled,
    unauthorized,
    watch_drops,
    watch_expired,
)
from tests.sandbox.conftest import client, events, pod


def test_forbidden_is_worded_as_rbac_words_it() -> None:
    asking = client(faults=[forbidden("secrets"), forbidden("deployments", verbs=["list"])])
    expected = 'secrets is forbidden: User "kubedoctor-demo" cannot list resource "secrets" in API group "" '
    status = asking.get("/api/v1/secrets", code=403)
    assert status["message"] == expected + "at the cluster scope"
    assert status["reason"] == "Forbidden"
    status = asking.get("/api/v1/namespaces/shop/secrets", code=403)
    assert status["message"] == expected + 'in the namespace "shop"'
    status = asking.get("/apis/apps/v1/deployments", code=403)
    assert status["message"].startswith(
        'deployments.apps is forbidden: User "kubedoctor-demo" cannot list resource "deployments" in API group "apps"'
    )
    assert status["details"] == {"group": "apps", "kind": "deployments"}
    asking.get("/apis/apps/v1/namespaces/shop/deployments/web")
    asking.get("/api/v1/pods")


def test_forbidden_for_all_namespaces_at_once_only() -> None:
    asking = client(faults=[forbidden("pods", namespaces=[""])])
    asking.get("/api/v1/pods", code=403)
    assert asking.names("/api/v1/namespaces/shop/pods") == ["web-1", "web-2"]


def test_forbidden_logs_leave_the_pods() -> None:
    asking = client(faults=[forbidden("pods/log")])
    status = asking.get("/api/v1/namespaces/shop/pods/web-1/log", code=403)
    assert status["message"].startswith('pods "web-1" is forbidden: ')
    assert 'resource "pods/log"' in status["message"]
    asking.get("/api/v1/namespaces/shop/pods/web-1")


@pytest.mark.parametrize(
    ("attributes", "allowed"),
    [
        ({"verb": "list", "resource": "secrets"}, False),
        ({"verb": "list", "resource": "pods"}, True),
        ({"verb": "list", "resource": "deployments", "group": "apps"}, False),
        ({"verb": "get", "resource": "pods", "subresource": "log", "namespace": "shop"}, False),
    ],
)
def test_access_reviews_agree_with_what_is_forbidden(attributes: dict[str, str], allowed: bool) -> None:
    asking = client(faults=[forbidden("secrets"), forbidden("deployments.apps"), forbidden("pods/log")])
    body = json.dumps({"spec": {"resourceAttributes": attributes}}).encode()
    answer = asking.ask("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", method="POST", body=body)
    assert answer.json()["status"]["allowed"] is allowed


def test_the_rules_leave_out_what_is_forbidden() -> None:
    asking = client(faults=[forbidden("secrets", verbs=["list"], namespaces=["shop"])])
    body = json.dumps({"spec": {"namespace": "shop"}}).encode()
    answer = asking.ask("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", method="POST", body=body)
    rules = {each["resources"][0]: each["verbs"] for each in answer.json()["status"]["resourceRules"]}
    assert rules["secrets"] == ["get", "watch"]
    assert rules["pods"] == ["get", "list", "watch"]


def test_unauthorized_is_for_everything() -> None:
    asking = client(faults=[unauthorized()])
    for path in ("/api", "/version", "/api/v1/pods"):
        assert asking.get(path, code=401)["reason"] == "Unauthorized"


def test_a_missing_group_is_not_discovered_either() -> None:
    asking = client(faults=[group_missing("apps")])
    asking.get("/apis/apps/v1/deployments", code=404)
    asking.get("/apis/apps/v1", code=404)
    names = {each["name"] for each in asking.get("/apis")["groups"]}
    assert "apps" not in names
    assert "batch" in names


def test_throttling_ends() -> None:
    asking = client(faults=[throttled(times=2, retry_after=3)])
    for _ in range(2):
        response = asking.ask("/api/v1/pods")
        assert (response.code, response.headers["Retry-After"]) == (429, "3")
        assert response.json()["details"]["retryAfterSeconds"] == 3
    asking.get("/api/v1/pods")


def test_an_error_in_the_middle_of_a_chunked_list() -> None:
    asking = client(faults=[server_error("pods", after=1, times=1)])
    token = asking.get("/api/v1/pods?limit=1")["metadata"]["continue"]
    path = f"/api/v1/pods?limit=1&continue={token}"
    assert asking.get(path, code=500)["reason"] == "InternalError"
    assert len(asking.get(path)["items"]) == 1


def test_an_expired_list() -> None:
    asking = client(faults=[list_expired("pods")])
    token = asking.get("/api/v1/pods?limit=1")["metadata"]["continue"]
    assert asking.get(f"/api/v1/pods?limit=1&continue={token}", code=410)["reason"] == "Expired"
    asking.get("/api/v1/pods?limit=1")


def test_an_expired_watch() -> None:
    asking = client(faults=[watch_expired("pods")])
    stream = asking.stream("/api/v1/pods?watch=true")
    ((kind, status),) = events(stream)
    assert (kind, status["code"], stream.ended) == ("ERROR", 410, True)
    assert len(events(asking.stream("/api/v1/pods?watch=true"))) == 3


def test_a_watch_that_drops() -> None:
    asking = client(faults=[watch_drops("pods", after_events=4, times=1)])
    stream = asking.stream("/api/v1/pods?watch=true")
    assert (stream.ended, stream.dropped) == (False, False)
    asking.sandbox.put(pod("web-3"))
    asking.sandbox.put(pod("web-4"))
    assert (stream.ended, stream.dropped) == (True, True)
    assert len(stream.take()) == 4


def test_slowness_is_a_delay_before_the_same_answer() -> None:
    asking = client(faults=[slow("pods", seconds=2.5)])
    response = asking.ask("/api/v1/pods")
    assert (response.code, response.delay) == (200, 2.5)
    assert asking.ask("/api/v1/nodes").delay == 0


def test_faults_can_be_changed_while_it_runs() -> None:
    asking = client()
    asking.sandbox.faults.append(Fault(503, "ServiceUnavailable", "busy", resources=["pods"]))
    assert asking.get("/api/v1/pods", code=503)["message"] == "busy"
    asking.sandbox.faults.clear()
    asking.get("/api/v1/pods")


def test_a_body_that_is_cut_short() -> None:
    asking = client(faults=[cut_short("pods", after_bytes=20, times=1)])
    response = asking.ask("/api/v1/pods")
    assert (response.code, len(response.body)) == (200, 20)
    assert response.stream is not None
    assert response.stream.dropped
    assert len(asking.get("/api/v1/pods")["items"]) == 3


@pytest.mark.parametrize("code", [200, 502])
def test_a_page_of_a_proxy(code: int) -> None:
    response = client(faults=[html_page("pods", code=code)]).ask("/api/v1/pods")
    assert (response.code, response.content_type) == (code, "text/html; charset=utf-8")
    assert response.body.startswith(b"<html>")
