"""Which check belongs to which level since which release, and what they say of a pod (`policy/registry.go`, v1.37)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import msgspec

from kubedoctor.cluster.kinds.pods import PodSpec
from kubedoctor.replay.admission.pod_security import baseline, restricted
from kubedoctor.replay.admission.pod_security.levels import PRIVILEGED, RESTRICTED, PodSecurityLevel
from kubedoctor.replay.admission.pod_security.pieces import JudgedPod


class Violation(msgspec.Struct, frozen=True):
    """What a check finds: its id, and the two parts of the API server's words."""

    check: str
    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})"


class _Check(NamedTuple):
    id: str
    reason: str
    find: Callable[[JudgedPod, int], str]
    since: int = 0
    overrides: str = ""


_BASELINE: Final = (
    _Check("appArmorProfile", "forbidden AppArmor profile", baseline.app_armor),
    _Check("capabilities_baseline", "non-default capabilities", baseline.capabilities),
    _Check("hostNamespaces", "host namespaces", baseline.host_namespaces),
    _Check("hostPathVolumes", "hostPath volumes", baseline.host_path_volumes),
    _Check("hostPorts", "hostPort", baseline.host_ports),
    _Check("hostProbesAndHostLifecycle", "probe or lifecycle host", baseline.handler_hosts, 34),
    _Check("privileged", "privileged", baseline.privileged),
    _Check("procMount", "procMount", baseline.proc_mount_of_host_users),
    _Check("seLinuxOptions", "seLinuxOptions", baseline.selinux),
    _Check("seccompProfile_baseline", "seccompProfile", baseline.seccomp),
    _Check("sysctls", "forbidden sysctls", baseline.sysctls),
    _Check("windowsHostProcess", "hostProcess", baseline.host_process),
)
_RESTRICTED: Final = (
    _Check("allowPrivilegeEscalation", "allowPrivilegeEscalation != false", restricted.privilege_escalation, 8),
    _Check(
        "capabilities_restricted", "unrestricted capabilities", restricted.capabilities, 22, "capabilities_baseline"
    ),
    _Check("procMount_restricted", "procMount", baseline.proc_mount, 35, "procMount"),
    _Check("restrictedVolumes", "restricted volume types", restricted.volumes, 0, "hostPathVolumes"),
    _Check("runAsNonRoot", "runAsNonRoot != true", restricted.non_root),
    _Check("runAsUser", "runAsUser=0", restricted.root_user, 23),
    _Check("seccompProfile_restricted", "seccompProfile", restricted.seccomp, 19, "seccompProfile_baseline"),
)


def violations(
    spec: PodSpec, annotations: Mapping[str, str], level: PodSecurityLevel, server_minor: int | None = None
) -> tuple[Violation, ...]:
    """What the level forbids in a pod, in the order of the API server's message; empty where it is admitted.

    server_minor: the release of the API server, which knows no newer checks; None is one that knows all.
    """
    if level.name == PRIVILEGED:
        return ()
    minor, pod = level.judged_by(server_minor), JudgedPod(spec, annotations)
    checks = [check for check in _BASELINE if minor >= check.since]
    if level.name == RESTRICTED:
        added = [check for check in _RESTRICTED if minor >= check.since]
        overridden = {check.overrides for check in added}
        checks = [check for check in checks if check.id not in overridden] + added
    return tuple(_violation(check, detail) for check in checks if (detail := check.find(pod, minor)))


def _violation(check: _Check, detail: str) -> Violation:
    several = check.id == "appArmorProfile" and baseline.app_armor_values(detail) > 1
    return Violation(check.id, f"{check.reason}s" if several else check.reason, detail)
