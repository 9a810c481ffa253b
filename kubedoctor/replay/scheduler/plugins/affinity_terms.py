"""A required term of affinity between pods, compiled (`kube-scheduler/framework.AffinityTerm`, v1.37)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from kubedoctor.cluster.grammar.selectors import Selector, SelectorError, selector_of
from kubedoctor.cluster.kinds.affinity import PodAffinity, PodAffinityTerm
from kubedoctor.cluster.kinds.core import Namespace
from kubedoctor.cluster.kinds.pods import Pod


class AffinityTerm(msgspec.Struct, frozen=True):
    """`namespace_selector` is matched with the labels of the other pod's namespace."""

    topology_key: str
    namespaces: frozenset[str]
    selector: Selector
    namespace_selector: Selector

    @property
    def asks_for_labels(self) -> bool:
        """Whether the term depends on the labels of namespaces."""
        return not (self.namespace_selector.is_empty or self.namespace_selector.selects_nothing)

    def matches(self, pod: Pod, namespace_labels: Mapping[str, str]) -> bool:
        """Whether the term selects this pod."""
        metadata = pod.metadata
        if metadata.namespace not in self.namespaces and not self.namespace_selector.matches(namespace_labels):
            return False
        return self.selector.matches(metadata.labels)


def compiled(pod: Pod, affinity: PodAffinity | None) -> tuple[AffinityTerm, ...]:
    """The required terms of a pod; raises SelectorError."""
    required = affinity.required_during_scheduling_ignored_during_execution if affinity else None
    return tuple(_term(pod, term) for term in required or ())


def terms_of(pod: Pod, affinity: PodAffinity | None) -> tuple[AffinityTerm, ...]:
    """Like `compiled`; a pod with an invalid term counts as one without terms."""
    try:
        return compiled(pod, affinity)
    except SelectorError:
        return ()


def with_namespaces(term: AffinityTerm, namespaces: Mapping[str, Namespace]) -> AffinityTerm:
    """The term with its namespace selector replaced by the matching namespaces. A selector of all namespaces stays."""
    if not term.asks_for_labels:
        return term
    matching = {
        name for name, namespace in namespaces.items() if term.namespace_selector.matches(namespace.metadata.labels)
    }
    return AffinityTerm(term.topology_key, term.namespaces | matching, term.selector, selector_of(None))


def _term(pod: Pod, term: PodAffinityTerm) -> AffinityTerm:
    names = frozenset(term.namespaces or ())
    if not names and term.namespace_selector is None:
        names = frozenset((pod.namespace,))
    return AffinityTerm(
        term.topology_key, names, selector_of(term.label_selector), selector_of(term.namespace_selector)
    )
