"""The smallest change of a pod template that a level admits, as far as it takes nothing from the program that it asked
for: what a pod requests of its node (privileges, host paths, host ports) is for a person to decide."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from kubedoctor.cluster.changes import Path, Step
from kubedoctor.cluster.kinds.containers import Container, SecurityContext
from kubedoctor.cluster.kinds.pods import PodSpec
from kubedoctor.replay.admission.pod_security.baseline import PROFILES
from kubedoctor.replay.admission.pod_security.checks import Violation, violations
from kubedoctor.replay.admission.pod_security.levels import PodSecurityLevel
from kubedoctor.replay.admission.pod_security.pieces import JudgedPod
from kubedoctor.replay.admission.pod_security.restricted import (
    escalating,
    forbidden_capabilities,
    keeping_capabilities,
    silent_about_root,
)

_CONTEXT: Final = "securityContext"
_RUNTIME_DEFAULT: Final = {"type": PROFILES[0]}


class TemplateRepair(msgspec.Struct, frozen=True):
    """steps: paths from the top of the pod spec. left: what they do not settle, for a person to decide."""

    steps: tuple[Step, ...]
    left: tuple[Violation, ...]


def repair(
    spec: PodSpec, annotations: Mapping[str, str], level: PodSecurityLevel, server_minor: int | None = None
) -> TemplateRepair:
    """The steps for what the level forbids in a pod; annotations, which set profiles before 1.19, stay as they are."""
    pod, steps, left = JudgedPod(spec, annotations), [], []
    for violation in violations(spec, annotations, level, server_minor):
        settle = _SETTLED.get(violation.check) if not violation.detail.startswith("forbidden annotation") else None
        own = settle(pod) if settle is not None else None
        if own is None:
            left.append(violation)
        else:
            steps += own
    return TemplateRepair(tuple(steps), tuple(left))


def _each(pod: JudgedPod, names: list[str]) -> list[tuple[Path, Container]]:
    """The containers of these names with their places in the spec."""
    spec = pod.spec
    lists = {
        "initContainers": spec.init_containers,
        "containers": spec.containers,
        "ephemeralContainers": spec.ephemeral_containers,
    }
    return [
        ((field, index), container)
        for field, containers in lists.items()
        for index, container in enumerate(containers or ())
        if container.name in names
    ]


def _escalation(pod: JudgedPod) -> list[Step]:
    return [Step((*place, _CONTEXT, "allowPrivilegeEscalation"), False) for place, _ in _each(pod, escalating(pod))]


def _capabilities(pod: JudgedPod) -> list[Step] | None:
    if forbidden_capabilities(pod):
        return None
    keeping = _each(pod, keeping_capabilities(pod))
    return [Step((*place, _CONTEXT, "capabilities", "drop"), ["ALL"]) for place, _ in keeping]


def _non_root(pod: JudgedPod) -> list[Step] | None:
    """At the pod, which speaks for all containers; whoever says that it runs as root means it."""
    if any(context.run_as_non_root is False for _, context in pod.contexts):
        return None
    own = pod.spec.security_context
    if (own is not None and own.run_as_non_root is False) or not silent_about_root(pod):
        return None
    return [Step((_CONTEXT, "runAsNonRoot"), True)]


def _seccomp(pod: JudgedPod) -> list[Step]:
    """The profile of the runtime, at the pod where nothing is set and in place of what the level forbids."""
    silent = any(
        container.security_context is None or container.security_context.seccomp_profile is None
        for container in pod.containers
    )
    at_pod = [Step((_CONTEXT, "seccompProfile"), _RUNTIME_DEFAULT)]
    return [*(at_pod if _own_seccomp(pod) is None and silent else ()), *_instead_of_forbidden(pod)]


def _instead_of_forbidden(pod: JudgedPod) -> list[Step]:
    named = [name for name, context in pod.contexts if _is_forbidden(context.seccomp_profile)]
    places: list[Path] = [place for place, _ in _each(pod, named)]
    places = [(), *places] if _is_forbidden(_own_seccomp(pod)) else places
    return [Step((*place, _CONTEXT, "seccompProfile"), _RUNTIME_DEFAULT) for place in places]


def _own_seccomp(pod: JudgedPod) -> Mapping[str, object] | None:
    return pod.spec.security_context.seccomp_profile if pod.spec.security_context is not None else None


def _is_forbidden(profile: Mapping[str, object] | None) -> bool:
    return profile is not None and profile.get("type", "") not in PROFILES


_SETTLED: Final[dict[str, Callable[[JudgedPod], list[Step] | None]]] = {
    "allowPrivilegeEscalation": _escalation,
    "capabilities_restricted": _capabilities,
    "runAsNonRoot": _non_root,
    "seccompProfile_baseline": _instead_of_forbidden,
    "seccompProfile_restricted": _seccomp,
}


def in_whole_contexts(steps: Iterable[Step], spec: PodSpec) -> tuple[Step, ...]:
    """The same change with one step for each security context that does not exist yet."""
    existing: dict[Path, SecurityContext | None] = {(): spec.security_context} | {
        (field, index): container.security_context
        for field, containers in (("initContainers", spec.init_containers or ()), ("containers", spec.containers))
        for index, container in enumerate(containers)
    }
    contexts: dict[Path, dict[str, Any]] = {}
    other: list[Step] = []
    for step in steps:
        place, (_, *rest) = step.path[: step.path.index(_CONTEXT)], step.path[step.path.index(_CONTEXT) :]
        if existing.get(place) is not None:
            other.append(step)
            continue
        inner = contexts.setdefault((*place, _CONTEXT), {})
        for name in rest[:-1]:
            inner = inner.setdefault(str(name), {})
        inner[str(rest[-1])] = step.value
    return (*(Step(path, value) for path, value in contexts.items()), *other)
