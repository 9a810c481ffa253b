"""A driver that does not answer at all: its name, and the workload that runs its provisioner."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from diagnostics.storage._provisioner import ControllerState
from kubedoctor.cluster import Cluster, CSIDriver, Deployment, StatefulSet, StorageClass, misspellings, quote, ref
from kubedoctor.cluster.changes import scale
from kubedoctor.findings import Effect, Fix, command_line, has_path

_PROVISIONER: Final = re.compile(r"csi-provisioner|external-provisioner|\bprovisioner\b")


def absent_driver(storage_class: StorageClass, cluster: Cluster) -> ControllerState:
    """Why nothing answers for the provisioner of a class, where objects tell it; else nothing is said."""
    return _misspelled(storage_class, cluster) or _not_running(storage_class, cluster) or ControllerState()


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


def _not_running(storage_class: StorageClass, cluster: Cluster) -> ControllerState | None:
    """The workload of its provisioner, where it is scaled to 0."""
    for workload in _workloads(storage_class.provisioner, cluster):
        if workload.spec.desired_replicas or not has_path(workload, "spec.replicas"):
            continue
        name = ref(workload)
        line = command_line(scale(name, 1), workload)
        return ControllerState(
            f"; {name.title}, which runs its provisioner, is scaled to 0",
            evidence=(quote(workload, "spec.replicas", "no pod answers for the driver"),),
            fixes=(Fix(f"Scale {name.title} up", line, Effect.CHANGES, changes=name),),
            because_of=(name,),
        )
    return None


def _workloads(provisioner: str, cluster: Cluster) -> Iterator[Deployment | StatefulSet]:
    """Those with the sidecar of a provisioner whose template names the driver: in an argument, a variable or an image; else by
    the first word of its name, `ebs` of `ebs.csi.aws.com`."""
    word = provisioner.rpartition("/")[2].partition(".")[0]
    workloads: tuple[Deployment | StatefulSet, ...] = (*cluster.maybe.all(Deployment), *cluster.maybe.all(StatefulSet))
    for workload in workloads:
        texts = [
            text
            for container in workload.spec.template.spec.containers
            for text in (
                *(container.name, container.image),
                *(container.args or ()),
                *(container.command or ()),
                *(row.value or "" for row in container.env or ()),
            )
        ]
        if any(_PROVISIONER.search(text) for text in texts) and (
            any(provisioner in text for text in texts) or word in workload.name
        ):
            yield workload
