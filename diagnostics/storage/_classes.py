"""Claims that no class takes care of."""

from __future__ import annotations

import shlex

from diagnostics.storage._volumes import asked, finding, nearest_volume, release
from kubedoctor.cluster import PersistentVolumeClaim, StorageClass
from kubedoctor.cluster.grammar.nearest import misspellings
from kubedoctor.findings import Finding, Fix
from kubedoctor.replay.storage.matching import class_of
from kubedoctor.replay.storage.unbound import Unbound


def no_class(claim: PersistentVolumeClaim, classes: tuple[StorageClass, ...], state: Unbound) -> Finding:
    """It names none, and none is the default."""
    known = ", ".join(one.name for one in classes[:5]) or "no class at all"
    fixes = []
    if classes:
        name, key = shlex.quote(classes[0].name), "storageclass.kubernetes.io/is-default-class"
        what = f"make {classes[0].name} the default class" if len(classes) == 1 else "make one class the default"
        fixes = [Fix(what, f"kubectl annotate storageclass {name} {key}=true --overwrite")]
    summary = f"names no StorageClass, and the cluster has no default class (it has {known})"
    summary += nearest_volume(claim, state.judged)
    return finding(claim, summary, asked(claim), *fixes, Fix("or make the claim anew with storageClassName set"))


def class_missing(claim: PersistentVolumeClaim, classes: tuple[StorageClass, ...], state: Unbound) -> Finding:
    """It names one that does not exist."""
    name = class_of(claim) or ""
    near = misspellings(name, (one.name for one in classes), 1)
    known = ", ".join(one.name for one in classes[:5]) or "none"
    hint = f"; did you mean {near[0]}?" if near else f" (there are: {known})"
    summary = f"names StorageClass {name}, which does not exist{hint}{nearest_volume(claim, state.judged)}"
    fix = Fix(f"create StorageClass {name}, or delete the claim and make it anew with a class that exists")
    return finding(claim, summary, asked(claim), fix, *release(state.judged))
