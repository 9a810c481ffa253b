"""What the kernel or the program itself does not allow: a file, an operation, a port, a user."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from diagnostics.pods.crashes._story import Story
from diagnostics.pods.crashes.files._mounted import mount_of
from diagnostics.pods.crashes.kernel._limits import OF_THE_KERNEL, kernel_setting_denied
from kubedoctor.cluster import Cluster, Container, Pod
from kubedoctor.findings import Evidence, Ref, fix_by_hand, quote, quote_spec

_NOT_AS_ROOT = re.compile(
    r"(?:must|should|can ?not|refus\w+ to|do(?:es)? not) (?:be )?(?:run|start)\b.*\bas .?root", re.I
)
_ONLY_AS_ROOT = re.compile(r"must be (?:run|started) as .?root|are you root\?|requires root", re.I)
_TOO_OPEN = re.compile(
    r"must be accessible by owner only|(?:wrong|invalid|insecure|bad) permissions|too open|unprotected private key",
    re.I,
)
_NOT_PERMITTED = re.compile(r"operation not permitted|\bEPERM\b", re.I)
_REFUSED: Final = re.compile(r"(?P<path>/[\w./+@-]+): .{0,60}(?:operation not permitted|permission denied)", re.I)
_ON_VOLUME: Final = (
    "Let the container's user own the files in the volume (fsGroup, or an init container that runs chown), or use a volume "
    "whose file system keeps owners and modes, unlike many network shares"
)
LINES_BEFORE: Final = 12
"""A server ends with an error that names no file; the line about the file stands shortly before."""
_CAPABILITIES = (
    (re.compile(r"\bl?chown|change owner", re.I), "CHOWN"),
    (re.compile(r"\bchmod|change (?:mode|permissions)", re.I), "FOWNER"),
    (
        re.compile(r"\b(?:setuid|setgid|seteuid|setegid|setresuid|setresgid|setgroups|initgroups)", re.I),
        "SETUID and SETGID",
    ),
    (re.compile(r"iptables|nftables|netlink|ip6?tables|\btun\b|ip route|ip link|bpf", re.I), "NET_ADMIN"),
    (re.compile(r"raw socket|\bping\b|SOCK_RAW", re.I), "NET_RAW"),
    (re.compile(r"\bmlock|memory lock", re.I), "IPC_LOCK"),
    (re.compile(r"\bptrace", re.I), "SYS_PTRACE"),
    (re.compile(r"\bu?n?mount\b|\bunshare\b|\bsetns\b", re.I), "SYS_ADMIN"),
)
"""What a line names, and the Linux capability that the kernel requires (capabilities(7))."""


def refused_path(lines: Sequence[str], index: int) -> str:
    """The file that a line before the cause says was refused; empty where none does."""
    for line in reversed(lines[max(0, index - LINES_BEFORE) : index]):
        if (match := _REFUSED.search(line)) is not None:
            return match["path"]
    return ""


def denied(pod: Pod, container: Container, path: str, line: str, about: Ref, cluster: Cluster) -> Story:
    """A right that the container's user lacks. line: of the log; path: the file that it names, if any."""
    user, evidence = _user(pod, container, about, cluster)
    runs_as = f" (runs as user {user})" if user is not None else ""
    text, fix = _judged(container, path, line)
    return Story(f"{text}{runs_as}", evidence=tuple(evidence), fixes=(fix_by_hand(about, fix),))


def _judged(container: Container, path: str, line: str) -> tuple[str, str]:
    """The clause and the fix."""
    name = f"container `{container.name}`"
    if path.startswith(OF_THE_KERNEL):
        return kernel_setting_denied(container, path)
    if _ONLY_AS_ROOT.search(line):
        return "the program must run as root", f"Run {name} as root (runAsUser: 0), or use an image that needs no root"
    if _NOT_AS_ROOT.search(line):
        return "the program refuses to run as root", f"Run {name} as a non-root user (runAsUser)"
    on_path = f" on {path}" if path else ""
    if _TOO_OPEN.search(line):
        return (
            f"other users may read {path or 'a private file'}",
            "Set defaultMode of its volume to 0400, and no fsGroup, or copy the file to an emptyDir and set its mode",
        )
    if _NOT_PERMITTED.search(line):
        return f"operation not permitted{on_path}", _permitting(container, path, line)
    if path and mount_of(container, path) is not None:
        return (
            f"permission denied{on_path}",
            "Set securityContext.fsGroup of the pod, so that the container's group owns the volume",
        )
    return (
        f"permission denied{on_path}",
        f"Run as a user with access to {path or 'the file'}, or mount a volume there with an fsGroup",
    )


def _permitting(container: Container, path: str, line: str) -> str:
    """The kernel refuses the operation whoever owns the file (EPERM, not EACCES)."""
    name = f"container `{container.name}`"
    if path.startswith("/dev/"):
        return f"Give {name} the device: by a device plugin, or with securityContext.privileged"
    capability = next((named for pattern, named in _CAPABILITIES if pattern.search(line)), "")
    if capability:
        return f"Add the capability {capability} to {name}, or avoid the operation"
    if path and mount_of(container, path) is not None:
        return _ON_VOLUME
    return f"Add the Linux capability that the operation needs to {name}, or avoid the operation"


def low_port(pod: Pod, container: Container, address: str, about: Ref, cluster: Cluster) -> Story:
    """Binding a port below 1024 needs root or the capability NET_BIND_SERVICE."""
    user, evidence = _user(pod, container, about, cluster)
    port = address.rpartition(":")[2]
    runs_as = f" (runs as user {user})" if user is not None else ""
    named = f"port {port}" if port.isdigit() else "its port"
    fix = fix_by_hand(
        about,
        f"Listen on a port from 1024 up in container `{container.name}` and set the targetPort of its Service to it, "
        "or add the capability NET_BIND_SERVICE",
    )
    text = f"it may not bind {named}: ports below 1024 are privileged{runs_as}"
    return Story(text, evidence=tuple(evidence), fixes=(fix,))


def _user(pod: Pod, container: Container, about: Ref, cluster: Cluster) -> tuple[int | None, list[Evidence]]:
    """The user that the container runs as, where its spec or its pod's says so."""
    shows = "the user that the container runs as"
    if container.security_context is not None and container.security_context.run_as_user is not None:
        evidence = quote_spec(pod, cluster, about, container.name, "securityContext.runAsUser", shows)
        return container.security_context.run_as_user, evidence
    if pod.spec.security_context is not None and pod.spec.security_context.run_as_user is not None:
        user = pod.spec.security_context.run_as_user
        return user, [quote(pod, "spec.securityContext.runAsUser", shows)] if user else []
    return None, []
