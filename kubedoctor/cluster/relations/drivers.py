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
_NOT_IN_A_NAME: Final = re.compile(r"[^a-z0-9-]")


def pod_that_said(event: Event, cluster: Cluster) -> Pod | None:
    """The pod of a provisioner, which signs its events `DRIVER_POD_UUID` (`kubernetes-csi/external-provisioner`,
    `sig-storage-lib-external-provisioner`)."""
    parts = (event.source.component or event.reporting_component).split("_")
    if len(parts) < 3 or not parts[-2]:
        return None
    return next(iter(cluster.maybe.pods_named(parts[-2])), None)


def lease_of(driver: str, cluster: Cluster) -> Lease | None:
    """The lease by which the provisioners of a driver elect their leader: it has the driver's name, without the
    characters that no name of a lease has (`csi-lib-utils`, leaderelection.go, sanitizeName)."""
    name = _NOT_IN_A_NAME.sub("-", driver.lower())
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
