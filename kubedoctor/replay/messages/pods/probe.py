"""How a probe fails: pkg/probe, pkg/kubelet/prober; a probe of a mesh's own port speaks for its proxy."""

from __future__ import annotations

from typing import Final

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.phrases import Area, Phrase

_C, _F = MessageClass, Culprit

_OF_A_MESH = Phrase(
    _C.MESH_PROXY_NOT_READY,
    _F.CLUSTER_ADDON,
    r":15021/|:15020/(healthz|app-health|ready)|:4191/(ready|live)|:15000/|envoy proxy is NOT ready"
    r"|/healthz/ready\"?: dial tcp \S+:150|consul-dataplane|:20300/|:19901/ready|pilot-agent",
)
RESULTS: Final = (
    Phrase(
        _C.PROBE_COMMAND,
        _F.TEMPLATE,
        r"(?P<port>couldn't find port|\bport \"[^\"]*\" not found|invalid port|strconv\.\w+: parsing)",
    ),
    Phrase(
        _C.PROBE_HEALTHY,
        _F.NOTHING,
        r"probe warning: ",
    ),
    Phrase(
        _C.PROBE_PROTOCOL,
        _F.TEMPLATE,
        r"server gave HTTP response to HTTPS client|malformed HTTP (response|version|status)"
        r"|client sent an HTTP request to an HTTPS server|first record does not look like a TLS handshake|tls: "
        r"|x509: |http2: frame|error reading server preface|http/0\.9|remote error: tls|frame too large"
        r"|wrong version number|statuscode: (400|426).*TLS|HTTP/1\.x transport connection broken"
        r"|unsupported protocol|authentication handshake failed|error reading preface",
    ),
    Phrase(
        _C.PROBE_STATUS_CODE,
        _F.IMAGE,
        r"status ?code:? (?P<status>\d{3})|service unhealthy|NOT_SERVING|SERVICE_UNKNOWN"
        r"|responded with \"?(NOT_SERVING|UNKNOWN)|health rpc failed|server does not implement the grpc health"
        r"|code = (Unimplemented|NotFound|Unknown|Internal|Unauthenticated|PermissionDenied"
        r"|Unavailable)(?!.*(exec|container))(?!.*connection refused)|unknown service",
    ),
    Phrase(
        _C.PROBE_TIMEOUT,
        _F.IMAGE,
        r"command .{0,200}timed out|timed out after|timeout \S+ exceeded|context deadline exceeded",
    ),
    Phrase(
        _C.PROBE_COMMAND,
        _F.NODE,
        # runc, crun and conmon before they run the command: its program is not asked yet.
        r"(failed to exec|exec failed|OCI runtime|rpc error).{0,600}(?P<runtime>(error|failed) (adding|to add) (the )?pid"
        r"|adding pid \d+ to cgroups?|to (join|enter|move to) (the )?(target )?cgroup|cgroup\.procs|setns process|procReady|init-p\b"
        r"|too many open files|cannot allocate memory|resource temporarily unavailable|no space left on device"
        r"|input/output error|read-only file system|/run/(containerd|crio|runc|crun)/|(containerd|crio|cri-dockerd)\.sock"
        r"|connection error: desc|transport is closing|ttrpc: closed|shim|/proc/\d+/ns/)",
    ),
    Phrase(
        _C.PROBE_COMMAND,
        _F.TEMPLATE,
        r"(?P<missing>executable file not found|exec(: | failed).{0,400}no such file or directory|\bsh: .{0,80}not found"
        r"|command not found)",
    ),
    Phrase(
        _C.PROBE_COMMAND,
        _F.TEMPLATE,
        r"failed to exec|exec failed|command .*not found|OCI runtime exec|exec format"
        r"|exec: |cannot exec|container not running|task \S+ not found|starting container process caused",
    ),
    Phrase(
        _C.PROBE_TIMEOUT,
        _F.IMAGE,
        r"(dial tcp|Get \"|Head \"|Client\.Timeout|grpc|within|service \"|failed to connect service|i/o"
        r"|command ).*(timed out|timeout|deadline exceeded|no route to host|unreachable|within \d)"
        r"|Client\.Timeout|i/o timeout|deadline exceeded"
        r"|^\S+ probe \w+( and resulted in unknown state)?: (command )?.*timed out|timeout: failed"
        r"|no route to host|host is unreachable",
    ),
    Phrase(
        _C.PROBE_REFUSED,
        _F.IMAGE,
        r"(dial tcp|Get \"|transport:|failed to connect service).*(connection refused|cannot assign requested address"
        r"|(?P<reset>connection reset|EOF|broken pipe))|dial tcp .*refused|connectex",
    ),
    Phrase(_C.PROBE_COMMAND, _F.TEMPLATE, r"probe (failed|errored)"),
)
"""How the kubelet's own attempt ended, whoever answers."""

PROBE = Area("probe", (_OF_A_MESH, *RESULTS), (_C.PROBE_COMMAND, _F.TEMPLATE))
