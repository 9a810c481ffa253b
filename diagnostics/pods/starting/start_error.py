"""Container cannot be started (CreateContainerError, RunContainerError).

## What it means
The image is on the node, but the container runtime could not create the container or execute its command. The program
never ran, so its log is empty. The reason is in the container's status.

## Why it happens
- The command does not exist in the image, or is not executable (exit codes 126, 127, 128).
- The program is built for another CPU architecture: an arm64 image on an amd64 node (`exec format error`).
- The image has neither ENTRYPOINT nor CMD, and the pod sets no command.
- A file is mounted over a directory, or the reverse, or a `subPath` does not exist.
- A file of a ConfigMap or Secret is mounted by `subPath`, and the object was changed while the pod ran: this pod's
  containers cannot be restarted any more, only the pod replaced.
- The node: its container runtime hangs or still holds an old container, its image store is damaged, its kernel's quota
  of keys is used up, its GPU driver is not loaded, or a mounted path there is stale. Other nodes start the same pod.

## How to fix it
1. Compare `command` and `args` with the image: `command` replaces its ENTRYPOINT, `args` its CMD.
2. Test the image: `kubectl run try --rm -it --image=IMAGE --command -- sh`.
3. Build the image for the nodes' CPU architecture, or select other nodes.
4. If the node is named: look at its container runtime (`crictl ps -a`, its log), or cordon it and delete the pod.

## References
- https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from diagnostics.nodes._disk import DISK_READ_ONLY, REPAIR_DISK
from diagnostics.pods._consequences import CONSEQUENCES
from diagnostics.pods._node import blamed_node, node_architecture, node_system
from diagnostics.pods.crashes._crash import story_of
from diagnostics.pods.crashes._ends import End, as_it_matters, ends_of
from diagnostics.pods.crashes._story_kinds import STORY_KINDS
from diagnostics.pods.starting._mount_failure import (
    is_of_working_directory,
    mount_error,
    mount_in,
    mount_words,
    read_only_above,
)
from diagnostics.pods.starting._sub_path import replaced_sub_path, sub_path_fixes
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    Container,
    Pod,
    VolumeMount,
    troubled,
    visible,
    visible_end,
)
from kubedoctor.findings import (
    Confidence,
    ContainerWithStatus,
    Evidence,
    Explains,
    Finding,
    Fix,
    Ref,
    Severity,
    at_fault,
    diagnostic,
    fix_by_hand,
    has_path,
    look_at_log,
    look_at_pod,
    quote,
    quote_spec,
    quote_status,
    waiting_containers,
)
from kubedoctor.replay.kubelet.container_errors import (
    StartProblem,
    command_named,
    missing_reference,
    reason_in,
    security_problem,
    stage_named,
    start_failure,
    working_directory_named,
)
from kubedoctor.replay.kubelet.endings import last_ending
from kubedoctor.replay.kubelet.outcome_facts import memory_limit
from kubedoctor.replay.kubelet.outcomes import OF_THE_PROGRAM, OF_THE_START
from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.reading import read_log

_OF_A_MOUNT = (StartProblem.MOUNT, StartProblem.SUB_PATH_REPLACED)
REASONS = (
    "CreateContainerError",
    "RunContainerError",
    "CreateContainerConfigError",
    "PreCreateHookError",
    "PreStartHookError",
)
_PROBLEMS = {
    StartProblem.NO_COMMAND: "neither the image nor the pod sets a command",
    StartProblem.MOUNT: "a mount failed",
    StartProblem.WORKING_DIRECTORY: "workingDir cannot be used",
    StartProblem.MEMORY_TOO_SMALL: "the memory limit is too low to start a container",
    StartProblem.USER: "unknown user or group",
}
_NODE_PROBLEMS = {
    StartProblem.KEYRING: "the kernel's key quota on {node} is used up",
    StartProblem.DEVICE_DRIVER: "the device driver on {node} fails",
    StartProblem.NAME_RESERVED: "an earlier attempt on {node} still runs, its container runtime is slow or hangs",
    StartProblem.NAME_IN_USE: "an old container on {node} still has its name",
    StartProblem.IMAGE_STORE: "the image store of the container runtime on {node} is damaged",
    StartProblem.DISK_READ_ONLY: DISK_READ_ONLY,
    StartProblem.MOUNT: "a path on {node} cannot be mounted",
    StartProblem.RUNTIME: "the container runtime on {node} fails",
}
_VOLUMES_STAGE = "volume configuration"
_NOT_RELABELLED = (
    "Spare the relabelling of the volume: seLinuxOptions.type spc_t, the annotation"
    " io.kubernetes.cri-o.TrySkipVolumeSELinuxLabel, or a volume that is mounted with its context (SELinuxMount)"
)
LONGEST_REASON = 300
AT_ONCE = timedelta(seconds=2)
_DENIED = "permission denied"
_CLOSED = "Set workingDir to a directory that the container's user may enter, such as /, or run it as the image's user"
_NODE_FIXES = {
    StartProblem.KEYRING: "Raise kernel.keys.maxkeys and kernel.keys.maxbytes on {node}",
    StartProblem.DEVICE_DRIVER: "Load or update the device driver on {node}",
    StartProblem.NAME_RESERVED: "Check disk and load of {node}, and restart its container runtime",
    StartProblem.NAME_IN_USE: "Remove the old container on {node} (crictl ps -a, crictl rm)",
    StartProblem.IMAGE_STORE: "Remove the image on {node} (crictl rmi), so that it is pulled again",
    StartProblem.DISK_READ_ONLY: REPAIR_DISK,
    StartProblem.MOUNT: "Repair the mount on {node}",
    StartProblem.RUNTIME: "Check the container runtime of {node}",
}
_FIXES = {
    StartProblem.NOT_FOUND: "Correct the command, or add it to the image",
    StartProblem.NOT_EXECUTABLE: "Make the file executable in the image, or run it with its interpreter",
    StartProblem.WRONG_FORMAT: "Build the image for the node's CPU architecture, or select other nodes with a nodeSelector",
    StartProblem.WRONG_SYSTEM: "Use the image's variant for the node's version of Windows, or select nodes of the image's version"
    " (node.kubernetes.io/windows-build)",
    StartProblem.NO_COMMAND: "Set a command in the pod template",
    StartProblem.MOUNT: "Correct the volume mount: mount a file over a file, a directory over a directory",
    StartProblem.WORKING_DIRECTORY: "Correct workingDir",
    StartProblem.MEMORY_TOO_SMALL: "Raise the memory limit",
    StartProblem.USER: "Correct runAsUser or runAsGroup, or add the user to the image",
}


@diagnostic(
    code="KD1004",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(*STORY_KINDS, *WORKLOADS),
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
    reported = set()
    for part, waiting in waiting_containers(pod, *REASONS):
        message = waiting.message
        if security_problem(message) is None and missing_reference(message) is None and message:
            reported.add(part.container.name)
            yield _finding(pod, part, message, "state.waiting", (), cluster)
    for end in ends_of(pod, cluster, _may_be_of_a_start):
        if end.name in reported:
            continue
        message = end.ending.terminated.message
        if end.cause in OF_THE_START and security_problem(message) is None:
            found = _finding(pod, end.part, message, end.ending.place, (), cluster)
            yield as_it_matters(found, pod, end.part, cluster)
        elif end.cause in OF_THE_PROGRAM and _wrong_format(end):
            story = story_of(pod, end, at_fault(pod, cluster), cluster)
            yield _finding(pod, end.part, "exec format error", end.ending.place, story.evidence, cluster)


def _may_be_of_a_start(part: ContainerWithStatus) -> bool:
    """A program for another CPU architecture exits at once with an error."""
    ending = last_ending(part.status)
    if ending is None:
        return False
    return ending.never_ran or (ending.exit_code != 0 and ending.lasted is not None and ending.lasted <= AT_ONCE)


def _wrong_format(end: End) -> bool:
    cause = read_log(end.log.lines, end.ending.exit_code)
    return cause is not None and cause.fault is LogFault.IMAGE_ARCHITECTURE


def _finding(
    pod: Pod, part: ContainerWithStatus, message: str, place: str, more: tuple[Evidence, ...], cluster: Cluster
) -> Finding:
    name = part.container.name
    about = at_fault(pod, cluster)
    problem, on_node = start_failure(message)
    if problem is StartProblem.MOUNT and is_of_working_directory(part.container, message):
        problem, on_node = StartProblem.WORKING_DIRECTORY, False
    mount = mount_in(part.container, message) if problem in _OF_A_MOUNT else None
    replaced = replaced_sub_path(pod, mount, message, about) if problem is StartProblem.SUB_PATH_REPLACED else None
    command = visible(command_named(message) or " ".join((part.container.command or ())[:1]), 120)
    field, shows = _setting(part.container, problem, mount)
    node = f"node {pod.spec.node_name}" if on_node and pod.spec.node_name else ""
    user = _user(pod, part.container) if problem is StartProblem.WORKING_DIRECTORY else None
    evidence = [
        *more,
        *quote_status(pod, name, f"{place}.reason", f"{place}.message"),
        *(quote_status(pod, name, f"{place}.exitCode") if place.endswith("terminated") else ()),
        *((quote(pod, "spec.nodeName", "the node that cannot start it"),) if node else ()),
        *quote_spec(pod, cluster, about, name, field, shows),
        *((user,) if user is not None else ()),
    ]
    in_template = problem in _OF_A_MOUNT and not node
    why = (mount_words(mount, message) if in_template else "") or _words(
        problem, node, command, part.container, message, user.text if user is not None else ""
    )
    why = replaced.words if replaced is not None else why
    above = read_only_above(part.container, mount, message) if in_template else None
    if above is not None:
        why += f": the directory is not in volume {above.name}, which is mounted at {visible(above.mount_path)} and may not be written"
    summary = f"container `{name}` cannot be started: {why}"
    if problem is StartProblem.WRONG_SYSTEM:
        system = node_system(pod, cluster, "the node's version")
        evidence += system
        summary += f"; the node runs {', '.join(str(fact.value) for fact in system)}" if system else ""
    if problem is StartProblem.WRONG_FORMAT:
        architecture = node_architecture(pod, cluster, "the node's CPU architecture")
        evidence += architecture
        summary += "".join(f"; the node is {fact.value}" for fact in architecture)
    return Finding(
        about=about,
        summary=summary,
        confidence=Confidence.LIKELY if more else Confidence.CERTAIN,
        evidence=tuple(evidence),
        fixes=replaced.fixes
        if replaced is not None
        else (
            fix_by_hand(
                about,
                f"Mount volume {mount.name} outside of {visible(above.mount_path)}, or let volume {above.name} contain its directory",
            ),
        )
        if above is not None and mount is not None
        else sub_path_fixes(mount, message, about) or _fixes(problem, node, about, message),
        commands=(
            look_at_pod(pod, "the full error message, under Events"),
            *((look_at_log(pod, name, previous=False, why="the log of the program"),) if more else ()),
        ),
        because_of=blamed_node(pod) if on_node else (),
        aspect=name,
    )


def _user(pod: Pod, container: Container) -> Evidence | None:
    """The user that the pod sets for the container, in place of the image's."""
    kind = "initContainers" if container in (pod.spec.init_containers or ()) else "containers"
    paths = (f"spec.{kind}[name={container.name}].securityContext.runAsUser", "spec.securityContext.runAsUser")
    path = next((path for path in paths if has_path(pod, path)), "")
    return quote(pod, path, "the user that it runs as") if path else None


