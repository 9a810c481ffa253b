"""A small cluster, served on this machine, and a live source that reads it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from kubedoctor.cluster.seen.wants import LogWant, Want
from kubedoctor.collect.connecting.connection import connect
from kubedoctor.collect.connecting.transport import Transport
from kubedoctor.collect.live.cluster import LiveSource
from kubedoctor.collect.options import Options
from kubedoctor.sandbox import Fault, Sandbox, SandboxState, serve


def make(kind: str, name: str, namespace: str = "shop", api_version: str = "v1", **rest: Any) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest}


def pod(name: str, namespace: str = "shop", node: str = "n1", **labels: str) -> dict[str, Any]:
    made = make("Pod", name, namespace, spec={"nodeName": node, "containers": [{"name": "app", "image": "i"}]})
    made["metadata"]["labels"] = labels
    made["status"] = {"containerStatuses": [{"name": "app", "state": {"running": {}}, "ready": True}]}
    return made


def event(name: str, about: str, kind: str = "Pod", namespace: str = "shop") -> dict[str, Any]:
    subject = {"kind": kind, "name": about, **({"namespace": namespace} if kind == "Pod" else {})}
    return make("Event", name, namespace, involvedObject=subject, reason="R", message=f"about {about}")


OBJECTS = [
    make("Namespace", "shop", ""),
    make("Namespace", "other", ""),
    make("Node", "n1", ""),
    pod("web-1", app="web"),
    pod("web-2", node="n2", app="web"),
    pod("stranger", "other", app="web"),
    make("Secret", "db", data={"password": "aHVudGVyMg=="}),
    make("ConfigMap", "settings", data={"a": "b"}),
    event("e1", "web-1"),
    event("e2", "web-2"),
    event("e3", "n1", "Node", "default"),
]
LOGS = {"shop/web-1/app": {"current": "one\nurl http://joe:pass1@db/x\nthree\n"}}


@contextmanager
def live(*ordered: Fault, objects: Iterable[dict[str, Any]] = OBJECTS) -> Iterator[tuple[LiveSource, Sandbox]]:
    sandbox = Sandbox(SandboxState(list(objects), LOGS, namespace="shop"), faults=ordered)
    with serve(sandbox) as served:
        connection = connect(Options(kubeconfig=str(served.kubeconfig)), {})
        source = LiveSource(Transport(connection, pause=lambda _: None))
        yield source, sandbox
        source.close()
    assert {request.method for request in sandbox.requests} <= {"GET", "POST"}


def names(source: LiveSource, kind: str) -> list[str]:
    return [obj.metadata.name for obj in source.snapshot.of_kind(kind)]


def gather(source: LiveSource, *wants: Want | LogWant) -> None:
    source.gather(frozenset(wants))
