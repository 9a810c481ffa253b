"""Creating and changing, as the API server's registry does it; the messages are the API server's."""

from __future__ import annotations

import pytest

from tests.sandbox.conftest import pod
from tests.sandbox.writes.conftest import (
    APPLY,
    DEPLOYMENTS,
    JSON,
    MERGE,
    PODS,
    STRATEGIC,
    Author,
    config_map,
    deployment,
)

CONFIG = "/api/v1/namespaces/shop/configmaps"


def test_what_is_created_has_an_identity_and_defaults(author: Author) -> None:
    made = author.did("POST", DEPLOYMENTS, deployment(), code=201)
    metadata = made["metadata"]
    assert metadata["uid"]
    assert metadata["resourceVersion"]
    assert metadata["creationTimestamp"] == "2026-11-23T12:00:00Z"
    assert metadata["generation"] == 1
    assert made["spec"]["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
    }
    assert made["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    assert author.get(f"{DEPLOYMENTS}/api") == made


def test_a_dry_run_changes_nothing(author: Author) -> None:
    assert author.did("POST", f"{DEPLOYMENTS}?dryRun=All", deployment(), code=201)["metadata"]["uid"]
    assert author.names(DEPLOYMENTS) == ["web"]
    author.did("DELETE", f"{DEPLOYMENTS}/web?dryRun=All")
    assert author.names(DEPLOYMENTS) == ["web"]


def test_a_name_is_made_of_the_one_to_begin_with(author: Author) -> None:
    body = config_map()
    body["metadata"] = {"generateName": "settings-"}
    name = author.did("POST", CONFIG, body, code=201)["metadata"]["name"]
    assert name.startswith("settings-")
    assert len(name) == len("settings-") + 5


@pytest.mark.parametrize(
    ("path", "body", "code", "says"),
    [
        (DEPLOYMENTS, deployment("web"), 409, 'deployments.apps "web" already exists'),
        ("/apis/apps/v1/namespaces/nope/deployments", {**deployment(), "metadata": {"name": "a"}}, 404, 'namespaces "nope" not found'),
        ("/apis/apps/v1/namespaces/ops/deployments", deployment(), 400, "does not match the namespace sent on the request"),
        (PODS, deployment(), 400, "Deployment of apps/v1 cannot be handled as Pod of v1"),
        (CONFIG, config_map(data={"a": 1}), 400, 'ConfigMap in version "v1" cannot be handled as a ConfigMap'),
        (f"{CONFIG}?fieldValidation=Strict", config_map(dat={}), 400, 'strict decoding error: unknown field "dat"'),
        (CONFIG, config_map("Not_A_Name"), 422, 'ConfigMap "Not_A_Name" is invalid: metadata.name: Invalid value'),
        (CONFIG, b"{", 400, "The body is neither JSON nor YAML"),
        (CONFIG, [1], 400, "The body must be an object."),
        (CONFIG, {"metadata": 7}, 400, "The metadata of the body must be an object."),
    ],
)  # fmt: skip
def test_what_is_refused(author: Author, path: str, body: object, code: int, says: str) -> None:
    assert says in author.refused("POST", path, body, code=code)


def test_an_unknown_field_is_no_reason_to_refuse_unless_asked(author: Author) -> None:
    author.did("POST", CONFIG, config_map(dat={}), code=201)


def test_a_stale_version_is_a_conflict(author: Author) -> None:
    first = author.did("POST", CONFIG, config_map(data={"a": "1"}), code=201)
    author.did("PUT", f"{CONFIG}/settings", {**first, "data": {"a": "2"}})
    says = author.refused("PUT", f"{CONFIG}/settings", {**first, "data": {"a": "3"}}, code=409)
    assert says == (
        'Operation cannot be fulfilled on configmaps "settings": the object has been modified; please apply your'
        " changes to the latest version and try again"
    )


def test_what_changes_nothing_is_no_change(author: Author) -> None:
    first = author.did("POST", CONFIG, config_map(data={"a": "1"}), code=201)
    again = author.did("PATCH", f"{CONFIG}/settings", {"data": {"a": "1"}}, MERGE)
    assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


def test_the_generation_counts_changes_of_the_spec_only(author: Author) -> None:
    author.did("POST", DEPLOYMENTS, deployment(), code=201)
    labelled = author.did("PATCH", f"{DEPLOYMENTS}/api", {"metadata": {"labels": {"a": "b"}}}, STRATEGIC)
    scaled = author.did("PATCH", f"{DEPLOYMENTS}/api", {"spec": {"replicas": 5}}, STRATEGIC)
    assert (labelled["metadata"]["generation"], scaled["metadata"]["generation"]) == (1, 2)


def test_the_status_has_a_door_of_its_own(author: Author) -> None:
    author.did("POST", DEPLOYMENTS, deployment(), code=201)
    whole = author.did("PATCH", f"{DEPLOYMENTS}/api", {"status": {"replicas": 9}}, MERGE)
    assert "status" not in whole
    told = author.did("PATCH", f"{DEPLOYMENTS}/api/status", {"status": {"replicas": 9}, "spec": {"replicas": 7}}, MERGE)
    assert (told["status"]["replicas"], told["spec"]["replicas"]) == (9, 2)


def test_scale_is_read_and_written(author: Author) -> None:
    author.did("POST", DEPLOYMENTS, deployment(), code=201)
    path = f"{DEPLOYMENTS}/api/scale"
    scale = author.get(path)
    author.did("PUT", path, {**scale, "spec": {"replicas": 4}})
    assert author.get(f"{DEPLOYMENTS}/api")["spec"]["replicas"] == 4
    author.did("PATCH", path, {"spec": {"replicas": 1}}, MERGE)
    assert author.get(f"{DEPLOYMENTS}/api")["spec"]["replicas"] == 1
    assert "must be greater than or equal to 0" in author.refused(
        "PATCH", path, {"spec": {"replicas": -1}}, MERGE, code=422
    )


@pytest.mark.parametrize(
    ("path", "patch", "says"),
    [
        (f"{PODS}/web-1", {"spec": {"containers": [{"name": "app", "command": ["x"]}]}}, "pod updates may not change fields"),
        (f"{DEPLOYMENTS}/api", {"spec": {"selector": {"matchLabels": {"app": "x"}}, "template": {"metadata": {"labels": {"app": "x"}}}}}, "field is immutable"),
    ],
)  # fmt: skip
def test_what_may_not_change(author: Author, path: str, patch: object, says: str) -> None:
    author.did("POST", DEPLOYMENTS, deployment(), code=201)
    assert says in author.refused("PATCH", path, patch, STRATEGIC, code=422)


def test_the_image_of_a_pod_may_change(author: Author) -> None:
    patch = {"spec": {"containers": [{"name": "app", "image": "web:2"}]}}
    assert author.did("PATCH", f"{PODS}/web-1", patch, STRATEGIC)["spec"]["containers"][0]["image"] == "web:2"


@pytest.mark.parametrize(
    ("kind", "patch", "code", "says"),
    [
        (JSON, [{"op": "remove", "path": "/spec/nope"}], 422, "The patch does not fit the object: no /spec/nope."),
        (STRATEGIC, {"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}}, 422, "has no name"),
        ("application/xml", {}, 415, "accepted media types include"),
        (JSON, 7, 422, "a list of operations"),
        (MERGE, 7, 400, "something else"),
    ],
)
def test_patches_that_are_refused(author: Author, kind: str, patch: object, code: int, says: str) -> None:
    assert says in author.refused("PATCH", f"{DEPLOYMENTS}/web", patch, kind, code=code)


def test_custom_resources_take_no_strategic_merge(author: Author) -> None:
    path = "/apis/acme.example/v1/namespaces/shop/widgets/first"
    author.refused("PATCH", path, {"spec": {"size": 4}}, STRATEGIC, code=415)
    assert author.did("PATCH", path, {"spec": {"size": 4}}, MERGE)["spec"]["size"] == 4


def test_writes_reach_watches(author: Author) -> None:
    stream = author.ask("GET", f"{CONFIG}?watch=true").stream
    assert stream is not None
    author.did("POST", CONFIG, config_map(), code=201)
    author.did("PATCH", f"{CONFIG}/settings", {"data": {"a": "1"}}, MERGE)
    author.did("DELETE", f"{CONFIG}/settings")
    types = [chunk.split(b'"')[3] for chunk in stream.take()]
    assert types == [b"ADDED", b"MODIFIED", b"DELETED"]


def test_a_read_only_sandbox_refuses(author: Author) -> None:
    from tests.sandbox.conftest import client

    response = client().ask(CONFIG, method="POST", body=b"{}")
    assert response.code == 405


def test_an_object_that_is_not_there_is_made_by_apply(author: Author) -> None:
    path = f"{DEPLOYMENTS}/api?fieldManager=me"
    made = author.did("PATCH", path, deployment(), APPLY, code=201)
    assert [each["manager"] for each in made["metadata"]["managedFields"]] == ["me"]
    assert made["spec"]["replicas"] == 2


def test_apply_needs_a_manager(author: Author) -> None:
    assert "fieldManager: Required value" in author.refused(
        "PATCH", f"{DEPLOYMENTS}/web", deployment("web"), APPLY, code=422
    )


def test_what_admission_refuses_and_gives() -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "few", "namespace": "shop"},
        "spec": {"hard": {"pods": "3"}},
        "status": {"hard": {"pods": "3"}, "used": {"pods": "2"}},
    }
    limits = {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "usual", "namespace": "shop"},
        "spec": {
            "limits": [{"type": "Container", "default": {"memory": "64Mi"}, "defaultRequest": {"memory": "32Mi"}}]
        },
    }
    author = Author([quota, limits])
    body = pod("web-3")
    body.pop("status")
    body["spec"].pop("nodeName")
    made = author.did("POST", PODS, body, code=201)
    assert made["spec"]["containers"][0]["resources"] == {"requests": {"memory": "32Mi"}, "limits": {"memory": "64Mi"}}
    assert made["status"]["phase"] == "Pending"
    body["metadata"]["name"] = "web-4"
    says = author.refused("POST", PODS, body, code=403)
    assert says == 'pods "web-4" is forbidden: exceeded quota: few, requested: pods=1, used: pods=3, limited: pods=3'
