"""What belongs to an object, as a tree: what controls it, what it controls, reads, mounts and is reached through. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

import msgspec

from kubedoctor.cluster import (
    Cluster,
    Ingress,
    KubernetesObject,
    Node,
    NotCollected,
    PersistentVolumeClaim,
    Pod,
    Ref,
    ReplicaSet,
    Service,
    Snapshot,
    Want,
    ref,
)
from kubedoctor.cluster.grammar.selectors import SelectorError
from kubedoctor.cluster.relations.autoscalers import autoscalers_of
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.relations.services import services_selecting
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS, template_of
from kubedoctor.engine.health import Health, StatedHealth, stated_health
from kubedoctor.replay.kubelet.references import references

MOST_BRANCHES: Final = 40
"""Below one object: the others are counted."""
ROOT_CERTIFICATES: Final = ("ConfigMap", "kube-root-ca.crt")
"""Every pod mounts it."""
_OWNED: Final = ("ReplicaSet", "Job", "Pod")
_READ: Final = ("ConfigMap", "Secret", "ServiceAccount", "PersistentVolumeClaim")


class Branch(msgspec.Struct, frozen=True):
    """An object, how it belongs to the one above, and what belongs to it. `more`: how many are left out below it."""

    name: Ref
    how: str = ""
    state: StatedHealth | None = None
    missing: bool = False
    below: tuple[Branch, ...] = ()
    more: int = 0


class Belongings:
    """Finds them in what was seen. worst: how bad the report says that objects are."""

    def __init__(self, snapshot: Snapshot, worst: dict[Ref, Health]) -> None:
        self._snapshot = snapshot
        self._cluster = Cluster(snapshot, lenient=True)
        self._family = Family(snapshot)
        self._worst = worst

    def tree(self, name: Ref) -> Branch:
        """The tree with the object in it: its topmost workload stands above."""
        root = self._family.top_seen(name) if name.kind in WORKLOAD_KINDS or name.kind == "Pod" else name
        return self._branch(root, "", ())

    def _branch(self, name: Ref, how: str, above: tuple[Ref, ...]) -> Branch:
        obj = self._snapshot.get(name)
        if obj is None:
            known = self._snapshot.covers(Want(name.kind, name.namespace)) or self._snapshot.covers(Want(name.kind))
            return Branch(name, how, missing=known)
        found = {one: words for one, words in self._below(name, obj, above) if one not in above}
        kept = list(islice(found.items(), MOST_BRANCHES))
        below = tuple(self._branch(one, words, (*above, name)) for one, words in kept)
        return Branch(name, how, self._state(name, obj), below=below, more=len(found) - len(kept))

    def _state(self, name: Ref, obj: KubernetesObject) -> StatedHealth:
        state = stated_health(obj)
        health = min(state.health, self._worst.get(name, Health.IDLE), key=lambda mark: mark.rank)
        return StatedHealth(health, state.ready, state.status)

    def _below(self, name: Ref, obj: KubernetesObject, above: tuple[Ref, ...]) -> Iterator[tuple[Ref, str]]:
        """The tree leads on from the object at its root in every direction, from all others away from it."""
        is_first = not above or above[-1].kind == "Namespace"
        if name.kind in WORKLOAD_KINDS:
            yield from self._controlled(name)
            if is_first:
                yield from self._around(name, obj)
        elif isinstance(obj, Pod):
            if is_first:
                yield from self._reached_and_read(obj)
        elif isinstance(obj, Service):
            yield from self._of_service(obj, above)
        elif isinstance(obj, Ingress):
            yield from ((Ref("Service", obj.namespace, backend), "backend") for backend in sorted(_backends(obj)))
        elif isinstance(obj, PersistentVolumeClaim) and obj.spec.volume_name:
            yield Ref("PersistentVolume", "", obj.spec.volume_name), "bound"
        if not above:
            yield from self._of_root(name, obj)

    def _of_root(self, name: Ref, obj: KubernetesObject) -> Iterator[tuple[Ref, str]]:
        """What uses it, or is in it."""
        if isinstance(obj, Node):
            yield from ((ref(pod), "runs on it") for pod in self._pods() if pod.spec.node_name == obj.name)
        elif name.kind == "Namespace":
            yield from (
                (top, "") for top in dict.fromkeys(self._family.top_seen(ref(one)) for one in self._pods(obj.name))
            )
        elif name.kind in _READ:
            for pod in self._pods(name.namespace):
                if (how := dict(_read_by(pod)).get(name)) is not None:
                    yield self._family.top_seen(ref(pod)), f"{how} it"

    def _controlled(self, name: Ref) -> Iterator[tuple[Ref, str]]:
        for kind in _OWNED:
            for child in self._snapshot.index(kind, "owner").get((name.kind, name.namespace, name.name), ()):
                if not (isinstance(child, ReplicaSet) and stated_health(child).health is Health.IDLE):
                    yield ref(child), ""

    def _around(self, name: Ref, obj: KubernetesObject) -> Iterator[tuple[Ref, str]]:
        """What scales it, and what its pods read, once for all of them."""
        for scaler in autoscalers_of(name, self._cluster):
            yield ref(scaler), "scales it"
        template = template_of(obj)
        pod = next(iter(self._family.pods(name)), None)
        if pod is None and template is not None:
            labelled = msgspec.structs.replace(obj.metadata, labels=template.metadata.labels)
            pod = Pod(metadata=labelled, spec=template.spec)
        if pod is not None:
            yield from self._reached_and_read(pod)

    def _of_service(self, service: Service, above: tuple[Ref, ...]) -> Iterator[tuple[Ref, str]]:
        """Ingresses on one side, workloads on the other."""
        if not above or above[-1].kind != "Ingress":
            for ingress in self._snapshot.of_kind("Ingress", service.namespace):
                if isinstance(ingress, Ingress) and service.name in _backends(ingress):
                    yield ref(ingress), "routes to it"
        if not above or above[-1].kind == "Ingress":
            yield from ((one, "behind it") for one in self._behind(service))

    def _reached_and_read(self, pod: Pod) -> Iterator[tuple[Ref, str]]:
        for service in self._services(pod):
            yield ref(service), "selects its pods"
        yield from _read_by(pod)

    def _services(self, pod: Pod) -> tuple[Service, ...]:
        try:
            return services_selecting(pod, self._cluster)
        except (NotCollected, SelectorError):
            return ()

    def _behind(self, service: Service) -> tuple[Ref, ...]:
        """The topmost workloads behind a Service, and pods of none."""
        try:
            return tuple(dict.fromkeys(self._family.top_seen(one) for one in self._family.behind(service)))
        except (NotCollected, SelectorError):
            return ()

    def _pods(self, namespace: str = "") -> Iterator[Pod]:
        return (pod for pod in self._snapshot.of_kind("Pod", namespace) if isinstance(pod, Pod))


def _read_by(pod: Pod) -> Iterator[tuple[Ref, str]]:
    """What a pod needs to start."""
    if pod.spec.service_account_name not in ("", "default"):
        yield Ref("ServiceAccount", pod.namespace, pod.spec.service_account_name), "runs as"
    for needed in references(pod):
        if (needed.kind, needed.name) == ROOT_CERTIFICATES:
            continue
        yield Ref(needed.kind, pod.namespace, needed.name), "mounts" if needed.volume else "reads"
    for volume in pod.spec.volumes or ():
        claim = volume.persistent_volume_claim
        if claim is not None and claim.claim_name:
            yield Ref("PersistentVolumeClaim", pod.namespace, claim.claim_name), "mounts"


def _backends(ingress: Ingress) -> set[str]:
    backends = [ingress.spec.default_backend]
    for rule in ingress.spec.rules or ():
        backends.extend(path.backend for path in (rule.http.paths if rule.http else None) or ())
    return {backend.service.name for backend in backends if backend and backend.service}
