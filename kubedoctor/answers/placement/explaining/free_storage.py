"""Free storage near the nodes: what drivers publish about it (CSIStorageCapacity), and what a claim requests."""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.answers.placement.explaining.case import Case, Explanation, some
from kubedoctor.answers.placement.explaining.volumes import claims, unbound
from kubedoctor.cluster import PersistentVolumeClaim, StorageClass, has_path, quote, ref
from kubedoctor.cluster.changes import put
from kubedoctor.cluster.kinds.storage import CSIDriver
from kubedoctor.findings import Effect, Evidence, Fix
from kubedoctor.findings.commands import command_line
from kubedoctor.replay.scheduler.framework import Reason
from kubedoctor.replay.scheduler.plugins.pod_claims import class_named
from kubedoctor.replay.scheduler.plugins.volume_binding.filter import largest_storage
from kubedoctor.replay.scheduler.snapshot import ClusterState

_SIZE = "spec.resources.requests[storage]"
_PUBLISHES = "spec.storageCapacity"


def free_storage(case: Case, reason: Reason) -> Explanation:
    """Which claim is too large for what its driver publishes, or that the driver publishes nothing."""
    plain = unbound(case, reason)
    if case.answer is None or any(gap.kind in ("CSIStorageCapacity", "CSIDriver") for gap in case.cluster.gaps):
        return plain
    for claim, storage_class, driver in _asking(case, case.answer.state):
        size = quote(claim, _SIZE, "size that the claim requests")
        publishes = quote(driver, _PUBLISHES, "the scheduler counts only storage that the driver publishes")
        evidence: tuple[Evidence, ...] = (*plain.evidence, size, publishes)
        needs = f"{size.text} for claim {claim.name}"
        published = [row for row in case.answer.state.capacities if row.storage_class_name == storage_class.name]
        if not published:
            where = some(reason.count, "has", "have") if reason.count else "no node has"
            return Explanation(
                f"{where} no known free storage of {needs}: driver {driver.name} publishes no CSIStorageCapacity for class"
                f" {storage_class.name}",
                evidence,
                fixes=_publish(driver),
                settles=True,
            )
        limits = [largest_storage(storage_class, refused.info, case.answer.state) for refused in case.refused(reason)]
        largest = max((limit for limit in limits if limit is not None), default=None)
        where = some(reason.count, "has", "have") if reason.count else "they have"
        most = f"at most {largest}" if largest is not None else "none for them"
        text = f"{where} too little free storage: {needs} needed, driver {driver.name} publishes {most}"
        return Explanation(text, evidence)
    return plain


def _asking(case: Case, state: ClusterState) -> Iterator[tuple[PersistentVolumeClaim, StorageClass, CSIDriver]]:
    """The claims without a volume whose driver publishes its free storage."""
    for claim in claims(case):
        storage_class = class_named(claim, state)
        driver = state.csi_drivers.get(storage_class.provisioner) if storage_class is not None else None
        if storage_class is None or driver is None or not driver.spec.storage_capacity:
            continue
        if claim.status.phase != "Bound" and has_path(claim, _SIZE) and has_path(driver, _PUBLISHES):
            yield claim, storage_class, driver


def _publish(driver: CSIDriver) -> tuple[Fix, ...]:
    line = command_line(put(ref(driver), ("spec", "storageCapacity"), False), driver)
    return (
        Fix(
            f"Let the external-provisioner of {driver.name} publish its storage: its log, --enable-capacity, its rights on"
            " csistoragecapacities"
        ),
        Fix(
            "Or let the scheduler not count free storage: the driver then refuses what does not fit",
            line,
            Effect.CHANGES,
        ),
    )
