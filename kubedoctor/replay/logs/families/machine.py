"""Limits of the node and what was bought, here or from an outside service: kernel settings, disk space, read-only file systems, licences."""

from __future__ import annotations

from typing import Final

from kubedoctor.replay.logs.families.troubles import FULL_STORE, GPU_DRIVER, KERNEL_TABLES, QUOTA_OF_A_PLAN
from kubedoctor.replay.logs.faults import LogFault, Pattern, PatternFamily
from kubedoctor.replay.logs.subjects import file

THREADS: Final = "threads"
THREADS_REFUSED: Final = "refused threads"
SHARED_MEMORY: Final = "shared memory"


def _threads(_: str) -> str:
    return THREADS


def _no_threads_allowed(_: str) -> str:
    return THREADS_REFUSED


def _shared_memory(_: str) -> str:
    return SHARED_MEMORY


_WRITTEN: Final = r"(?:create|open|write|touch|mkdir|rename|remove|chmod|chown|link|unlink)"

_LICENCE: Final = r"(?<![\w/.-])(?:licen[sc]e|licensing)s?\b(?: key| file| server| token| string)?"
_UNUSABLE: Final = (
    r"(?:\bexpired|\binvalid|\bnot (?:a )?valid|\bmissing|\bnot found|\brequired?s?\b|\brevoked|\bexceed\w*|\bfail\w*|\bproblem|"
    r"non-compliant|\bcould not|\bcannot|\bcan't|\bunable|\bcorrupt|\bdenied|\bviolat\w*|\bno valid|\bno\b|\bwithout|\bmust\b)"
)

