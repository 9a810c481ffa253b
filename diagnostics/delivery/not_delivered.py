"""Delivery by Argo CD or Flux has failed.

## What it means
The cluster does not become what the source describes: the newest version is not fetched, not rendered, not applied, or it
was applied and does not become healthy. What was delivered before keeps running.

## Why it happens
- The repository or registry cannot be reached, or refuses the credentials.
- The branch, tag, chart version or path does not exist there.
- A chart or an overlay cannot be rendered: a missing value, a wrong type, a missing file.
- The API server refuses an object: an immutable field, an admission webhook, a quota, missing rights.
- The kind of an object is not installed: its CustomResourceDefinition is delivered later, or not at all.
- The objects were applied, and a workload among them does not become ready.
- Another release or application manages the same object.

## How to fix it
1. Fix what the message names, at the source: changes by hand are undone by the next delivery.
2. An immutable field is changed only by deleting and recreating the object: in Argo CD with the sync option `Replace=true`
   or `Force=true` on that object, in Flux with `spec.force: true`. Both delete it first.
3. Where a workload does not become ready, its own finding has the cause.

## References
- https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/
- https://fluxcd.io/flux/components/kustomize/kustomizations/
- https://fluxcd.io/flux/components/helm/helmreleases/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from kubedoctor.answers.statements import Meaning, stated_finding, troubles_of
from kubedoctor.cluster import Cluster, CustomResource, Event, Ref
from kubedoctor.findings import Finding, Severity, diagnostic
from kubedoctor.replay.messages.classes import MessageClass

_C = MessageClass
_MEANINGS: Final = {
    _C.DELIVERY_SOURCE_UNREACHABLE: Meaning("its source cannot be reached", "Make the source reachable: check its URL, DNS, proxy and certificate"),
    _C.DELIVERY_SOURCE_DENIED: Meaning("its source refuses access", "Correct the credentials for the source: the Secret that it refers to, or the rights of its account"),
    _C.DELIVERY_SOURCE_MISSING: Meaning("the version of its spec is not at the source", "Correct the branch, tag, chart or version, or publish it"),
    _C.DELIVERY_PATH_MISSING: Meaning("the path of its spec is not at the source", "Correct the path, or add it to the source"),
    _C.DELIVERY_RENDER: Meaning("its manifests cannot be rendered", "Correct the values or the template that the message names, at the source"),
    _C.DELIVERY_APPLY_REFUSED: Meaning("the API server refuses an object of it", "Correct the object at the source; an immutable field needs the object deleted and recreated"),
    _C.DELIVERY_CRD_MISSING: Meaning("the kind of an object is not installed", "Install the CustomResourceDefinition first, or correct the apiVersion of the object"),
    _C.DELIVERY_HEALTH_TIMEOUT: Meaning("what it applied does not become healthy", "Fix the workload that does not become ready"),
    _C.DELIVERY_DEPENDENCY: Meaning("what it depends on is not ready", "Fix the dependency that the message names"),
    _C.DELIVERY_PROJECT: Meaning("its project does not allow it", "Add the repository, the destination or the kind to the AppProject, or correct the application"),
    _C.DELIVERY_SHARED_RESOURCE: Meaning("an object of it belongs to another release", "Leave the object to one of the two, or hand it over"),
    _C.DELIVERY_DECRYPT: Meaning("its secrets cannot be decrypted", "Give the controller the key: the decryption Secret, or the identity for the key service"),
    _C.MESH_INVALID: Meaning("the mesh refuses an object of it", "Correct the object at the source"),
    _C.MESH_NOT_INJECTED: Meaning("the mesh refuses an object of it", "Correct the object at the source"),
}  # fmt: skip
_OBJECT: Final = re.compile(r"\b(Deployment|StatefulSet|DaemonSet|Job|Pod|CronJob)/([a-z0-9.-]+)/([a-z0-9.-]+)")
"""As Flux names what it waits for: `Deployment/shop/web status: 'InProgress'`."""


@diagnostic(
    code="KD7001",
    subject="Application.argoproj.io",
    also_subjects=(
        "HelmRelease.helm.toolkit.fluxcd.io",
        "Kustomization.kustomize.toolkit.fluxcd.io",
        "GitRepository.source.toolkit.fluxcd.io",
        "HelmChart.source.toolkit.fluxcd.io",
        "HelmRepository.source.toolkit.fluxcd.io",
        "OCIRepository.source.toolkit.fluxcd.io",
        "Bucket.source.toolkit.fluxcd.io",
    ),
    severity=Severity.WARNING,
    reads=(Event,),
    symptoms=(
        "ComparisonError",
        "SyncError",
        "OutOfSync",
        "Degraded",
        "ReconciliationFailed",
        "UpgradeFailed",
        "InstallFailed",
    ),
)
def not_delivered(obj: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    troubles = tuple(t for t in troubles_of(obj, cluster) if t.reading.message_class in _MEANINGS)
    if not troubles:
        return
    finding = stated_finding(obj, troubles, _MEANINGS, cluster)
    unwell = (*_unwell(obj), *_waited_for(troubles[0].reading.deciding))
    yield msgspec.structs.replace(finding, because_of=tuple(dict.fromkeys((*finding.because_of, *unwell))))


def _unwell(application: CustomResource) -> Iterator[Ref]:
    """The objects of an Argo CD application whose health is Degraded or Missing."""
    resources = (application.status or {}).get("resources")
    for row in resources if isinstance(resources, list) else ():
        health = row.get("health") if isinstance(row, dict) else None
        if isinstance(health, dict) and health.get("status") in ("Degraded", "Missing"):
            kind, name, namespace = (row.get(field) for field in ("kind", "name", "namespace"))
            if isinstance(kind, str) and isinstance(name, str):
                yield Ref(kind, namespace if isinstance(namespace, str) else "", name)


def _waited_for(message: str) -> Iterator[Ref]:
    for kind, namespace, name in _OBJECT.findall(message):
        yield Ref(kind, namespace, name)
