"""What will be wanted next is fetched at once, and nothing twice: each round of fetching costs the way to the API server
and back, and each request the server's work.

Names lead to names: a pod's ReplicaSet is named after the Deployment, a Service's EndpointSlices carry its name. Nothing
depends on a guess: what was not foreseen is fetched in the next round, and a guess that is wrong costs a request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from kubedoctor.cluster.kinds.meta import condition
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.cluster.relations.claims import claim_names
from kubedoctor.cluster.relations.neighbours import cluster_dns
from kubedoctor.cluster.relations.workloads import controller_of, selector_of_workload
from kubedoctor.cluster.seen.reading import Cluster, event_want, slices_want
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.seen.wants import LogWant, Want
from kubedoctor.cluster.triage import troubled, unscheduled

MOST_SINGLE = 3
"""How many objects of a kind and namespace are fetched one by one; more are fetched with a list."""
MOST_OF_CLUSTER = 10
"""The same for kinds without namespaces, whose lists may be long: a DaemonSet's pods are on as many nodes."""

_COREFILE = Want("ConfigMap", "kube-system", "coredns")


def with_foreseen(wants: Iterable[Want | LogWant], snapshot: Snapshot) -> frozenset[Want | LogWant]:
    """The wants of a round and those that will follow from them; many of a kind become a list of the namespace, and a list
    stands for what it holds."""
    wanted = set(wants)
    for want in tuple(wanted):
        if isinstance(want, Want) and want.name:
            wanted.update(next_want for next_want in _following(want, snapshot) if _is_open(next_want, snapshot))
    if wanted:
        wanted.update(next_want for next_want in _earlier_revisions(snapshot) if _is_open(next_want, snapshot))
    return frozenset(_widest(set(_batched(wanted, snapshot))))


def _is_open(want: Want, snapshot: Snapshot) -> bool:
    return not (snapshot.covers(want) or snapshot.refusal(want) or snapshot.limitation(want))


def _following(want: Want, snapshot: Snapshot) -> Iterator[Want]:
    namespace = want.namespace
    match want.kind:
        case "Pod":
            yield from (Want("Service", namespace), Want("NetworkPolicy", namespace), *_own_namespace(namespace))
        case "Service":
            yield from (slices_want(namespace, want.name), *_own_namespace(namespace))
            if (namespace, want.name) == ("kube-system", "kube-dns"):
                yield _COREFILE
        case "ReplicaSet":
            for pod in snapshot.of_kind("Pod", namespace):
                if isinstance(pod, Pod) and (owner := controller_of(pod)) is not None and owner.name == want.name:
                    yield from _after_pod(pod, want.name, snapshot)


def _own_namespace(namespace: str) -> Iterator[Want]:
    """Of Kubernetes' own namespaces nothing is read."""
    if not namespace.startswith("kube-"):
        yield Want("Namespace", "", namespace)


def _after_pod(pod: Pod, replica_set: str, snapshot: Snapshot) -> Iterator[Want]:
    """What follows from a pod whose ReplicaSet is wanted."""
    suffix = f"-{pod.labels.get('pod-template-hash', '')}"
    if replica_set.endswith(suffix) and len(suffix) > 1:
        yield Want("Deployment", pod.namespace, replica_set.removesuffix(suffix))
    if not troubled(pod):
        return
    stated = condition(pod.status.conditions, "PodScheduled")
    if unscheduled(pod) and stated is not None and stated.reason == "Unschedulable":
        yield from (Want("Node"), Want("Pod"))  # The scheduler's decision is replayed.
        if any(claim_names(pod)):
            yield Want("PersistentVolumeClaim")
    yield from (Want(kind, pod.namespace) for kind in ("Pod", "Service", "NetworkPolicy"))
    yield event_want(ref(pod))
    if pod.spec.node_name:
        yield from (Want("Node", "", pod.spec.node_name), event_want(Ref("Node", "", pod.spec.node_name)))
    for service in cluster_dns(pod, Cluster(snapshot)):
        yield from (Want("Service", service.namespace, service.name), _pods_of_dns(service), _COREFILE)


def _pods_of_dns(service: Ref) -> Want:
    return Want("Pod", service.namespace, labels=f"k8s-app={service.name}")


def _earlier_revisions(snapshot: Snapshot) -> Iterator[Want]:
    """The ReplicaSets of a Deployment that may be to blame for a pod in trouble, and the policies for that pod."""
    for deployment in snapshot.of_kind("Deployment"):
        selector = selector_of_workload(deployment)
        if selector is None or selector.is_empty:
            continue
        pods = snapshot.of_kind("Pod", deployment.namespace)
        if any(isinstance(pod, Pod) and troubled(pod) and selector.matches(pod.labels) for pod in pods):
            yield from (
                Want("ReplicaSet", deployment.namespace, labels=selector.text),
                Want("NetworkPolicy", deployment.namespace),
            )


def _widest(wants: set[Want | LogWant]) -> Iterator[Want | LogWant]:
    """Without what another list holds. A list of Secrets has only their names."""
    for want in wants:
        if isinstance(want, Want) and want.kind != "Secret":
            lists = {Want(want.kind), Want(want.kind, want.namespace)} - {want}
            if lists & wants:
                continue
        yield want


def _batched(wants: set[Want | LogWant], snapshot: Snapshot) -> Iterator[Want | LogWant]:
    counts = Counter(_whole(want) for want in wants)
    for want in wants:
        whole = _whole(want)
        many = whole is not None and counts[whole] > (MOST_SINGLE if whole.namespace else MOST_OF_CLUSTER)
        yield whole if whole is not None and many and _is_open(whole, snapshot) else want


def _whole(want: Want | LogWant) -> Want | None:
    """The list of the namespace, or of a kind without namespaces, that holds what is wanted."""
    if not isinstance(want, Want) or not (want.name or want.labels or want.fields):
        return None
    row = kind_named(want.kind)
    if row is None or want.kind == "Secret" or row.namespaced == (not want.namespace):
        return None
    return Want(want.kind, want.namespace)
