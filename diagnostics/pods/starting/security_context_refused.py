"""A security setting keeps a container from being started.

## What it means
The kubelet or the runtime cannot give the container what its `securityContext` demands, or must not. The container is
never made.

## Why it happens
- `runAsNonRoot: true`, and the image runs as root, or names its user by a word that the kubelet cannot check.
- A seccomp or AppArmor profile is not on the node.
- A capability or sysctl is not known or not allowed.

## How to fix it
1. Set `runAsUser` to a number that is not 0, and see that the program's files may be used by it.
2. Or build the image with `USER 1000` instead of a word.
3. Put the profile on every node, or use `RuntimeDefault`.

## References
- https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster import Cluster, Pod
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.cluster.relations.workloads import WORKLOADS
from kubedoctor.cluster.triage import troubled
from kubedoctor.findings import Confidence, Finding, Fix, Ref, Severity, diagnostic
from kubedoctor.findings.commands import change, container_command, look_at_pod
from kubedoctor.findings.containers import (
    CONSEQUENCES,
    ContainerWithStatus,
    at_fault,
    parts_of,
    quote_pod_spec,
    quote_spec,
    quote_status,
    stays,
)
from kubedoctor.replay.kubelet.container_errors import SecurityProblem, security_problem
from kubedoctor.replay.kubelet.endings import failing, last_ending

REASONS = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
PATCHED = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"})
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
    if not stays(pod):
        return
    for part in parts_of(pod):
        message, place = _message(part, cluster)
        problem = security_problem(message)
        if problem is not None:
            yield _finding(pod, part, problem, message, place, cluster)


def _message(part: ContainerWithStatus, cluster: Cluster) -> tuple[str, str]:
    """What the kubelet or the runtime says, and where it stands."""
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
    demand = "securityContext.runAsNonRoot" if problem in _ROOT else "securityContext"
    evidence = quote_status(pod, name, f"{place}.reason", f"{place}.message")
    evidence += quote_spec(pod, cluster, about, name, demand, "what is demanded") or quote_pod_spec(
        pod, cluster, about, f"spec.{demand}", "what is demanded of all containers"
    )
    said = {
        SecurityProblem.ROOT_IMAGE: f"runAsNonRoot is set, and the image {part.container.image} runs as root",
        SecurityProblem.ROOT_USER: "runAsNonRoot is set, and so is runAsUser 0",
        SecurityProblem.NAMED_USER: f"runAsNonRoot is set, and the image {part.container.image} names its user by a word",
    }.get(problem, f"container {name}: {problem.value}: {visible(' '.join(message.split()), 160)}")
    return Finding(
        about=about,
        summary=said,
        confidence=Confidence.CERTAIN,
        evidence=tuple(evidence),
        fixes=(_fix(part, problem, about, cluster),),
        commands=(look_at_pod(pod, "the whole message"),),
        aspect=name,
    )


def _fix(part: ContainerWithStatus, problem: SecurityProblem, about: Ref, cluster: Cluster) -> Fix:
    if problem not in _ROOT:
        return change(about, "Correct the securityContext, or prepare the nodes for it")
    why = "Let it run as a user that is not root, 1000 for example; its files must allow that"
    if about.kind not in PATCHED:
        return Fix(why, "")
    return Fix(
        why,
        container_command(cluster.maybe.get_ref(about), (part.container.name,), ("securityContext", "runAsUser"), 1000),
    )
