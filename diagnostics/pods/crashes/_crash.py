"""Why a program crashed, as far as its log shows: the clause, the objects at fault, the evidence and the fixes."""

from __future__ import annotations

import msgspec

from diagnostics.pods._bootstrap import waits_for_itself
from diagnostics.pods.crashes._ends import End, after_start, exit_words
from diagnostics.pods.crashes._own_fault import own_fault, shortened
from diagnostics.pods.crashes._proxy import with_proxy
from diagnostics.pods.crashes._story import Story
from diagnostics.pods.crashes._unreachable import unreachable, unresolved
from diagnostics.pods.crashes.kernel._huge_pages import huge_pages_refused
from kubedoctor.cluster import Cluster, LogTail, Pod, counted, visible
from kubedoctor.findings import Evidence, Ref, quote_line, ref
from kubedoctor.replay.kubelet.endings import windows_status
from kubedoctor.replay.kubelet.outcomes import Cause
from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.judged.repeated import repeated_error
from kubedoctor.replay.logs.levels import Level
from kubedoctor.replay.logs.log_lines import parse_line
from kubedoctor.replay.logs.reading import TOLD_TO_STOP, LogCause, last_words, read_log

LONGEST_SUBJECT = 120


def story_of(pod: Pod, end: End, about: Ref, cluster: Cluster) -> Story:
    """Read the log of the run that ended, and look up in the cluster what it names.

    No program writes a line about a SIGKILL: then no line of the log is the cause.
    """
    if end.cause is Cause.KILLED:
        return Story(evidence=_last_line(pod, end.name, end.log.lines, end.log.previous))
    lines = end.log.lines or tuple(end.ending.terminated.message.splitlines())
    story = story_of_lines(pod, end.name, lines, end.log.previous, about, cluster, end.ending.exit_code)
    if not end.log.lines:  # The status has its last words; the message is quoted beside the exit code.
        story = msgspec.structs.replace(
            story, evidence=tuple(fact for fact in story.evidence if "log[" not in fact.path)
        )
    if end.cause is Cause.BUS_ERROR and story.cause is None:
        return huge_pages_refused(pod, end.part.container, about, cluster) or story
    return story


def story_of_lines(
    pod: Pod,
    container: str,
    lines: tuple[str, ...],
    previous: bool,
    about: Ref,
    cluster: Cluster,
    exit_code: int | None = None,
) -> Story:
    """Like `story_of`, for lines of any run; `exit_code` is None for a program that still runs."""
    cause = read_log(lines, exit_code) or (repeated_error(lines) if exit_code is None else None)
    if cause is None:
        return _last_words(pod, container, lines, previous, exit_code)
    return story_of_cause(pod, LogTail(ref(pod), container, previous, lines), cause, about, cluster)


def story_of_cause(pod: Pod, tail: LogTail, cause: LogCause, about: Ref, cluster: Cluster) -> Story:
    """What a line of a log states, looked up in the cluster."""
    container, lines = tail.container, tail.lines
    line = quote_line(tail, cause.index, chosen_by(cause))
    below = tuple(quote_line(tail, index, "goes on below it") for index in cause.below)
    subject = visible(cause.subject, LONGEST_SUBJECT)
    if cause.fault is LogFault.NAME_NOT_RESOLVED:
        story = unresolved(pod, container, cause, subject, cluster)
    elif cause.fault in (LogFault.CONNECTION_REFUSED, LogFault.CONNECTION_TIMEOUT, LogFault.CONNECTION_RESET):
        story = waits_for_itself(pod, cause, cluster) or unreachable(pod, container, cause, subject, cluster)
    else:
        story = own_fault(pod, container, lines, cause, about, cluster)
    story = with_proxy(pod, cause, lines[cause.index], story, cluster)
    return Story(story.text, cause, story.because_of, (line, *below, *story.evidence), story.fixes, story.commands)


_LEVELS = {
    Level.FATAL: "level fatal",
    Level.ERROR: "level error",
    Level.WARNING: "level warning",
    Level.INFO: "level info",
}


def chosen_by(cause: LogCause) -> str:
    """`the cause in the log: level error, 2 lines after it, known words "no such host"`."""
    after = f"{counted(cause.lines_after, 'line')} after it" if cause.lines_after else "the last line"
    known = "no known words" if cause.fault is LogFault.UNKNOWN else "a known sentence"
    known = f'known words "{cause.pattern}"' if cause.pattern else known
    return f"the cause in the log: {', '.join(filter(None, (_LEVELS.get(cause.level, ''), after, known)))}"


def _last_words(pod: Pod, container: str, lines: tuple[str, ...], previous: bool, exit_code: int | None) -> Story:
    """Of a program that failed without a word that is known: what it wrote last, unless that is information."""
    words = last_words(lines) if exit_code not in (None, *TOLD_TO_STOP) else None
    if words is None:
        return Story(evidence=_last_line(pod, container, lines, previous))
    tail = LogTail(ref(pod), container, previous, lines)
    said = " ".join(parse_line(lines[words.index]).message.split())
    return Story(
        evidence=(quote_line(tail, words.index, "the last log line with a message"),),
        last_words=f"its log ends with: {shortened(said)}",
    )


def _last_line(pod: Pod, container: str, lines: tuple[str, ...], previous: bool) -> tuple[Evidence, ...]:
    for index in range(len(lines) - 1, -1, -1):
        if lines[index].strip():
            return (quote_line(LogTail(ref(pod), container, previous, lines), index, "the last log line"),)
    return ()


def states_the_cause(story: Story) -> bool:
    """False where the quoted line is only a complaint without a level that no pattern knows."""
    cause = story.cause
    return cause is None or cause.fault is not LogFault.UNKNOWN or cause.level >= Level.ERROR


def how_it_ends(end: End) -> str:
    """``container `app` exits with code 1 after 3s``."""
    return f"container `{end.name}` exits with {exit_words(end.ending)}{after_start(end.ending)}"


_CAUSES = {
    Cause.NOT_EXECUTABLE: "a command that it runs is not executable",
    Cause.NOT_FOUND: "a command that it runs is not found",
    Cause.ILLEGAL_INSTRUCTION: "illegal instruction: built for another CPU, or the program aborts itself",
    Cause.ABORTED: "the program aborts itself",
    Cause.BUS_ERROR: "bus error, as with a full /dev/shm or a mapped file that was cut",
    Cause.ARITHMETIC_ERROR: "arithmetic error, such as a division by zero",
    Cause.SEGMENTATION_FAULT: "segmentation fault",
    Cause.KILLED: "it was killed, but not OOMKilled, and no event says by whom",
    Cause.STOPPED: "it was stopped, and no event says by whom",
    Cause.NODE_RESTARTED: "how it ended is not known, because its node was restarted",
}
"""What an end means where the log does not say more."""


def outcome_words(end: End, story: Story) -> str:
    """The cause for the summary: what the log states, else what the exit code means; empty for the program's own codes."""
    return story.text or windows_status(end.ending.exit_code)[1] or _CAUSES.get(end.cause, "") or story.last_words
