"""The revisions of a workload and what each rollout changed (`pkg/controller/deployment/util`,
`pkg/controller/history`, v1.37)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Final

import msgspec

from kubedoctor.answers.timeline.differences import FieldChange, differences
from kubedoctor.cluster.kinds.apps import ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import PodTemplate
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.workloads import replica_sets_of
from kubedoctor.cluster.seen.reading import Cluster

NUMBER: Final = "deployment.kubernetes.io/revision"
CAUSE: Final = "kubernetes.io/change-cause"
HISTORIC: Final = StatefulSet, DaemonSet
"""The kinds whose revisions are ControllerRevisions."""


class Revision(msgspec.Struct, frozen=True):
    """A template that the workload has or had. `about`: the ReplicaSet or ControllerRevision that keeps it; `at`: when
    that was created, which for a template that was rolled back to is earlier than the rollout."""

    number: int
    about: Ref
    at: datetime | None
    template: PodTemplate
    why: str = ""


class TemplateRollout(msgspec.Struct, frozen=True):
    """From one revision to the next. `at` is None where the template is an older one again: only its first creation is
    known."""

    workload: Ref
    before: Revision
    after: Revision
    at: datetime | None
    changes: tuple[FieldChange, ...]


def revisions(workload: KubernetesObject, cluster: Cluster) -> tuple[Revision, ...]:
    """The revisions that are kept, oldest first."""
    if isinstance(workload, Deployment):
        found = [_of_replica_set(item) for item in replica_sets_of(workload, cluster)]
    elif isinstance(workload, HISTORIC):
        found = [_of_revision(item) for item in cluster.owned_by(ControllerRevision, ref(workload))]
    else:
        found = []
    return tuple(sorted((revision for revision in found if revision is not None), key=lambda revision: revision.number))


def rollouts(workload: KubernetesObject, cluster: Cluster) -> tuple[TemplateRollout, ...]:
    """The rollouts between the revisions that are kept, oldest first."""
    return tuple(_rollouts(ref(workload), revisions(workload, cluster)))


def _rollouts(workload: Ref, kept: tuple[Revision, ...]) -> Iterator[TemplateRollout]:
    newest: datetime | None = None
    for before, after in pairwise(kept):
        newest = max((at for at in (newest, before.at) if at is not None), default=None)
        again = after.at is None or (newest is not None and after.at < newest)
        changes = differences(before.template, after.template)
        yield TemplateRollout(workload, before, after, None if again else after.at, changes)


def _of_replica_set(item: ReplicaSet) -> Revision | None:
    number = item.annotations.get(NUMBER, "")
    if not number.isdecimal():
        return None
    why = item.annotations.get(CAUSE, "")
    return Revision(int(number), ref(item), item.metadata.creation_timestamp, item.spec.template, why)


def _of_revision(item: ControllerRevision) -> Revision | None:
    """The template that a ControllerRevision keeps as a patch of the workload."""
    try:
        template = msgspec.convert(item.data["spec"]["template"], PodTemplate)
    except (KeyError, TypeError, msgspec.ValidationError):
        return None
    return Revision(
        item.revision, ref(item), item.metadata.creation_timestamp, template, item.annotations.get(CAUSE, "")
    )
