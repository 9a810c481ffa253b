"""Warnings that a program writes as events about its own pod, where no kubelet, scheduler or controller has said why."""

from __future__ import annotations

import re
from datetime import timedelta

from diagnostics.pods.crashes._own_fault import shortened
from kubedoctor.cluster import Cluster, Event, Evidence, Pod, quote, ref, times, workload_of
from kubedoctor.replay.messages.shown import shown_reason

RECENT = timedelta(minutes=30)
LONGEST = 1000
_OF_KUBERNETES = re.compile(r"kubelet|scheduler|controller|autoscaler|karpenter|taint|descheduler|kube-|^$")
_REASONS = frozenset(
    {"Unhealthy", "ProbeWarning", "BackOff", "Failed", "FailedMount", "FailedCreatePodSandBox", "FailedScheduling"}
)
"""Of Kubernetes, whoever passes them on."""


def own_warning(pod: Pod, container: str, cluster: Cluster) -> tuple[str, tuple[Evidence, ...]]:
    """The newest such warning: `event REASON of COMPONENT: message`, and the event; empty where there is none."""
    names = (container, workload_of(pod, cluster).name, pod.spec.service_account_name or "")
    for event in reversed(cluster.events_about(ref(pod))):
        component = event.reporting_component or event.source.component
        if _counts(event, cluster) and any(_is_of(component, name) for name in names):
            words = f"event {event.reason} of {component}: {shortened(shown_reason(event.message, LONGEST))}"
            return words, (quote(event, "message", f"{event.reason}, seen {times(event.times)}"),)
    return "", ()


def _is_of(component: str, name: str) -> bool:
    """Whether the component calls itself as the program, which may have more words around: `agent`, `node-agent`."""
    return bool(component) and f"-{component}-" in f"-{name}-"


def _counts(event: Event, cluster: Cluster) -> bool:
    component = event.reporting_component or event.source.component
    fresh = event.seen_at is not None and cluster.taken_at - event.seen_at <= RECENT
    foreign = event.reason not in _REASONS and not _OF_KUBERNETES.search(component)
    return event.type == "Warning" and bool(event.message) and fresh and foreign
