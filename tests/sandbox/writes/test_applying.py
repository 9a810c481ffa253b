"""Who owns which field, and the conflicts of server-side apply."""

from __future__ import annotations

from typing import Any

from tests.sandbox.writes.conftest import APPLY, DEPLOYMENTS, MERGE, STRATEGIC, Author, deployment

PATH = f"{DEPLOYMENTS}/api"


def apply(author: Author, manager: str, body: Any, *, code: int = 200, force: bool = False) -> Any:
    return author.did("PATCH", f"{PATH}?fieldManager={manager}&force={str(force).lower()}", body, APPLY, code=code)


def owners(obj: Any) -> dict[str, Any]:
    return {each["manager"]: each["fieldsV1"] for each in obj["metadata"]["managedFields"]}


def part(**spec: Any) -> Any:
    metadata = {"name": "api", "namespace": "shop"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def test_another_value_of_another_owner_is_a_conflict(author: Author) -> None:
    apply(author, "first", deployment(), code=201)
    refusal = apply(author, "second", part(replicas=7), code=409)
    assert refusal["message"] == 'Apply failed with 1 conflict: conflict with "first" using apps/v1: .spec.replicas'
    assert refusal["details"]["causes"][0]["field"] == ".spec.replicas"


def test_a_change_by_another_command_is_a_conflict_with_its_time(author: Author) -> None:
    apply(author, "first", deployment(), code=201)
    author.did("PATCH", f"{PATH}?fieldManager=scaler", {"spec": {"replicas": 9}}, MERGE)
    refusal = apply(author, "first", deployment(), code=409)
    assert refusal["message"] == (
        'Apply failed with 1 conflict: conflict with "scaler" using apps/v1 at 2026-11-23T12:00:00Z: .spec.replicas'
    )


def test_several_conflicts_are_grouped_by_owner(author: Author) -> None:
    apply(author, "first", deployment(), code=201)
    image = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "api:2"}]}}}}
    author.did("PATCH", f"{PATH}?fieldManager=setter", image, STRATEGIC)
    author.did("PATCH", f"{PATH}?fieldManager=scaler", {"spec": {"replicas": 9}}, MERGE)
    message = apply(author, "first", deployment(), code=409)["message"]
    assert message == (
        'Apply failed with 2 conflicts: conflicts with "setter" using apps/v1 at 2026-11-23T12:00:00Z:\n'
        '- .spec.template.spec.containers[name="app"].image\n'
        'conflicts with "scaler" using apps/v1 at 2026-11-23T12:00:00Z:\n'
        "- .spec.replicas"
    )


def test_the_same_value_is_shared(author: Author) -> None:
    apply(author, "first", deployment(), code=201)
    both = owners(apply(author, "second", part(replicas=2)))
    assert both["first"]["f:spec"]["f:replicas"] == both["second"]["f:spec"]["f:replicas"] == {}


def test_by_force_a_field_changes_its_owner(author: Author) -> None:
    apply(author, "first", deployment(), code=201)
    taken = apply(author, "second", part(replicas=7), force=True)
    assert taken["spec"]["replicas"] == 7
    assert "f:replicas" not in owners(taken)["first"]["f:spec"]
    assert owners(taken)["second"] == {"f:spec": {"f:replicas": {}}}


def test_what_is_no_longer_applied_is_removed(author: Author) -> None:
    whole = deployment()
    whole["metadata"]["labels"] = {"team": "blue", "tier": "front"}
    whole["spec"]["template"]["spec"]["containers"].append({"name": "proxy", "image": "proxy:1"})
    apply(author, "first", whole, code=201)
    less = deployment()
    less["metadata"]["labels"] = {"team": "blue"}
    left = apply(author, "first", less)
    assert left["metadata"]["labels"] == {"team": "blue"}
    assert [each["name"] for each in left["spec"]["template"]["spec"]["containers"]] == ["app"]


def test_what_another_owns_too_stays(author: Author) -> None:
    whole = deployment()
    whole["metadata"]["labels"] = {"team": "blue"}
    apply(author, "first", whole, code=201)
    other = part()
    other["metadata"]["labels"] = {"team": "blue"}
    apply(author, "second", other)
    left = apply(author, "first", deployment())
    assert left["metadata"]["labels"] == {"team": "blue"}


def test_every_write_says_who_it_was(author: Author) -> None:
    author.did("POST", DEPLOYMENTS, deployment(), code=201)
    author.did("PATCH", f"{PATH}?fieldManager=scaler", {"spec": {"replicas": 9}}, MERGE)
    found = owners(author.get(PATH))
    assert found["scaler"] == {"f:spec": {"f:replicas": {}}}
    assert "f:replicas" not in found["kubectl"]["f:spec"]
    assert 'k:{"name":"app"}' in found["kubectl"]["f:spec"]["f:template"]["f:spec"]["f:containers"]
