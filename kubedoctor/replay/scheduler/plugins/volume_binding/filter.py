"""The decisions of VolumeBinding (`plugins/volumebinding`, v1.37)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from kubedoctor.cluster.grammar.quantities import Quantity, amount_of
from kubedoctor.cluster.grammar.selectors import CompiledNodeSelector, SelectorError, selector_of
from kubedoctor.cluster.kinds.core import Node
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.storage import (
    CSIStorageCapacity,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    TopologySelectorTerm,
)
from kubedoctor.replay.scheduler.framework import (
    SKIPPED,
    SUCCESS,
    NodeFilter,
    Obstacle,
    Prepared,
    Reason,
    Status,
    failure,
    reason,
    unresolvable,
)
from kubedoctor.replay.scheduler.many.node_classes import Grouping, NodeClasses
from kubedoctor.replay.scheduler.memos import Memo
from kubedoctor.replay.scheduler.plugins.csi_translation import (
    Untranslatable,
    built_in_of,
    handle,
    migrated_on,
    topology_terms,
)
from kubedoctor.replay.scheduler.plugins.pod_claims import (
    CLAIM_UNBOUND,
    VOLUME_MISSING,
    Undecided,
    claim_names,
    claim_not_found,
    class_named,
    is_bound,
    ownership_problem,
)
from kubedoctor.replay.scheduler.releases import SchedulerRelease
from kubedoctor.replay.scheduler.snapshot import ClusterState, NodeInfo
from kubedoctor.replay.storage.binding import Candidates, candidates
from kubedoctor.replay.storage.matching import class_of, class_of_volume, requested_storage
from kubedoctor.replay.storage.unbound import SELECTED_NODE

VOLUME_NODE_AFFINITY: Final = Obstacle("volume node affinity")
NO_VOLUME: Final = Obstacle("no volume")
FREE_STORAGE: Final = Obstacle("free storage")
CLAIM_DELETING: Final = Obstacle("claim deleting")
CLAIM_NOT_YET_MADE: Final = Obstacle("claim not yet made")
_NO_VOLUME: Final = reason(NO_VOLUME, "node(s) didn't find available persistent volumes to bind")
_NO_STORAGE: Final = reason(FREE_STORAGE, "node(s) did not have enough free storage")
_GONE: Final = reason(VOLUME_MISSING, "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)")
_UNBOUND: Final = reason(CLAIM_UNBOUND, "pod has unbound immediate PersistentVolumeClaims")
_OUT_OF_REACH: Final = reason(VOLUME_NODE_AFFINITY, "node(s) didn't match PersistentVolume's node affinity")
_CONFLICT: Final = reason(VOLUME_NODE_AFFINITY, "node(s) had volume node affinity conflict")
_CONFLICT_UNTIL: Final = SchedulerRelease(34)
"""Before this release a volume that a node does not reach was reported as a conflict."""
_BY_CLASS: Final = Memo[None, bool]()


def prepare(pod: Pod, state: ClusterState) -> Prepared:
    """PreFilter."""
    try:
        claims = [_usable(pod, name, state, ephemeral=ephemeral) for name, ephemeral in claim_names(pod)]
    except Undecided as refused:
        return Prepared(refused.status)
    if not claims:
        return SKIPPED
    bound: list[PersistentVolumeClaim] = []
    waiting: list[PersistentVolumeClaim] = []
    immediate: list[str] = []
    for claim in claims:
        if is_bound(claim):
            bound.append(claim)
            continue
        storage_class = class_named(claim, state)
        if storage_class is not None and storage_class.volume_binding_mode is None:
            return Prepared(failure(f'VolumeBindingMode not set for StorageClass "{storage_class.name}"'))
        if storage_class is not None and storage_class.waits_for_first_consumer and not claim.spec.volume_name:
            waiting.append(claim)
        else:
            immediate.append(claim.name)
    if immediate:
        return Prepared(unresolvable(_UNBOUND, named=tuple(immediate)))
    return Prepared(SUCCESS, _Filter(bound, waiting, state))


def _usable(pod: Pod, name: str, state: ClusterState, *, ephemeral: bool) -> PersistentVolumeClaim:
    """The claim, if it can be used; raises Undecided."""
    claim = state.claims.get((pod.namespace, name))
    if claim is None:
        why = claim_not_found(name)
        if ephemeral:
            text = f'waiting for ephemeral volume controller to create the persistentvolumeclaim "{name}"'
            why = reason(CLAIM_NOT_YET_MADE, text, name)
    elif claim.status.phase == "Lost":
        volume = claim.spec.volume_name
        text = f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{volume}"'
        why = reason(VOLUME_MISSING, text, volume)
    elif claim.metadata.deletion_timestamp is not None:
        why = reason(CLAIM_DELETING, f'persistentvolumeclaim "{name}" is being deleted', name)
    elif ephemeral and (problem := ownership_problem(pod, claim)):
        why = problem
    else:
        return claim
    raise Undecided(unresolvable(why, named=(name,)))


class Reach:
    """The nodes from which volumes can be used; the results are cached for other pods."""

    def __init__(self, state: ClusterState) -> None:
        self.state = state
        self.selectors = state.volume_selectors

    def reaches(self, volume: PersistentVolume, node: Node, *, translated: bool = False) -> bool:
        """translated: in the labels of the CSI driver, where the node has it for a built-in plugin's volume. Raises
        Undecided where the driver cannot be given the volume."""
        csi_node = None
        if translated:
            built_in = built_in_of(volume)
            csi_node = self.state.csi_nodes.get(node.name) if built_in is not None else None
            translated = built_in is not None and migrated_on(built_in, csi_node)
            if built_in is not None and translated:
                try:
                    handle(built_in, volume)
                except Untranslatable as error:
                    raise Undecided(failure(f"could not translate pv: {error}")) from None
        key = (volume.name, translated)
        if key not in self.selectors:
            terms = topology_terms(volume, csi_node if translated else None)
            self.selectors[key] = None if terms is None else CompiledNodeSelector(terms)
        selector = self.selectors[key]
        return selector is None or selector.matches(node.labels, "")


class _Filter(NodeFilter):
    """`waiting` claims are ordered by size; those with a selected node are kept apart."""

    def __init__(
        self, bound: list[PersistentVolumeClaim], waiting: list[PersistentVolumeClaim], state: ClusterState
    ) -> None:
        self.state = state
        self.reach = Reach(state)
        self.bound = [(claim, state.volumes.get(claim.spec.volume_name)) for claim in bound]
        self.selected = [claim for claim in waiting if SELECTED_NODE in claim.annotations]
        free = [claim for claim in waiting if SELECTED_NODE not in claim.annotations]
        self.problem = ""
        self.unbound: list[tuple[PersistentVolumeClaim, Candidates]] = []
        try:
            self.unbound = [(claim, self._candidates(claim)) for claim in sorted(free, key=requested_storage)]
        except SelectorError as error:
            self.problem = f"error creating internal label selector for claim: {error}"

    def _candidates(self, claim: PersistentVolumeClaim) -> Candidates:
        """Raises SelectorError."""
        name = class_of(claim) or ""
        return candidates(claim, (volume for volume in self.state.volumes.values() if class_of_volume(volume) == name))

    def check(self, node: NodeInfo) -> Status:
        try:
            return self._verdict(node)
        except Undecided as refused:
            return refused.status

    def alike(self, classes: NodeClasses) -> Grouping:
        """Groups of nodes; a node that was selected for a claim is on its own."""
        if self.selected:
            return classes.each
        by_class = _BY_CLASS.kept(classes, None, lambda: not any(_minds_node(self.state, classes)))
        return classes.by_class if by_class else classes.each

    def _verdict(self, node: NodeInfo) -> Status:
        """Raises Undecided."""
        reasons: list[Reason] = []
        names: list[str] = []
        missing = ""
        for claim, volume in self.bound:
            if volume is None:
                missing = claim.name
                break
            if not self.reach.reaches(volume, node.node, translated=True):
                reasons.append(_CONFLICT if self.state.release < _CONFLICT_UNTIL else _OUT_OF_REACH)
                names.append(volume.name)
                break
        if self.selected or self.unbound or self.problem:
            bindable, stored = self._bindable(node)
            if not bindable:
                reasons.append(_NO_VOLUME)
            if not stored:
                reasons.append(_NO_STORAGE)
        if missing:
            reasons.append(_GONE)
            names.append(missing)
        return unresolvable(*reasons, named=tuple(names)) if reasons else SUCCESS

    def _bindable(self, node: NodeInfo) -> tuple[bool, bool]:
        """Whether volumes exist or can be provisioned, and whether there is storage for them."""
        if any(claim.annotations[SELECTED_NODE] != node.name for claim in self.selected):
            return False, True
        if self.problem:
            raise Undecided(failure(self.problem))
        chosen: set[str] = set()
        to_make = list(self.selected)
        for claim, fitting in self.unbound:
            volume = fitting.best(lambda volume: self.reach.reaches(volume, node.node), chosen)
            if volume is None:
                to_make.append(claim)
            else:
                chosen.add(volume.name)
        for claim in to_make:
            verdict = self._provisionable(claim, node)
            if verdict != (True, True):
                return verdict
        return True, True

    def _provisionable(self, claim: PersistentVolumeClaim, node: NodeInfo) -> tuple[bool, bool]:
        storage_class = class_named(claim, self.state)
        if storage_class is None:
            raise Undecided(failure(f'failed to find storage class "{class_of(claim) or ""}"'))
        if not storage_class.makes_volumes:
            return False, True
        if not in_allowed_topology(storage_class.allowed_topologies, node.labels):
            return False, True
        return True, self._has_capacity(claim, storage_class, node)

    def _has_capacity(self, claim: PersistentVolumeClaim, storage_class: StorageClass, node: NodeInfo) -> bool:
        driver = self.state.csi_drivers.get(storage_class.provisioner)
        if "storage" not in (claim.spec.resources.requests or {}) or driver is None or not driver.spec.storage_capacity:
            return True
        size = requested_storage(claim).value()
        return any(
            storage_capacity.storage_class_name == storage_class.name
            and _suffices(storage_capacity, size)
            and _accessible(storage_capacity, node.labels)
            for storage_capacity in self.state.capacities
        )


def _minds_node(state: ClusterState, classes: NodeClasses) -> Iterator[bool]:
    """Whether the answer about volumes may differ between nodes of one class."""
    for volume in state.volumes.values():
        affinity = volume.spec.node_affinity
        terms = (affinity.required.node_selector_terms if affinity and affinity.required else None) or ()
        yield built_in_of(volume) is not None
        yield any(
            requirement.key in classes.individual for term in terms for requirement in term.match_expressions or ()
        )
    for storage_class in state.classes.values():
        for topology in storage_class.allowed_topologies or ():
            yield any(requirement.key in classes.individual for requirement in topology.match_label_expressions or ())
    yield bool(state.capacities)


def in_allowed_topology(terms: tuple[TopologySelectorTerm, ...] | None, labels: Mapping[str, str]) -> bool:
    """Whether a class provisions volumes for a node with these labels; no terms allow all nodes, an empty term none."""
    return not terms or any(
        term.match_label_expressions
        and all(
            labels.get(requirement.key) in (requirement.values or ()) for requirement in term.match_label_expressions
        )
        for term in terms
    )


def largest_storage(storage_class: StorageClass, node: NodeInfo, state: ClusterState) -> Quantity | None:
    """The largest volume that the class reports storage for near the node; None if it reports none."""
    limits = [
        limit
        for storage_capacity in state.capacities
        if storage_capacity.storage_class_name == storage_class.name
        and _accessible(storage_capacity, node.labels)
        and (limit := _limit(storage_capacity)) is not None
    ]
    return max(limits, default=None)


def _limit(storage_capacity: CSIStorageCapacity) -> Quantity | None:
    text = (
        storage_capacity.maximum_volume_size
        if storage_capacity.maximum_volume_size is not None
        else storage_capacity.capacity
    )
    return amount_of(text)


def _suffices(storage_capacity: CSIStorageCapacity, size: int) -> bool:
    limit = _limit(storage_capacity)
    return limit is not None and limit.value() >= size


def _accessible(storage_capacity: CSIStorageCapacity, labels: Mapping[str, str]) -> bool:
    try:
        return storage_capacity.node_topology is not None and selector_of(storage_capacity.node_topology).matches(
            labels
        )
    except SelectorError:
        return False
