"""The revisions of a workload and what each rollout changed (`pkg/controller/deployment/util`,
`pkg/controller/history`, v1.37)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Final

import msgspec

from kubedoctor.answers.timeline.differences import FieldChange, differences
from kubedoctor.answers.timeline.writes import written_by
from kubedoctor.cluster.grammar.text import listed
from kubedoctor.cluster.kinds.apps import ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import PodTemplate
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.workloads import replica_sets_of, revision_of
from kubedoctor.cluster.seen.reading import Cluster

CAUSE: Final = "kubernetes.io/change-cause"
RESTARTED: Final = "kubectl.kubernetes.io/restartedAt"
NO_FIELD: Final = "no field that is known here"
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
    known. `by`: who wrote it, empty where that is not known."""

    workload: Ref
    before: Revision
    after: Revision
    at: datetime | None
    changes: tuple[FieldChange, ...]
    by: str = ""

    @property
    def restarts_only(self) -> bool:
        """Nothing differs but the annotation of `kubectl rollout restart`."""
        return bool(self.changes) and all(RESTARTED in change.path for change in self.changes)

    def text(self, most_fields: int) -> str:
        """`rollout 12 → 13: limits.memory 512Mi → 256Mi by helm`."""
        fields = "a restart" if self.restarts_only else listed((change.text for change in self.changes), most_fields)
        by, why = f" by {self.by}" if self.by else "", f" ({self.after.why})" if self.after.why else ""
        return f"rollout {self.before.number} → {self.after.number}: {fields or NO_FIELD}{by}{why}"


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
    return tuple(_rollouts(workload, revisions(workload, cluster)))


def _rollouts(workload: KubernetesObject, kept: tuple[Revision, ...]) -> Iterator[TemplateRollout]:
    newest: datetime | None = None
    for before, after in pairwise(kept):
        newest = max((at for at in (newest, before.at) if at is not None), default=None)
        at = None if after.at is None or (newest is not None and after.at < newest) else after.at
        changes = differences(before.template, after.template)
        by = written_by(workload, at, *(change.path for change in changes)) if at is not None else ""
        yield TemplateRollout(ref(workload), before, after, at, changes, by)


def _of_replica_set(item: ReplicaSet) -> Revision | None:
    number = revision_of(item)
    if number is None:
        return None
    why = item.annotations.get(CAUSE, "")
    return Revision(number, ref(item), item.metadata.creation_timestamp, item.spec.template, why)


def _of_revision(item: ControllerRevision) -> Revision | None:
    """The template that a ControllerRevision keeps as a patch of the workload."""
    try:
        template = msgspec.convert(item.data["spec"]["template"], PodTemplate)
    except (KeyError, TypeError, msgspec.ValidationError):
        return None
    return Revision(
        item.revision, ref(item), item.metadata.creation_timestamp, template, item.annotations.get(CAUSE, "")
    )
