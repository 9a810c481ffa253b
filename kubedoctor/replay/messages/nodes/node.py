"""What is wrong with a node: the kubelet, kube-proxy, the node controllers, the node-problem-detector, device plug-ins."""

from __future__ import annotations

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.phrases import Area, Phrase

_C, _F = MessageClass, Culprit

_REFUSED_PODS = (
    Phrase(
        _C.NODE_DEVICE,
        _F.NODE,
        r"number of devices unavailable|device plugin|Allocate failed due to|no healthy devices"
        r"|unhealthy devices?|GetPreferredAllocation|NodePrepareResources|prepare dynamic resources|DRA driver"
        r"|plugin name \S+ not found|ResourceClaim|devices? .{0,60}(unhealthy|unavailable|not healthy)|\bXid\b"
        r"|GPU .{0,40}(fallen|lost|error)",
    ),
    Phrase(_C.EVICT_SHUTDOWN, _F.NODE, r"node shutdown|node (is|was) shutting down|as the node is shutting"),
    Phrase(
        _C.NODE_REJECTED,
        _F.NODE,
        r"Pod was rejected|Pod (is|was) not admitted|Predicate \S+ failed|Node didn't have enough"
        r"|cannot be allocated with topology|free ports for|node\(?s?\)? (didn't|had|doesn't) "
        r"|cannot enforce apparmor|forbidden sysctl|not enough cpus available|SMT Alignment|had condition"
        r"|operating system .{0,60}(label|match)|does not support",
        r"(?!KubeletNotReady|NodeStatus\w*).*",
    ),
)
_BY_REASON = (
    Phrase(
        _C.NODE_RUNTIME_DOWN,
        _F.NODE,
        r"deadline exceeded|code = Unavailable|connection (refused|error)|transport",
        r"(Container|Image)GCFailed",
    ),
    Phrase(
        _C.NODE_IMAGE_GC,
        _F.NODE,
        r"freed? |eligible to free|sufficient|required amount",
        r"ImageGCFailed|FreeDiskSpaceFailed",
    ),
    Phrase(
        _C.NODE_PRESSURE,
        _F.NODE,
        r"",
        r"SystemOOM|OOMKilling|InvalidDiskCapacity|EvictionThresholdMet|NodeHas(DiskPressure|Insufficient\w+)"
        r"|KubeletHas(Insufficient\w+|DiskPressure)|InodesPressure|MemoryPressure",
    ),
    Phrase(_C.NODE_INTERRUPTION, _F.NODE, r"", r"Rebooted|NodeShutdown|Shutdown"),
    Phrase(
        _C.NODE_KERNEL,
        _F.NODE,
        r"",
        r"TaskHung|\w*Hung|KernelOops|KernelDeadlock|UnregisterNetDevice|Ext4\w+|IOError|MemoryReadError"
        r"|CorruptDocker\w+|Xfs\w+|\w*HardwareError\w*|BufferIOError|CperHardware\w*|ConntrackFull\w*|DiskBad\w*",
    ),
    Phrase(_C.NODE_READ_ONLY_FILESYSTEM, _F.NODE, r"", r"FilesystemIsReadOnly|ReadonlyFilesystem"),
    Phrase(
        _C.NODE_RUNTIME_DOWN,
        _F.NODE,
        r"",
        r"ContainerRuntimeUnhealthy|(Container[dD]|Docker|CRI)\w*(Unhealthy|Start|Down|IsDown)"
        r"|(No)?Frequent(Docker|Containerd)Restart|(Docker|Containerd)Hung",
    ),
    Phrase(
        _C.NODE_KUBELET_SILENT,
        _F.NODE,
        r"",
        r"NodeStatus(Unknown|NeverUpdated)|KubeletUnhealthy|KubeletIsUnhealthy|FrequentKubeletRestart"
        r"|NodeNotReady",
    ),
    Phrase(
        _C.NODE_SETTING,
        _F.NODE,
        r"",
        r"(Kubelet|Invalid)\w*(Setup|Config|Setting)\w*|FailedNodeAllocatableEnforcement|NTP\w*|Cgroup\w*"
        r"|PossibleMemoryBackedVolumesOnDisk|\w*Sysctl\w*|FailedToStartProxier\w*|KubeProxy\w*"
        r"|InvalidKernelSettings?|CheckLimits\w*",
    ),
    Phrase(_C.NODE_NETWORK_ROUTE, _F.CLOUD, r"", r"NoRouteCreated|FailedToCreateRoute|CIDR\w+|RouteCreationFailed"),
)
_BY_WORDS = (
    Phrase(
        _C.NODE_RUNTIME_DOWN,
        _F.NODE,
        r"container runtime (is |status |not |returned|down)|runtime is (down|unhealthy)|RuntimeReady=false"
        r"|runtime not ready: RuntimeReady|runtime (check|request|status)|(containerd|crio|dockershim"
        r"|cri-dockerd)\.sock|docker daemon|(containerd|docker|cri-o|crio) (is |service )?(unhealthy|not|down"
        r"|fail|hung)",
    ),
    Phrase(_C.NODE_PLEG, _F.NODE, r"\bPLEG\b"),
    Phrase(
        _C.NODE_NETWORK_NOT_READY,
        _F.CLUSTER_ADDON,
        r"network (plugin )?(is )?not ready|NetworkReady=false|cni plugin not initialized"
        r"|cni config uninitialized|NetworkPluginNotReady|no CNI configuration|network plugin",
    ),
    Phrase(
        _C.NODE_NETWORK_ROUTE,
        _F.CLOUD,
        r"\broutes?\b|RouteController|BGP|\bBIRD|felix|is down on this node|network (is )?unavailable|wireguard"
        r"|pod ?CIDR|(Cilium|Calico|Flannel|OVN) .{0,40}(not|down|fail)|NetworkUnavailable",
    ),
    Phrase(
        _C.NODE_SETTING,
        _F.NODE,
        r"fail(ed)? to (start|initialize|set ?up|update|create|enforce|ensure|run) .{0,60}(container ?manager"
        r"|cadvisor|cgroup|allocatable|kubelet|system reserved|qos)|container ?manager|node allocatable"
        r"|swap (is )?(on|enabled|not)|swap on|invalid kernel flag|kernel setting|/proc/sys|ip_forward|bridge-nf"
        r"|sysctl|cgroup v1|cgroup (driver|root)|resolv\.conf|clock|chrony|\bntp\b|certificate|csr|(kube"
        r"|system)-reserved|tmpfs noswap|kubelet (config|flag)|deprecated|/etc/|cloud provider|providerID"
        r"|provider ID|NodeAddress|failed to get node",
    ),
    Phrase(
        _C.NODE_IMAGE_GC,
        _F.NODE,
        r"garbage collect|eligible to free|wanted to free|free disk space|free sufficient space|imageFs"
        r"|image ?filesystem",
    ),
    Phrase(
        _C.NODE_KUBELET_SILENT,
        _F.NODE,
        r"kubelet (stopped|never) post|status is now: NodeNotReady|kubelet .{0,30}(unhealthy|not responding"
        r"|not healthy|is down)|node lease|heartbeat",
    ),
    Phrase(
        _C.NODE_READ_ONLY_FILESYSTEM,
        _F.NODE,
        r"read-only",
    ),
    Phrase(
        _C.NODE_KERNEL,
        _F.NODE,
        r"blocked for more than|kernel|\bBUG:|unregister_netdevice|soft lockup|hung_task|watchdog|ext4|\bxfs\b"
        r"|MCE|hardware error|EDAC|deadlock|conntrack|I/O error|segfault|divide error|general protection"
        r"|null pointer|machine check|memory error|corrupt",
    ),
    Phrase(
        _C.NODE_PRESSURE,
        _F.NODE,
        r"insufficient (memory|PID|disk)|(disk|memory|PID) pressure|invalid capacity|attempting to reclaim"
        r"|\bOOM\b|out of memory|no space left|eviction threshold|inodes|low on|killed process|disk .{0,30}full"
        r"|\bpids?\b",
    ),
    Phrase(_C.NODE_INTERRUPTION, _F.NODE, r"has been rebooted|boot id|shutdown manager|shutting down|reboot"),
    Phrase(
        _C.NODE_INTERRUPTION,
        _F.CLOUD,
        r"interrupt|preempt|maintenance|terminat|rebalance|\bspot\b|scheduled (event|change)|will be (deleted"
        r"|stopped|evicted)|Freeze|Redeploy|retire|state change|decommission|health event"
        r"|does not exist in the cloud",
    ),
)
_HEALTHY = (
    Phrase(
        _C.NODE_HEALTHY,
        _F.NOTHING,
        r"^Node \S+ (status is now: Node(Ready|Schedulable|NotSchedulable|Has(Sufficient|No)\w+)"
        r"|event: \w+ Node)|^Starting kubelet|^Updated Node Allocatable|^kubelet (is posting ready status"
        r"|has (no|sufficient))|^RouteController created a route|^Starting\.?\s*$|is running on this node$"
        r"|has no deadlock$|is not read-only$|is functioning properly$|^Synced|is healthy$|^node is (ready"
        r"|healthy)",
    ),
)

NODE = Area("node", (*_HEALTHY, *_REFUSED_PODS, *_BY_REASON, *_BY_WORDS), (_C.NODE_SETTING, _F.NODE))
