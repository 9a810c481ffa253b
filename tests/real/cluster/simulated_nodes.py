"""Nodes without a kubelet, kept Ready: what the scheduler sees of them is all that there is.

Pods that are placed on them stay as they are, and count.
"""

from __future__ import annotations

import json
import ssl
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from tests.real.cluster.certificates import ADMINISTRATOR_TOKEN
from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.layout import KUBERNETES_VERSION, Document

SECONDS_BETWEEN_HEARTBEATS = 5
HEALTHY = {
    "MemoryPressure": ("False", "KubeletHasSufficientMemory"),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID"),
    "Ready": ("True", "KubeletReady"),
}
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"


@dataclass(frozen=True)
class SimulatedNode:
    """`taints` maps keys to effects; `extended` maps names of extended resources to amounts."""

    name: str
    zone: str
    cpu: str = "4"
    memory: str = "8Gi"
    pods: int = 110
    labels: dict[str, str] = field(default_factory=dict)
    taints: dict[str, str] = field(default_factory=dict)
    extended: dict[str, str] = field(default_factory=dict)
    cordoned: bool = False

    @property
    def manifest(self) -> Document:
        labels = {
            "kubernetes.io/hostname": self.name,
            "kubernetes.io/os": "linux",
            "topology.kubernetes.io/zone": self.zone,
            **self.labels,
        }
        taints = [{"key": key, "effect": effect} for key, effect in self.taints.items()]
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self.name, "labels": labels},
            "spec": {"taints": taints, "unschedulable": self.cordoned},
        }

    @property
    def status(self) -> Document:
        size = {"cpu": self.cpu, "memory": self.memory, "pods": str(self.pods), "ephemeral-storage": "100Gi"}
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        times = {"lastHeartbeatTime": stamp, "lastTransitionTime": stamp}
        return {
            "capacity": {**size, **self.extended},
            "allocatable": {**size, **self.extended},
            "conditions": [
                {"type": kind, "status": status, "reason": reason, **times}
                for kind, (status, reason) in HEALTHY.items()
            ],
            "nodeInfo": {
                **dict.fromkeys(("machineID", "systemUUID", "bootID"), self.name),
                **dict.fromkeys(("kernelVersion", "osImage", "containerRuntimeVersion", "kubeProxyVersion"), ""),
                "kubeletVersion": KUBERNETES_VERSION,
                "operatingSystem": "linux",
                "architecture": "amd64",
            },
        }


class SimulatedNodes:
    """Registers nodes and renews their leases until the end; a context manager."""

    def __init__(self, cluster: RealCluster, *nodes: SimulatedNode) -> None:
        self.cluster = cluster
        self.nodes = nodes
        self._context = ssl.create_default_context(cafile=str(cluster.folder / "certificates/ca.crt"))
        self._ending = threading.Event()
        self._heart = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        self.cluster.wait_for("namespace of the leases", lambda: bool(self.cluster.get("namespace", "kube-node-lease")))
        for node in self.nodes:
            self._send("POST", "/api/v1/nodes", node.manifest)
            self._send("PATCH", f"/api/v1/nodes/{node.name}/status", {"status": node.status})
            self._send("POST", LEASES, {"metadata": {"name": node.name}, "spec": _lease(node)})
        self._heart.start()
        self.cluster.wait_for("nodes without taints of their start", self._are_open)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._heart.join()

    def restore(self) -> None:
        """Take back what was done to labels, taints and cordons."""
        for node in self.nodes:
            if self._differs(node):
                self._send("PATCH", f"/api/v1/nodes/{node.name}", node.manifest)
        self.cluster.wait_for("nodes as they were", self._are_open)

    def _differs(self, node: SimulatedNode) -> bool:
        now, was = self.cluster.get("node", node.name), node.manifest
        taints = {taint["key"]: taint["effect"] for taint in now["spec"].get("taints", [])}
        taints.pop("node.kubernetes.io/unschedulable", None)
        cordoned = bool(now["spec"].get("unschedulable"))
        labels = was["metadata"]["labels"]
        return cordoned != node.cordoned or taints != node.taints or labels != {**now["metadata"]["labels"], **labels}

    def _are_open(self) -> bool:
        """The control plane has taken away the taint that every new node carries, and has tainted the cordoned ones."""
        for node in self.cluster.items("nodes", "default"):
            keys = {taint["key"] for taint in node["spec"].get("taints", [])}
            cordoned = bool(node["spec"].get("unschedulable"))
            if "node.kubernetes.io/not-ready" in keys or cordoned != ("node.kubernetes.io/unschedulable" in keys):
                return False
        return True

    def _beat(self) -> None:
        while not self._ending.wait(SECONDS_BETWEEN_HEARTBEATS):
            for node in self.nodes:
                try:
                    self._send("PATCH", f"{LEASES}/{node.name}", {"spec": _lease(node)})
                except (OSError, urllib.error.URLError):
                    break  # the next round comes soon enough

    def _send(self, method: str, path: str, body: Document) -> None:
        kind = "application/json" if method == "POST" else "application/merge-patch+json"
        headers = {"Authorization": f"Bearer {ADMINISTRATOR_TOKEN}", "Content-Type": kind}
        url = self.cluster.server + path
        request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
        with urllib.request.urlopen(request, timeout=20, context=self._context) as response:
            response.read()


def _lease(node: SimulatedNode) -> Document:
    renewed = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {"holderIdentity": node.name, "leaseDurationSeconds": 40, "renewTime": renewed}
