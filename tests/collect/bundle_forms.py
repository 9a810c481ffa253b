"""A small cluster, and the forms in which tools write it down."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

TAKEN_AT = "2026-01-15T10:00:00Z"
NODES: list[dict[str, Any]] = [
    {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "worker-a", "creationTimestamp": "2026-01-10T08:00:00Z"},
        "status": {
            "conditions": [
                {
                    "type": "Ready",
                    "status": "True",
                    "reason": "KubeletReady",
                    "lastHeartbeatTime": "2026-01-15T09:59:30Z",
                }
            ]
        },
    }
]


def pod(name: str, namespace: str = "shop", **spec: Any) -> dict[str, Any]:
    """A pod whose only container restarts."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": "2026-01-15T09:00:00Z"},
        "spec": {"containers": [{"name": "app", "image": "app:1"}], **spec},
        "status": {
            "phase": "Running",
            "containerStatuses": [
                {
                    "name": "app",
                    "restartCount": 3,
                    "state": {"running": {"startedAt": "2026-01-15T09:58:00Z"}},
                    "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2026-01-15T09:57:00Z"}},
                }
            ],
        },
    }


def service(name: str, namespace: str = "shop") -> dict[str, Any]:
    """A Service without a selector."""
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace}, "spec": {}}


def namespace(name: str) -> dict[str, Any]:
    """A Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


OBJECTS = [*NODES, namespace("shop"), namespace("idle"), pod("web-1"), pod("web-2"), service("web")]


def got(objects: list[dict[str, Any]]) -> str:
    """As `kubectl get -o json` prints several objects."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects, "metadata": {"resourceVersion": ""}})


def recording(**more: Any) -> str:
    """A recorded state."""
    return json.dumps({"captured_at": TAKEN_AT, "kubernetes": "v1.37.2", "objects": OBJECTS, "logs": {}, **more})


def bare(objects: list[dict[str, Any]], kind: str, where: str | None = None) -> list[dict[str, Any]]:
    """The items of a typed list, which lack kind and apiVersion."""
    return [
        {key: value for key, value in one.items() if key not in ("kind", "apiVersion")}
        for one in objects
        if one["kind"] == kind and where in (None, one["metadata"].get("namespace"))
    ]


def typed(kind: str, where: str | None = None) -> str:
    """As the API server answers a list."""
    return json.dumps({"kind": f"{kind}List", "apiVersion": "v1", "metadata": {}, "items": bare(OBJECTS, kind, where)})


LOG_TEXT = "==== START logs for container app of pod shop/web-1 ====\nstarting\nboom\n==== END logs for container app of pod shop/web-1 ====\n"
LOG_REFUSED = (
    "==== START logs for container app of pod shop/web-2 ====\nRequest log error: the node is not reachable\n"
    "==== END logs for container app of pod shop/web-2 ====\n"
)


def dump_files() -> dict[str, str]:
    """As `kubectl cluster-info dump --output-directory` writes one namespace."""
    return {
        "nodes.json": typed("Node"),
        "shop/events.json": typed("Event", "shop"),
        "shop/services.json": typed("Service", "shop"),
        "shop/pods.json": typed("Pod", "shop"),
        "shop/web-1/logs.txt": LOG_TEXT,
        "shop/web-2/logs.txt": LOG_REFUSED,
    }


def support_files() -> dict[str, str]:
    """As troubleshoot.sh's cluster resources collector writes, in a folder of its own."""
    top = "support-bundle-2026-01-15T10_00_00"
    files = {
        "version.yaml": "apiVersion: troubleshoot.sh/v1beta2\nkind: SupportBundle\nspec:\n  versionNumber: 0.100.0\n",
        "cluster-info/cluster_version.json": json.dumps({"info": {"gitVersion": "v1.37.2"}, "string": "v1.37.2"}),
        "cluster-resources/nodes.json": json.dumps(bare(OBJECTS, "Node")),
        "cluster-resources/namespaces.json": json.dumps(bare(OBJECTS, "Namespace")),
        "cluster-resources/pods/shop.json": json.dumps(bare(OBJECTS, "Pod", "shop")),
        "cluster-resources/pods/idle.json": "[]",
        "cluster-resources/services/shop.json": json.dumps(bare(OBJECTS, "Service", "shop")),
        "cluster-resources/pvs-errors.json": json.dumps(["persistentvolumes is forbidden"]),
        "cluster-resources/configmaps-errors.json": json.dumps({"shop": "configmaps is forbidden"}),
        "cluster-resources/groups.json": json.dumps([{"name": "apps", "versions": []}]),
        "cluster-resources/pods/logs/shop/web-1/app.log": "starting\nboom\n",
        "cluster-resources/pods/logs/shop/web-1/app-previous.log": "before\n",
    }
    return {f"{top}/{name}": text for name, text in files.items()}


def put(folder: Path, files: dict[str, str]) -> Path:
    """Write the files below a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def packed(files: dict[str, str], *extra: tarfile.TarInfo) -> bytes:
    """A .tar.gz of the files, and members without content."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, text in files.items():
            body = text.encode()
            member = tarfile.TarInfo(name)
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
        for member in extra:
            archive.addfile(member)
    return made.getvalue()
