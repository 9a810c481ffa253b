"""VolumeSnapshot waits for the snapshotter of its driver.

## What it means
The snapshot controller has accepted the VolumeSnapshot and created its VolumeSnapshotContent. Nothing has asked the storage for
the snapshot since: it has no status, `READYTOUSE` stays false, and no backup exists.

## Why it happens
- The driver was installed without the sidecar `csi-snapshotter`, which takes the snapshots of its contents. Many charts leave it
  out where the CustomResourceDefinitions of snapshots were missing at the time.
- The sidecar runs, and cannot read VolumeSnapshotContents, or cannot talk to the driver. Its log says so.

## How to fix it
1. Enable the snapshotter of the driver (in most charts a value such as `sidecars.snapshotter.forceEnable` or `snapshotter.enabled`).
2. Where the driver's controller runs outside of the cluster's pods (managed control planes), ask the provider, or look whether
   snapshots have to be enabled for the cluster.
3. Where it runs, read its log for the name of the VolumeSnapshotContent.

## References
- https://kubernetes-csi.github.io/docs/external-snapshotter.html
- https://kubernetes.io/docs/concepts/storage/volume-snapshots/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from diagnostics.storage.drivers._driver import SNAPSHOTTER as _SIDECAR
from diagnostics.storage.drivers._driver import controller_pods, runs
from diagnostics.storage.snapshots.snapshot_class_unusable import GROUP, SNAPSHOT, is_not_taken
from kubedoctor.cluster import Cluster, CustomResource, Pod, human_duration, quote, ref
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic, has_path, look_at_log

CONTENT: Final = f"VolumeSnapshotContent.{GROUP}"
_SLOW: Final = timedelta(minutes=10)
"""The sidecar gives a content a status within seconds, also while the storage still copies."""


@diagnostic(
    code="KD3011",
    subject=SNAPSHOT,
    severity=Severity.WARNING,
    reads=(CONTENT, Pod),
    when=is_not_taken,
    symptoms=("READYTOUSE false",),
)
def snapshot_waits_for_driver(snapshot: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    status = snapshot.status or {}
    name = status.get("boundVolumeSnapshotContentName")
    if not isinstance(name, str) or not name or status.get("error"):
        return
    content = next((row for row in cluster.custom("VolumeSnapshotContent", GROUP) if row.name == name), None)
    if content is None or _was_tried(content):
        return
    moments = [row.metadata.creation_timestamp for row in (snapshot, content)]
    created = max((moment for moment in moments if moment is not None), default=None)
    if created is None or cluster.taken_at - created < _SLOW:
        return
    driver = str((content.spec or {}).get("driver") or "its driver")
    age = human_duration(cluster.taken_at - created)
    owners = controller_pods(driver, cluster)
    having = [pod for pod in owners if runs(pod.spec.containers, _SIDECAR)]
    without = owners[0] if owners and not having else None
    unseen = any(gap.kind == "Pod" for gap in cluster.gaps)
    clause = (
        f"; pod {without.namespace}/{without.name} runs the driver's controller without {_SIDECAR}"
        if without is not None
        else ""
    )
    hosted = "" if owners or unseen else "; no pod of its controller is seen: it may run in a hosted control plane"
    yield Finding(
        about=ref(snapshot),
        summary=f"nothing has taken it for {age}: the {_SIDECAR} of driver {driver} has not touched {ref(content).title}{clause}{hosted}",
        evidence=(
            quote(snapshot, "status.boundVolumeSnapshotContentName", "it has no status"),
            *((quote(content, "spec.driver", "must take it"),) if has_path(content, "spec.driver") else ()),
            *((quote(without, "metadata.name", f"no container of it is {_SIDECAR}"),) if without is not None else ()),
        ),
        confidence=Confidence.LIKELY if clause else Confidence.POSSIBLE,
        would_disprove="" if clause else f"the log of a {_SIDECAR} names {content.name}",
        fixes=(
            Fix(f"Install {driver} with its {_SIDECAR}: without it the driver takes no snapshots")
            if clause
            else Fix(f"Check that a {_SIDECAR} of {driver} runs, and repair what its log says"),
        ),
        commands=(
            *(look_at_log(pod, _container(pod), previous=False, why="what it does") for pod in having[:1]),
            Command(ref(content).describe_command, "whether the driver has said anything"),
        ),
    )


def _was_tried(content: CustomResource) -> bool:
    status = content.status or {}
    return bool(status.get("error") or status.get("snapshotHandle") or status.get("creationTime"))


def _container(pod: Pod) -> str:
    """The container of the pod that takes snapshots."""
    names = (row.name for row in pod.spec.containers if _SIDECAR in f"{row.name} {row.image}")
    return next(names, pod.spec.containers[0].name)
