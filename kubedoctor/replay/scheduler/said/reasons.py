"""The scheduler's texts, and how releases differ in them and in their rules (1.28 to 1.37).

`pkg/scheduler/framework/plugins/*` (ErrReason constants), `pkg/scheduler/apis/config/v1/default_plugins.go`,
`pkg/features/kube_features.go`.
"""

from __future__ import annotations

from typing import Final

import msgspec

from kubedoctor.cluster.grammar.versions import Version

CORDONED: Final = "node(s) were unschedulable"
NODE_NAME: Final = "node(s) didn't match the requested node name"
NODE_AFFINITY: Final = "node(s) didn't match Pod's node affinity/selector"
ENFORCED_AFFINITY: Final = "node(s) didn't match scheduler-enforced node affinity"
AFFINITY_CONFLICT: Final = "pod affinity terms conflict"
HOST_PORTS: Final = "node(s) didn't have free ports for the requested pod ports"
TOO_MANY_PODS: Final = "Too many pods"
DISK_CONFLICT: Final = "node(s) had no available disk"
CLAIM_IN_USE: Final = (
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod"
)
VOLUME_LIMIT: Final = "node(s) exceed max volume count"
VOLUME_BIND: Final = "node(s) didn't find available persistent volumes to bind"
VOLUME_SPACE: Final = "node(s) did not have enough free storage"
VOLUME_MISSING: Final = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
UNBOUND_IMMEDIATE: Final = "pod has unbound immediate PersistentVolumeClaims"
VOLUME_ZONE: Final = "node(s) had no available volume zone"
SPREAD: Final = "node(s) didn't match pod topology spread constraints"
SPREAD_LABEL: Final = "node(s) didn't match pod topology spread constraints (missing required label)"
POD_AFFINITY: Final = "node(s) didn't match pod affinity rules"
POD_ANTI_AFFINITY: Final = "node(s) didn't match pod anti-affinity rules"
EXISTING_ANTI_AFFINITY: Final = "node(s) didn't satisfy existing pods anti-affinity rules"
NODE_FEATURES: Final = "node(s) didn't match Pod's required features"
NO_NODES: Final = "no nodes available to schedule pods"
NO_VICTIMS: Final = "No preemption victims found for incoming pod"
PREEMPTION_USELESS: Final = "Preemption is not helpful for scheduling"
PREEMPTION_NEVER: Final = "not eligible due to preemptionPolicy=Never."
PREEMPTION_RUNNING: Final = "not eligible due to a terminating pod on the nominated node."


def insufficient(resource: str) -> str:
    return f"Insufficient {resource}"


def claim_not_found(name: str) -> str:
    return f'persistentvolumeclaim "{name}" not found'


def volume_not_found(name: str) -> str:
    return f'persistentvolume "{name}" not found'


def not_created_for(namespace: str, claim: str, pod: str) -> str:
    return f"PVC {namespace}/{claim} was not created for pod {namespace}/{pod} (pod is not owner)"


def driver_not_installed(driver: str) -> str:
    return f"{driver} CSI driver is not installed on the node"


def excluded_by(plugins: list[str]) -> str:
    """For a node that the plugins' PreFilter left out."""
    return f"node(s) didn't satisfy plugin(s) [{' '.join(plugins)}]"


def no_node_left_by(plugins: list[str]) -> str:
    """Where the nodes that plugins allow do not exist together."""
    if len(plugins) == 1:
        return f"node(s) didn't satisfy plugin {plugins[0]}"
    return f"{excluded_by(plugins)} simultaneously"


def gated(gates: list[str]) -> str:
    return f"waiting for scheduling gates: [{' '.join(gates)}]"


class SchedulerRelease(msgspec.Struct, frozen=True):
    """How a release words and decides what another one words or decides differently.

    names_taint: the text quotes the first untolerated taint. too_big_is_final: a request above the node's total
    rules out preemption. node_name_first: NodeName comes first and its PreFilter leaves only the named node.
    missing_driver: CSIDriver.spec.preventPodSchedulingIfMissing counts. declared_features: NodeDeclaredFeatures runs.
    tells_placement: the message says where preemption would help. claims_hidden: a PreFilter that stops the others
    makes the event end in `not found`. claims_text: what precedes the part on preemption. charges_all_budgets: a victim
    counts against every budget that covers it, not only up to the first that it violates.
    """

    minor: int
    names_taint: bool
    volume_affinity: str
    too_big_is_final: bool
    node_name_first: bool
    missing_driver: bool
    declared_features: bool
    tells_placement: bool
    claims_hidden: bool
    claims_text: str
    charges_all_budgets: bool

    def taint(self, key: str, value: str) -> str:
        """The reason for an untolerated taint."""
        if self.names_taint:
            return f"node(s) had untolerated taint {{{key}: {value}}}"
        return "node(s) had untolerated taint(s)"


_OLD_VOLUME_AFFINITY: Final = "node(s) had volume node affinity conflict"
_NEW_VOLUME_AFFINITY: Final = "node(s) didn't match PersistentVolume's node affinity"


def _release(minor: int, patch: int) -> SchedulerRelease:
    return SchedulerRelease(
        minor=minor,
        names_taint=(minor, patch) < (34, 2),
        volume_affinity=_NEW_VOLUME_AFFINITY if minor >= 34 else _OLD_VOLUME_AFFINITY,
        too_big_is_final=minor >= 34,
        node_name_first=minor >= 37,
        missing_driver=minor >= 37,
        declared_features=minor >= 36,
        tells_placement=minor >= 37,
        claims_hidden=minor >= 34,
        claims_text="no new claims to deallocate, " if 34 <= minor <= 36 else "",
        charges_all_budgets=minor < 37,
    )


LATEST: Final = _release(37, 2)


def release_of(version: Version | None) -> SchedulerRelease:
    """How that version's scheduler decides; an unknown version counts as the latest, an older one as 1.28."""
    if version is None or version.minor >= LATEST.minor:
        return LATEST
    return _release(max(version.minor, 28), version.patch)
