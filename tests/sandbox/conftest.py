"""A small cluster to ask about, and short ways of asking."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from kubedoctor.sandbox import Fault, Sandbox, SandboxState
from kubedoctor.sandbox.exchange import Object, Request, Response, Stream

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def pod(name: str, namespace: str = "shop", *, app: str = "web", node: str = "node-1", **status: Any) -> Object:
    """A running pod of one container, `app`."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {"app": app},
            "creationTimestamp": "2026-11-23T11:00:00Z",
        },
        "spec": {"nodeName": node, "containers": [{"name": "app", "image": "web:1"}]},
        "status": {
            "phase": "Running",
            "containerStatuses": [
                {
                    "name": "app",
                    "ready": True,
                    "restartCount": 0,
                    "containerID": "containerd://1",
                    "state": {"running": {"startedAt": "2026-11-23T11:00:05Z"}},
                }
            ],
            **status,
        },
    }


WIDGETS: Object = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.acme.example"},
    "spec": {
        "group": "acme.example",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "shortNames": ["wd"]},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "additionalPrinterColumns": [
                    {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
                    {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
                    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
                ],
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {"size": {"type": "integer", "description": "How large it is."}},
                            }
                        },
                    }
                },
            }
        ],
    },
}
WIDGET: Object = {
    "apiVersion": "acme.example/v1",
    "kind": "Widget",
    "metadata": {"name": "first", "namespace": "shop", "creationTimestamp": "2026-11-23T10:00:00Z"},
    "spec": {"size": 3},
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}


def objects() -> list[Object]:
    """Three pods in two namespaces, a node, a widget with its definition."""
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}, "status": {"phase": "Active"}},
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ops"}, "status": {"phase": "Active"}},
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}},
        pod("web-1"),
        pod("web-2", phase="Pending"),
        pod("agent-1", "ops", app="agent"),
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}},
        },
        WIDGETS,
        WIDGET,
    ]


class Client:
    """Asks a sandbox without a network."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def ask(self, path: str, *, method: str = "GET", accept: str = "application/json", body: bytes = b"") -> Response:
        path, _, text = path.partition("?")
        query = dict(each.split("=", 1) for each in text.split("&") if each)
        return self.sandbox.handle(Request(method, path, query, {"accept": accept}, body))

    def get(self, path: str, *, accept: str = "application/json", code: int = 200) -> Any:
        response = self.ask(path, accept=accept)
        assert response.code == code, response.body
        return response.json()

    def names(self, path: str) -> list[str]:
        return [each["metadata"]["name"] for each in self.get(path)["items"]]

    def stream(self, path: str, *, accept: str = "application/json") -> Stream:
        response = self.ask(path, accept=accept)
        assert response.code == 200, response.body
        assert response.stream is not None
        return response.stream


def client(*, faults: Iterable[Fault] = (), logs: dict[str, dict[str, str]] | None = None) -> Client:
    """A client of the small cluster, at noon."""
    return Client(Sandbox(SandboxState(objects(), logs or {}), faults=faults, clock=lambda: NOON))


def events(stream: Stream) -> list[tuple[str, Any]]:
    """The events that a watch has given since the last call."""
    decoded = [json.loads(each) for each in stream.take()]
    return [(each["type"], each["object"]) for each in decoded]


def named(stream: Stream) -> list[tuple[str, str]]:
    """The events' types and the names of their objects."""
    return [(kind, obj["metadata"]["name"]) for kind, obj in events(stream)]


@pytest.fixture(name="client")
def _client() -> Client:
    return client()
