"""CSI driver has no controller at work, so that no volume is created or attached.

## What it means
Volumes of a CSI driver are created, attached, expanded and copied by the controller of the driver: a workload with one sidecar for
each task. None of its pods is at work. Pods that run keep their volumes; the next claim, the next pod that moves to another node
and the next snapshot wait.

## Why it happens
- The controller was scaled to 0, or its pods cannot start or be scheduled.
- The driver was removed while classes and volumes of it remain.
- The sidecars cannot reach the API server, so that they lose the leases by which they elect a leader.

## How to fix it
1. Look at the workload of the controller and at its pods.
2. Look at the leases: `holderIdentity` names the pod that was at work last.

## References
- https://kubernetes-csi.github.io/docs/sidecar-containers.html
- https://kubernetes.io/docs/concepts/architecture/leases/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from diagnostics.storage._provisioner import ControllerState
from diagnostics.storage.drivers._driver import (
    ATTACHER,
    PROVISIONER,
    RESIZER,
    SNAPSHOTTER,
    controller_pods,
    not_installed,
    not_running,
    runs,
)
from kubedoctor.cluster import (
    Cluster,
    CSIDriver,
    Deployment,
    Lease,
    PersistentVolume,
    Pod,
    StatefulSet,
    StorageClass,
    human_duration,
    lease_of,
    quote,
    ready,
    ref,
)
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic, kubectl

_TASKS: Final = {PROVISIONER: "created", ATTACHER: "attached", RESIZER: "expanded", SNAPSHOTTER: "copied"}
"""The sidecars, and what no volume is while one does not work."""
_SILENT: Final = timedelta(minutes=3)
"""A leader renews its lease every few seconds; a rollout of the controller takes a minute or two."""
_LEFT_BEHIND: Final = timedelta(days=1)
"""An older lease is more likely of a driver that was removed, or that no longer elects a leader."""
_FRESH: Final = timedelta(minutes=1)


def exists(driver: CSIDriver) -> bool:
    return driver.metadata.deletion_timestamp is None


@diagnostic(
    code="KD3013",
    subject=CSIDriver,
    severity=Severity.WARNING,
    reads=(CSIDriver, Deployment, Lease, PersistentVolume, Pod, StatefulSet, StorageClass),
    when=exists,
    symptoms=("external-attacher", "external-provisioner", "csi-provisioner", "renewTime"),
)
def driver_not_served(driver: CSIDriver, cluster: Cluster) -> Iterator[Finding]:
    if not exists(driver) or not _is_used(driver.name, cluster):
        return
    found = _scaled_to_zero(driver, cluster) or _silent(driver, cluster)
    if found is not None:
        yield found


def _is_used(name: str, cluster: Cluster) -> bool:
    if any(one.provisioner == name for one in cluster.maybe.all(StorageClass)):
        return True
    return any(one.spec.csi is not None and one.spec.csi.driver == name for one in cluster.maybe.all(PersistentVolume))


def _scaled_to_zero(driver: CSIDriver, cluster: Cluster) -> Finding | None:
    stopped = {sidecar: not_running(driver.name, sidecar, cluster) for sidecar in _TASKS}
    named = [sidecar for sidecar, state in stopped.items() if state.clause]
    if not named:
        return None
    state = stopped[named[0]]
    title = state.because_of[0].title
    return Finding(
        about=ref(driver),
        summary=f"{title}, which runs its {_joined(named)}, is scaled to 0: no volume is {_or(named)}",
        evidence=state.evidence,
        confidence=Confidence.CERTAIN,
        because_of=state.because_of,
        fixes=state.fixes,
    )


def _silent(driver: CSIDriver, cluster: Cluster) -> Finding | None:
    """Leases that are not renewed, while others of the cluster are renewed, and no pod with the sidecar is ready."""
    leases = {sidecar: lease for sidecar in _TASKS if (lease := lease_of(driver.name, cluster, sidecar)) is not None}
    at_work = [pod for pod in controller_pods(driver.name, cluster) if ready(pod)]
    stale = {
        sidecar: lease
        for sidecar, lease in leases.items()
        if _SILENT < _age(lease, cluster) < _LEFT_BEHIND
        and not any(runs(pod.spec.containers, sidecar) for pod in at_work)
    }
    fresh = any(_age(lease, cluster) <= _FRESH for lease in cluster.maybe.all(Lease))
    if not stale or not fresh or any(gap.kind == "Pod" for gap in cluster.gaps):
        return None
    missing = {sidecar: not_installed(driver.name, sidecar, cluster) for sidecar in stale}
    if all(state.clause for state in missing.values()):
        return _without(driver, missing)
    named, newest = list(stale), max(stale.values(), key=lambda lease: str(lease.spec.renew_time))
    silent = human_duration(_age(newest, cluster))
    verb = "has not renewed its lease" if len(named) == 1 else "have not renewed their leases"
    down = [pod for pod in controller_pods(driver.name, cluster) if not ready(pod)]
    return Finding(
        about=ref(driver),
        summary=f"its {_joined(named)} {verb} for {silent}: no volume is {_or(named)}",
        evidence=tuple(
            quote(lease, "spec.renewTime", f"{sidecar} renews it every few seconds") for sidecar, lease in stale.items()
        ),
        confidence=Confidence.LIKELY,
        because_of=tuple(ref(pod) for pod in down),
        fixes=(Fix(f"Let the controller of {driver.name} run again"),),
        commands=(
            Command(kubectl("get", "leases", namespace=newest.namespace), "which leases are renewed, and by which pod"),
        ),
    )


def _without(driver: CSIDriver, missing: dict[str, ControllerState]) -> Finding:
    """Sidecars that were at work once, and that the controller no longer has."""
    named, state = list(missing), next(iter(missing.values()))
    owner = state.evidence[0].object.title
    return Finding(
        about=ref(driver),
        summary=f"{owner} runs the driver's controller without {_joined(named)}: no volume is {_or(named)}",
        evidence=state.evidence,
        confidence=Confidence.LIKELY,
        fixes=(Fix(f"Install {driver.name} with its {_joined(named)}"),),
    )


def _age(lease: Lease, cluster: Cluster) -> timedelta:
    return cluster.taken_at - lease.spec.renew_time if lease.spec.renew_time is not None else timedelta.max


def _joined(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _or(named: list[str]) -> str:
    tasks = [_TASKS[sidecar] for sidecar in named]
    return " or ".join(filter(None, (", ".join(tasks[:-1]), tasks[-1])))
