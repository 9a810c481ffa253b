"""The checks of level baseline: each gives the detail of its answer, empty where the pod meets it.

`pod-security-admission/policy/check_*.go`, v1.37.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from kubedoctor.cluster.kinds.containers import Container, LifecycleHandler, Probe
from kubedoctor.replay.admission.pod_security.pieces import JudgedPod, of_containers, plural, quoted, setters

DEFAULT_CAPABILITIES: Final = frozenset(
    [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ]
)
PROFILES: Final = ("RuntimeDefault", "Localhost")
"""The types of profiles that seccomp and AppArmor may have."""
APP_ARMOR_ANNOTATION: Final = "container.apparmor.security.beta.kubernetes.io/"
SECCOMP_ANNOTATION: Final = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_CONTAINER_ANNOTATION: Final = "container.seccomp.security.alpha.kubernetes.io/"
_SELINUX: Final = ("", "container_t", "container_init_t", "container_kvm_t")
_SYSCTLS: Final = {
    0: (
        *("kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies"),
        *("net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start"),
    ),
    27: ("net.ipv4.ip_local_reserved_ports",),
    29: (
        *("net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout"),
        *("net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes"),
    ),
    32: ("net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"),
    37: ("net.ipv4.tcp_slow_start_after_idle", "net.ipv4.tcp_notsent_lowat"),
}
"""The sysctls that are safe from a release on."""


def app_armor(pod: JudgedPod, minor: int) -> str:
    own = pod.spec.security_context
    profiles = {name: context.app_armor_profile for name, context in pod.contexts if context.app_armor_profile}
    of_pod = own.app_armor_profile if own is not None else None
    bad = {name: kind for name, profile in profiles.items() if (kind := profile.get("type", "")) not in PROFILES}
    bad_pod = of_pod is not None and of_pod.get("type", "") not in PROFILES
    kinds = set(bad.values()) | ({of_pod.get("type", "")} if bad_pod and of_pod is not None else set())
    annotations = sorted(
        f"{key}={json.dumps(value)}"
        for key, value in pod.annotations.items()
        if key.startswith(APP_ARMOR_ANNOTATION) and value not in ("", "runtime/default")
        if not value.startswith("localhost/")
    )
    who = setters(bad_pod, list(bad))
    if annotations:
        who = " and ".join(filter(None, (who, plural("annotation", len(annotations)))))
    values = [*sorted(kinds), *annotations]
    return f"{who} must not set AppArmor profile type to {quoted(values)}" if who else ""


def app_armor_values(detail: str) -> int:
    """How many values the detail names: its reason is in the plural for several."""
    return detail.partition(" type to ")[2].count('", "') + 1


def capabilities(pod: JudgedPod, minor: int) -> str:
    added = {
        name: set(context.capabilities.add or ()) - DEFAULT_CAPABILITIES
        for name, context in pod.contexts
        if context.capabilities
    }
    bad = [name for name, forbidden in added.items() if forbidden]
    forbidden = sorted(set().union(*added.values()))
    return (
        f"{of_containers(bad)} must not include {quoted(forbidden)} in securityContext.capabilities.add" if bad else ""
    )


def host_namespaces(pod: JudgedPod, minor: int) -> str:
    spec = pod.spec
    flags = (("hostNetwork", spec.host_network), ("hostPID", spec.host_pid), ("hostIPC", spec.host_ipc))
    return ", ".join(f"{name}=true" for name, on in flags if on)


def host_path_volumes(pod: JudgedPod, minor: int) -> str:
    bad = [volume.name for volume in pod.spec.volumes or () if volume.host_path is not None]
    return f"{plural('volume', len(bad))} {quoted(bad)}" if bad else ""


def host_ports(pod: JudgedPod, minor: int) -> str:
    used = {
        container.name: {str(port.host_port) for port in container.ports or () if port.host_port}
        for container in pod.containers
    }
    bad = [name for name, ports in used.items() if ports]
    ports = sorted(set().union(*used.values()))
    if not bad:
        return ""
    return f"{of_containers(bad)} {plural('uses', len(bad), 'use')} {plural('hostPort', len(ports))} {', '.join(ports)}"


def handler_hosts(pod: JudgedPod, minor: int) -> str:
    hosts = {container.name: set(_hosts(container)) for container in pod.containers}
    bad = sorted(name for name, own in hosts.items() if own)
    named = sorted(set().union(*hosts.values()))
    if not bad:
        return ""
    verb, many = plural("uses", len(bad), "use"), plural("probe or lifecycle host", len(named))
    return f"{of_containers(bad)} {verb} {many} {quoted(named)}"


def _hosts(container: Container) -> list[str]:
    cycle = container.lifecycle
    handlers: list[Probe | LifecycleHandler | None] = [
        *(container.liveness_probe, container.readiness_probe, container.startup_probe),
        *((cycle.post_start, cycle.pre_stop) if cycle is not None else ()),
    ]
    actions = [action for one in handlers if one is not None for action in (one.http_get, one.tcp_socket)]
    return [action.host for action in actions if action is not None and action.host]


def privileged(pod: JudgedPod, minor: int) -> str:
    bad = [name for name, context in pod.contexts if context.privileged]
    return f"{of_containers(bad)} must not set securityContext.privileged=true" if bad else ""


def proc_mount_of_host_users(pod: JudgedPod, minor: int) -> str:
    return "" if minor >= 35 and pod.own_users else proc_mount(pod, minor)


def proc_mount(pod: JudgedPod, minor: int) -> str:
    bad = {name: context.proc_mount for name, context in pod.contexts if context.proc_mount not in (None, "Default")}
    kinds = sorted({kind for kind in bad.values() if kind is not None})
    return f"{of_containers(list(bad))} must not set securityContext.procMount to {quoted(kinds)}" if bad else ""


def selinux(pod: JudgedPod, minor: int) -> str:
    allowed = (*_SELINUX, *(("container_engine_t",) if minor >= 31 else ()))
    options = {name: context.se_linux_options for name, context in pod.contexts if context.se_linux_options}
    own = pod.spec.security_context.se_linux_options if pod.spec.security_context is not None else None

    def is_bad(one: Mapping[str, Any]) -> bool:
        return one.get("type", "") not in allowed or bool(one.get("user")) or bool(one.get("role"))

    bad = {name: one for name, one in options.items() if is_bad(one)}
    faulty = [*bad.values(), *((own,) if own and is_bad(own) else ())]
    if not faulty:
        return ""
    types = sorted({one["type"] for one in faulty if one.get("type", "") not in allowed})
    data = [f"{plural('type', len(types))} {quoted(types)}"] if types else []
    data += [f"{field} may not be set" for field in ("user", "role") if any(one.get(field) for one in faulty)]
    who = setters(bool(own and is_bad(own)), list(bad))
    return f"{who} set forbidden securityContext.seLinuxOptions: {'; '.join(data)}"


def seccomp(pod: JudgedPod, minor: int) -> str:
    return _seccomp_annotations(pod) if minor < 19 else seccomp_fields(pod)


def seccomp_fields(pod: JudgedPod) -> str:
    """Profiles that are set to what no level but privileged allows."""
    own = pod.spec.security_context.seccomp_profile if pod.spec.security_context is not None else None
    profiles = {name: context.seccomp_profile for name, context in pod.contexts if context.seccomp_profile is not None}
    bad = {name: kind for name, profile in profiles.items() if (kind := profile.get("type", "")) not in PROFILES}
    bad_pod = own is not None and own.get("type", "") not in PROFILES
    kinds = sorted({*bad.values(), *((own.get("type", ""),) if bad_pod and own is not None else ())})
    who = setters(bad_pod, list(bad))
    return f"{who} must not set securityContext.seccompProfile.type to {quoted(kinds)}" if who else ""


def _seccomp_annotations(pod: JudgedPod) -> str:
    keys = [SECCOMP_ANNOTATION, *(f"{SECCOMP_CONTAINER_ANNOTATION}{container.name}" for container in pod.containers)]
    bad = sorted(
        {
            f"{key}={json.dumps(pod.annotations[key])}"
            for key in keys
            if key in pod.annotations
            and pod.annotations[key] not in ("runtime/default", "docker/default")
            and not pod.annotations[key].startswith("localhost/")
        }
    )
    return f"forbidden {plural('annotation', len(bad))} {', '.join(bad)}" if bad else ""


def sysctls(pod: JudgedPod, minor: int) -> str:
    allowed = {name for since, names in _SYSCTLS.items() if minor >= since for name in names}
    context = pod.spec.security_context
    named = [one.get("name", "") for one in (context.sysctls or ())] if context is not None else []
    return ", ".join(name for name in named if name not in allowed)


def host_process(pod: JudgedPod, minor: int) -> str:
    own = pod.spec.security_context
    bad = [name for name, context in pod.contexts if (context.windows_options or {}).get("hostProcess")]
    of_pod = own is not None and bool((own.windows_options or {}).get("hostProcess"))
    who = setters(of_pod, bad)
    return f"{who} must not set securityContext.windowsOptions.hostProcess=true" if who else ""
