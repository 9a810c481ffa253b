"""What conditions and states of extensions' kinds mean: the words of widespread controllers, and how new words are formed.

The words are those of cert-manager, Argo CD, Argo Rollouts, Flux, Crossplane, Knative, the Gateway API, CloudNativePG,
Strimzi, Karpenter, Cluster API, KEDA, External Secrets, Istio, the Prometheus operator, Longhorn, OLM and OpenShift.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later

SOON: Final = timedelta(minutes=1)
"""The time that controllers need to notice and to act."""
START: Final = timedelta(minutes=2)
"""The time that a node needs to join, and an autoscaler (which polls every 15 s) to get the usage of new pods."""
PROGRESS: Final = timedelta(minutes=10)
"""How long an object may be on its way before that is trouble; Kubernetes' own default for a rollout."""

_NEITHER: Final = frozenset({
    # On purpose, or a state of progress.
    "Active", "Idle", "Paused", "Suspended", "ReconciliationPaused", "Progressing", "Reconciling", "Issuing", "Completed",
    "Complete", "Upgradeable", "Upgrading", "Updating", "Updated", "UpToDate", "Deleting", "Deleted", "Installing",
    "ScalingUp", "ScalingDown", "RollingOut", "Remediating", "Remediated", "Rolling", "ScalingLimited",
    # Karpenter: whether a node may be replaced.
    "Consolidatable", "Drifted", "Expired", "Empty", "DisruptionReason", "Drained", "VolumesDetached", "InstanceTerminating",
    # Hints that harm nothing.
    "Warning", "OverlappingTLSConfig", "ArtifactOutdated", "AttachedListenerSets", "InstallPlanPending", "Restore",
    "OrphanedResourceWarning", "SharedResourceWarning", "RepeatedResourceWarning", "ExcludedResourceWarning",
})  # fmt: skip
_GOOD: Final = frozenset({
    "Ready", "Available", "Healthy", "Synced", "Reconciled", "Accepted", "Programmed", "ResolvedRefs", "Established",
    "Approved", "Valid", "SupportedVersion", "Deployed", "Released", "TestSuccess", "ReconcileSuccess", "ArtifactInStorage",
    "Launched", "Registered", "Initialized", "Bootstrapped", "ConsistentStateFound", "ContinuousArchiving", "Configured",
    "Scheduled", "Schedulable", "Offered", "Installed", "OwnerRemediated",
})  # fmt: skip
_BAD: Final = frozenset({
    "Stalled", "Degraded", "Failed", "Error", "Conflicted", "Denied", "Fallback", "NotReady", "InvalidRequest",
    "InvalidSpec", "TooManySnapshots", "CatalogSourcesUnhealthy", "UnhealthyNodes",
})  # fmt: skip
_GOOD_ENDINGS: Final = (
    "Ready", "Available", "Healthy", "Synced", "Succeeded", "Valid", "Accepted", "Resolved", "Verified", "Reconciled",
    "Satisfied", "Connected",
)  # fmt: skip
_BAD_ENDINGS: Final = (
    "Failed", "Failure", "Error", "Degraded", "Unhealthy", "Unavailable", "Invalid", "Conflict", "Denied", "Stalled",
    "NotReady", "Unreachable",
)  # fmt: skip
_BAD_NAME: Final = compiled_later(
    r"\w*(Pressure|Unavailable|Deadlock|Failed|Failure|Error|Stalled|Degraded|Conflicted|Overlapping\w*|Unhealthy|Denied"
    r"|Problem|Blocked|NotReady|Invalid\w*|Warning|Detached|Shutdown|Hung)|FailureTarget|DisruptionTarget|PartiallyInvalid"
    r"|Readonly\w*|Frequent\w+|Corrupt\w+|Kernel\w*(?<!Ready)|ScalingLimited"
)
"""Whole names of conditions, those of Kubernetes' own kinds and of agents on nodes among them, that are True in trouble."""
_UNKNOWN_IS_NOT_YET: Final = frozenset({"Ready", "Available", "Accepted", "Programmed"})
"""Conditions that a controller sets for every object of its kind; elsewhere `Unknown` often means "does not apply"."""

