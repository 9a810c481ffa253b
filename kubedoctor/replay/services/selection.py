"""The labels that a Service without matching pods was probably intended to select."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from kubedoctor.cluster.changes import Change, apply_to_object, edit, labels_instead
from kubedoctor.cluster.grammar.nearest import LabelDifference, NearMiss
from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.grammar.selectors import nearest_labels, selector_from_map
from kubedoctor.cluster.kinds.core import Service, ServicePort
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.relations.services import services_selecting
from kubedoctor.cluster.relations.workloads import template_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished, terminating
from kubedoctor.replay.services.backends import MAKERS
from kubedoctor.replay.services.ports import declared_ports, find_port

_PARTS: Final = ("component", "instance")
"""Labels that tell one program's parts or installations apart."""
_IDENTITIES: Final = ("app", "name", "k8s-app", "application", "run", "service")
"""Labels that tell programs apart."""
_FOLLOWS: Final = compiled_later(
    r"replica|slave|secondary|standby|follower|read|sentinel|exporter|metrics", re.IGNORECASE
)
_WORDS: Final = compiled_later(r"[-_.]")


class Meant(msgspec.Struct, frozen=True):
    """The intended selector. text: the labels that differ, `app=checkout`. pods: those it would select.

    change: the selector's keys that differ.
    """

    text: str
    change: Change
    pods: tuple[Pod, ...]


def selection_meant(service: Service, cluster: Cluster) -> Meant | None:
    """The nearest labels of a pod of the namespace, else of a workload's template; None if no labels are similar."""
    selector_labels = service.spec.selector or {}
    pods = [pod for pod in cluster.all(Pod, service.namespace) if not finished(pod) and not terminating(pod)]
    near = nearest_labels(selector_labels, [pod.labels for pod in pods])
    if near is None:
        templates = [
            template_of(workload) for kind in MAKERS for workload in cluster.maybe.all(kind, service.namespace)
        ]
        near = nearest_labels(
            selector_labels, [template.metadata.labels or {} for template in templates if template is not None]
        )
    if near is None:
        near = _another_value(service, pods, cluster)
    if near is None:
        return None
    change = edit(ref(service), *labels_instead(("spec", "selector"), near))
    selector = selector_from_map(apply_to_object(service, change.operations[0].steps).spec.selector or {})
    return Meant(near.text, change, tuple(pod for pod in pods if selector.matches(pod.labels)))


def _another_value(service: Service, pods: list[Pod], cluster: Cluster) -> NearMiss | None:
    """A part's or an installation's label has a value of its own, where everything else fits: the other labels, among them the
    program's, and each port are those of the pods, and no Service selects them. Another program, or a part that the Service
    names, is left alone: traffic would end elsewhere."""
    wanted = service.spec.selector or {}
    found: dict[tuple[str, str], Pod] = {}
    for pod in pods:
        differing = [key for key, value in wanted.items() if pod.labels.get(key) != value]
        if len(wanted) > 1 and len(differing) == 1 and (value := pod.labels.get(differing[0])):
            found[differing[0], value] = pod
    if len(found) != 1:
        return None
    ((key, value), pod) = next(iter(found.items()))
    if not _same_program(service, key, wanted[key], value) or not all(
        _declares(pod, port) for port in service.spec.ports or ()
    ):
        return None
    if services_selecting(pod, cluster.maybe):
        return None
    return NearMiss(pod.labels, (LabelDifference(key, wanted[key], value, key),))


def _same_program(service: Service, key: str, wanted: str, value: str) -> bool:
    part, selector = _last(key), service.spec.selector or {}
    programs = [program for other, program in selector.items() if _last(other) in _IDENTITIES]
    if part not in _PARTS or not programs:
        return False
    words, others, named = (set(_WORDS.split(text)) for text in (wanted, value, service.name))
    if part == "instance":
        return words <= others or others <= words
    of_program = any(set(_WORDS.split(program)) <= named for program in programs)
    return of_program and not words & named and not _FOLLOWS.search(value) and not _FOLLOWS.search(wanted)


def _last(key: str) -> str:
    return key.rpartition("/")[2]


def _declares(pod: Pod, port: ServicePort) -> bool:
    return find_port(pod, port) in {declared.container_port for _, declared in declared_ports(pod)}
