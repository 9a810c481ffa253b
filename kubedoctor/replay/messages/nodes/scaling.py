"""Why nodes are not added or removed: the cluster-autoscaler, Karpenter, machine controllers, drains."""

from __future__ import annotations

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.phrases import Area, Phrase

_C, _F = MessageClass, Culprit

_PHRASES = (
    Phrase(
        _C.NODE_HEALTHY,
        _F.NOTHING,
        r"triggered scale-up: |Scale-up: setting group|Scale-up: group .*size set|Scale-down: (node|removing"
        r"|empty)|marked the node as toBeDeleted|marked for deletion|No allowed disruptions|blocking budget"
        r"|Pod should schedule on|^Status condition transitioned.*-> True|^Launched|nominated|Initialized"
        r"|Registered|^Disrupting Node|Scale-down of|Node is (empty|underutilized)|can't replace with a cheaper"
        r"|Can't remove|unmark|Successfully|no longer needed|node removed by cluster autoscaler"
        r"|scale-down .*(complete|succeed)|Drained|Consolidat",
        r"(?!DisruptionBlocked|Unconsolidatable|ScaleDownFailed|FailedScheduling|NotTriggerScaleUp).*"
        r"|Unconsolidatable",
    ),
    Phrase(
        _C.NODE_HEALTHY,
        _F.NOTHING,
        r"blocking budget|due to blocking budget|can't replace with a cheaper|SpotToSpotConsolidation"
        r"|not all pods would schedule|Nominated for|is not (disruptable because|initialized)|state node"
        r"|Node(Claim)? (is )?not (initialized|registered|managed)|is nominated for a pending pod"
        r"|isn't initialized|deleting or marked for deletion|consolidation (is )?disabled"
        r"|hasn't been (initialized|registered)|nodepool .*not found",
    ),
    Phrase(
        _C.NODE_INTERRUPTION,
        _F.CLOUD,
        r"interrupt(ion|ed)|rebalance recommend|scheduled (change|event|maintenance)|^instance (is )?(stopping"
        r"|terminating|stopped|terminated)|state change|health event",
    ),
    Phrase(
        _C.NODE_DRAIN_BLOCKED,
        _F.TEMPLATE,
        r"(pdb|PodDisruptionBudget|pod ?disruption ?budget|disruption budget)|do-not-(disrupt|evict)"
        r"|failed to drain|Failed drain|cannot (be )?(drained|evict)|Cannot evict|FailedDraining"
        r"|drain(ing)? .*(fail|timeout|error|block|delay)|violat|prevents (pod )?evict"
        r"|not enough (pod )?disruption|unevictable|pods? .*(blocks?|blocking|prevent)|blocking eviction"
        r"|safe-to-evict|ScaleDownFailed|failed to (delete|evict|remove)|deletion of node failed|multiple PDB",
    ),
    Phrase(
        _C.NODE_SCALE_FAILED,
        _F.CONFIGURATION,
        r"ServiceLinkedRole|UnauthorizedOperation|not authorized|AccessDenied|AuthorizationFailed|permission"
        r"|forbidden|InvalidParameter|security group|subnet|AMI|image .*not found|NodeClass ?NotReady"
        r"|NodeClassNotReady|EC2NodeClass|NodeClass|Failed resolving|launch ?template|InvalidLaunchTemplate"
        r"|failed to (resolve|find) .*(instance profile|subnet|security|AMI)|instance ?profile"
        r"|NodePool .*not ready|did not (resolve|match)|expected .*got|bootstrap|did not register|not registered"
        r"|registration|fail(ed)? to (join|register)|never joined|unregistered",
        r"(?!NotTriggerScaleUp|FailedScheduling).*",
    ),
    Phrase(
        _C.NODE_SCALE_FAILED,
        _F.CLOUD,
        r"insufficient (instance )?capacity|InsufficientInstanceCapacity|InsufficientCapacity|OutOfResource"
        r"|STOCKOUT|RESOURCE_POOL_EXHAUSTED|quota|QUOTA|QuotaExceeded|VcpuLimitExceeded|LimitExceeded"
        r"|limit (was |is )?(exceeded|reached)|SkuNotAvailable|AllocationFailed|ZonalAllocationFailed"
        r"|OverconstrainedAllocation|does not have enough resources|failed adding \d+|Failed to (increase"
        r"|scale up|create|launch|resize|fix)|creat(ion|e) failed|(creating|launching) (instance|nodeclaim"
        r"|machine|node)|FailedToScaleUpGroup|ScaleUpTimedOut|timed? ?out|scale-up (failed|timed)|no capacity"
        r"|nodes? .*(failed to appear|didn't appear|never)|Nodes added to group .*failed|unavailable|error",
        r"(?!NotTriggerScaleUp|FailedScheduling).*",
    ),
    Phrase(
        _C.NODE_SCALE_NO_FIT,
        _F.CONFIGURATION,
        r"didn't trigger scale-up|no instance type|incompatible|did not tolerate|no nodepools?|nodepool|NodePool"
        r"|would exceed|limit|requirements|Failed to schedule pod|all available instance types exceed"
        r"|max(imum)? (node group|cluster)|not scale(d)? up|scale-up .*not|no node group|could not (schedule"
        r"|find)|no provisioner|Insufficient",
    ),
)

SCALING = Area("node", _PHRASES, (_C.NODE_SCALE_FAILED, _F.CLOUD))
