"""A container cannot be started.

## What it means
The image is there, but the container runtime could not make the container or execute its program. The program itself
never ran, so that its log is empty: the reason stands in the container's status.

## Why it happens
- The command does not exist in the image, or is no executable file (exit codes 126, 127, 128).
- The program is for another processor: an arm64 image on an amd64 node (`exec format error`).
- The image has neither ENTRYPOINT nor CMD, and the pod names no command.
- A file is mounted over a directory, or the reverse; a `subPath` does not exist.

## How to fix it
1. Compare `command` and `args` with the image: `command` replaces its ENTRYPOINT, `args` its CMD.
2. Try the image: `kubectl run try --rm -it --image=IMAGE --command -- sh`.
3. Build the image for the processor of the nodes, or select nodes that fit.

## References
- https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from diagnostics.pods.crashes._crash import story_of
from diagnostics.pods.crashes._ends import End, ends_of
from kubedoctor.cluster import Cluster, Event, Node, Pod
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.cluster.relations.workloads import WORKLOADS
from kubedoctor.cluster.triage import troubled
from kubedoctor.findings import Confidence, Evidence, Explains, Finding, Severity, diagnostic, has_path, quote
from kubedoctor.findings.commands import change, look_at_log, look_at_pod
from kubedoctor.findings.containers import (
    CONSEQUENCES,
    ContainerWithStatus,
    at_fault,
    quote_spec,
    quote_status,
    waiting_parts,
)
from kubedoctor.replay.kubelet.container_errors import (
    StartProblem,
    command_named,
    missing_reference,
    security_problem,
    start_problem,
)
from kubedoctor.replay.kubelet.endings import last_ending
from kubedoctor.replay.kubelet.killers import Killer
from kubedoctor.replay.logs.log_lines import Sign, read_log

REASONS = (
    "CreateContainerError",
    "RunContainerError",
    "CreateContainerConfigError",
    "PreCreateHookError",
    "PreStartHookError",
)
AT_ONCE = timedelta(seconds=2)
_FIXES = {
    StartProblem.NOT_FOUND: "Correct the command, or put it into the image",
    StartProblem.NOT_EXECUTABLE: "Make the file executable in the image, or start it through its interpreter",
    StartProblem.WRONG_FORMAT: "Build the image for the node's processor, or select nodes that fit with a nodeSelector",
    StartProblem.NO_COMMAND: "Name a command in the pod's template",
    StartProblem.MOUNT: "Correct the volume mount: a file over a file, a directory over a directory",
    StartProblem.WORKING_DIRECTORY: "Correct workingDir",
    StartProblem.MEMORY_TOO_SMALL: "Raise the memory limit",
    StartProblem.USER: "Correct runAsUser or runAsGroup, or add the user to the image",
}  # fmt: skip


@diagnostic(
    code="KD1004",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(Event, Node, *WORKLOADS),
    when=troubled,
    explains=(Explains("same", ("KD1003",)), *CONSEQUENCES),
    symptoms=(
        "RunContainerError",
        "CreateContainerError",
        "StartError",
        "ContainerCannotRun",
        "exit code 128",
        "exit code 127",
        "exit code 126",
        "CrashLoopBackOff",
    ),
)
def start_error(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    told = set()
    for part, waiting in waiting_parts(pod, *REASONS):
        message = waiting.message
        if security_problem(message) is None and missing_reference(message) is None and message:
            told.add(part.container.name)
            yield _finding(pod, part, message, "state.waiting", (), cluster)
    for end in ends_of(pod, cluster, _may_be_of_a_start):
        if end.name in told:
            continue
        message = end.ending.terminated.message
        if end.killer is Killer.RUNTIME and security_problem(message) is None:
            yield _finding(pod, end.part, message, end.ending.place, (), cluster)
        elif end.killer is Killer.ITSELF and _wrong_format(end):
            story = story_of(pod, end, at_fault(pod, cluster), cluster)
            yield _finding(pod, end.part, "exec format error", end.ending.place, story.evidence, cluster)


def _may_be_of_a_start(part: ContainerWithStatus) -> bool:
    """A program for another processor ends at once with an error, whatever starts it."""
    ending = last_ending(part.status)
    if ending is None:
        return False
    return ending.never_ran or (ending.exit_code != 0 and ending.lasted is not None and ending.lasted <= AT_ONCE)


def _wrong_format(end: End) -> bool:
    sign = read_log(end.log.lines)
    return sign is not None and sign.sign is Sign.EXEC_FORMAT


def _finding(
    pod: Pod, part: ContainerWithStatus, message: str, place: str, more: tuple[Evidence, ...], cluster: Cluster
) -> Finding:
    name = part.container.name
    about = at_fault(pod, cluster)
    problem = start_problem(message)
    command = visible(command_named(message) or " ".join((part.container.command or ())[:1]), 120)
    field = next((one for one in ("command", "args") if getattr(part.container, one)), "image")
    evidence = [
        *more,
        *quote_status(pod, name, f"{place}.reason", f"{place}.message"),
        *(quote_status(pod, name, f"{place}.exitCode") if place.endswith("terminated") else ()),
        *quote_spec(pod, cluster, about, name, field, "what is to be started"),
    ]
    what = f"the command {command}" if command else "its program"
    said = {
        StartProblem.NOT_FOUND: f"{what} does not exist in the image {part.container.image}",
        StartProblem.NOT_EXECUTABLE: f"{what} may not be executed: permission denied",
        StartProblem.WRONG_FORMAT: f"the program in {part.container.image} is for another processor (exec format error)",
        StartProblem.RUNTIME: f"container {name} cannot be made: {visible(' '.join(message.split()), 200) or 'no reason is told'}",
    }.get(problem, f"container {name} cannot be started: {problem.value}")  # fmt: skip
    if problem is StartProblem.WRONG_FORMAT:
        node = cluster.maybe.get(Node, "", pod.spec.node_name)
        if node is not None and has_path(node, "status.nodeInfo.architecture"):
            evidence.append(quote(node, "status.nodeInfo.architecture", "the node's processor"))
            said += f"; the node is {node.status.node_info.architecture}"
    return Finding(
        about=about,
        summary=said,
        confidence=Confidence.LIKELY if more else Confidence.CERTAIN,
        evidence=tuple(evidence),
        fixes=(change(about, _FIXES[problem]),) if problem in _FIXES else (),
        commands=(
            look_at_pod(pod, "the runtime's whole message"),
            look_at_log(pod, name, previous=False, why="empty if the program never ran"),
        ),
        aspect=name,
    )
