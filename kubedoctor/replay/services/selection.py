"""Which labels a Service that selects nothing was probably meant to select."""

from __future__ import annotations

from dataclasses import dataclass

from kubedoctor.cluster.grammar.selectors import nearest_labels, selector_from_map
from kubedoctor.cluster.kinds.core import Service
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.relations.workloads import template_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished, terminating
from kubedoctor.replay.services.backends import MAKERS


@dataclass(frozen=True)
class Meant:
    """What the selector should be. text: the labels that differ, `app=checkout`. pods: those it would select.

    change: the selector's changed keys; None removes one.
    """

    text: str
    change: dict[str, str | None]
    pods: tuple[Pod, ...]


def selection_meant(service: Service, cluster: Cluster) -> Meant | None:
    """The nearest labels of a pod of the namespace, else of a workload's template; None if nothing is like them."""
    wanted = service.spec.selector or {}
    pods = [each for each in cluster.all(Pod, service.namespace) if not finished(each) and not terminating(each)]
    near = nearest_labels(wanted, [each.labels for each in pods])
    if near is None:
        templates = [template_of(each) for kind in MAKERS for each in cluster.maybe.all(kind, service.namespace)]
        near = nearest_labels(wanted, [each.metadata.labels or {} for each in templates if each is not None])
    if near is None:
        return None
    change: dict[str, str | None] = {each.key: None for each in near.differs}
    change.update({each.found_key: each.found for each in near.differs})
    merged = {**wanted, **change}
    selector = selector_from_map({key: value for key, value in merged.items() if value is not None})
    return Meant(near.text, change, tuple(each for each in pods if selector.matches(each.labels)))
