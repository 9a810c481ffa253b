"""Claims without a usable StorageClass."""

from __future__ import annotations

from diagnostics.storage._volumes import finding, requested
from kubedoctor.answers.binding.claim_fixes import claim_fixes, default_class_fixes
from kubedoctor.answers.binding.objections import nearest_volume
from kubedoctor.cluster import (
    Cluster,
    PersistentVolumeClaim,
    StorageClass,
    listed,
    misspellings,
)
from kubedoctor.findings import Finding, Fix
from kubedoctor.replay.storage.matching import class_of
from kubedoctor.replay.storage.unbound import Unbound


def no_class(
    claim: PersistentVolumeClaim, classes: tuple[StorageClass, ...], state: Unbound, cluster: Cluster | None = None
) -> Finding:
    """The claim sets no class, and no class is the default. cluster: None where the volumes cannot be seen."""
    existing = f"classes: {listed((known_class.name for known_class in classes), 5)}" if classes else "no class exists"
    proven = claim_fixes(claim, state, cluster) if cluster is not None else default_class_fixes(classes)
    summary = f"the claim sets no StorageClass, and the cluster has no default class ({existing})"
    summary += nearest_volume(claim, state.judged)
    last = "Delete the claim and recreate it with storageClassName set"
    if not classes:
        last = "Install a storage driver with a StorageClass, or create a PersistentVolume that matches"
    return finding(claim, summary, requested(claim), *proven, Fix(last))


def class_missing(
    claim: PersistentVolumeClaim, classes: tuple[StorageClass, ...], state: Unbound, cluster: Cluster | None = None
) -> Finding:
    """The claim sets a class that does not exist. cluster: None where the volumes cannot be seen."""
    name = class_of(claim) or ""
    near = misspellings(name, (known_class.name for known_class in classes), 1)
    existing = listed((known_class.name for known_class in classes), 5) or "none"
    hint = f"; did you mean {near[0]}?" if near else f" (classes: {existing})"
    summary = f"StorageClass {name} of the claim does not exist{hint}{nearest_volume(claim, state.judged)}"
    fix = Fix(f"Create StorageClass {name}, or delete the claim and recreate it with an existing class")
    proven = claim_fixes(claim, state, cluster) if cluster is not None else ()
    return finding(claim, summary, requested(claim), *proven, fix)
