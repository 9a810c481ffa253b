"""Why a program crashed, as far as its log tells: the sentence, the objects it blames, the evidence and the remedies."""

from __future__ import annotations

from diagnostics.pods.crashes._ends import End
from diagnostics.pods.crashes._story import Story
from diagnostics.pods.crashes._unreachable import unreachable, unresolved
from kubedoctor.cluster import Cluster, LogTail, Pod
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.findings import Evidence, Ref, quote, quote_line, ref
from kubedoctor.findings.commands import change
from kubedoctor.findings.containers import in_container, quote_spec, seconds
from kubedoctor.replay.logs.log_lines import LogSign, Sign, read_log

LONGEST_SUBJECT = 120


def story_of(pod: Pod, end: End, about: Ref, cluster: Cluster) -> Story:
    """Read the log of the end and check what it names against the cluster."""
    return story_of_lines(pod, end.name, end.log.lines, end.log.previous, about, cluster)


def story_of_lines(
    pod: Pod, container: str, lines: tuple[str, ...], previous: bool, about: Ref, cluster: Cluster
) -> Story:
    """As `story_of`, for lines of any run."""
    sign = read_log(lines)
    if sign is None:
        return Story(evidence=_last_line(pod, container, lines, previous))
    line = quote_line(LogTail(ref(pod), container, previous, lines), sign.index, sign.sign.value)
    subject = visible(sign.subject, LONGEST_SUBJECT)
    if sign.sign is Sign.UNRESOLVED_HOST:
        story = unresolved(pod, sign, subject, cluster)
    elif sign.sign in (Sign.REFUSED, Sign.TIMED_OUT):
        story = unreachable(pod, sign, subject, lines, cluster)
    else:
        story = _own_fault(pod, container, sign, subject, about, cluster)
    return Story(story.text, sign, story.because_of, (line, *story.evidence), story.fixes, story.commands)


def _last_line(pod: Pod, container: str, lines: tuple[str, ...], previous: bool) -> tuple[Evidence, ...]:
    for index in range(len(lines) - 1, -1, -1):
        if lines[index].strip():
            return (quote_line(LogTail(ref(pod), container, previous, lines), index, "the last it wrote"),)
    return ()


def _own_fault(pod: Pod, container: str, sign: LogSign, subject: str, about: Ref, cluster: Cluster) -> Story:
    named = f" {subject}" if subject else ""
    if sign.sign is Sign.READ_ONLY:
        evidence = quote_spec(pod, cluster, about, container, "securityContext.readOnlyRootFilesystem")
        fix = change(about, f"Mount an emptyDir volume over the directory of{named or ' the file'}")
        return Story(f"it may not write{named}: the file system is read-only", evidence=tuple(evidence), fixes=(fix,))
    if sign.sign is Sign.PERMISSION:
        return _denied(pod, container, subject, about, cluster)
    if sign.sign is Sign.ADDRESS_IN_USE:
        return _address_in_use(pod, subject, about)
    if sign.sign is Sign.MISSING_VARIABLE:
        fix = change(about, f"Set the variable{named} in the container")
        return Story(f"the environment variable{named or ' that it needs'} is not set", fixes=(fix,))
    if sign.sign is Sign.BAD_FLAG:
        field = "args" if quote_spec(pod, cluster, about, container, "args") else "command"
        evidence = quote_spec(pod, cluster, about, container, field, "what it is started with")
        fix = change(about, f"Correct the arguments of container {container}")
        return Story(f"it does not know the argument{named}", evidence=tuple(evidence), fixes=(fix,))
    text = {
        Sign.EXEC_FORMAT: f"its program{named} is for another processor (exec format error)",
        Sign.NO_SPACE: f"no space is left to write{named}",
        Sign.BAD_SYNTAX: f"it cannot read its configuration{named}",
        Sign.MISSING_FILE: f"it does not find{named or ' a file'}",
        Sign.COMMAND_NOT_FOUND: f"the command{named} does not exist in the image",
        Sign.API_FORBIDDEN: f"the Kubernetes API refuses what{named or ' it'} asks for",
        Sign.CREDENTIALS: "another service refuses its user name or password",
        Sign.CERTIFICATE: "a TLS certificate is not accepted",
        Sign.HEAP: "it has used up the memory that it may use",
        Sign.PANIC: "it crashed (see the line)",
    }.get(sign.sign, sign.sign.value)
    return Story(text)


def _denied(pod: Pod, container: str, path: str, about: Ref, cluster: Cluster) -> Story:
    evidence: list[Evidence] = []
    user: int | None = None
    mine = next(
        (one for one in (*(pod.spec.init_containers or ()), *pod.spec.containers) if one.name == container), None
    )
    if mine is not None and mine.security_context is not None and mine.security_context.run_as_user is not None:
        user = mine.security_context.run_as_user
        evidence = quote_spec(pod, cluster, about, container, "securityContext.runAsUser", "the user it runs as")
    elif pod.spec.security_context is not None and pod.spec.security_context.run_as_user is not None:
        user = pod.spec.security_context.run_as_user
        evidence = [quote(pod, "spec.securityContext.runAsUser", "the user it runs as")] if user else []
    who = f"user {user}" if user is not None else "its user"
    on_volume = any(
        path.startswith(one.mount_path) for one in (mine.volume_mounts if mine else None) or () if one.mount_path
    )
    fix = (
        change(about, "Set spec.securityContext.fsGroup, so that the volume belongs to the program's group")
        if on_volume
        else change(about, f"Run as the owner of {path or 'the file'}, or mount a volume there with an fsGroup")
    )
    named = f" {path}" if path else " a file"
    return Story(f"{who} may not use{named}: permission denied", evidence=tuple(evidence), fixes=(fix,))


def _address_in_use(pod: Pod, port: str, about: Ref) -> Story:
    what = f"port {port}" if port else "the port"
    if pod.spec.host_network:
        fix = change(about, "Choose another port, or do without hostNetwork")
        return Story(
            f"{what} is already in use on the node, whose network it shares",
            evidence=(quote(pod, "spec.hostNetwork", "its ports are the node's"),),
            because_of=(),
            fixes=(fix,),
        )
    several = len(pod.spec.containers) > 1
    whose = " by another container of the pod" if several else " in the container"
    return Story(f"{what} is already in use{whose}", fixes=(change(about, "Let it listen on another port"),))


def how_it_ends(pod: Pod, end: End) -> str:
    """`the program ends with exit code 1 after 3 s`."""
    after = f" after {seconds(end.ending.lasted)}" if end.ending.lasted is not None else ""
    return f"the program{in_container(pod, end.name)} ends with {end.ending.text}{after}"
