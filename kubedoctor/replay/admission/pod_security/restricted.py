"""The checks that level restricted adds: each gives the detail of its answer, empty where the pod meets it.

`pod-security-admission/policy/check_*.go`, v1.37.
"""

from __future__ import annotations

from typing import Final

import msgspec

from kubedoctor.cluster.kinds.volumes import Volume
from kubedoctor.replay.admission.pod_security.baseline import seccomp_fields
from kubedoctor.replay.admission.pod_security.pieces import JudgedPod, of_containers, plural, quoted, setters

ALLOWED_CAPABILITY: Final = "NET_BIND_SERVICE"
_ALLOWED_VOLUMES: Final = (
    *("config_map", "csi", "downward_api", "empty_dir", "ephemeral", "image"),
    *("persistent_volume_claim", "projected", "secret"),
)


def privilege_escalation(pod: JudgedPod, minor: int) -> str:
    if minor >= 25 and pod.is_windows:
        return ""
    bad = escalating(pod)
    return f"{of_containers(bad)} must set securityContext.allowPrivilegeEscalation=false" if bad else ""


def escalating(pod: JudgedPod) -> list[str]:
    """The containers that may escalate, by name."""
    set_ = {name for name, context in pod.contexts if context.allow_privilege_escalation is False}
    return [container.name for container in pod.containers if container.name not in set_]


def capabilities(pod: JudgedPod, minor: int) -> str:
    if minor >= 25 and pod.is_windows:
        return ""
    keeping, added = keeping_capabilities(pod), forbidden_capabilities(pod)
    details = [f'{of_containers(keeping)} must set securityContext.capabilities.drop=["ALL"]'] if keeping else []
    if added:
        names = quoted(sorted(set().union(*added.values())))
        details.append(f"{of_containers(list(added))} must not include {names} in securityContext.capabilities.add")
    return "; ".join(details)


def keeping_capabilities(pod: JudgedPod) -> list[str]:
    """The containers that do not drop all capabilities, by name."""
    dropping = {
        name for name, context in pod.contexts if context.capabilities and "ALL" in (context.capabilities.drop or ())
    }
    return [container.name for container in pod.containers if container.name not in dropping]


def forbidden_capabilities(pod: JudgedPod) -> dict[str, set[str]]:
    """The capabilities that containers add and may not."""
    added = {
        name: set(context.capabilities.add or ()) - {ALLOWED_CAPABILITY}
        for name, context in pod.contexts
        if context.capabilities
    }
    return {name: forbidden for name, forbidden in added.items() if forbidden}


def volumes(pod: JudgedPod, minor: int) -> str:
    bad = {volume.name: _source(volume) for volume in pod.spec.volumes or () if not _is_allowed(volume)}
    if not bad:
        return ""
    types = sorted(set(bad.values()))
    verb = plural("uses", len(bad), "use")
    return f"{plural('volume', len(bad))} {quoted(bad)} {verb} {plural('restricted volume type', len(types))} {quoted(types)}"


def _is_allowed(volume: Volume) -> bool:
    return any(getattr(volume, field) is not None for field in _ALLOWED_VOLUMES)


def _source(volume: Volume) -> str:
    """Its type as the API spells it."""
    for field in msgspec.structs.fields(Volume):
        if field.name not in ("name", *_ALLOWED_VOLUMES) and getattr(volume, field.name) is not None:
            return field.encode_name
    return "unknown"


def non_root(pod: JudgedPod, minor: int) -> str:
    if minor >= 35 and pod.own_users:
        return ""
    own = pod.spec.security_context
    of_pod = own.run_as_non_root if own is not None else None
    denying = [name for name, context in pod.contexts if context.run_as_non_root is False]
    if who := setters(of_pod is False, denying):
        return f"{who} must not set securityContext.runAsNonRoot=false"
    bad = silent_about_root(pod) if not of_pod else []
    return f"pod or {of_containers(bad)} must set securityContext.runAsNonRoot=true" if bad else ""


def silent_about_root(pod: JudgedPod) -> list[str]:
    """The containers that do not set runAsNonRoot, by name."""
    saying = {name for name, context in pod.contexts if context.run_as_non_root is not None}
    return [container.name for container in pod.containers if container.name not in saying]


def root_user(pod: JudgedPod, minor: int) -> str:
    if minor >= 35 and pod.own_users:
        return ""
    own = pod.spec.security_context
    bad = [name for name, context in pod.contexts if context.run_as_user == 0]
    who = setters(own is not None and own.run_as_user == 0, bad)
    return f"{who} must not set runAsUser=0" if who else ""


def seccomp(pod: JudgedPod, minor: int) -> str:
    if minor >= 25 and pod.is_windows:
        return ""
    if detail := seccomp_fields(pod):
        return detail
    own = pod.spec.security_context
    if own is not None and own.seccomp_profile is not None:
        return ""
    saying = {name for name, context in pod.contexts if context.seccomp_profile is not None}
    bad = [container.name for container in pod.containers if container.name not in saying]
    must = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return f"pod or {of_containers(bad)} {must}" if bad else ""
