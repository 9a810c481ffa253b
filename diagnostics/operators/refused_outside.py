"""Operator cannot use what an object refers to outside of the cluster.

## What it means
The status of a custom resource says why its operator cannot do its work: a bucket, a registry or an account refuses it, a limit
is reached, or an address does not answer. What depends on the object (backups, snapshots, packages) is not made.

## Why it happens
- The operator has no credentials, or its identity lacks the permission that the message names.
- A quota or limit of the account is reached.
- The name of a bucket, package or image is wrong.
- A firewall or proxy keeps the operator from the address.

## How to fix it
Read the message: it names who was refused what. Give the operator's identity the permission, or correct the object.

## References
- https://kubernetes.io/docs/concepts/extend-kubernetes/operator/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kubedoctor.answers.statements import quoted, said, troubles_of
from kubedoctor.cluster import Cluster, CustomResource, Event, ref
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic

_SNAPSHOTS: Final = "snapshot.storage.k8s.io"
_WHY: Final = (
    (
        re.compile(
            r"not authori[sz]ed|Unauthori[sz]ed|\b40[13]\b|Access ?Denied|Forbidden|permission|credential|InvalidAccessKey"
            r"|SignatureDoesNotMatch|ExpiredToken|AuthFailure",
            re.IGNORECASE,
        ),
        "access is refused",
        "Give the operator credentials, or its identity the permission that the message names",
    ),
    (
        re.compile(r"quota|limit ?(is |was |has been )?(exceeded|reached)|Limit(Exceeded|Reached)", re.IGNORECASE),
        "a limit is reached",
        "Raise the limit, or delete what is no longer used",
    ),
    (
        re.compile(r"not found|NoSuchBucket|does not exist|\b404\b|MANIFEST_UNKNOWN", re.IGNORECASE),
        "it refers to something that does not exist",
        "Correct the name in the object, or create what it names",
    ),
    (
        re.compile(r"no such host|dial tcp|timed? ?out|deadline exceeded|connection refused|x509", re.IGNORECASE),
        "the address cannot be reached",
        "Check the address, DNS, proxy and firewall between the operator and it",
    ),
)


@diagnostic(
    code="KD7104",
    subject="BackupStorageLocation.velero.io",
    also_subjects=(
        "VolumeSnapshotLocation.velero.io",
        f"VolumeSnapshotContent.{_SNAPSHOTS}",
        "Provider.pkg.crossplane.io",
        "Configuration.pkg.crossplane.io",
        "Function.pkg.crossplane.io",
        "ImageRepository.image.toolkit.fluxcd.io",
    ),
    severity=Severity.WARNING,
    reads=(Event, f"VolumeSnapshot.{_SNAPSHOTS}"),
    symptoms=("Unavailable", "UnpackingPackage", "UnhealthyPackageRevision"),
)
def refused_outside(obj: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    for trouble in troubles_of(obj, cluster):
        message = said(trouble).removeprefix(": ")
        words = trouble.reading.deciding
        why = next((row for row in _WHY if row[0].search(words)), None)
        if why is None or _is_of_its_snapshot(obj, cluster):
            continue
        yield Finding(
            about=ref(obj),
            summary=f"{why[1]}: {message}",
            evidence=quoted(obj, trouble),
            confidence=Confidence.CERTAIN,
            fixes=(Fix(why[2]),),
            commands=(Command(ref(obj).describe_command, "its status and events"),),
        )
        return


def _is_of_its_snapshot(obj: CustomResource, cluster: Cluster) -> bool:
    """A VolumeSnapshotContent whose VolumeSnapshot says the same."""
    named = (obj.spec or {}).get("volumeSnapshotRef")
    if obj.kind != "VolumeSnapshotContent" or not isinstance(named, dict):
        return False
    return any(
        snapshot.name == named.get("name") and bool(troubles_of(snapshot, cluster))
        for snapshot in cluster.maybe.custom("VolumeSnapshot", _SNAPSHOTS, str(named.get("namespace") or ""))
    )
