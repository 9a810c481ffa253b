"""The pods in which the controller of a volume driver runs: by the events that it writes, and by its lease."""

from __future__ import annotations

import re
from typing import Final

from kubedoctor.cluster.kinds.coordination import Lease
from kubedoctor.cluster.kinds.core import Event
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.seen.reading import Cluster

_PROVISIONER: Final = "csi-provisioner"
"""The container of the controller, as its manifests name it."""
SIDECARS: Final = {
    _PROVISIONER: "{}",
    "csi-attacher": "external-attacher-leader-{}",
    "csi-resizer": "external-resizer-{}",
    "csi-snapshotter": "external-snapshotter-leader-{}",
}
"""The sidecars of a driver's controller, and the lease by which each elects its leader (`kubernetes-csi/external-attacher`
4.13, `external-resizer` 2.3, `external-snapshotter` 8.7, each `cmd/csi-*/main.go`)."""
_NOT_IN_A_NAME: Final = re.compile(r"[^a-z0-9-]")


def pod_that_said(event: Event, cluster: Cluster) -> Pod | None:
    """The pod of a provisioner, which signs its events `DRIVER_POD_UUID` (`kubernetes-csi/external-provisioner`,
    `sig-storage-lib-external-provisioner`)."""
    parts = (event.source.component or event.reporting_component).split("_")
    if len(parts) < 3 or not parts[-2]:
        return None
    return next(iter(cluster.maybe.pods_named(parts[-2])), None)


def lease_of(driver: str, cluster: Cluster, sidecar: str = _PROVISIONER) -> Lease | None:
    """The lease by which a sidecar of a driver elects its leader, without the characters of the driver's name that no name
    of a lease has (`csi-lib-utils`, leaderelection.go, sanitizeName). sidecar: a key of SIDECARS."""
    name = _NOT_IN_A_NAME.sub("-", SIDECARS[sidecar].format(driver.lower()))
    found = (lease for lease in cluster.maybe.all(Lease) if _NOT_IN_A_NAME.sub("-", lease.name) == name)
    return next(found, None)


def holder_of(lease: Lease, cluster: Cluster) -> Pod | None:
    """The pod that holds the lease: its identity is the pod's name, with `_UUID` behind it in some programs."""
    identity = (lease.spec.holder_identity or "").partition("_")[0]
    return cluster.maybe.get(Pod, lease.namespace, identity) if identity else None


def provisioning_container(pod: Pod) -> str:
    """The container whose log has the calls of the driver; empty where the pod has none."""
    names = [container.name for container in pod.spec.containers]
    return _PROVISIONER if _PROVISIONER in names else next(iter(names), "")