_ON_PURPOSE: Final = compiled_later(r"Paused|Suspended|Disabled|Hibernat|ScaledToZero|NoTraffic|^Stopped$|Inactive")
_ERROR: Final = compiled_later(
    r"(?<!No)(?<!Not)(?:Err(?:or|ored|ors)?(?![a-z])|Fail|Invalid|NotFound|Forbidden|Unauthorized|Denied|Unsupported"
    r"|DeadlineExceeded|Exception|Rejected|NotPermitted|NotAllowed)"
)
_FAILED: Final = compiled_later(r"(?<!No)(?<!Not)(?:Err|Error|Failed|Failure|DeadlineExceeded)$")

_SAYS_ERROR: Final = compiled_later(
    r"\b(?:is forbidden|forbidden:|is invalid|denied|failed to|cannot be|error:)", re.IGNORECASE
)

STATE_FIELD: Final = compiled_later(
    r"^(?!last|previous|old|desired|target)(?:.*(?:State|Status|Phase|Health)|state|status|phase|health|robustness)$"
)
_BAD_STATE: Final = compiled_later(
    r"(?:.*[a-z_ -])?(?:fail|failed|failure|failing|error|errored|degraded|unhealthy|unavailable|invalid|faulted|stalled|rejected|denied)"
    r"|missing|lost|red|health_err|crashed|unrecoverable|aborted",
    re.IGNORECASE,
)
_ENDED_STATE: Final = compiled_later(r"failed|failure|error|errored|invalid|expired|aborted", re.IGNORECASE)
_WAITING_STATE: Final = frozenset({"pending", "waiting", "processing", "creating", "provisioning", "initializing"})


def is_bad_condition(type_: str) -> bool:
    """Whether the type of a condition says that True is unwanted, however little harm it does."""
    return type_ in _BAD or (
        type_ not in _GOOD and (type_.endswith(_BAD_ENDINGS) or _BAD_NAME.fullmatch(type_) is not None)
    )


def patience(type_: str, status: str, reason: str, message: str = "") -> timedelta | None:
    """How long a condition of an extension's kind may last before it is trouble; None if it means no trouble.

    `status` is empty where the kind has conditions without it (Argo CD): such a condition exists while it holds.
    """
    type_ = type_.rpartition("/")[2]
    good = type_ in _GOOD or (type_ not in _BAD and type_ not in _NEITHER and type_.endswith(_GOOD_ENDINGS))
    bad = type_ in _BAD or (type_ not in _GOOD and type_ not in _NEITHER and type_.endswith(_BAD_ENDINGS))
    if bad:
        told = _ERROR.search(reason) or _ERROR.search(type_)
        return (START if told else PROGRESS) if status in ("True", "") else None
    if type_.endswith("Complete") and status == "False" and _SAYS_ERROR.search(message):
        return START  # Work that goes on says so without an error (ECK: ReconciliationComplete).
    if not good:
        return START if status and _FAILED.search(reason) else None
    if _ON_PURPOSE.search(reason):
        return None
    if status == "Unknown":
        return PROGRESS if type_ in _UNKNOWN_IS_NOT_YET else None
    if status in ("False", "Degraded"):
        return START if _ERROR.search(reason) else PROGRESS
    return None


def is_bad_state(word: str) -> bool:
    """Whether a state, phase or health means trouble: `Failed`, `SyncFailed`, `degraded`, `HEALTH_ERR`."""
    return _BAD_STATE.fullmatch(word) is not None and not word.lower().startswith(("no", "not"))


def is_ended_state(word: str) -> bool:
    """Whether an attempt that is in this state is over."""
    return _ENDED_STATE.fullmatch(word) is not None


def is_waiting_state(word: str) -> bool:
    """Whether the object waits, for ever if nothing changes."""
    return word.lower() in _WAITING_STATE
