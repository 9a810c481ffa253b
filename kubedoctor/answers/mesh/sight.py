"""What the proxy of one pod sees of the mesh, read from a snapshot once."""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any, Final

from kubedoctor.cluster.kinds.core import ConfigMap, Namespace, Service
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.replay.mesh.config import NETWORKING, ROOT_NAMESPACE
from kubedoctor.replay.mesh.registry import DOMAIN
from kubedoctor.replay.mesh.roles import ProxyRole, role_of
from kubedoctor.replay.mesh.scope.gateway_routes import GatewayProxy
from kubedoctor.replay.mesh.scope.outbound import OutboundProxy
from kubedoctor.replay.mesh.scope.settings import MeshSettings
from kubedoctor.replay.mesh.scope.sidecars import Mesh, SidecarScope

SETTINGS: Final = "istio"
"""The ConfigMap of the mesh configuration, in the root namespace."""
_ROUTING: Final = ("VirtualService", "DestinationRule", "ServiceEntry", "Sidecar")


class MeshSight:
    """Lenient: what cannot be read is a gap of the cluster."""

    def __init__(self, pod: Pod, cluster: Cluster) -> None:
        self.pod = pod
        self.source = cluster
        self.cluster = cluster.maybe
        routing = (*_ROUTING, "Gateway") if role_of(pod) is ProxyRole.ROUTER else _ROUTING
        reads = [partial(self.cluster.custom, kind, NETWORKING) for kind in routing]
        cluster.together(
            *reads,
            partial(self.cluster.all, Service),
            partial(self.cluster.get, ConfigMap, ROOT_NAMESPACE, SETTINGS),
            partial(self.cluster.get, Namespace, "", pod.namespace),
        )

    def custom(self, kind: str, group: str = NETWORKING) -> tuple[CustomResource, ...]:
        return self.cluster.custom(kind, group)

    @cached_property
    def settings(self) -> MeshSettings:
        """The mesh configuration; Istio's defaults where it cannot be read."""
        found = self.cluster.get(ConfigMap, ROOT_NAMESPACE, SETTINGS)
        return MeshSettings.of(_written((found.data or {}).get("mesh", "")) if found is not None else {})

    @cached_property
    def namespace(self) -> Namespace | None:
        return self.cluster.get(Namespace, "", self.pod.namespace)

    @cached_property
    def mesh(self) -> Mesh:
        return Mesh(
            self.cluster.all(Service),
            self.custom("ServiceEntry"),
            self.custom("VirtualService"),
            self.custom("DestinationRule"),
            self.custom("Sidecar") if role_of(self.pod) in (None, ProxyRole.SIDECAR) else (),  # of no gateway
            self.settings,
        )

    @cached_property
    def scope(self) -> SidecarScope:
        """The hosts and rules that the proxy of the pod knows."""
        return self.mesh.scope(self.pod)

    @cached_property
    def gateway(self) -> GatewayProxy:
        """What a gateway's proxy takes from outside."""
        return GatewayProxy(self.pod, self.custom("Gateway"), self.mesh.virtual_services, self.scope.services)

    @cached_property
    def proxy(self) -> OutboundProxy:
        return OutboundProxy(self.pod, self.scope)

    def service(self, host: str) -> Service | None:
        """The Service of `name.namespace.svc.cluster.local`."""
        name, _, rest = host.partition(".")
        namespace, _, domain = rest.partition(".")
        return self.cluster.get(Service, namespace, name) if domain == DOMAIN else None


def _written(text: str) -> dict[str, Any]:
    import yaml  # which diagnostics do without

    try:
        found = yaml.safe_load(text) if text else {}
    except yaml.YAMLError:
        return {}
    return found if isinstance(found, dict) else {}
