"""Container cannot be created because of its securityContext.

## What it means
The kubelet or the container runtime cannot apply the container's `securityContext`, or is not allowed to. The
container is not created (`CreateContainerConfigError`, `CreateContainerError`).

## Why it happens
- `runAsNonRoot: true` is set, and the image runs as root, or its user is a name that the kubelet cannot verify.
- A seccomp or AppArmor profile does not exist on the node.
- A capability or sysctl is unknown or not allowed.

## How to fix it
1. Set `runAsUser` to a number other than 0, and give this user access to the program's files.
2. Or build the image with a numeric user, such as `USER 1000`.
3. Install the profile on every node, or use `RuntimeDefault`.

## References
- https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.pods._consequences import CONSEQUENCES
from kubedoctor.cluster import WORKLOADS, Cluster, Pod, troubled, visible_end
from kubedoctor.findings import (
    Confidence,
    ContainerWithStatus,
    Finding,
    Fix,
    Ref,
    Severity,
    active,
    at_fault,
    container_command,
    containers_with_status,
    diagnostic,
    fix_by_hand,
    look_at_pod,
    quote_pod_spec,
    quote_spec,
    quote_status,
)
from kubedoctor.replay.kubelet.container_errors import SecurityProblem, reason_in, security_problem
from kubedoctor.replay.kubelet.endings import failing, last_ending

REASONS = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
PATCHED = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"})
_PROBLEMS = {
    SecurityProblem.SECCOMP: "the seccomp profile cannot be used",
    SecurityProblem.APPARMOR: "the AppArmor profile cannot be used",
    SecurityProblem.CAPABILITY: "a capability cannot be added",
    SecurityProblem.SELINUX: "the SELinux label cannot be used",
    SecurityProblem.SYSCTL: "a sysctl is not allowed on the node",
    SecurityProblem.HOST_USERS: "user namespaces (hostUsers: false) cannot be used",
}
_FIXES = {
    SecurityProblem.SECCOMP: "Correct the seccompProfile, or put the profile on the nodes",
    SecurityProblem.APPARMOR: "Correct the AppArmor profile, or load it on the nodes",
    SecurityProblem.CAPABILITY: "Correct or remove the capability in securityContext.capabilities",
    SecurityProblem.SELINUX: "Correct seLinuxOptions, or load the policy with this type on the nodes",
    SecurityProblem.SYSCTL: "Remove the sysctl from securityContext.sysctls, or allow it in the nodes' kubelets",
    SecurityProblem.HOST_USERS: "Remove hostUsers: false, or use nodes that support user namespaces",
}
_ROOT = (SecurityProblem.ROOT_IMAGE, SecurityProblem.NAMED_USER, SecurityProblem.ROOT_USER)


@diagnostic(
    code="KD1015",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=WORKLOADS,
    when=troubled,
    explains=CONSEQUENCES,
    symptoms=("CreateContainerConfigError", "runAsNonRoot"),
)
def security_context_refused(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if not active(pod):
        return
    for part in containers_with_status(pod):
        message, place = _message(part, cluster)
        problem = security_problem(message)
        if problem is not None:
            yield _finding(pod, part, problem, message, place, cluster)


def _message(part: ContainerWithStatus, cluster: Cluster) -> tuple[str, str]:
    """The message of the kubelet or the runtime, and its path in the status."""
    waiting = part.status.state.waiting if part.status.state else None
    if waiting is not None and waiting.reason in REASONS:
        return waiting.message, "state.waiting"
    ending = last_ending(part.status)
    if ending is not None and ending.never_ran and failing(part.status, cluster.taken_at):
        return ending.terminated.message, ending.place
    return "", ""


def _finding(
    pod: Pod, part: ContainerWithStatus, problem: SecurityProblem, message: str, place: str, cluster: Cluster
) -> Finding:
    name = part.container.name
    about = at_fault(pod, cluster)
    setting = "securityContext.runAsNonRoot" if problem in _ROOT else "securityContext"
    evidence = quote_status(pod, name, f"{place}.reason", f"{place}.message")
    evidence += quote_spec(pod, cluster, about, name, setting, "the setting") or quote_pod_spec(
        pod, cluster, about, f"spec.{setting}", "the setting for all containers"
    )
    image = part.container.image
    words = {
        SecurityProblem.ROOT_IMAGE: f"runAsNonRoot is set, but image {image} runs as root",
        SecurityProblem.ROOT_USER: "runAsNonRoot is set, but runAsUser is 0 (root)",
        SecurityProblem.NAMED_USER: f"runAsNonRoot is set, but the user of image {image} is a name, not a number",
    }.get(problem) or f"{_PROBLEMS[problem]}: {visible_end(reason_in(message), 200)}"
    return Finding(
        about=about,
        summary=f"container `{name}`: {words}",
        confidence=Confidence.CERTAIN,
        evidence=tuple(evidence),
        fixes=(_fix(part, problem, about, cluster),),
        commands=(look_at_pod(pod, "the full error message, under Events"),),
        aspect=name,
    )


def _fix(part: ContainerWithStatus, problem: SecurityProblem, about: Ref, cluster: Cluster) -> Fix:
    if problem not in _ROOT:
        return fix_by_hand(about, _FIXES[problem])
    summary = f"Run container `{part.container.name}` as a non-root user, such as 1000, with access to its files"
    if about.kind not in PATCHED:
        return Fix(summary)
    run_as_user = ("securityContext", "runAsUser")
    return Fix(summary, container_command(cluster.maybe.get_ref(about), (part.container.name,), run_as_user, 1000))
