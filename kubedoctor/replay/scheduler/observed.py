"""The state of the scheduler's cache, built from the readable objects of the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from weakref import WeakKeyDictionary

import msgspec

from kubedoctor.cluster.kinds.core import Namespace, Node
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.policy import PodDisruptionBudget
from kubedoctor.cluster.kinds.references import kind_name
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.replay.scheduler import profile
from kubedoctor.replay.scheduler.releases import release_of
from kubedoctor.replay.scheduler.snapshot import ARGUMENTS, ClusterState

_ALWAYS: Final[tuple[type[KubernetesObject], ...]] = (Node, Pod, Namespace, PodDisruptionBudget)
"""The kinds that a replay of any pod reads: where pods run, and which pods preemption spares."""
REPLAY_READS: Final = tuple(dict.fromkeys((*_ALWAYS, *profile.kinds_read())))
"""All kinds that a replay may read."""


class Observed(msgspec.Struct, frozen=True):
    """unseen: kinds that could not be read, or not everywhere, and might change the verdict. damaged: such kinds of
    which objects or fields were left out because they are invalid."""

    state: ClusterState
    unseen: tuple[str, ...]
    damaged: tuple[str, ...]


_Kinds = tuple[type[KubernetesObject], ...]
_States = dict[_Kinds, tuple[tuple[int, ...], ClusterState]]
_STATES: WeakKeyDictionary[Snapshot, _States] = WeakKeyDictionary()


def observe(pod: Pod, cluster: Cluster) -> Observed:
    """Read the objects that the scheduler reads for this pod, in one round; storage only where the pod has such
    volumes. Raises CannotSee as `observe_all`.
    """
    return observe_all((pod,), cluster)


def observe_all(pending: Sequence[Pod], cluster: Cluster) -> Observed:
    """One state for the replays of several pods.

    Raises CannotSee where nodes or pods cannot be read at all. Other kinds that are refused count as empty.
    """
    kinds = tuple(dict.fromkeys((*_ALWAYS, *(kind for pod in pending for kind in kinds_for(pod)))))
    cluster.require(*kinds)
    nodes, pods = cluster.all(Node), cluster.all(Pod)
    for kind in kinds:
        cluster.maybe.all(kind)
    state = _state(nodes, pods, cluster, kinds)
    names = {kind_name(kind) for kind in kinds}
    missing = names.intersection(gap.kind for gap in cluster.gaps)
    damaged = {name for name in names if cluster.snapshot.losses(name)}
    by_name = {kind_name(kind): kind for kind in kinds}
    deciding = {name for name in missing | damaged if any(_decides(by_name[name], pod, state) for pod in pending)}
    return Observed(state, tuple(sorted(missing & deciding)), tuple(sorted(damaged & deciding)))


def _decides(kind: type[KubernetesObject], pod: Pod, state: ClusterState) -> bool:
    """Whether unseen objects of the kind might change which nodes fit the pod."""
    if kind in (Node, Pod):
        return True
    return any(plugin.decides_by(kind, pod, state) for plugin in profile.plugins_reading(kind))


def kinds_for(pod: Pod) -> tuple[type[KubernetesObject], ...]:
    """What a replay of the pod reads."""
    return tuple(dict.fromkeys((*_ALWAYS, *profile.kinds_read(pod))))


def _state(nodes: tuple[Node, ...], pods: tuple[Pod, ...], cluster: Cluster, kinds: _Kinds) -> ClusterState:
    """Cached until objects of one of the kinds change; nodes and pods are the same for all sets of other kinds."""
    revision = (len(nodes), len(pods), *(cluster.snapshot.revision(kind_name(kind)) for kind in kinds))
    states = _STATES.setdefault(cluster.snapshot, {})
    state_of_kinds = states.get(kinds)
    if state_of_kinds is not None and state_of_kinds[0] == revision:
        return state_of_kinds[1]
    objects: dict[str, object] = {"release": release_of(cluster.version)}
    by_kind: dict[type[KubernetesObject], tuple[KubernetesObject, ...]] = {}
    for kind in kinds:
        if kind in ARGUMENTS:
            objects[ARGUMENTS[kind]] = cluster.maybe.all(kind)
        elif kind not in (Node, Pod):
            by_kind[kind] = cluster.maybe.all(kind)
    always = 2 + len(_ALWAYS)
    alike = [state for revision_of_state, state in states.values() if revision_of_state[:always] == revision[:always]]
    if alike:
        state = alike[0].among(others=by_kind, **objects)
    else:
        state = ClusterState.of(nodes, pods, others=by_kind, **objects)
    states[kinds] = (revision, state)
    return state
