"""The operator that owns a custom resource: the workload whose controller handles objects of its kind."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

import msgspec

from kubedoctor.cluster.kinds.apps import Deployment, ReplicaSet, StatefulSet
from kubedoctor.cluster.kinds.control import CustomResourceDefinition
from kubedoctor.cluster.kinds.coordination import Lease
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.relations.workloads import pods_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished, ready

_PROGRAMS: Final = frozenset({"operator", "controller", "manager", "reconciler", "provisioner"})
"""One of these is in the name of nearly every operator."""
_HELPERS: Final = frozenset(
    {"webhook", "webhooks", "cainjector", "proxy", "exporter", "ui", "console", "dashboard", "server"}
)
"""Parts of an operator that reconcile nothing."""
_COMMON: Final = frozenset({
    *_PROGRAMS, "io", "com", "org", "net", "dev", "k8s", "kube", "kubernetes", "x", "app", "apps", "api", "core", "cloud",
    "www", "crd", "cluster", "clusters", "system", "go", "http", "client", "config", "service",
})  # fmt: skip
"""Words of groups and kinds that name no program."""
_WORD: Final = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_RELEASE: Final = ("meta.helm.sh/release-name", "meta.helm.sh/release-namespace")
_NAME_LABELS: Final = ("app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/part-of", "app")
_OWN_DOMAINS: Final = ("kubernetes.io", "k8s.io", "helm.sh")
_MANAGER: Final = "manager"
"""The container of operators that are built with kubebuilder."""
_SHORTEST: Final = 4
"""Of a word that stands for a longer one: `flux` for `fluxcd`, `postgres` for `postgresql`."""
CLEAR: Final = 2
"""A score that leaves little doubt."""


OPERATOR_KINDS: Final = (CustomResourceDefinition, Deployment, StatefulSet, ReplicaSet, Pod, Lease)
"""What is read to find an operator."""


class OperatorPod(msgspec.Struct, frozen=True):
    """A pod of the operator. `score`: how clearly the names say that it is the operator of the kind."""

    pod: Pod
    workload: Deployment | StatefulSet
    score: int


def operator_pod(obj: CustomResource, cluster: Cluster) -> OperatorPod | None:
    """The pod of the operator that handles the object: the leader where a lease names it, else one that is ready, else
    any; None where no workload is known as its operator."""
    workload, score = _operator_of(obj, cluster)
    if workload is None:
        return None
    pods = [pod for pod in pods_of(workload, cluster.maybe) if not finished(pod)]
    leases = cluster.maybe.all(Lease, workload.namespace)
    leaders = {(lease.spec.holder_identity or "").partition("_")[0] for lease in leases}
    ranked = sorted(pods, key=lambda pod: (pod.name not in leaders, not ready(pod), pod.name))
    return OperatorPod(ranked[0], workload, score) if ranked else None


def operator_container(pod: Pod) -> str:
    """The container that reconciles; the first one where none has the usual name."""
    names = [container.name for container in pod.spec.containers]
    return _MANAGER if _MANAGER in names else next(iter(names), "")


def _operator_of(obj: CustomResource, cluster: Cluster) -> tuple[Deployment | StatefulSet | None, int]:
    """The workload whose names fit best to the group, the kind, the definition and its release."""
    cluster.together(
        lambda: cluster.maybe.all(CustomResourceDefinition),
        lambda: cluster.maybe.all(Deployment),
        lambda: cluster.maybe.all(StatefulSet),
    )
    definition = next(
        (
            row
            for row in cluster.maybe.all(CustomResourceDefinition)
            if (row.spec.group, row.spec.names.kind) == (obj.group, obj.kind)
        ),
        None,
    )
    labels = obj.group.split(".")
    strong = {*_telling(".".join(labels[-2:-1])), *_names_of(definition)}
    weak = {*_telling(obj.kind), *_telling(".".join(labels[:-2]))} - strong
    best: Deployment | StatefulSet | None = None
    most = 0
    workloads: tuple[Deployment | StatefulSet, ...] = (*cluster.maybe.all(Deployment), *cluster.maybe.all(StatefulSet))
    for workload in workloads:
        score = _score(workload, strong, weak, definition)
        if score > most:
            best, most = workload, score
    return best, most


def _score(
    workload: Deployment | StatefulSet, strong: set[str], weak: set[str], definition: CustomResourceDefinition | None
) -> int:
    own = {*_words(workload.name), *(word for name in _NAME_LABELS for word in _words(workload.labels.get(name, "")))}
    for container in workload.spec.template.spec.containers:
        own |= {*_words(container.name), *_words(container.image.rpartition("/")[2].partition(":")[0])}
    if not own & _PROGRAMS and not (strong and all(_has(own, word) for word in strong)):
        return 0
    place = set(_words(workload.namespace))
    score = sum(2 * _has(own, word) + 2 * _has(place, word) for word in strong) + sum(_has(own, word) for word in weak)
    score += 3 * _is_of_release(workload, definition)
    return score - bool(set(_words(workload.name)) & _HELPERS) if score else 0


def _has(words: Collection[str], wanted: str) -> bool:
    return any(
        word == wanted
        or (min(len(word), len(wanted)) >= _SHORTEST and (word.startswith(wanted) or wanted.startswith(word)))
        for word in words
    )


def _is_of_release(workload: Deployment | StatefulSet, definition: CustomResourceDefinition | None) -> bool:
    if definition is None or not definition.annotations.get(_RELEASE[0]):
        return False
    return all(workload.annotations.get(key) == definition.annotations.get(key) for key in _RELEASE)


def _names_of(definition: CustomResourceDefinition | None) -> Iterator[str]:
    """The words by which a definition names its program: labels, and the domains of its annotations and labels."""
    if definition is None:
        return
    for label in _NAME_LABELS:
        yield from _telling(definition.labels.get(label, ""))
    for key in (*definition.annotations, *definition.labels):
        domain = key.partition("/")[0] if "/" in key else ""
        if domain and not domain.endswith(_OWN_DOMAINS):
            yield from _telling(domain)


def _telling(text: str) -> Iterator[str]:
    return (word for word in _words(text) if word not in _COMMON)


def _words(text: str) -> Iterator[str]:
    return (word.lower() for word in _WORD.findall(text))
