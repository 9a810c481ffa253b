"""A small cluster that takes writes, and short ways of writing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubedoctor.sandbox import Sandbox, SandboxState
from kubedoctor.sandbox.exchange import Object, Request, Response
from tests.sandbox.conftest import NOON, objects

STRATEGIC = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"
JSON = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"

DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"
PODS = "/api/v1/namespaces/shop/pods"


def deployment(name: str = "api", **spec: Any) -> Object:
    """Of one container, `app`."""
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "app", "image": "api:1"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": template, **spec},
    }


def config_map(name: str = "settings", **more: Any) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}, **more}


class Author:
    """Writes to a sandbox without a network."""

    def __init__(self, more: list[Object] | None = None) -> None:
        state = SandboxState([*objects(), *(more or [])], {})
        self.sandbox = Sandbox(state, clock=lambda: NOON, writable=True)

    def ask(
        self, method: str, path: str, body: Any = None, kind: str = "application/json", agent: str = "kubectl/v1"
    ) -> Response:
        path, _, text = path.partition("?")
        query = dict(each.split("=", 1) for each in text.split("&") if each)
        encoded = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"accept": "application/json", "content-type": kind, "user-agent": agent}
        return self.sandbox.handle(Request(method, path, query, headers, encoded))

    def did(self, method: str, path: str, body: Any = None, kind: str = "application/json", *, code: int = 200) -> Any:
        response = self.ask(method, path, body, kind)
        assert response.code == code, response.body
        return response.json()

    def refused(self, method: str, path: str, body: Any = None, kind: str = "application/json", *, code: int) -> str:
        """The message of the refusal."""
        message = self.did(method, path, body, kind, code=code)["message"]
        assert isinstance(message, str)
        return message

    def get(self, path: str, code: int = 200) -> Any:
        return self.did("GET", path, code=code)

    def names(self, path: str) -> list[str]:
        return [each["metadata"]["name"] for each in self.get(path)["items"]]


@pytest.fixture
def author() -> Author:
    return Author()
