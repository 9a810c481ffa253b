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
- What it depends on (`dependsOn`) is not ready, or depends on it in turn: then none of them is ever applied.

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

from diagnostics.delivery._access import refused_access
from kubedoctor.answers.statements import LONGEST_MESSAGE, Meaning, said, stated_finding, troubles_of
from kubedoctor.cluster import (
    Cluster,
    CustomResource,
    Event,
    Evidence,
    Ref,
    Secret,
    circle_of,
    depends_on,
    has_path,
    listed,
    quote,
    ref,
    visible_end,
)
from kubedoctor.findings import Command, Confidence, Effect, Finding, Fix, Severity, diagnostic, kubectl
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.status.extensions import LATELY
from kubedoctor.replay.status.messages import StatedTrouble
from kubedoctor.replay.status.stated import moment, stated_conditions

_C = MessageClass
_MEANINGS: Final = {
    _C.DELIVERY_SOURCE_UNREACHABLE: Meaning("its source cannot be reached", "Make the source reachable: check its URL, DNS, proxy and certificate"),
    _C.DELIVERY_SOURCE_DENIED: Meaning("its source refuses access", "Correct the credentials for the source: the Secret that it refers to, or the rights of its account"),
    _C.DELIVERY_SOURCE_MISSING: Meaning("the version of its spec is not at the source", "Correct the branch, tag, chart or version, or publish it"),
    _C.DELIVERY_PATH_MISSING: Meaning("the path of its spec is not at the source", "Correct the path, or add it to the source"),
    _C.DELIVERY_RENDER: Meaning("its manifests cannot be rendered", "Correct the values or the template that the message names, at the source"),
    _C.DELIVERY_APPLY_REFUSED: Meaning("it cannot be applied", "Correct what the message names, at the source"),
    _C.DELIVERY_CRD_MISSING: Meaning("the kind of an object is not installed", "Install the CustomResourceDefinition first, or correct the apiVersion of the object"),
    _C.DELIVERY_HEALTH_TIMEOUT: Meaning("what it applied does not become healthy", "Fix the workload that does not become ready"),
    _C.DELIVERY_DEPENDENCY: Meaning("what it depends on is not ready", "Fix the dependency that the message names"),
    _C.DELIVERY_PROJECT: Meaning("its project does not allow it", "Add the repository, the destination or the kind to the AppProject, or correct the application"),
    _C.DELIVERY_NOT_BY_HELM: Meaning("an object of it exists already, and Helm did not create it", "Let Helm take the object over (label app.kubernetes.io/managed-by=Helm, annotations meta.helm.sh/release-name and release-namespace), or delete the object"),
    _C.DELIVERY_SHARED_RESOURCE: Meaning("an object of it belongs to another release", "Leave the object to one of the two, or hand it over"),
    _C.DELIVERY_DECRYPT: Meaning("its secrets cannot be decrypted", "Give the controller the key: the decryption Secret, or the identity for the key service"),
    _C.MESH_INVALID: Meaning("the mesh refuses an object of it", "Correct the object at the source"),
    _C.MESH_NOT_INJECTED: Meaning("the mesh refuses an object of it", "Correct the object at the source"),
}  # fmt: skip
_OBJECT: Final = re.compile(r"\b(Deployment|StatefulSet|DaemonSet|Job|Pod|CronJob)/([a-z0-9.-]+)/([a-z0-9.-]+)")
"""As Flux names what it waits for: `Deployment/shop/web status: 'InProgress'`."""


