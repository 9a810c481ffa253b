"""Which pods `kubectl drain` makes leave (`k8s.io/kubectl/pkg/drain/filters.go`, v1.37)."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.selectors import SelectorError, parse_label_selector
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.relations.workloads import controlling_owner

MIRROR: Final = "kubernetes.io/config.mirror"
"""The annotation of a static pod's mirror: only the kubelet ends it."""


class DrainOptions(msgspec.Struct, frozen=True):
    """The flags of `kubectl drain`. skip_deleted: `--skip-wait-for-delete-timeout` in seconds."""

    force: bool = False
    ignore_daemon_sets: bool = False
    delete_empty_dir_data: bool = False
    skip_deleted: int = 0
    pod_selector: str = ""


class Treatment(enum.Enum):
    """What a drain does with a pod."""

    LEAVES = "leaves"
    LEAVES_WITHOUT_CONTROLLER = "leaves-without-controller"
    LEAVES_WITH_LOCAL_STORAGE = "leaves-with-local-storage"
    SKIPPED_DELETED = "skipped-deleted"
    SKIPPED_MIRROR = "skipped-mirror"
    IGNORED_DAEMON_SET = "ignored-daemon-set"
    DAEMON_SET = "daemon-set"
    """Blocks without --ignore-daemonsets."""
    NO_DAEMON_SET = "no-daemon-set"
    """Its DaemonSet is gone; blocks without --force."""
    LOCAL_STORAGE = "local-storage"
    """An emptyDir; blocks without --delete-emptydir-data."""
    NO_CONTROLLER = "no-controller"
    """Blocks without --force."""


_LEAVES: Final = (
    Treatment.LEAVES,
    Treatment.LEAVES_WITHOUT_CONTROLLER,
    Treatment.LEAVES_WITH_LOCAL_STORAGE,
)
_BLOCKS: Final = {
    Treatment.DAEMON_SET: "DaemonSet-managed Pods (use --ignore-daemonsets to ignore)",
    Treatment.LOCAL_STORAGE: "Pods with local storage (use --delete-emptydir-data to override)",
    Treatment.NO_CONTROLLER: "Pods that declare no controller (use --force to override)",
}
_WARNS: Final = {
    Treatment.IGNORED_DAEMON_SET: "ignoring DaemonSet-managed Pods",
    Treatment.LEAVES_WITHOUT_CONTROLLER: "deleting Pods that declare no controller",
}


class Drained(msgspec.Struct, frozen=True):
    """One pod of the node."""

    pod: Pod
    treatment: Treatment

    @property
    def leaves(self) -> bool:
        return self.treatment in _LEAVES

    @property
    def blocks(self) -> bool:
        """kubectl stops before it evicts anything."""
        return self.treatment in _BLOCKS or self.treatment is Treatment.NO_DAEMON_SET

    @property
    def shown(self) -> str:
        """As kubectl names it."""
        return f"{self.pod.namespace}/{self.pod.name}"


class Drain(msgspec.Struct, frozen=True):
    """The pods of the node in the order of namespace and name; `invalid_selector` is the flag that cannot be read."""

    pods: tuple[Drained, ...] = ()
    invalid_selector: str = ""

    @property
    def leaving(self) -> tuple[Pod, ...]:
        """The pods that kubectl evicts, if nothing blocks."""
        return tuple(drained.pod for drained in self.pods if drained.leaves)

    @property
    def blocked(self) -> bool:
        return bool(self.invalid_selector) or any(drained.blocks for drained in self.pods)

    @property
    def errors(self) -> list[str]:
        """kubectl's refusals, one for each reason."""
        refused: dict[str, list[str]] = {}
        for drained in self.pods:
            if drained.blocks:
                refused.setdefault(_refusal(drained), []).append(drained.shown)
        return sorted(f"cannot delete {text}: {', '.join(pods)}" for text, pods in refused.items())

    @property
    def warnings(self) -> list[str]:
        """kubectl's warnings, one for each reason."""
        warned: dict[str, list[str]] = {}
        for drained in self.pods:
            if drained.treatment in _WARNS:
                warned.setdefault(_WARNS[drained.treatment], []).append(drained.shown)
        return sorted(f"{text}: {', '.join(pods)}" for text, pods in warned.items())


def _refusal(drained: Drained) -> str:
    owner = controlling_owner(drained.pod)
    if drained.treatment is Treatment.NO_DAEMON_SET:
        return f'daemonsets.apps "{owner.name if owner else ""}" not found'
    return _BLOCKS[drained.treatment]


def drain(pods: Iterable[Pod], daemon_sets: Collection[tuple[str, str]], options: DrainOptions, now: datetime) -> Drain:
    """What the drain of a node does with its pods. `daemon_sets`: namespace and name of those that exist."""
    try:
        selector = parse_label_selector(options.pod_selector)
    except SelectorError:
        return Drain(invalid_selector=options.pod_selector)
    selected = sorted((pod for pod in pods if selector.matches(pod.labels)), key=lambda pod: (pod.namespace, pod.name))
    return Drain(tuple(Drained(pod, treatment(pod, daemon_sets, options, now)) for pod in selected))


def treatment(pod: Pod, daemon_sets: Collection[tuple[str, str]], options: DrainOptions, now: datetime) -> Treatment:
    """The filters in kubectl's order."""
    deleted = pod.metadata.deletion_timestamp
    if (
        options.skip_deleted > 0
        and deleted is not None
        and now - deleted >= timedelta(seconds=options.skip_deleted + 1)
    ):
        return Treatment.SKIPPED_DELETED
    finished = pod.status.phase in ("Succeeded", "Failed")
    owner = controlling_owner(pod)
    if owner is not None and owner.kind == "DaemonSet" and owner.api_version == "apps/v1" and not finished:
        if (pod.namespace, owner.name) in daemon_sets:
            return Treatment.IGNORED_DAEMON_SET if options.ignore_daemon_sets else Treatment.DAEMON_SET
        if not options.force:
            return Treatment.NO_DAEMON_SET
    if MIRROR in pod.annotations:
        return Treatment.SKIPPED_MIRROR
    if finished:
        return Treatment.LEAVES
    local = any(volume.empty_dir is not None for volume in pod.spec.volumes or ())
    if local and not options.delete_empty_dir_data:
        return Treatment.LOCAL_STORAGE
    if owner is None:
        return Treatment.LEAVES_WITHOUT_CONTROLLER if options.force else Treatment.NO_CONTROLLER
    return Treatment.LEAVES_WITH_LOCAL_STORAGE if local else Treatment.LEAVES
