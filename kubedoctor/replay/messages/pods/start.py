"""Why a container does not start: the kubelet (pkg/kubelet/kuberuntime), containerd, CRI-O, Docker; runc, crun, youki,
gVisor, Kata, hcsshim; the hooks of GPU drivers."""

from __future__ import annotations

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.phrases import Area, Phrase

_C, _F = MessageClass, Culprit

_BY_THE_KUBELET = (
    Phrase(
        _C.START_HEALTHY,
        _F.NOTHING,
        r"^(created|started|stopping|killing) container\b|^container (created|started)\b|^created container:",
    ),
    Phrase(_C.START_BACK_OFF, _F.IMAGE, r"back-off (\S+ )?restarting failed container"),
    Phrase(
        _C.START_HOOK,
        _F.IMAGE,
        r"PostStart ?Hook|post-?start hook|lifecycle hook|PreStop ?Hook|hook .{0,80}(PostStart|PreStop)"
        r"|^PostStart",
    ),
    Phrase(_C.START_HOOK, _F.IMAGE, r"", r"PostStartHookError|FailedP(ost|re)St(art|op)Hook"),
    Phrase(
        _C.START_RUN_AS_ROOT,
        _F.TEMPLATE,
        r"breaks non-root policy|runAsUser .{0,40}non-?root",
    ),
    Phrase(
        _C.START_RUN_AS_ROOT,
        _F.IMAGE,
        r"runAsNonRoot|image will run as root|cannot verify user is non-root",
    ),
    Phrase(
        _C.START_REFERENCE_MISSING,
        _F.TEMPLATE,
        r"\b(configmap|secret|serviceaccount)s? \"?[^\"\s]+\"? not found|couldn't find key \S+ in (ConfigMap"
        r"|Secret)|references non-existent (config|secret) key|(object|key) \S+ not registered"
        r"|failed to sync (configmap|secret) cache|environment variable (key|names)"
        r"|cannot find volume \S+ to mount|key \S+ not found in (configmap|secret|file)|couldn't (get"
        r"|find) (secret|configmap)",
    ),
    Phrase(_C.START_MOUNT_TYPE, _F.NODE, r"failed to prepare subPath"),
    Phrase(
        _C.START_MOUNT_TYPE, _F.TEMPLATE, r"failed to create subPath|subPath .{0,80}(must|not)|error finding subPath"
    ),
    Phrase(_C.START_RUNTIME, _F.NODE, r"services have not yet been read"),
)
_BY_DRIVERS_AND_KERNEL = (
    Phrase(
        _C.START_GPU,
        _F.NODE,
        r"nvidia-container|nvidia container runtime|--gpus|nvidia-ctk|nvidia-smi|libnvidia|/dev/(nvidia|dri|kfd"
        r"|davinci|habana)|nvidia\.com/|\bnvml\b|\bcuda ?[<>=]|no CUDA-capable|libcuda|CDI device"
        r"|unresolvable CDI|could not select device driver|amd\.com/gpu|gpu\.intel\.com|habanalabs|rocm-|\bmig\b"
        r"|mounting_driver|no-gpu-has|ascend-docker|\bunknown device\b",
    ),
    Phrase(
        _C.START_KEYRING,
        _F.NODE,
        r"session ?key(ring)?\b|keyring|keyctl|key quota",
    ),
    Phrase(_C.START_RUNTIME, _F.NODE, r"seccomp filter.{0,80}errno 524|errno 524"),
    Phrase(
        _C.START_PROFILE_MISSING,
        _F.TEMPLATE,
        r"seccomp|apparmor|/attr/(apparmor/)?(exec|current)|selinux .{0,60}(label|context)|localhost profile",
    ),
    Phrase(
        _C.START_MEMORY_TOO_SMALL,
        _F.TEMPLATE,
        r"init (was |process )?(was )?(OOM|oom)[- ]?killed|memory limit too low|memory limit (could be|\S+ is"
        r"|\S+)? ?too low|minimum memory limit|memory\.(limit_in_bytes|max)\b.{0,120}(busy|invalid argument"
        r"|too low)|OOM: the memory limit|unable to set memory limit|cannot set memory limit"
        r"|did not terminate successfully: (exit status 137|signal: killed)|container .{0,40}OOM[- ]?killed"
        r"|(less|lower) than the minimum .{0,40}memory",
    ),
    Phrase(
        _C.START_CAPABILITY,
        _F.TEMPLATE,
        r"(unknown|invalid|unsupported|no such) cap(ability|abilities)?\b|invalid Cap(Add|Drop)|(apply|set|drop"
        r"|add|applying|setting|dropping)(ing)? (the )?(bounding |ambient |process |effective )?(set )?(caps?\b"
        r"|capabilit)|capability \S+ (is )?(not|unknown|invalid)|capset\b|cap_set|can't .{0,40}capabilit"
        r"|CAP_\w+ .{0,40}(unknown|not (supported|available|valid)|invalid)|failed to .{0,30}capabilit",
    ),
    Phrase(
        _C.START_USER_UNKNOWN,
        _F.IMAGE,
        r"no (users|groups) found|unable to find (user|group)|no matching entries in (passwd|group)"
        r"|unknown (user|group)\b|no such user|user \S+ (not found|does not exist)|linux spec user|(open|read|pars)\w* \S*etc/(passwd"
        r"|group)\b|look ?up (user|group)|getpw|set ?up user|set(res)?[ug]id|can't find (user|uid)"
        r"|user:? .{0,60}not found in|invalid (user|uid|gid)|non-numeric user",
    ),
    Phrase(
        _C.START_WRONG_ARCHITECTURE,
        _F.IMAGE,
        r"exec format error|ENOEXEC|not a valid Win32|operating system does not match the host"
        r"|image platform .{0,80}does not match|invalid ELF|bad CPU type",
    ),
)
_BY_THE_RUNTIME = (
    Phrase(
        _C.START_RUNTIME,
        _F.NODE,
        # What the kubelet and the runtime write for themselves, not the root file system of a container.
        r"(?<=[\s\"'`])/(?:var/lib/(?:containerd|kubelet|docker|containers|cni|rancher)|(?:var/)?run/(?:containerd|crio|docker"
        r"|containers|runc|crun)|var/log/(?:pods|containers)|(?:etc|opt)/cni)/(?!\S*/rootfs)[^\s\"'`]*[\"'`]?:"
        r" read-only file ?system",
    ),
    Phrase(
        _C.START_MOUNT_TYPE,
        _F.TEMPLATE,
        r"(to rootfs at|create mount ?(point|destination)).{0,600}(not a directory|read-only file system"
        r"|file exists|is a directory|operation not permitted|permission denied)",
    ),
    Phrase(
        _C.START_RUNTIME,
        _F.NODE,
        r"binary not installed|is reserved for|reserv(e|ing) (container|ctr) name"
        r"|CreateContainer request is in progress|name .{0,200}already in use by|Conflict\. The container name"
        r"|failed to start shim|start shim:|shim disconnected|ttrpc: closed|deadline exceeded|context canceled"
        r"|no space left on device|too many open files|(cannot|can't) allocate memory"
        r"|resource temporarily unavailable|read-write layer|no running task found|sandbox \S+ (is )?not (found"
        r"|running)|image \S+ not found|snapshot \S+ (does not exist|not found)|snapshotter|rootfs component"
        r"|layer not known|failed to get sandbox|unable to apply cgroup|cgroup|sd-bus|dbus|systemd"
        r"|error reading from server|transport is closing|connection (refused|reset|error)|init-p\b|open sysctl"
        r"|sysctl net|namespace path|/ns/(ipc|net|pid|mnt)|create new parent process|creating systemd unit"
        r"|final child|from the init process|unknown or invalid runtime|no such image|/run/(containerd|crio"
        r"|runc)/|CreateContainerRequest timed out|timed? ?out|unavailable|procHooks",
    ),
    Phrase(
        _C.START_MOUNT_TYPE,
        _F.NODE,
        r"(stale (nfs )?file handle|transport endpoint is not connected|input/output error|host is down"
        r"|is not a shared( or slave)? mount|mount propagation)",
    ),
    Phrase(
        _C.START_MOUNT_TYPE,
        _F.TEMPLATE,
        r"(error|failed) mounting|to rootfs|mounting .{1,400}(caused|failed)"
        r"|trying to mount a directory onto a file|mount ?(destination|point|source)|(failed to mkdir"
        r"|mkdir(at)?) [`\"]?/|failed to (stat|lstat) [`\"]?/|mount [`\"]|mount callback|bind (source|mount)"
        r"|invalid mount config|invalid volume specification|creating [`\"]?/|openat2|outside of (the )?rootfs"
        r"|hostPath|not a directory|is a file\b|(creat|mak|open)(e|ing)? (file |directory "
        r"|target )?[`\"]?/\S+:? .{0,60}(not a directory|file exists|read-only|is a directory)"
        r"|make [`\"]\S+ private|failed to (create|resolve) (symlink|target|bind|path)"
        r"|too many levels of symbolic links|prepar(e|ing) rootfs|lchown|duplicate mount point|failed to mount"
        r"|cannot mount",
    ),
)
_BY_THE_PROGRAM = (
    Phrase(_C.START_COMMAND_NOT_EXECUTABLE, _F.IMAGE, r"chdir to|workdir|working directory"),
    Phrase(
        _C.START_COMMAND_NOT_EXECUTABLE,
        _F.IMAGE,
        r"permission denied|(exec|execve|executable|open).{0,200}is a directory|operation not permitted"
        r"|not executable|text file busy|EACCES|access is denied",
    ),
    Phrase(
        _C.START_COMMAND_NOT_FOUND,
        _F.IMAGE,
        r"exec(ve)? (user process caused|/\S+): \"?no such file|no command specified",
    ),
    Phrase(
        _C.START_COMMAND_NOT_FOUND,
        _F.TEMPLATE,
        r"executable (file )?.{0,200}not found|no such file or directory|no command specified|command not found"
        r"|cannot find the (file|path)|system cannot find|file \S+ was not found|the file .{1,200} was not found"
        r"|not found in \$?PATH|ENOENT|finding executable|no (entry ?point|process args)|args must not be empty",
    ),
)

START = Area(
    "start",
    (*_BY_THE_KUBELET, *_BY_DRIVERS_AND_KERNEL, *_BY_THE_RUNTIME, *_BY_THE_PROGRAM),
    (_C.START_RUNTIME, _F.NODE),
)
