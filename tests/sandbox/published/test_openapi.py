"""The OpenAPI documents."""

from __future__ import annotations

import re

import pytest

from tests.sandbox.conftest import Client


def test_the_index_leads_to_every_document(client: Client) -> None:
    paths = client.get("/openapi/v3")["paths"]
    assert {"api/v1", "apis/apps/v1", "apis/acme.example/v1"} <= set(paths)
    for each in paths.values():
        assert client.get(each["serverRelativeURL"])["openapi"] == "3.0.0"


@pytest.mark.parametrize(
    ("document", "kind", "name"),
    [
        ("api/v1", "Pod", "v1.Pod"),
        ("api/v1", "Event", "core.v1.Event"),
        ("apis/autoscaling/v2", "HorizontalPodAutoscaler", "v2.HorizontalPodAutoscaler"),
        ("apis/storage.k8s.io/v1", "CSIDriver", "v1.CSIDriver"),
        ("apis/resource.k8s.io/v1", "ResourceClaim", "resource.v1.ResourceClaim"),
        ("apis/acme.example/v1", "Widget", "acme.example.v1.Widget"),
    ],
)
def test_each_kind_has_its_schema(client: Client, document: str, kind: str, name: str) -> None:
    schemas = client.get(f"/openapi/v3/{document}")["components"]["schemas"]
    owned = [each for each in schemas.values() if "x-kubernetes-group-version-kind" in each]
    assert schemas[name] in owned
    assert schemas[name]["x-kubernetes-group-version-kind"][0]["kind"] == kind


def test_every_reference_is_in_the_document(client: Client) -> None:
    referred = 0
    for path in client.get("/openapi/v3")["paths"]:
        text = client.ask(f"/openapi/v3/{path}").body.decode()
        names = set(client.get(f"/openapi/v3/{path}")["components"]["schemas"])
        references = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
        assert references <= names
        referred += len(references)
    assert referred > 100


def test_fields_are_described_and_required(client: Client) -> None:
    schemas = client.get("/openapi/v3/api/v1")["components"]["schemas"]
    assert schemas["v1.ContainerPort"]["required"] == ["containerPort"]
    assert "maximum amount of compute" in schemas["v1.ResourceRequirements"]["properties"]["limits"]["description"]
    assert "exec" in schemas["v1.Probe"]["properties"]


def test_kubectl_is_told_that_the_server_validates(client: Client) -> None:
    patch = client.get("/openapi/v3/apis/apps/v1")["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]
    assert "fieldValidation" in {each["name"] for each in patch["patch"]["parameters"]}


@pytest.mark.parametrize("path", ["/openapi/v3/apis/none/v1", "/openapi/v3/api/v2", "/openapi/v3/apis/apps"])
def test_no_document_is_404(client: Client, path: str) -> None:
    client.get(path, code=404)
