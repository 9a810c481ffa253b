"""What a StatefulSet waits for (`pkg/controller/statefulset/stateful_set_control.go updateStatefulSet`, v1.37)."""

from __future__ import annotations

from collections.abc import Iterable

from kubedoctor.cluster.kinds.apps import StatefulSet
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.triage import finished, ready

REVISION = "controller-revision-hash"


def one_by_one(stateful_set: StatefulSet) -> bool:
    """Every pod waits until the pods before it are ready (`allowsBurst`)."""
    return stateful_set.spec.pod_management_policy != "Parallel"


def first_ordinal(stateful_set: StatefulSet) -> int:
    """The number of the first pod (`spec.ordinals`, 1.26)."""
    return stateful_set.spec.ordinals.start if stateful_set.spec.ordinals is not None else 0


def ordinal_of(pod: Pod) -> int:
    """The number at the end of the name (`getParentNameAndOrdinal`); -1 without one."""
    number = pod.name.rpartition("-")[2]
    return int(number) if number.isdecimal() else -1


def waits_for_earlier(stateful_set: StatefulSet, pods: Iterable[Pod]) -> bool:
    """The next pod is not created yet, because one of these pods is not ready."""
    return one_by_one(stateful_set) and any(not ready(pod) or finished(pod) for pod in pods)


def updating(stateful_set: StatefulSet) -> bool:
    """A revision is being rolled out."""
    status = stateful_set.status
    return bool(status.update_revision) and status.update_revision != status.current_revision


def is_new(stateful_set: StatefulSet, pod: Pod) -> bool:
    """The pod has the current revision; a pod or a set without a revision counts as new."""
    revision = stateful_set.status.update_revision
    return pod.labels.get(REVISION, "") in ("", revision) or not revision


def is_left_over(stateful_set: StatefulSet, pod: Pod) -> bool:
    """The pod has neither the current revision nor the previous revision: the template was changed again since.

    While it is not ready, a StatefulSet that replaces its pods in order replaces neither it nor another pod.
    """
    return not is_new(stateful_set, pod) and pod.labels[REVISION] != stateful_set.status.current_revision


LONGEST_LABEL = 63


def name_too_long(stateful_set: StatefulSet) -> bool:
    """It has no pod, and the label with its revision that each would get is no valid one."""
    return len(stateful_set.status.update_revision) > LONGEST_LABEL and not stateful_set.status.replicas
