"""Istio: two Sidecars configure the same proxies.

## What it means
A proxy takes one Sidecar: the oldest that selects its pod, else the oldest of the namespace without a `workloadSelector`. Of two for
the same pods the newer one has no effect, and which hosts the proxies know follows from the age of the objects.

## Why it happens
- A default Sidecar of the namespace was added beside the one of a chart.
- The labels of two workload selectors overlap.

## How to fix it
Keep one Sidecar without `workloadSelector` in a namespace, and selectors that share no pod.

## References
- https://istio.io/latest/docs/reference/config/analysis/ist0110/
- https://istio.io/latest/docs/reference/config/analysis/ist0111/
- https://istio.io/latest/docs/reference/config/networking/sidecar/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.mesh._config import settling
from kubedoctor.cluster import Cluster, CustomResource, Namespace, Pod, finished
from kubedoctor.findings import (
    Command,
    Confidence,
    Finding,
    Fix,
    Severity,
    diagnostic,
    edit_command,
    kubectl,
    quote,
    ref,
)
from kubedoctor.replay.mesh.analysis.objects import AnalyzedObjects
from kubedoctor.replay.mesh.analysis.policies.attachments import analyze_sidecars
from kubedoctor.replay.mesh.attachment import age
from kubedoctor.replay.mesh.config import NETWORKING, SIDECAR, labels

_CODES = ("IST0110", "IST0111")


@diagnostic(
    code="KD6021",
    subject=SIDECAR,
    severity=Severity.WARNING,
    reads=(SIDECAR, Pod, Namespace),
    also_known_as=_CODES,
    symptoms=("BlackHoleCluster", "502"),
)
def sidecars_in_conflict(sidecar: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    if settling(sidecar, cluster):
        return
    others = [one for one in cluster.custom("Sidecar", NETWORKING, sidecar.namespace) if age(one) < age(sidecar)]
    selects = labels(sidecar.spec, "workloadSelector", "labels")
    alike = [one for one in others if bool(labels(one.spec, "workloadSelector", "labels")) == bool(selects)]
    if not alike:
        return
    pods = tuple(pod for pod in cluster.all(Pod, sidecar.namespace) if not finished(pod))
    spaces = tuple(one for one in (cluster.maybe.get(Namespace, "", sidecar.namespace),) if one is not None)
    for other in sorted(alike, key=age):
        pair = AnalyzedObjects(namespaces=spaces, pods=pods, custom={SIDECAR: (sidecar, other)})
        if any(message.code in _CODES and message.name == sidecar.name for message in analyze_sidecars(pair)):
            yield _finding(sidecar, other, selects=bool(selects))
            return


def _finding(sidecar: CustomResource, other: CustomResource, *, selects: bool) -> Finding:
    which = "for the pods that both select" if selects else f"for the pods of namespace {sidecar.namespace}"
    path = "spec.workloadSelector" if selects else "metadata.name"
    same = sidecar.metadata.creation_timestamp == other.metadata.creation_timestamp
    first = "comes first by its name" if same else "is older"
    return Finding(
        about=ref(sidecar),
        aspect=other.name,
        summary=f"has no effect {which}: {ref(other).title}, which {first}, configures them",
        evidence=(quote(sidecar, path, "this one is ignored"), quote(other, path, "this one counts")),
        confidence=Confidence.CERTAIN,
        affects=(ref(other),),
        fixes=(
            Fix(f"Merge it into {ref(other).title}, then delete it", edit_command(ref(other))),
            Fix("Or give it a workloadSelector whose pods no other Sidecar selects", edit_command(ref(sidecar))),
        ),
        commands=(
            Command(
                kubectl("get", f"sidecars.{NETWORKING}", namespace=sidecar.namespace), "the Sidecars and their ages"
            ),
        ),
    )
