"""Why a volume is not mounted: the kubelet (pkg/volume), mount helpers of the node, CSI drivers, secrets stores."""

from __future__ import annotations

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.phrases import Area, Phrase

_C, _F = MessageClass, Culprit

_STORE = r"secrets? store objects for pod(?!.*secretproviderclass\S* .{0,80}not found)(?!.*node ?publish ?secret).*"

_OBJECTS = (
    Phrase(_C.MOUNT_HEALTHY, _F.NOTHING, r"Volume\.\w+ succeeded for volume|^successfully mounted"),
    Phrase(
        _C.MOUNT_DRIVER_MISSING,
        _F.CLUSTER_ADDON,
        r"not found in the list of registered CSI drivers|provider not found|no volume plugin matched|csi\.sock"
        r"|failed to get (a )?csi client|CSIDriver \S* ?not found|unregistered|plugin \S+ (is )?not registered"
        r"|error connecting to provider|dial unix \S*(plugins|csi|providers)|failed to find .{0,40}provider",
    ),
    Phrase(
        _C.MOUNT_TYPE_MISMATCH,
        _F.TEMPLATE,
        r"hostPath type check failed|is not a (directory|file|socket|block device|character device)"
        r"|has volumeMode|volume mode .{0,60}(mismatch|not)|is not a valid host ?path type",
    ),
    Phrase(
        _C.MOUNT_SECRET_STORE,
        _F.CONFIGURATION,
        _STORE + r"(vault|keyvault|key vault|couldn't read secret|failed to (get|fetch|login|retrieve|access|describe) "
        r"|error making (mount|API) request|secret ?manager|parameter|ResourceNotFound|SecretNotFound"
        r"|Access ?Denied|not authorized|permission|\b40[0134]\b|Unauthorized|Forbidden|not found|NotFound"
        r"|Unauthenticated)",
    ),
    Phrase(
        _C.MOUNT_TIMEOUT,
        _F.CLUSTER_ADDON,
        r"failed to sync (configmap|secret) cache: timed out|expired waiting for volumes",
    ),
    Phrase(
        _C.MOUNT_REFERENCE_MISSING,
        _F.TEMPLATE,
        r"error processing PVC|failed to fetch PVC|\b(configmap|secret|serviceaccount|persistentvolumeclaim"
        r"|persistentvolume|podcertificaterequest|clustertrustbundle|resourceclaim)s?( \"?[^\"\s]+\"?)? (was "
        r"|is )?(not found|does not exist)|secretproviderclass\S* .{0,80}not found"
        r"|references non-existent (\w+ )?key|\S+ not registered|couldn't (get|find) (the )?(secret|configmap"
        r"|key)|failed to (get|fetch|find|retrieve) (the )?(secret|configmap|account key|storage account"
        r"|node ?publish secret|secretproviderclass|user credentials)|(account|key|claim|PVC|credentials?"
        r"|trust ?bundles?)( \S+){0,2} (was )?(not found|does not exist|could not be found|is missing)"
        r"|StorageAccountNotFound|ResourceGroupNotFound|missing (ID|user|key|credential) field|account ?(name"
        r"|key)? .{0,20}(is empty|not provided|not set)|secrets?\b.{0,60}(missing|not found|does not exist)",
    ),
)
_ON_THE_NODE = (
    Phrase(
        _C.MOUNT_HELPER_MISSING,
        _F.NODE,
        r"wrong fs type.{0,80} on (\S+:/|//)|helper program(?!, or other error)|need a /sbin/mount"
        r"|executable file not found|rpc\.statd is not running|mount\.\w+: (command )?not found"
        r"|command not found|unknown filesystem type|modprobe|module \S+ not found|kernel module"
        r"|failed to load module|iscsid\b.{0,60}(not|running|failed)|iscsiadm.{0,60}(not found|no such file)"
        r"|not installed|open-iscsi|multipathd?\b.{0,40}(not|running)|cryptsetup|dm[-_]crypt|(daemon"
        r"|service) (is )?not running|mount\.(nfs|cifs|ceph|lustre|efs)\S*: .{0,60}no such device"
        r"|nsenter: failed|(fs|filesystem) .{0,40}not supported by (the )?kernel|stunnel"
        r"|No such file or directory.{0,40}mount\.(nfs|cifs)",
    ),
    Phrase(
        _C.MOUNT_FILESYSTEM,
        _F.NODE,
        r"fsck|bad superblock|structure needs cleaning|can't read superblock|superblock|UNEXPECTED INCONSISTENCY"
        r"|file ?system .{0,40}(issues|corrupt|damaged|errors|inconsistent)|corrupt|bad magic|duplicate UUID"
        r"|xfs_repair|failed to format|mkfs|it already contains \w+|input/output error|I/O error|e2fsck|bad geometry|wrong fs type",
    ),
    Phrase(
        _C.MOUNT_BUSY,
        _F.CLUSTER_ADDON,
        r"operation with the given Volume|operation (?!now in progress).{0,80}(already exists|in progress|pending|running)"
        r"|device or resource busy|is busy|point busy|already mounted (or|on|at|more)|being used by"
        r"|code = Aborted|is already mounted|already locked|is still being used|in use by another",
    ),
)
_AT_THE_SERVER = (
    Phrase(
        _C.MOUNT_PATH_MISSING,
        _F.CONFIGURATION,
        r"reason given by server: No such file|mount error ?\(?[26]\b|BAD_NETWORK_NAME|no such (share|export"
        r"|subvolume|bucket)|NoSuchBucket|(Share|Container|Bucket|FileSystem|AccessPoint|Path)NotFound|(bucket"
        r"|share|container|export|subvolume|access point|file system|filesystem|fs) .{0,80}(not found"
        r"|does not exist|not exist|doesn't exist)|mount\.(nfs|ceph"
        r"|lustre)\S*: .{0,200}(No such file or directory|Not a directory)",
    ),
    Phrase(
        _C.MOUNT_PATH_MISSING,
        _F.NODE,
        r"path \"?[^\"\s]+\"? does not exist|NewMounter initialization failed"
        r"|local volume .{0,60}(does not exist|not found)|evalsymlinks|(lstat|stat|open) (?!/dev/|/sys/"
        r"|/proc/)/\S+: no such file",
    ),
    Phrase(
        _C.MOUNT_ACCESS_DENIED,
        _F.CONFIGURATION,
        r"access denied|auth error|token .{0,40}invalid|mount error ?\(?(1|13|5|126|127)\b|LOGON_FAILURE"
        r"|ACCESS_DENIED|permission denied|Authorization(Fail|Permission)\w*|authoriz|authenticat|not authorized"
        r"|AccessDenied|\b403\b|operation not permitted|Required key not available|unauthorized|forbidden"
        r"|\bCHAP\b|login (failed|rejected)|invalid credential|PermissionDenied|Unauthenticated"
        r"|key (has )?expired|wrong password|InvalidAccessKeyId|SignatureDoesNotMatch",
    ),
    Phrase(
        _C.MOUNT_SERVER_UNREACHABLE,
        _F.CONFIGURATION,
        r"connection timed out|no route to host|failed to resolve|no mds server|all subvolumes are down"
        r"|name or service not known|connection refused|host is (down|unreachable)|mount error ?\(?(10[0-9]"
        r"|11[0-9])\b|network is unreachable|no such host|name resolution|could not resolve|i/o timeout"
        r"|unable to (connect|reach)|RPC: |program not registered"
        r"|NFS version or transport protocol is not supported|protocol not supported|(cannot|can't|couldn't"
        r"|could not) (connect|contact|reach)|make connection|server .{0,60}(not responding|unreachable)"
        r"|connection (closed|reset)|cannot assign requested address|lookup \S+ on|no monitors|log ?in to any"
        r"|iscsi targets|sendtargets|operation now in progress|unmatched address",
    ),
)
_OTHERWISE = (
    Phrase(
        _C.MOUNT_TIMEOUT,
        _F.CLUSTER_ADDON,
        r"timed? ?out|deadline exceeded|DeadlineExceeded|unable to (attach or )?mount volumes|unmounted volumes="
        r"|context canceled|not (yet )?(been )?attached|not (yet )?ready|not (yet )?staged|hasn't been"
        r"|has not been|waiting for",
    ),
    Phrase(
        _C.MOUNT_DRIVER_ERROR,
        _F.NODE,
        r"mount point does not exist|\brbd\b|luks|stale (nfs )?file handle|transport endpoint|not mounted"
        r"|read-only file system|no space left|too many open files|cannot allocate memory|special device"
        r"|device \S+|/dev/",
    ),
    Phrase(_C.MOUNT_DRIVER_ERROR, _F.CLUSTER_ADDON, r"rpc error|failed"),
)

MOUNT = Area(
    "mount",
    (*_OBJECTS, *_ON_THE_NODE, *_AT_THE_SERVER, *_OTHERWISE),
    (_C.MOUNT_DRIVER_ERROR, _F.CLUSTER_ADDON),
)
