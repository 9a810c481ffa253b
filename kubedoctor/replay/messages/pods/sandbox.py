"""Why a pod has no sandbox: CNI plug-ins and their agents, the pause image, the runtime and its handlers, the kernel."""

from __future__ import annotations

from typing import Final

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.phrases import Area, Phrase

_C, _F = MessageClass, Culprit

HOST_NETWORK_SERVICE: Final = (
    r"\bHNS\b|\bhns(?:Call|Endpoint|Network)|\bhcn(?:Create|Open|Query|Delete|Modify)\w+|HCN (?:network|endpoint)"
)
"""Of Windows: `microsoft/hcsshim` (hcn, internal/hns), `Microsoft/windows-container-networking`, azure-vnet, win-overlay."""
HOST_COMPUTE_SERVICE: Final = r"\bhcs(?:shim)?::|\bHCS\b|CreateComputeSystem|paging file is too small"
VIRTUAL_MACHINE: Final = (
    r"\bvsock\b|check if grpc server is working|launch (?:qemu|cloud-hypervisor|firecracker)|clh-api\.sock|kata-agent"
    r"|virtiofsd?\b|guest kernel"
)
"""Of Kata Containers: the runtime that starts the machine, and its agent in it."""

_PHRASES = (
    Phrase(
        _C.SANDBOX_PAUSE_IMAGE,
        _F.REGISTRY,
        r"sandbox image|failed pull(ing)? image|failed to (pull|resolve|inspect)( and unpack)? (image|reference)"
        r"|pause image|pull(ing)? pause|unable to pull sandbox image|sandbox image .*not (found|present)"
        r"|infra container image",
    ),
    Phrase(
        _C.SANDBOX_RUNTIME_HANDLER,
        _F.CONFIGURATION,
        r"no runtime for \S+ is configured|runtime handler .*(not (found|supported|configured)|unknown)"
        r"|failed to find runtime handler|RuntimeHandler \S+ not supported|unknown runtime (specified|handler)"
        r"|no runtime handler|unable to get OCI runtime|failed to get sandbox runtime|RuntimeClass \S+ not found"
        r"|invalid runtime name|runtime \S+ binary not installed|does not support (the )?runtime handler"
        r"|runtime type \S+ .*not (found|installed)",
    ),
    Phrase(
        _C.SANDBOX_ATTACHMENT,
        _F.TEMPLATE,
        r"network-?attachment-?definition|NetworkAttachmentDefinition|cannot find a network"
        r"|error getting k8s network|failed to get delegates|failed to load (the )?network .*delegate"
        r"|TryLoadPodDelegates|GetNetworkDelegates|getKubernetesDelegate|parsePodNetworkAnnotation"
        r"|failed to parse network|GetPodNetwork|namespace isolation (enabled|violat)|(link not found"
        r"|failed to (lookup|find) (master|link|parent)|Device .* does not exist"
        r"|no such network interface).{0,20}$|failed to look ?up (master|bridge|parent)|k8s\.v1\.cni\.cncf\.io",
    ),
    Phrase(
        _C.SANDBOX_PLUGIN_MISSING,
        _F.NODE,
        r"failed to find plugin|(could not|can't|cannot) find (the )?plugin|no such (plugin|CNI plugin)"
        r"|plugin \S+ not found in path|netplugin failed with no error message|(exec"
        r"|fork/exec) /opt/cni/bin/\S+: (no such file|exec format|permission denied)"
        r"|/opt/cni/bin/\S+: no such file|version of (the )?plugin .*not supported|incompatible CNI versions?",
    ),
    Phrase(
        _C.SANDBOX_RUNTIME,
        _F.NODE,
        r"exec: \"?(runc|crun|youki|runsc|kata-runtime)\"?: |"
        r"(fork/)?exec \S*/(runc|crun|youki|runsc|kata-runtime): (no such file|permission denied|exec format)",
    ),
    Phrase(_C.SANDBOX_NODE, _F.NODE, VIRTUAL_MACHINE),
    Phrase(
        _C.SANDBOX_AGENT_DOWN,
        _F.CLUSTER_ADDON,
        r"dial (unix|tcp (127\.|\[::1\]|localhost))",
    ),
    Phrase(_C.START_MEMORY_TOO_SMALL, _F.TEMPLATE, r"OOM[- ]killed|memory limit too low|memory limit \S+ too low"),
    Phrase(_C.SANDBOX_NODE, _F.NODE, r"resolv\.conf|already has an IP address different from"),
    Phrase(
        _C.SANDBOX_NO_ADDRESSES,
        _F.CLOUD,
        r"failed to assign an IP address|insufficient (free )?(ip )?addresses|InsufficientFreeAddressesInSubnet"
        r"|SubnetIsFull|InsufficientCidrBlocks|AssignPodIPv4Address|No more (secondary )?(ip|eni)"
        r"|subnet .*(is full|exhausted|no free)|no available IP/prefix|IP_SPACE_EXHAUSTED"
        r"|exhausted of available ips",
    ),
    Phrase(
        _C.SANDBOX_NO_ADDRESSES,
        _F.CONFIGURATION,
        r"no (more )?(free |available |unused )?(ip|IPv[46]|addresse?s?)( addresse?s?| address"
        r"|s)?( are)?( left)? (are )?(available|in |left|for)|no IPs? (addresses )?available|no (free|available"
        r"|unused|more) (ip|address)|range is full|pool (is )?(exhausted|not \(yet\) available|full)"
        r"|could not allocate ip in range|IPAM(Failure)?.*(full|exhausted|no )|failed to (allocate"
        r"|request) (for range|IPv?[46]? ?(address)?|ip)|no address(es)? available|address(es)? (space "
        r"|pool )?(is |are )?exhausted|ran out of (ip|address)|cannot allocate (new block|.*address)"
        r"|unable to allocate (an? )?(ip|address|from pool)|no configured Calico pools|out of (available )?(ip"
        r"|address)|IP ?address(es)? exhausted|failed to allocate address|no available (ip|address|cidr)"
        r"|exceed(s|ed)? .*(ip|eni) (address )?limit|No available addresses|AddressNotAvailable"
        r"|no subnet.*available|no pool",
    ),
    Phrase(
        _C.SANDBOX_API_ACCESS,
        _F.CLUSTER_ADDON,
        r"Unauthorized|is forbidden: User|cannot (get|list|patch|update|create) resource|provide credentials"
        r"|error getting ClusterInformation|connection is unauthorized|(Get|Patch|Put"
        r"|Post) \"?https://\S+(/api/v1|/apis/|/version)\S*|https://\[?\S+\]?:\d+/(api|apis|version|livez)"
        r"|the server has asked for the client|failed to get pod info|(error|failed) (getting|to get|querying"
        r"|to query) (the )?pod(?! annotation).{0,120}(unauthorized|forbidden|timeout|x509|deadline|refused)"
        r"|x509: |SetNetworkStatus|error loading config file.*kubeconfig|invalid configuration.*kubeconfig"
        r"|client rate limiter|API server (is )?(not|un)reachable",
    ),
    Phrase(
        _C.SANDBOX_NODE,
        _F.CONFIGURATION,
        r"expected cgroupsPath to be of format|cgroup(s)? driver|cgroupfs .*systemd|systemd cgroups?, got",
    ),
    Phrase(
        _C.SANDBOX_NODE,
        _F.NODE,
        r"vhost-?vsock|/dev/kvm|no such device|seccomp is not enabled|not enabled in your kernel|cgroup|sysctl"
        r"|apparmor|selinux|too many open files|failed to mount (proc|shm|overlay)|cannot allocate memory"
        r"|(can'?t|cannot|unable to) fork|resource temporarily unavailable|no space left on device"
        r"|read-only file ?system|input/output error|modprobe|iptables|ip6tables|nf_tables|nft\b"
        r"|operation not (permitted|supported)|function not implemented|keycreate|kernel|qemu|QEMU|hypervisor"
        r"|firecracker|cloud-hypervisor|user ?namespaces?|newuidmap|idmap|ulimit|pids? (limit|cgroup)|hostname"
        r"|br_?netfilter|failed to (create|add|set) (bridge|veth|link|host)|overlayfs|mount_setattr"
        r"|ipv6.*disabled|keyctl|key quota|/proc/sys|unshare|clone.*(failed|invalid)|inotify|virtiofs",
    ),
    Phrase(_C.SANDBOX_NODE, _F.NODE, rf"{HOST_NETWORK_SERVICE}|{HOST_COMPUTE_SERVICE}"),
    Phrase(
        _C.SANDBOX_AGENT_DOWN,
        _F.CLUSTER_ADDON,
        r"cni (plugin not initialized|config(uration)? (uninitialized|file))|cni plugin not initiali[sz]ed"
        r"|No CNI configuration file|no networks? found in|no valid networks found|subnet\.env|cilium agent"
        r"|cilium\.sock|unable to connect to cilium|is the agent running"
        r"|check that the calico/node container is running|/var/lib/calico/|dial unix \S+|127\.0\.0\.1:50051"
        r"|localhost:\d+|ipamd|aws-node|is the (agent|daemon)|connection error: desc|ovnkube|ovn-"
        r"|multus.*(not ready|daemon|socket)|daemon|OVN|antrea|kube-?ovn"
        r"|PollImmediate error waiting for ReadinessIndicatorFile|still waiting for readinessindicatorfile"
        r"|azure-vnet|CNS|10090|weave|network (is )?not ready|NetworkPluginNotReady"
        r"|Has your network provider started|failed to (send|do) (CNI )?(request|http)|Agent not"
        r"|connection refused|Service Unavailable|endpoint .*not ready|timed out waiting for (the )?(OVS|ovs"
        r"|annotations)|failed to get pod annotation|plugin returned an error|no such file or directory"
        r"|127\.0\.0\.1:\d+|\[PUT /endpoint|endpoint manager|k8s\.ovn\.org",
    ),
    Phrase(_C.SANDBOX_AGENT_DOWN, _F.CLUSTER_ADDON, r"plugin type=|network for sandbox|networkplugin cni|cni|network"),
    Phrase(
        _C.SANDBOX_RUNTIME,
        _F.NODE,
        r"context deadline exceeded|DeadlineExceeded|is reserved for|reserve sandbox name|name conflict"
        r"|already in use by|already exists|transport is closing|containerd\.sock|crio\.sock|cri-dockerd"
        r"|error reading from server|ttrpc: closed|shim|context canceled|timed? ?out|StopPodSandbox"
        r"|failed to (stop|remove|destroy|kill|start) (pod )?sandbox|stuck|KillPodSandbox|connection reset"
        r"|cannot connect to the docker daemon|unavailable|EOF|failed to (reserve|delete|remove|create) .*(name"
        r"|container|sandbox|task)|Is the docker daemon running|unpack|snapshot",
    ),
    Phrase(_C.SANDBOX_HEALTHY, _F.NOTHING, r"pod sandbox changed, it will be killed|^add \S+ \[.*from "),
)

SANDBOX = Area("sandbox", _PHRASES, (_C.SANDBOX_RUNTIME, _F.NODE))
