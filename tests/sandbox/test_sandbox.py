"""Paths, gets, lists, discovery and refusals."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubedoctor.sandbox import Sandbox, SandboxState
from tests.sandbox.conftest import TABLE, Client, client, pod


def test_a_get_gives_the_object_with_its_kind(client: Client) -> None:
    found = client.get("/api/v1/namespaces/shop/pods/web-1")
    assert (found["kind"], found["apiVersion"]) == ("Pod", "v1")
    assert found["spec"]["nodeName"] == "node-1"


def test_a_list_does_not_repeat_the_kind_of_its_items(client: Client) -> None:
    found = client.get("/api/v1/pods")
    assert (found["kind"], found["apiVersion"]) == ("PodList", "v1")
    assert all("kind" not in each for each in found["items"])


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/api/v1/pods", ["agent-1", "web-1", "web-2"]),
        ("/api/v1/namespaces/shop/pods", ["web-1", "web-2"]),
        ("/api/v1/namespaces/none/pods", []),
        ("/api/v1/nodes", ["node-1"]),
        ("/api/v1/namespaces", ["ops", "shop"]),
        ("/apis/apps/v1/deployments", ["web"]),
        ("/apis/acme.example/v1/widgets", ["first"]),
        ("/api/v1/pods?labelSelector=app=agent", ["agent-1"]),
        ("/api/v1/pods?labelSelector=app in (web,agent),app!=web", ["agent-1"]),
        ("/api/v1/pods?labelSelector=!app", []),
        ("/api/v1/pods?fieldSelector=metadata.name=web-2", ["web-2"]),
        ("/api/v1/pods?fieldSelector=status.phase!=Running", ["web-2"]),
        ("/api/v1/pods?fieldSelector=spec.nodeName=node-1,metadata.namespace=ops", ["agent-1"]),
        ("/api/v1/nodes?fieldSelector=spec.unschedulable=false", ["node-1"]),
    ],
)
def test_lists_by_namespace_and_selector(client: Client, path: str, names: list[str]) -> None:
    assert client.names(path) == names


@pytest.mark.parametrize(
    ("path", "code", "reason", "message"),
    [
        ("/api/v1/namespaces/shop/pods/nope", 404, "NotFound", 'pods "nope" not found'),
        ("/apis/apps/v1/namespaces/shop/deployments/x", 404, "NotFound", 'deployments.apps "x" not found'),
        ("/api/v1/widgets", 404, "NotFound", "the server could not find the requested resource"),
        ("/apis/none.example/v1", 404, "NotFound", "the server could not find the requested resource"),
        ("/apis/none.example", 404, "NotFound", "the server could not find the requested resource"),
        ("/api/v1/namespaces/shop/nodes", 404, "NotFound", "the server could not find the requested resource"),
        ("/api/v1/pods/web-1", 404, "NotFound", "the server could not find the requested resource"),
        ("/openapi/v2", 404, "NotFound", "the server could not find the requested resource"),
        ("/api/v1/pods?fieldSelector=spec.image=x", 400, "BadRequest", "field label not supported: spec.image"),
        ("/api/v1/pods?limit=x", 400, "BadRequest", "The query parameter limit='x' is not a whole number."),
    ],
)
def test_refusals_are_a_status_in_the_api_servers_words(
    client: Client, path: str, code: int, reason: str, message: str
) -> None:
    status = client.get(path, code=code)
    assert (status["kind"], status["status"], status["code"]) == ("Status", "Failure", code)
    assert (status["reason"], status["message"]) == (reason, message)


def test_a_malformed_selector_is_refused(client: Client) -> None:
    assert client.get("/api/v1/pods?labelSelector=a in (", code=400)["reason"] == "BadRequest"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/api/v1/namespaces/shop/pods/web-1", "/apis/apps/v1/deployments", "/version"])
def test_every_write_is_refused_with_a_sentence(client: Client, method: str, path: str) -> None:
    before = client.get("/api/v1/pods")
    response = client.ask(path, method=method, body=b"{}")
    assert response.code == 405
    assert response.json()["message"].startswith("This is a read-only recording of a cluster")
    assert client.get("/api/v1/pods") == before


@pytest.mark.parametrize("subresource", ["exec", "attach", "portforward", "proxy"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_needs_a_container_is_refused_with_a_sentence(client: Client, subresource: str, method: str) -> None:
    response = client.ask(f"/api/v1/namespaces/shop/pods/web-1/{subresource}", method=method)
    assert response.code == 405
    assert "nothing runs in it" in response.json()["message"]


def test_chunks_are_of_one_moment(client: Client) -> None:
    first = client.get("/api/v1/pods?limit=2")
    assert [each["metadata"]["name"] for each in first["items"]] == ["agent-1", "web-1"]
    assert first["metadata"]["remainingItemCount"] == 1
    client.sandbox.put(pod("aaa", "aaa"))
    token = first["metadata"]["continue"]
    rest = client.get(f"/api/v1/pods?limit=2&continue={token}")
    assert [each["metadata"]["name"] for each in rest["items"]] == ["web-2"]
    assert rest["metadata"] == {"resourceVersion": first["metadata"]["resourceVersion"]}


def test_a_selected_chunk_does_not_count_what_remains(client: Client) -> None:
    metadata = client.get("/api/v1/pods?limit=1&labelSelector=app=web")["metadata"]
    assert "continue" in metadata
    assert "remainingItemCount" not in metadata


def test_a_forgotten_continue_token_is_410(client: Client) -> None:
    token = client.get("/api/v1/pods?limit=1")["metadata"]["continue"]
    client.sandbox.forget_history()
    assert client.get(f"/api/v1/pods?continue={token}", code=410)["reason"] == "Expired"


def test_partial_metadata(client: Client) -> None:
    accept = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
    found = client.get("/api/v1/pods", accept=accept)
    assert found["kind"] == "PartialObjectMetadataList"
    assert set(found["items"][0]) == {"kind", "apiVersion", "metadata"}


def test_a_custom_resource_prints_its_columns(client: Client) -> None:
    table = client.get("/apis/acme.example/v1/namespaces/shop/widgets/first", accept=TABLE)
    assert [each["name"] for each in table["columnDefinitions"]] == ["Name", "Size", "Ready", "Age"]
    assert table["rows"][0]["cells"] == ["first", 3, "True", "120m"]


@pytest.mark.parametrize(
    ("include", "kind"), [("Metadata", "PartialObjectMetadata"), ("Object", "Pod"), ("None", None)]
)
def test_include_object(client: Client, include: str, kind: str | None) -> None:
    table = client.get(f"/api/v1/namespaces/shop/pods?includeObject={include}", accept=TABLE)
    assert table["rows"][0].get("object", {}).get("kind") == kind


def _aggregated(client: Client, path: str) -> dict[str, Any]:
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    found = client.get(path, accept=accept)
    assert found["apiVersion"] == "apidiscovery.k8s.io/v2"
    return {
        row["resource"]: row
        for group in found["items"]
        for version in group["versions"]
        for row in version["resources"]
    }


def test_aggregated_discovery(client: Client) -> None:
    core, rest = _aggregated(client, "/api"), _aggregated(client, "/apis")
    assert core["pods"]["shortNames"] == ["po"]
    assert core["pods"]["scope"] == "Namespaced"
    assert core["nodes"]["scope"] == "Cluster"
    assert rest["deployments"]["categories"] == ["all"]
    assert rest["deployments"]["verbs"] == ["get", "list", "watch"]
    assert rest["widgets"]["responseKind"] == {"group": "acme.example", "version": "v1", "kind": "Widget"}


def test_legacy_discovery_lists_the_same(client: Client) -> None:
    assert client.get("/api")["versions"] == ["v1"]
    listed = {row["name"] for row in client.get("/api/v1")["resources"]}
    for group in client.get("/apis")["groups"]:
        assert client.get(f"/apis/{group['name']}")["name"] == group["name"]
        for version in group["versions"]:
            listed |= {row["name"] for row in client.get(f"/apis/{version['groupVersion']}")["resources"]}
    plain = {each for each in listed if "/" not in each}
    assert plain == set(_aggregated(client, "/api")) | set(_aggregated(client, "/apis"))
    assert "pods/log" in listed


def test_the_metrics_api_is_there_when_the_state_has_metrics(client: Client) -> None:
    client.get("/apis/metrics.k8s.io/v1beta1/pods", code=404)
    usage = {"name": "app", "usage": {"cpu": "5m", "memory": "12Mi"}}
    metrics = {
        "apiVersion": "metrics.k8s.io/v1beta1",
        "kind": "PodMetrics",
        "metadata": {"name": "web-1", "namespace": "shop"},
        "containers": [usage],
    }
    client.sandbox.put(metrics)
    assert client.get("/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods/web-1")["containers"] == [usage]
    assert "metrics.k8s.io" in {each["name"] for each in client.get("/apis")["groups"]}
    assert client.ask("/apis/metrics.k8s.io/v1beta1/pods?watch=true").code == 405


def test_health_version_and_root(client: Client) -> None:
    for path in ("/healthz", "/readyz", "/livez"):
        assert client.ask(path).body == b"ok"
    version = client.get("/version")
    assert (version["gitVersion"], version["major"], version["minor"]) == ("v1.37.2", "1", "37")
    assert "/readyz" in client.get("/")["paths"]


def test_the_status_of_a_namespace(client: Client) -> None:
    assert client.get("/api/v1/namespaces/shop/status")["status"] == {"phase": "Active"}


def test_the_scale_of_a_deployment(client: Client) -> None:
    scale = client.get("/apis/apps/v1/namespaces/shop/deployments/web/scale")
    assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert (scale["spec"], scale["status"]) == ({"replicas": 2}, {"replicas": 0, "selector": "app=web"})
    client.get("/apis/apps/v1/namespaces/shop/deployments/web/nothing", code=404)


def test_a_custom_resource_whose_definition_was_not_recorded() -> None:
    policy = {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": "deny", "namespace": "shop"},
    }
    client = Client(Sandbox(SandboxState([policy])))
    assert client.names("/apis/security.istio.io/v1/authorizationpolicies") == ["deny"]


def test_an_unknown_kind_without_a_group_is_an_error() -> None:
    with pytest.raises(ValueError, match="does not serve kind Pot of v1"):
        Sandbox(SandboxState([{"apiVersion": "v1", "kind": "Pot", "metadata": {"name": "x"}}]))


def test_a_definition_that_is_put_and_deleted_serves_and_serves_no_longer(client: Client) -> None:
    definition = client.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.acme.example")
    client.sandbox.delete(definition)
    client.get("/apis/acme.example/v1/widgets", code=404)
    client.sandbox.put(definition)
    assert client.names("/apis/acme.example/v1/widgets") == ["first"]


def test_the_state_that_was_given_does_not_change() -> None:
    given = [pod("web-1")]
    copy = json.loads(json.dumps(given))
    sandbox = Sandbox(SandboxState(given))
    sandbox.put({**pod("web-1"), "status": {"phase": "Failed"}})
    assert given == copy


def test_requests_are_remembered() -> None:
    asking = client()
    asking.get("/api/v1/pods")
    assert [(each.method, each.path) for each in asking.sandbox.requests] == [("GET", "/api/v1/pods")]


@pytest.mark.parametrize(
    ("spec", "allowed"),
    [
        ({"resourceAttributes": {"verb": "list", "resource": "pods"}}, True),
        ({"resourceAttributes": {"verb": "delete", "resource": "pods"}}, False),
        ({"resourceAttributes": {"verb": "*", "resource": "*"}}, False),
        ({"nonResourceAttributes": {"verb": "get", "path": "/healthz"}}, True),
    ],
)
def test_access_reviews_allow_reading(client: Client, spec: dict[str, Any], allowed: bool) -> None:
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    response = client.ask(path, method="POST", body=json.dumps({"spec": spec}).encode())
    assert response.code == 201
    answer = response.json()
    assert (answer["kind"], answer["status"]["allowed"]) == ("SelfSubjectAccessReview", allowed)


def test_a_review_that_is_not_json_is_refused(client: Client) -> None:
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    assert client.ask(path, method="POST", body=b"\xff[").code == 400
    assert client.ask(path).code == 405