FAMILIES: Final = (
    PatternFamily(
        LogFault.KERNEL_SETTING,
        (
            Pattern("vm.max_map_count", r"(?P<subject>vm\.max_map_count) .*too low"),
            Pattern("max file descriptors", r"(?P<subject>max file descriptors) .*too low"),
            Pattern("max number of threads", r"(?P<subject>max number of threads) .*too low"),
            Pattern("too low, increase to at least"),
            Pattern("memory locking requested", r"(?P<subject>memory locking|bootstrap\.memory_lock)"),
            Pattern("too many open files"),
            Pattern("emfile", r"\bEMFILE\b"),
            Pattern(
                "inotify",
                r"(?P<subject>inotify)[ _-]?(?:instances|watches|init)?.*(?:limit|too many|reached|no space|failed)",
            ),
            Pattern("system limit for number of file watchers reached", r"(?P<subject>file watchers)"),
            Pattern("enospc: system limit", r"(?P<subject>file watchers)"),
            Pattern("net.core.somaxconn", r"(?P<subject>net\.core\.somaxconn).*(?:must|required|cannot)", weak=True),
            Pattern(
                "thread",
                r"(?:pthread_create|(?:create|start)\w* (?:\w+ ){0,3}thread).{0,80}(?:Operation not permitted|\bEPERM\b)",
                subject=_no_threads_allowed,
            ),
            Pattern("failed to create new os thread", subject=_threads),
            Pattern("pthread_create failed", subject=_threads),
            Pattern("unable to create native thread", subject=_threads),
            Pattern("unable to create new native thread", subject=_threads),
            Pattern("can't start new thread", subject=_threads),
            Pattern(
                "resource temporarily unavailable",
                r"(?:fork|pthread|thread|clone).*Resource temporarily unavailable",
                subject=_threads,
            ),
            Pattern(
                "iptables",
                r"iptables.*(?:Permission denied \(you must be root\))",
            ),
            Pattern(
                "tables",
                r"ip6?tables.*?(?:can't initiali[sz]e ip6?tables table|unable to initiali[sz]e table) [`'\"](?P<subject>\w+)",
                trouble=KERNEL_TABLES,
            ),
            Pattern(
                "tables",
                r"ip6?tables.*(?:Table does not exist|Failed to initialize nft|missing kernel module|not supported"
                r"|Couldn't load (?:match|target)|Could not fetch rule set generation id: (?!Permission))",
                trouble=KERNEL_TABLES,
            ),
            Pattern("modprobe", r"modprobe: .*(?:not found|can't)", weak=True),
            Pattern("could not resize shared memory segment", subject=_shared_memory),
            Pattern(
                "out of shared memory",
                r"(?:workers?|process\w*|is|are|possibl\w+) .{0,40}out of shared memory",
                subject=_shared_memory,
            ),
            Pattern("unable to allocate shared memory", subject=_shared_memory),
            Pattern("unable to write to file </torch_", subject=_shared_memory),
            Pattern("could not create shared memory segment"),
            Pattern("could not map anonymous shared memory"),
            Pattern("huge pages", r"huge ?pages.*(?:not|failed|insufficient)", weak=True),
            Pattern("nvidia driver on your system is too old", trouble=GPU_DRIVER),
            Pattern("cuda driver version is insufficient", trouble=GPU_DRIVER),
            Pattern("found no nvidia driver on your system", trouble=GPU_DRIVER),
            Pattern("driver/library version mismatch", trouble=GPU_DRIVER),
            Pattern("no kernel image is available for execution on the device", trouble=GPU_DRIVER),
            Pattern("no cuda-capable device is detected", trouble=GPU_DRIVER),
            Pattern(
                "nvml",
                r"(?:initiali[sz]\w*|load\w*) nvml\b.*(?:ERROR_|could not|fail|not found|unknown)|could not load NVML",
                trouble=GPU_DRIVER,
            ),
            Pattern("io_uring", r"(?P<subject>io_uring)\w*.*(?:fail|not permitted|not supported|denied)"),
            Pattern("aio-max-nr", r"(?P<subject>(?:fs\.)?aio-max-nr)"),
            Pattern("kernel too old"),
            Pattern("cgroup", r"cgroups?:? .*(?:not found|not supported|mountpoint does not exist|no such file)"),
            Pattern("sysctl", r"sysctl: .*?(?<![\w.])(?P<subject>[a-z]\w*(?:\.\w+)++).*(?:Read-only|denied|No such)"),
            Pattern("ulimit", r"ulimit: .*(?:cannot|not permitted)", weak=True),
            Pattern("/dev/shm", r"/dev/shm.*(?:too small|insufficient|No space|out of)", subject=_shared_memory),
        ),
    ),
    PatternFamily(
        LogFault.NO_SPACE,
        (
            Pattern("no space left on device"),
            Pattern("enospc", r"\bENOSPC\b"),
            Pattern("disk quota exceeded"),
            Pattern("edquot", r"\bEDQUOT\b"),
            Pattern("not enough space", r"not enough (?:disk )?space"),
            Pattern("disk is full"),
            Pattern("disk full"),
            Pattern("insufficient disk space"),
            Pattern("out of disk space"),
            Pattern("low on disk space", weak=True),
            Pattern("low-disk space"),
            Pattern("low disk space", weak=True),
            Pattern("minimum free drive threshold"),
            Pattern("drive is full"),
            Pattern("insufficient storage", weak=True),
            Pattern("database or disk is full"),
            Pattern("mvcc: database space exceeded", trouble=FULL_STORE),
            Pattern("disk_alarm", r"disk_free_limit|disk_alarm", weak=True),
            Pattern("flood stage disk watermark", weak=True),
            Pattern("there is not enough space on the disk"),
        ),
        file,
    ),
    PatternFamily(
        LogFault.READ_ONLY,
        (
            Pattern("read-only directory", r"read-only directory:? [\"'`]?(?P<subject>/[\w./-]+)"),
            Pattern("read-only file system", r"sed: can't create temp file '(?P<subject>[^']+?)X*'"),
            Pattern("read-only file system", rf"{_WRITTEN}.*?[\"'`](?P<subject>/[^\"'`]+)[\"'`]"),
            Pattern("read-only file system"),
            Pattern("readonly file system"),
            Pattern("read-only filesystem"),
            Pattern("read only file system"),
            Pattern("readonlyfilesystem"),
            Pattern("erofs", r"\bEROFS\b"),
            Pattern("attempt to write a readonly database"),
            Pattern("read-only volume"),
            Pattern("readonly database"),
        ),
        file,
    ),
    PatternFamily(
        LogFault.LICENCE,
        (
            Pattern("insufficient_quota", trouble=QUOTA_OF_A_PLAN),
            Pattern("exceeded your current quota", trouble=QUOTA_OF_A_PLAN),
            Pattern("credit balance is too low", trouble=QUOTA_OF_A_PLAN),
            Pattern("maximum credits exceeded", trouble=QUOTA_OF_A_PLAN),
            Pattern("billing hard limit", trouble=QUOTA_OF_A_PLAN),
            Pattern("billing_hard_limit_reached", trouble=QUOTA_OF_A_PLAN),
            Pattern("daily user sending limit exceeded", trouble=QUOTA_OF_A_PLAN),
            Pattern("daily message quota exceeded", trouble=QUOTA_OF_A_PLAN),
            Pattern(
                "quota",
                r"(?:monthly|daily|plan|account)(?:'s)? (?:\w+ ){0,2}quota (?:\w+ ){0,3}(?:exceeded|exhausted|used up|reached)",
                trouble=QUOTA_OF_A_PLAN,
            ),
            Pattern("licen", rf"{_LICENCE}.{{0,60}}?{_UNUSABLE}"),
            Pattern("licen", rf"{_UNUSABLE}.{{0,40}}?{_LICENCE}(?!\.(?:txt|md|html)|s?/)"),
            Pattern("licen", r"accept\w*.{0,40}licen[sc]e|licen[sc]e.{0,60}accept"),
            Pattern("eula", r"EULA.*(?:must|not|accept)|accept.*EULA"),
            Pattern("not licensed"),
            Pattern("unlicensed"),
            Pattern("entitlement", r"entitlement.{0,30}(?:expired|invalid|missing|not found)"),
        ),
        file,
    ),
)
