"""One kind of object floods the store of the cluster.

## What it means
Every object is kept in etcd until something deletes it. One kind has far more objects than the pods and namespaces of this
cluster explain. A cluster that manages others, with Cluster API or Crossplane, may need them. Each list of them takes seconds and much memory of the API server, every controller that watches them holds
them all, and the database of etcd grows towards its quota (2 GiB unless it was raised): then nothing can be stored any more,
"etcdserver: mvcc: database space exceeded".

## Why it happens
- Finished Jobs, workflows or pipeline runs have no time to live, and nothing prunes them.
- A program creates an object for each request, and does not delete it: logins, leases, reports, snapshots.
- Helm keeps each revision of each release (`--history-max 0`).
- A controller creates objects in a loop, because it does not find those that it has created.

## How to fix it
1. Find who creates them: the owner, the manager in `kubectl get KIND NAME -o yaml --show-managed-fields`.
2. Set the limit of their creator first: a time to live, a history limit. Deleted before that, they come back; and deleting
   many at once loads the API server and etcd as much as creating them did.
3. Then let the old ones expire, or delete them in small groups, and defragment etcd.

## References
- https://kubernetes.io/docs/concepts/workloads/controllers/ttlafterfinished/
- https://etcd.io/docs/latest/op-guide/maintenance/#space-quota
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Final, NamedTuple

from diagnostics.control_plane._triage import of_the_control_plane
from kubedoctor.cluster import Cluster, KubernetesObject, Namespace, Pod, counted, quote, ref
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic, kubectl

_MANY: Final = 10_000
_A_POD: Final = 10
"""Objects of a kind for each pod, as of policy reports, revisions and slices in a busy cluster."""
_A_NAMESPACE: Final = 20
"""Objects of a kind for each namespace: certificates, accounts and bindings that are put into each of them."""
_HOUR: Final = timedelta(hours=1)
_MOST_OF_THEM: Final = 0.8
_GROWTH: Final = 0.1
"""So many of those that were read are younger than an hour where something creates them all the time."""
_WITH_A_LIFE: Final = frozenset({"Event", "Lease", "Node", "NodeMetrics", "Pod", "PodMetrics"})
"""They expire, or are as many as nodes and pods are."""
_LIMITS: Final = {
    "CertificateRequest.cert-manager.io": "Set revisionHistoryLimit in the Certificates",
    "CertificateSigningRequest": "Stop what requests certificates in a loop; kube-controller-manager deletes answered requests",
    "ControllerRevision": "Lower revisionHistoryLimit of the StatefulSets and DaemonSets",
    "Job": "Set ttlSecondsAfterFinished in the Jobs, or successfulJobsHistoryLimit in their CronJob",
    "PipelineRun.tekton.dev": "Let the pruner of Tekton keep only the last runs",
    "ReplicaSet": "Lower revisionHistoryLimit of the Deployments",
    "TaskRun.tekton.dev": "Let the pruner of Tekton keep only the last runs",
    "Workflow.argoproj.io": "Set ttlStrategy in the Workflows, or in the defaults of the workflow controller",
}
_IF: Final = ", if most of them are no longer needed"
_OTHERWISE: Final = "Give what creates them a time to live or a history limit"


class _Writer(NamedTuple):
    """Who creates most of them. text: a clause. fix: instead of the one for the kind."""

    text: str
    fix: str = ""


@diagnostic(
    code="KD4110",
    subject=Namespace,
    severity=Severity.WARNING,
    reads=(Namespace, Pod),
    when=of_the_control_plane,
    also_known_as=("too many objects", "etcd database grows"),
    symptoms=("etcdserver: mvcc: database space exceeded", "ttlSecondsAfterFinished", "history-max"),
)
def objects_flood(namespace: Namespace, cluster: Cluster) -> Iterator[Finding]:
    """Only where all pods have been read anyway; what was read of each kind is counted."""
    if not of_the_control_plane(namespace) or not cluster.has_all(Pod, "") or not cluster.has_all(Namespace, ""):
        return
    snapshot = cluster.snapshot
    pods, namespaces = len(snapshot.of_kind("Pod")), len(snapshot.of_kind("Namespace"))
    usual = max(_MANY, pods * _A_POD, namespaces * _A_NAMESPACE)
    for kind in snapshot.kinds():
        total = snapshot.total(kind)
        if total < usual or kind in _WITH_A_LIFE:
            continue
        seen = snapshot.of_kind(kind)
        writer = _writer(seen)
        where = _most_common(Counter(one.namespace for one in seen), len(seen))
        young = sum(_is_young(one, cluster) for one in seen)
        newest = max(seen, key=_created)
        grows = young >= len(seen) * _GROWTH and young > 0
        yield Finding(
            about=ref(namespace),
            aspect=kind,
            summary=f"{total} objects of kind {kind} are stored in a cluster of {counted(pods, 'pod')}"
            + (f"; most are in namespace {where}" if where else "")
            + (f"; {young} of the {len(seen)} that were read are younger than an hour" if young else ""),
            detail=writer.text,
            evidence=(
                quote(newest, "metadata.name", f"the newest of {len(seen)} that were read"),
                *(
                    (quote(newest, "metadata.creationTimestamp"),)
                    if newest.metadata.creation_timestamp is not None
                    else ()
                ),
            ),
            severity=None if grows else Severity.NOTICE,
            confidence=Confidence.LIKELY if grows else Confidence.POSSIBLE,
            would_disprove=""
            if grows
            else "a database of etcd that is far below its quota and does not grow: then what has so many needs them, as a"
            " cluster that manages others does",
            fixes=(Fix(f"{writer.fix or _LIMITS.get(kind, _OTHERWISE)}, before any is deleted{'' if grows else _IF}"),),
            commands=(
                Command(
                    kubectl(
                        "get", ref(newest).argument, "-o", "yaml", "--show-managed-fields", namespace=newest.namespace
                    ),
                    "who created it: its owner and its manager",
                ),
            ),
        )


def _writer(objects: tuple[KubernetesObject, ...]) -> _Writer:
    owners = Counter(
        f"{owner.kind} {one.namespace}/{owner.name}" if one.namespace else f"{owner.kind} {owner.name}"
        for one in objects
        for owner in (one.metadata.owner_references or ())[:1]
    )
    if owner := _most_common(owners, len(objects)):
        fix = f"Set the history limit or the time to live in {owner}"
        return _Writer(f"{owner} owns most of them.", fix if owner.startswith("CronJob") else "")
    if sum(one.labels.get("owner") == "helm" for one in objects) >= len(objects) * _MOST_OF_THEM:
        return _Writer(
            "They are the revisions of Helm's releases.",
            "Upgrade the releases with --history-max 10, which is the default",
        )
    managers = Counter(one.labels.get("app.kubernetes.io/managed-by", "") for one in objects)
    if manager := _most_common(managers, len(objects)):
        return _Writer(f"{manager} manages most of them.")
    return _Writer("")


def _most_common(counts: Counter[str], whole: int) -> str:
    """What most have in common; empty where nothing is."""
    word, count = next(iter(counts.most_common(1)), ("", 0))
    return word if count >= whole * _MOST_OF_THEM else ""


def _is_young(one: KubernetesObject, cluster: Cluster) -> bool:
    created = one.metadata.creation_timestamp
    return created is not None and timedelta() <= cluster.taken_at - created < _HOUR


def _created(one: KubernetesObject) -> tuple[float, str, str]:
    created = one.metadata.creation_timestamp
    return (created.timestamp() if created is not None else 0.0, one.namespace, one.name)
