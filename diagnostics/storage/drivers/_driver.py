"""The controller of a CSI driver where it does not answer: its name, its workload, and the leases of its sidecars."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from diagnostics.storage._provisioner import SILENT, ControllerState
from kubedoctor.cluster import (
    Cluster,
    Container,
    CSIDriver,
    Deployment,
    Pod,
    Ref,
    StatefulSet,
    StorageClass,
    finished,
    holder_of,
    human_duration,
    lease_of,
    misspellings,
    quote,
    ref,
)
from kubedoctor.cluster.changes import scale
from kubedoctor.findings import Effect, Fix, command_line, has_path

PROVISIONER: Final = "csi-provisioner"
ATTACHER: Final = "csi-attacher"
RESIZER: Final = "csi-resizer"
SNAPSHOTTER: Final = "csi-snapshotter"
_ANY: Final = re.compile(r"(?:csi|external)-(?:provisioner|attacher|resizer|snapshotter)|\bprovisioner\b")


def absent_driver(storage_class: StorageClass, cluster: Cluster) -> ControllerState:
    """Why nothing answers for the provisioner of a class, where objects tell it; else nothing is said."""
    return _misspelled(storage_class, cluster) or not_running(storage_class.provisioner, PROVISIONER, cluster)


def _misspelled(storage_class: StorageClass, cluster: Cluster) -> ControllerState | None:
    name = storage_class.provisioner
    drivers = {row.name for row in cluster.maybe.all(CSIDriver)}
    near = next(iter(misspellings(name, sorted(drivers))), "") if name not in drivers else ""
    if not near:
        return None
    return ControllerState(
        f"; no driver has the name {name}: did you mean {near}?",
        fixes=(
            Fix(
                f"Delete class {storage_class.name} and create it again with provisioner {near}: a class cannot be changed"
                " in place; volumes that exist are not touched"
            ),
        ),
    )


def idle_sidecar(driver: str, sidecar: str, cluster: Cluster) -> ControllerState:
    """Why a sidecar of a driver does nothing, where its workload or its lease tells it; else nothing is said."""
    stopped = not_running(driver, sidecar, cluster)
    if stopped.clause:
        return stopped
    lease = lease_of(driver, cluster, sidecar)
    renewed = lease.spec.renew_time if lease is not None and has_path(lease, "spec.renewTime") else None
    silent = cluster.taken_at - renewed if renewed is not None else None
    if silent is not None and silent.total_seconds() <= SILENT:
        return ControllerState()
    missing = not_installed(driver, sidecar, cluster)
    if missing.clause or lease is None or silent is None:
        return missing
    pod = holder_of(lease, cluster)
    return ControllerState(
        f"; its {sidecar} has not renewed its lease for {human_duration(silent)}",
        (quote(lease, "spec.renewTime", "the leader renews it every few seconds"),),
        (Fix(f"Let the {sidecar} of {driver} run again"),),
        because_of=(ref(pod) if pod is not None else Ref("CSIDriver", "", driver),),
    )


def not_running(driver: str, sidecar: str, cluster: Cluster) -> ControllerState:
    """The workload with the sidecar, where it is scaled to 0."""
    having = [one for one in _workloads(driver, cluster) if runs(one.spec.template.spec.containers, sidecar)]
    if any(one.spec.desired_replicas or not has_path(one, "spec.replicas") for one in having):
        return ControllerState()
    for workload in having[:1]:
        name = ref(workload)
        line = command_line(scale(name, 1), workload)
        return ControllerState(
            f"; {name.title}, which runs its {sidecar}, is scaled to 0",
            evidence=(quote(workload, "spec.replicas", "no pod answers for the driver"),),
            fixes=(Fix(f"Scale {name.title} up", line, Effect.CHANGES, changes=name),),
            because_of=(name,),
        )
    return ControllerState()


def not_installed(driver: str, sidecar: str, cluster: Cluster) -> ControllerState:
    """A controller of the driver that has other sidecars only."""
    workloads = tuple(_workloads(driver, cluster))
    if not workloads or any(runs(one.spec.template.spec.containers, sidecar) for one in workloads):
        return ControllerState()
    name = ref(workloads[0])
    return ControllerState(
        f"; {name.title} runs the driver's controller without {sidecar}",
        evidence=(quote(workloads[0], "metadata.name", f"no container of it is {sidecar}"),),
        fixes=(Fix(f"Install {driver} with its {sidecar}"),),
        because_of=(Ref("CSIDriver", "", driver),),
    )


def controller_pods(driver: str, cluster: Cluster) -> tuple[Pod, ...]:
    """The pods that run sidecars of the driver's controller."""
    return tuple(
        pod
        for pod in cluster.maybe.all(Pod)
        if not finished(pod) and names_driver(pod.name, pod.spec.containers, driver)
    )


def runs(containers: tuple[Container, ...], sidecar: str) -> bool:
    word = sidecar.partition("-")[2]
    names = re.compile(rf"(?:csi|external)-{word}|\b{word}\b")
    return any(names.search(text) for one in containers for text in _texts(one))


def _workloads(driver: str, cluster: Cluster) -> Iterator[Deployment | StatefulSet]:
    workloads: tuple[Deployment | StatefulSet, ...] = (*cluster.maybe.all(Deployment), *cluster.maybe.all(StatefulSet))
    for workload in workloads:
        if names_driver(workload.name, workload.spec.template.spec.containers, driver):
            yield workload


def names_driver(name: str, containers: tuple[Container, ...], driver: str) -> bool:
    """Whether containers with a sidecar name the driver, in an argument, a variable or an image; else whether the workload does,
    by the first word of the driver's name: `ebs` of `ebs.csi.aws.com`."""
    texts = [text for one in containers for text in _texts(one)]
    word = driver.rpartition("/")[2].partition(".")[0]
    return any(_ANY.search(text) for text in texts) and (any(driver in text for text in texts) or word in name)


def _texts(container: Container) -> Iterator[str]:
    yield from (container.name, container.image, *(container.args or ()), *(container.command or ()))
    yield from (row.value or "" for row in container.env or ())
