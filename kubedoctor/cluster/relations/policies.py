"""Network policies and the pods that they apply to."""

from __future__ import annotations

from kubedoctor.cluster.grammar.selectors import SelectorError, selector_of
from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod


def applies_to(policy: NetworkPolicy, pod: Pod) -> bool:
    """Whether a policy of the pod's namespace selects the pod; an invalid selector selects nothing."""
    selector = policy.spec.pod_selector
    try:
        return selector is None or selector_of(selector).matches(pod.metadata.labels)
    except SelectorError:
        return False
