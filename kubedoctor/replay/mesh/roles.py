"""What Istio's proxy in a pod is for (`pilot/cmd/pilot-agent/app/cmd.go`, `pkg/model/proxy.go`, `manifests/charts/gateways`; 1.31).

The injector writes the role among the arguments; a template of gateways is chosen by an annotation, and pods that istiod creates for
Gateways of the Gateway API have labels."""

from __future__ import annotations

import enum
from typing import Final

from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.mesh.attachment import GATEWAY_NAME
from kubedoctor.replay.mesh.config import ROOT_NAMESPACE, rows
from kubedoctor.replay.mesh.injection import PROXY, has_sidecar

_CLASS: Final = "gateway.networking.k8s.io/gateway-class-name"
_MANAGED: Final = "gateway.istio.io/managed"
_TEMPLATES: Final = "inject.istio.io/templates"
WAYPOINT_CLASS: Final = "istio-waypoint"
OTHER_CLASSES: Final = ("istio", "istio-remote", "istio-east-west")
"""Istio's own classes for other Gateways (`pilot/pkg/config/kube/gatewaycommon`, getBuiltinClasses, 1.29)."""
_TUNNELS: Final = ("HBONE", "istio.io/PROXY")
"""Protocols of the listener through which ztunnel reaches a waypoint, Istio's or another implementation's."""
_BY_CONTROLLER: Final = {"istio.io-mesh-controller": "waypoint", "istio.io-gateway-controller": "router"}


class ProxyRole(enum.Enum):
    """ROUTER: a gateway, whose pod has no other program."""

    SIDECAR = "sidecar"
    ROUTER = "router"
    WAYPOINT = "waypoint"
    ZTUNNEL = "ztunnel"


def role_of(pod: Pod) -> ProxyRole | None:
    """None for a pod without a proxy of Istio."""
    container = next(
        (one for one in (*pod.spec.containers, *(pod.spec.init_containers or ())) if one.name == PROXY), None
    )
    if container is None:
        return ProxyRole.SIDECAR if has_sidecar(pod) else None
    for word in (*(container.command or ()), *(container.args or ())):
        if word in _ROLES:
            return ProxyRole(word)
    if pod.labels.get("app") == "ztunnel" and pod.namespace == ROOT_NAMESPACE:
        return ProxyRole.ZTUNNEL
    if pod.labels.get(_CLASS) == WAYPOINT_CLASS:
        return ProxyRole.WAYPOINT
    if (managed := _BY_CONTROLLER.get(pod.labels.get(_MANAGED, ""))) is not None:
        return ProxyRole(managed)
    templates = [word.strip() for word in pod.annotations.get(_TEMPLATES, "").split(",")]
    alone = container in pod.spec.containers and len(pod.spec.containers) == 1
    return ProxyRole.ROUTER if alone or "gateway" in templates else ProxyRole.SIDECAR


_ROLES: Final = frozenset(role.value for role in ProxyRole)


def gateway_name(pod: Pod) -> str:
    """The Gateway of the Gateway API that the pod serves; empty for another pod."""
    return pod.labels.get(GATEWAY_NAME, "")


def is_waypoint(gateway: CustomResource) -> bool:
    """istiod takes any Gateway that has an address, whatever its class (`pilot/pkg/serviceregistry/kube/controller/ambient/
    waypoints.go`, WaypointsCollection, 1.27): other implementations have classes of their own."""
    name = (gateway.spec or {}).get("gatewayClassName")
    tunnel = any(row.get("protocol") in _TUNNELS for _, row in rows(gateway.spec, "listeners"))
    return name == WAYPOINT_CLASS or (tunnel and name not in OTHER_CLASSES)
