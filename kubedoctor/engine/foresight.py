"""What will be wanted next is fetched at once: each round of fetching costs the way to the API server and back.

Names lead to names: a pod's ReplicaSet is named after the Deployment, a Service's EndpointSlices carry its name. Nothing
depends on a guess: what was not foreseen is fetched in the next round, and a guess that is wrong costs a request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.cluster.relations.neighbours import cluster_dns
from kubedoctor.cluster.relations.workloads import controller_of
from kubedoctor.cluster.seen.reading import Cluster, event_want, slices_want
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.seen.wants import LogWant, Want
from kubedoctor.cluster.triage import troubled

MOST_SINGLE = 3
"""How many objects of a kind and namespace are fetched one by one; more are fetched with a list."""


def with_foreseen(wants: Iterable[Want | LogWant], snapshot: Snapshot) -> frozenset[Want | LogWant]:
    """The wants of a round and those that will follow from them; many of a kind become a list of the namespace."""
    wanted = set(wants)
    for want in tuple(wanted):
        if isinstance(want, Want) and want.name:
            wanted.update(next_want for next_want in _following(want, snapshot) if _is_open(next_want, snapshot))
    return frozenset(_batched(wanted, snapshot))


def _is_open(want: Want, snapshot: Snapshot) -> bool:
    return not (snapshot.covers(want) or snapshot.refusal(want) or snapshot.limitation(want))


def _following(want: Want, snapshot: Snapshot) -> Iterator[Want]:
    namespace = want.namespace
    match want.kind:
        case "Pod":
            yield from (Want("Service", namespace), Want("NetworkPolicy", namespace), Want("Namespace", "", namespace))
        case "Service":
            yield from (slices_want(namespace, want.name), Want("Namespace", "", namespace))
        case "ReplicaSet":
            for pod in snapshot.of_kind("Pod", namespace):
                if isinstance(pod, Pod) and (owner := controller_of(pod)) is not None and owner.name == want.name:
                    yield from _after_pod(pod, want.name, snapshot)


def _after_pod(pod: Pod, replica_set: str, snapshot: Snapshot) -> Iterator[Want]:
    """What follows from a pod whose ReplicaSet is wanted."""
    suffix = f"-{pod.labels.get('pod-template-hash', '')}"
    if replica_set.endswith(suffix) and len(suffix) > 1:
        yield Want("Deployment", pod.namespace, replica_set.removesuffix(suffix))
    if not troubled(pod):
        return
    yield from (Want(kind, pod.namespace) for kind in ("Pod", "Service", "NetworkPolicy"))
    yield event_want(ref(pod))
    if pod.spec.node_name:
        yield Want("Node", "", pod.spec.node_name)
    for service in cluster_dns(pod, Cluster(snapshot)):
        yield from (Want("Service", service.namespace, service.name), slices_want(service.namespace, service.name))
        yield Want("Pod", service.namespace, labels=f"k8s-app={service.name}")


def _batched(wants: set[Want | LogWant], snapshot: Snapshot) -> Iterator[Want | LogWant]:
    counts = Counter(_whole(want) for want in wants)
    for want in wants:
        whole = _whole(want)
        yield whole if whole is not None and counts[whole] > MOST_SINGLE and _is_open(whole, snapshot) else want


def _whole(want: Want | LogWant) -> Want | None:
    """The list of the namespace that holds what is wanted."""
    if not isinstance(want, Want) or not want.namespace or not (want.name or want.labels or want.fields):
        return None
    row = kind_named(want.kind)
    return Want(want.kind, want.namespace) if row is not None and want.kind != "Secret" else None