_LOCKED: Final = re.compile(r"another operation .{0,40}in progress")
"""A revision of the release is pending (`helm.sh/helm/v3/pkg/action`, errPending)."""
_OF_THE_SOURCE: Final = frozenset({
    _C.DELIVERY_SOURCE_UNREACHABLE, _C.DELIVERY_SOURCE_DENIED, _C.DELIVERY_SOURCE_MISSING, _C.DELIVERY_PATH_MISSING,
})  # fmt: skip
_IMMUTABLE: Final = re.compile(r"immutable|updates to \w+ spec")
_ADDRESSES: Final = ("spec.source.repoURL", "spec.sources[0].repoURL", "spec.url")
_FINISHED: Final = "status.operationState.finishedAt"


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
    reads=(Event, Secret),
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
    ready = stated_conditions(obj).get("Ready")
    if ready is not None and ready.status == "True":
        return  # An earlier attempt failed, and what it left is in order.
    troubles = tuple(
        trouble
        for trouble in troubles_of(obj, cluster)
        if trouble.reading.message_class in _MEANINGS and _counts(obj, trouble, cluster)
    )
    if not troubles:
        return
    if troubles[0].reading.message_class is _C.DELIVERY_DEPENDENCY and (circle := circle_of(obj, cluster)):
        if circle[0] == ref(obj):
            yield _in_a_circle(obj, circle)
        return  # The first of a circle speaks for all of it.
    troubles = tuple(sorted(troubles, key=lambda trouble: trouble.message_path == trouble.path))
    unwell = tuple(_unwell(obj))
    if troubles[0].message_path == troubles[0].path:
        if unwell:
            yield _degraded(obj, troubles[0], unwell)
        return  # A word without a message says no cause.
    finding = stated_finding(obj, troubles, _MEANINGS, cluster)
    refused = _refused_object(obj) if troubles[0].is_vague else None
    if refused is not None:
        summary = f"{_MEANINGS[_C.DELIVERY_APPLY_REFUSED].clause}: {visible_end(refused.text, LONGEST_MESSAGE)}"
        finding = msgspec.structs.replace(finding, summary=summary.rstrip("."), evidence=(refused, *finding.evidence))
    finding = _with_source(obj, troubles[0], finding, cluster)
    if _LOCKED.search(finding.summary) and obj.kind == "HelmRelease":
        finding = msgspec.structs.replace(
            finding,
            evidence=(*finding.evidence, *_pending(obj, cluster)),
            fixes=(_unlock(obj),),
            commands=(*finding.commands, _history(obj)),
        )
    if _IMMUTABLE.search(finding.summary):
        again = Fix("An immutable field is changed only by deleting and recreating the object, which ends its pods")
        finding = msgspec.structs.replace(finding, fixes=(*finding.fixes, again))
    circles = _circles(obj, cluster) if troubles[0].reading.message_class is _C.DELIVERY_DEPENDENCY else ()
    blamed = (*circles, *finding.because_of, *(name for name, _ in unwell), *_waited_for(troubles[0].reading.deciding))
    yield msgspec.structs.replace(finding, because_of=tuple(dict.fromkeys(blamed)))


def _in_a_circle(obj: CustomResource, circle: tuple[Ref, ...]) -> Finding:
    names = " → ".join(f"{name.namespace}/{name.name}" for name in (*circle, circle[0]))
    return Finding(
        about=ref(obj),
        summary=f"its dependencies form a circle, so none of them is ever applied: {names}",
        evidence=(
            quote(obj, "spec.dependsOn", "what it waits for"),
            quote(obj, "status.conditions[type=Ready].message"),
        ),
        confidence=Confidence.CERTAIN,
        fixes=(Fix(f"Remove one dependsOn of the circle, at the source: for example that of {obj.kind} {obj.name}"),),
        commands=(
            Command(
                kubectl(
                    "get",
                    ref(obj).argument.partition("/")[0],
                    "-A",
                    "-o",
                    "custom-columns=NAME:.metadata.name,DEPENDS_ON:.spec.dependsOn[*].name",
                ),
                "what each one depends on",
            ),
        ),
        affects=circle[1:],
    )


def _circles(obj: CustomResource, cluster: Cluster) -> Iterator[Ref]:
    """The objects that speak for the circles of what this one depends on."""
    for name in depends_on(obj):
        dependency = cluster.maybe.get_ref(name)
        circle = circle_of(dependency, cluster) if isinstance(dependency, CustomResource) else ()
        yield from circle[:1]


def _with_source(obj: CustomResource, trouble: StatedTrouble, finding: Finding, cluster: Cluster) -> Finding:
    """With the address of its source, and whom it is reached with, where that is the trouble."""
    if trouble.reading.message_class not in _OF_THE_SOURCE:
        return finding
    source = next((quote(obj, path, "its source") for path in _ADDRESSES if has_path(obj, path)), None)
    denied = trouble.reading.message_class is _C.DELIVERY_SOURCE_DENIED
    access = refused_access(obj, source.text if source else "", trouble.reading.deciding, cluster) if denied else None
    if access is not None:
        finding = msgspec.structs.replace(
            finding,
            summary=f"{access.words}{said(trouble)}" if access.words else finding.summary,
            evidence=(*finding.evidence, *access.evidence),
            fixes=(access.fix,),
        )
    return msgspec.structs.replace(finding, evidence=(*finding.evidence, source)) if source else finding