def _setting(container: Container, problem: StartProblem, mount: VolumeMount | None) -> tuple[str, str]:
    """The field of the container that the failure is about, and what it shows."""
    if mount is not None:
        return f"volumeMounts[mountPath={mount.mount_path}].mountPath", f"where volume {mount.name} is mounted"
    if problem is StartProblem.WORKING_DIRECTORY and container.working_dir:
        return "workingDir", "the directory in which it starts"
    if problem is StartProblem.MEMORY_TOO_SMALL and memory_limit(container):
        return "resources.limits.memory", "its memory limit"
    field = next((setting for setting in ("command", "args") if getattr(container, setting)), "image")
    return field, "what the container runs"


def _words(problem: StartProblem, node: str, command: str, container: Container, message: str, user: str) -> str:
    image = container.image
    command_text = f"command {command}" if command else "its command"
    if problem is StartProblem.NOT_FOUND:
        return f"{command_text} not found in image {image}"
    if problem is StartProblem.NOT_EXECUTABLE:
        return f"{command_text} is not executable (permission denied)"
    if problem is StartProblem.WRONG_FORMAT:
        return f"exec format error: the program in image {image} is built for another CPU architecture"
    if problem is StartProblem.WRONG_SYSTEM:
        return f"the operating system of image {image} does not match the node's: containers of Windows need its build"
    reason = visible_end(reason_in(message), LONGEST_REASON) or "the runtime gives no reason"
    if problem is StartProblem.WORKING_DIRECTORY:
        path = visible(container.working_dir or working_directory_named(message))
        whose = "workingDir" if container.working_dir else "the image's working directory"
        who = f"user {user} may not enter it: " if user and _DENIED in message else ""
        return f"{whose}{f' {path}' if path else ''} cannot be used: {who}{mount_error(message) or reason}"
    stated = _NODE_PROBLEMS.get(problem, "").format(node=node) if node else _PROBLEMS.get(problem)
    if stage := stage_named(message):
        slow = ", where it changes the SELinux label of each file: a volume of many files takes long"
        return f"{stated}: CRI-O is at stage {stage}{slow if _VOLUMES_STAGE in stage else ''}"
    if problem is StartProblem.MEMORY_TOO_SMALL and (limit := memory_limit(container)):
        stated = f"the memory limit of {limit} is too low to start a container"
    return f"{stated}: {reason}" if stated else reason


def _fixes(problem: StartProblem, node: str, about: Ref, message: str) -> tuple[Fix, ...]:
    stage = stage_named(message)
    if problem is StartProblem.WORKING_DIRECTORY and _DENIED in message:
        return (fix_by_hand(about, _CLOSED),)
    if _VOLUMES_STAGE in stage:
        return (Fix(_NOT_RELABELLED),)
    if node and problem in _NODE_FIXES:
        return (Fix(_NODE_FIXES[problem].format(node=node)),)
    return (fix_by_hand(about, _FIXES[problem]),) if problem in _FIXES else ()
