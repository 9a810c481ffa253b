"""Why a program crashed, as far as its log shows: the clause, the objects at fault, the evidence and the fixes."""

from __future__ import annotations

from diagnostics.pods.crashes._ends import End, after_start, exit_words
from diagnostics.pods.crashes._story import Story
from diagnostics.pods.crashes._unreachable import unreachable, unresolved
from kubedoctor.cluster import Cluster, LogTail, Pod, visible, visible_end
from kubedoctor.findings import Evidence, Ref, fix_by_hand, quote, quote_line, quote_spec, ref
from kubedoctor.replay.logs.crash_traces import crash_message
from kubedoctor.replay.logs.log_lines import LogSign, Sign, read_log

LONGEST_SUBJECT = 120
LONGEST_MESSAGE = 200


def story_of(pod: Pod, end: End, about: Ref, cluster: Cluster) -> Story:
    """Read the log of the run that ended, and look up in the cluster what it names."""
    return story_of_lines(pod, end.name, end.log.lines, end.log.previous, about, cluster)


def story_of_lines(
    pod: Pod, container: str, lines: tuple[str, ...], previous: bool, about: Ref, cluster: Cluster
) -> Story:
    """Like `story_of`, for lines of any run."""
    sign = read_log(lines)
    if sign is None:
        return Story(evidence=_last_line(pod, container, lines, previous))
    line = quote_line(LogTail(ref(pod), container, previous, lines), sign.index, "the cause in the log")
    subject = visible(sign.subject, LONGEST_SUBJECT)
    if sign.sign is Sign.UNRESOLVED_HOST:
        story = unresolved(pod, sign, subject, cluster)
    elif sign.sign in (Sign.REFUSED, Sign.TIMED_OUT):
        story = unreachable(pod, sign, subject, cluster)
    elif sign.sign is Sign.PANIC:
        story = Story(visible_end(crash_message(lines, sign.index), LONGEST_MESSAGE))
    else:
        story = _own_fault(pod, container, sign, subject, about, cluster)
    return Story(story.text, sign, story.because_of, (line, *story.evidence), story.fixes, story.commands)


def _last_line(pod: Pod, container: str, lines: tuple[str, ...], previous: bool) -> tuple[Evidence, ...]:
    for index in range(len(lines) - 1, -1, -1):
        if lines[index].strip():
            return (quote_line(LogTail(ref(pod), container, previous, lines), index, "the last log line"),)
    return ()


def _own_fault(pod: Pod, container: str, sign: LogSign, subject: str, about: Ref, cluster: Cluster) -> Story:
    if sign.sign is Sign.READ_ONLY:
        evidence = quote_spec(pod, cluster, about, container, "securityContext.readOnlyRootFilesystem")
        fix = fix_by_hand(about, f"Mount an emptyDir volume at the directory of {subject or 'the file'}")
        return Story(
            f"cannot write {subject or 'a file'}: read-only file system", evidence=tuple(evidence), fixes=(fix,)
        )
    if sign.sign is Sign.PERMISSION:
        return _denied(pod, container, subject, about, cluster)
    if sign.sign is Sign.ADDRESS_IN_USE:
        return _address_in_use(pod, subject, about)
    if sign.sign is Sign.MISSING_VARIABLE:
        variable = f"environment variable {subject}" if subject else "the environment variable"
        fix = fix_by_hand(about, f"Set {variable} in container `{container}`")
        text = f"{variable} is not set" if subject else "a required environment variable is not set"
        return Story(text, fixes=(fix,))
    if sign.sign is Sign.BAD_FLAG:
        field = "args" if quote_spec(pod, cluster, about, container, "args") else "command"
        evidence = quote_spec(pod, cluster, about, container, field, "the container's arguments")
        fix = fix_by_hand(about, f"Correct the arguments of container `{container}`")
        return Story(f"unknown argument {subject}".rstrip(), evidence=tuple(evidence), fixes=(fix,))
    return Story(
        {
            Sign.EXEC_FORMAT: f"exec format error: {subject or 'its program'} is built for another CPU architecture",
            Sign.NO_SPACE: f"no space left on device{f' to write {subject}' if subject else ''}",
            Sign.BAD_SYNTAX: f"cannot parse its configuration{f' {subject}' if subject else ''}",
            Sign.MISSING_FILE: f"{subject or 'a file'} not found",
            Sign.COMMAND_NOT_FOUND: f"command{f' {subject}' if subject else ''} not found in the image",
            Sign.API_FORBIDDEN: f"the Kubernetes API denies a request of {subject or 'its ServiceAccount'} (RBAC)",
            Sign.CREDENTIALS: "another service rejects its user name or password",
            Sign.CERTIFICATE: "a TLS certificate is not accepted",
            Sign.HEAP: "the program ran out of its own memory (heap)",
        }[sign.sign]
    )


def _denied(pod: Pod, container: str, path: str, about: Ref, cluster: Cluster) -> Story:
    evidence: list[Evidence] = []
    user: int | None = None
    shows = "the user that the container runs as"
    containers = (*(pod.spec.init_containers or ()), *pod.spec.containers)
    mine = next((candidate for candidate in containers if candidate.name == container), None)
    if mine is not None and mine.security_context is not None and mine.security_context.run_as_user is not None:
        user = mine.security_context.run_as_user
        evidence = quote_spec(pod, cluster, about, container, "securityContext.runAsUser", shows)
    elif pod.spec.security_context is not None and pod.spec.security_context.run_as_user is not None:
        user = pod.spec.security_context.run_as_user
        evidence = [quote(pod, "spec.securityContext.runAsUser", shows)] if user else []
    mounts = (mine.volume_mounts if mine else None) or ()
    if any(path.startswith(mount.mount_path) for mount in mounts if mount.mount_path):
        fix = fix_by_hand(
            about, "Set securityContext.fsGroup of the pod, so that the container's group owns the volume"
        )
    else:
        fix = fix_by_hand(
            about, f"Run as a user with access to {path or 'the file'}, or mount a volume there with an fsGroup"
        )
    runs_as = f" (runs as user {user})" if user is not None else ""
    text = f"permission denied on {path}" if path else "permission denied"
    return Story(f"{text}{runs_as}", evidence=tuple(evidence), fixes=(fix,))


def _address_in_use(pod: Pod, port: str, about: Ref) -> Story:
    port_text = f"port {port}" if port else "its port"
    if pod.spec.host_network:
        return Story(
            f"{port_text} is already in use on the node (hostNetwork)",
            evidence=(quote(pod, "spec.hostNetwork", "the pod uses the node's ports"),),
            fixes=(fix_by_hand(about, "Use another port, or remove hostNetwork"),),
        )
    several = len(pod.spec.containers) > 1
    where = "by another container of the pod" if several else "in the container"
    return Story(
        f"{port_text} is already in use {where}", fixes=(fix_by_hand(about, "Configure another port to listen on"),)
    )


def how_it_ends(end: End) -> str:
    """``container `app` exits with code 1 after 3s``."""
    return f"container `{end.name}` exits with {exit_words(end.ending)}{after_start(end.ending)}"