def _release(obj: CustomResource) -> tuple[str, str]:
    """Name and namespace of the Helm release (`api/v2/helmrelease_types.go`, GetReleaseName, GetStorageNamespace)."""
    spec = obj.spec or {}
    target = spec.get("targetNamespace")
    name = spec.get("releaseName") or (f"{target}-{obj.name}" if target else obj.name)
    return str(name), str(spec.get("storageNamespace") or obj.metadata.namespace)


def _pending(obj: CustomResource, cluster: Cluster) -> Iterator[Evidence]:
    """The revision that was broken off: Helm keeps the state of each in a label of its Secret."""
    name, namespace = _release(obj)
    for secret in cluster.maybe.all(Secret, namespace):
        labels = secret.labels
        if (
            labels.get("owner") == "helm"
            and labels.get("name") == name
            and labels.get("status", "").startswith("pending")
        ):
            yield quote(secret, "metadata.labels[status]", f"revision {labels.get('version', '')} was broken off")


def _unlock(obj: CustomResource) -> Fix:
    name, namespace = _release(obj)
    return Fix(
        "End the operation that was broken off and left its revision in pending-install, -upgrade or -rollback: roll back to the last"
        f" deployed revision (helm rollback {name} in namespace {namespace})",
        "",
        Effect.DISRUPTS,
    )


def _history(obj: CustomResource) -> Command:
    name, namespace = _release(obj)
    return Command(
        kubectl("get", "secrets", "-l", f"owner=helm,name={name}", "-L", "status,version", namespace=namespace),
        "the revisions of the release: one is still pending-upgrade",
    )


def _counts(obj: CustomResource, trouble: StatedTrouble, cluster: Cluster) -> bool:
    """Not what was never delivered (Missing), and no operation that ended long ago."""
    if trouble.path == "status.health.status":
        return trouble.message_path != trouble.path or quote(obj, trouble.path).text != "Missing"
    if not trouble.path.startswith("status.operationState"):
        return True
    ended = quote(obj, _FINISHED).text if has_path(obj, _FINISHED) else ""
    at = moment(ended)
    return at is None or cluster.taken_at - at <= LATELY


def _degraded(obj: CustomResource, trouble: StatedTrouble, unwell: tuple[tuple[Ref, str], ...]) -> Finding:
    names = listed((f"{name.title}{f': {message}' if message else ''}" for name, message in unwell), 2)
    return Finding(
        about=ref(obj),
        summary=f"what it delivered is not healthy: {visible_end(names, LONGEST_MESSAGE)}".rstrip("."),
        evidence=(quote(obj, trouble.path),),
        confidence=Confidence.CERTAIN,
        fixes=(Fix(_MEANINGS[_C.DELIVERY_HEALTH_TIMEOUT].repair),),
        commands=(Command(ref(obj).describe_command, "the health of each object"),),
        because_of=tuple(name for name, _ in unwell),
    )


def _refused_object(obj: CustomResource) -> Evidence | None:
    """The message about the first object that was not synced."""
    state = (obj.status or {}).get("operationState")
    result = state.get("syncResult") if isinstance(state, dict) else None
    rows = result.get("resources") if isinstance(result, dict) else None
    for number, row in enumerate(rows if isinstance(rows, list) else ()):
        if isinstance(row, dict) and row.get("status") == "SyncFailed" and isinstance(row.get("message"), str):
            return quote(obj, f"status.operationState.syncResult.resources[{number}].message")
    return None


def _unwell(application: CustomResource) -> Iterator[tuple[Ref, str]]:
    """The objects of an Argo CD application whose health is Degraded, with the message."""
    resources = (application.status or {}).get("resources")
    for row in resources if isinstance(resources, list) else ():
        health = row.get("health") if isinstance(row, dict) else None
        if isinstance(health, dict) and health.get("status") == "Degraded":
            kind, name, namespace = (row.get(field) for field in ("kind", "name", "namespace"))
            if isinstance(kind, str) and isinstance(name, str):
                message = health.get("message")
                yield (
                    Ref(kind, namespace if isinstance(namespace, str) else "", name),
                    (message if isinstance(message, str) else ""),
                )


def _waited_for(message: str) -> Iterator[Ref]:
    for kind, namespace, name in _OBJECT.findall(message):
        yield Ref(kind, namespace, name)
