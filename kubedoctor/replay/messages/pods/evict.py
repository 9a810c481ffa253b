"""Why a pod was taken from its node: pkg/kubelet/{eviction,nodeshutdown,preemption}, taint eviction, the scheduler."""

from __future__ import annotations

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.phrases import Area, Phrase

_C, _F = MessageClass, Culprit

_PHRASES = (
    Phrase(
        _C.EVICT_OWN_LIMIT,
        _F.TEMPLATE,
        r"exceeded its local ephemeral storage limit|ephemeral local storage usage exceeds"
        r"|usage of EmptyDir volume .* exceeds|exceeds the (total )?limit|exceeds the limit \"",
    ),
    Phrase(
        _C.EVICT_NODE_PRESSURE,
        _F.NODE,
        r"node was low on resource|node had condition: ?\[|low on resource|Threshold quantity|(Memory|Disk"
        r"|PID)Pressure|attempting to reclaim|eviction manager",
    ),
    Phrase(_C.EVICT_HEALTHY, _F.NOTHING, r"cancelling deletion of pod|canceling deletion of pod"),
    Phrase(
        _C.EVICT_TAINT,
        _F.NODE,
        r"marking for deletion pod|taint manager|due to NoExecute|DeletionByTaintManager|TaintManagerEviction"
        r"|DeletionByDeviceTaintManager|deleting due to (NoExecute )?taint|device taint",
    ),
    Phrase(
        _C.EVICT_PREEMPTED,
        _F.CONFIGURATION,
        r"preempt(ed|ing|ion|or|s)?\b|in order to admit critical pod|Preempted to accommodate"
        r"|by a higher priority",
    ),
    Phrase(
        _C.EVICT_SHUTDOWN,
        _F.NODE,
        r"node shutdown|node (is|was) shutting down|shutting down|imminent (node )?shutdown|Pod was (terminated"
        r"|rejected).*shut|TerminationByKubelet",
    ),
    Phrase(
        _C.EVICT_DEADLINE,
        _F.TEMPLATE,
        r"longer than the specified deadline|DeadlineExceeded|active on the node longer|activeDeadlineSeconds",
    ),
)

EVICT = Area("evict", _PHRASES, (_C.EVICT_NODE_PRESSURE, _F.NODE))
