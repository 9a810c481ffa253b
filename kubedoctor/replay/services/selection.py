"""The labels that a Service without matching pods was probably intended to select."""

from __future__ import annotations

import msgspec

from kubedoctor.cluster.changes import Change, apply_to_object, edit, labels_instead
from kubedoctor.cluster.grammar.selectors import nearest_labels, selector_from_map
from kubedoctor.cluster.kinds.core import Service
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.relations.workloads import template_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished, terminating
from kubedoctor.replay.services.backends import MAKERS


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
        return None
    change = edit(ref(service), *labels_instead(("spec", "selector"), near))
    selector = selector_from_map(apply_to_object(service, change.operations[0].steps).spec.selector or {})
    return Meant(near.text, change, tuple(pod for pod in pods if selector.matches(pod.labels)))
