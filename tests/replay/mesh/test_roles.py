"""What Istio's proxy in a pod is for."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.seen.decoding import convert_object
from kubedoctor.replay.mesh.roles import ProxyRole, role_of


def pod(
    *names: str, args: tuple[str, ...] = (), namespace: str = "shop", annotations: Any = None, **labels: str
) -> Pod:
    written = dict(labels)
    containers = [{"name": name, "args": list(args) if name == "istio-proxy" else []} for name in names]
    metadata = {"name": "p", "namespace": namespace, "labels": written, "annotations": annotations or {}}
    (found,) = convert_object("Pod", {"kind": "Pod", "metadata": metadata, "spec": {"containers": containers}}).objects
    assert isinstance(found, Pod)
    return found


@pytest.mark.parametrize(
    ("found", "role"),
    [
        (pod("app"), None),
        (pod("app", "istio-proxy"), ProxyRole.SIDECAR),
        (pod("app", "istio-proxy", args=("proxy", "sidecar")), ProxyRole.SIDECAR),
        (pod("istio-proxy"), ProxyRole.ROUTER),
        (pod("istio-proxy", args=("proxy", "router")), ProxyRole.ROUTER),
        (pod("istio-proxy", args=("proxy", "waypoint")), ProxyRole.WAYPOINT),
        (pod("istio-proxy", args=("proxy", "ztunnel")), ProxyRole.ZTUNNEL),
        (pod("istio-proxy", namespace="istio-system", app="ztunnel"), ProxyRole.ZTUNNEL),
        (pod("app", "istio-proxy", annotations={"inject.istio.io/templates": "gateway"}), ProxyRole.ROUTER),
        (pod("app", annotations={"sidecar.istio.io/status": "{}"}), ProxyRole.SIDECAR),
    ],
)
def test_the_role_of_a_proxy(found: Pod, role: ProxyRole | None) -> None:
    assert role_of(found) is role


def test_labels_of_gateways_of_the_gateway_api() -> None:
    labels = {"gateway.istio.io/managed": "istio.io-mesh-controller"}
    metadata = {"name": "p", "namespace": "shop", "labels": labels}
    spec = {"containers": [{"name": "istio-proxy"}]}
    (found,) = convert_object("Pod", {"kind": "Pod", "metadata": metadata, "spec": spec}).objects
    assert isinstance(found, Pod)
    assert role_of(found) is ProxyRole.WAYPOINT
