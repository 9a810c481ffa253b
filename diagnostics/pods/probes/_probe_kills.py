"""What the liveness and startup diagnostics share: the last failure of a probe, and the finding."""

from __future__ import annotations

import re

from diagnostics.pods.crashes._crash import story_of_lines
from diagnostics.pods.crashes._ends import End, RunLog, after_start, as_it_matters, exit_words, log_of_the_end
from diagnostics.pods.crashes._story import Story
from diagnostics.pods.probes._refusal import refused_request
from diagnostics.pods.probes._repairs import (
    ProbeFailure,
    Repair,
    longer_start,
    on_loopback,
    port_elsewhere,
    repaired,
    startup_probe_added,
)
from diagnostics.pods.probes._starved import at_its_cpu_limit
from diagnostics.pods.probes._words import failure, handler_path, last_failure, target
from kubedoctor.cluster import Cluster, LogTail, Pod, Probe, ref, times
from kubedoctor.findings import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    Ref,
    at_fault,
    fix_by_hand,
    look_at_log,
    look_at_pod,
    quote,
    quote_line,
    quote_spec,
    quote_status,
)
from kubedoctor.replay.kubelet.outcome_facts import memory_limit
from kubedoctor.replay.kubelet.outcomes import Proof
from kubedoctor.replay.kubelet.probes import ProbeAnswer, answer_of, killed_not_after
from kubedoctor.replay.logs.children import killed_children
from kubedoctor.replay.logs.listening import port_listened_on
from kubedoctor.replay.logs.stops import says_it_was_stopped

_CONFIDENCE = {Proof.STATED: Confidence.CERTAIN, Proof.FITS: Confidence.LIKELY, Proof.ALLOWED: Confidence.POSSIBLE}

_NOT_UP = frozenset(
    {ProbeAnswer.REFUSED, ProbeAnswer.TIMEOUT, ProbeAnswer.GRPC, ProbeAnswer.RESET, ProbeAnswer.UNKNOWN}
)
"""What a program that has not started yet answers."""


_LOADS = re.compile(
    r"\bLOADING\b|(?i:\bloading (?:the )?(?:dataset|data|database|model|index)\b"
    r"|\bstill (?:starting|loading|initiali[sz]ing|recovering)\b|\b(?:is|are) (?:starting up|in recovery|recovering)\b"
    r"|\bnot (?:yet )?(?:fully )?(?:started|initiali[sz]ed|booted)\b)"
)
"""What a program answers that is not done with its start."""
_LOADS_DATASET = re.compile(r"\bLOADING \w+ is loading the dataset\b")
"""Of Redis and its like, as an error of their protocol."""
_LATER = 2
"""A program that loads may have answered a few times before: how often the time of a probe that fails from the start."""
_BREAKS = re.compile(r"\b(?:errors?|fail(?:s|ed|ure)?|cannot|can't|could not|unable)\b", re.IGNORECASE)


def _loads(why: str) -> bool:
    return bool(_LOADS_DATASET.search(why) or (_LOADS.search(why) and not _BREAKS.search(_answer(why))))


def _answer(why: str) -> str:
    """Without `Liveness probe failed: `, which the kubelet writes before it."""
    return why.partition("probe failed:")[2] or why


def _never_started(pod: Pod, end: End, probe: Probe, why: str, answer: ProbeAnswer) -> bool:
    """Whether the liveness probe failed from the start, because nothing listened yet or the program was not done."""
    lasted = end.ending.lasted
    loads = _loads(why)
    latest = killed_not_after(probe, pod) * (_LATER if loads else 1)
    return (
        (loads or answer in (ProbeAnswer.REFUSED, ProbeAnswer.GRPC, ProbeAnswer.RESET))
        and end.part.container.startup_probe is None
        and lasted is not None
        and lasted <= latest
    )


def _repair(
    pod: Pod, end: End, probe: Probe, which: str, why: str, about: Ref, cluster: Cluster
) -> tuple[RunLog, str, Repair]:
    """The log of the run, the clause about another port, and what would content the probe."""
    container = end.part.container
    answer = answer_of(why, probe) if why else ProbeAnswer.UNKNOWN
    # Where the program listens is in its log, and so is how long its start took.
    run = (
        log_of_the_end(pod, end.part, cluster)
        if (answer in _NOT_UP or answer is ProbeAnswer.STATUS) and not end.log.lines
        else end.log
    )
    log = LogTail(ref(pod), end.name, run.previous, run.lines)
    where, shown = on_loopback(probe, container, answer, log)
    loopback, elsewhere = bool(where), 0
    fixes: tuple[Fix, ...] = ()
    if loopback:
        pass  # Neither another port nor more time helps.
    elif elsewhere := port_elsewhere(probe, container, run.lines, answer, why):
        who = "program listens on" if port_listened_on(run.lines) else "container declares"
        where = f"; the {who} port {elsewhere}"
    elif answer is ProbeAnswer.GRPC and port_listened_on(run.lines):
        where = "; the program listens on that port, but does not answer gRPC"
    elif which == "Startup" and answer in _NOT_UP:
        return run, "", longer_start(pod, end.part, probe, log, about, cluster)
    elif _never_started(pod, end, probe, why, answer):
        return run, "", startup_probe_added(pod, end.part, probe, log, about, cluster)
    else:
        refused = refused_request(f"{which.lower()}Probe", probe, container, why, about, log, cluster)
        where, shown, fixes = refused.text, refused.evidence, refused.fixes
    failure = ProbeFailure(why, answer, elsewhere, run.lines, loopback)
    repair = repaired(pod, container, f"{which.lower()}Probe", probe, failure, about, cluster)
    return run, where, Repair(fixes or repair.fixes, (*shown, *repair.evidence))


def _without_its_children(pod: Pod, end: End, run: RunLog, about: Ref, cluster: Cluster) -> tuple[str, Repair] | None:
    """Where the kernel kills the processes that answer, more time for the probe is no remedy."""
    killed = killed_children(run.lines)
    if killed is None:
        return None
    limit = memory_limit(end.part.container)
    log = LogTail(ref(pod), end.name, run.previous, run.lines)
    words = f"its memory limit, {limit}" if limit else "a limit of memory"
    clause = f"; its log says that its child processes are killed (SIGKILL), as the kernel does at {words}"
    fix = f"Raise the memory limit of container `{end.name}` above {limit}" if limit else "Give it more memory"
    return clause, Repair(
        (fix_by_hand(about, f"{fix}, or let fewer processes run at once"),),
        (
            *quote_spec(pod, cluster, about, end.name, "resources.limits.memory"),
            quote_line(log, killed[1], f"a child process was killed, {times(killed[0])} in the lines that were read"),
        ),
    )


def killed_by_probe(pod: Pod, end: End, probe: Probe, which: str, start: str, cluster: Cluster) -> Finding:
    """The finding that a probe got its container killed. `which`: Liveness or Startup; `start`: of the summary."""
    name = end.name
    about = at_fault(pod, cluster)
    why, event = last_failure(pod, name, which, cluster)
    proof = end.outcome.proof
    container = end.part.container
    summary = f"{start}: {failure(probe, container, why) if why else target(probe, container)}"
    summary += f"; container `{name}` was killed{after_start(end.ending)}, exit {exit_words(end.ending)}"
    if proof is not Proof.STATED and not end.ending.is_out_of_memory:
        summary += ", not OOMKilled" if end.ending.exit_code == 137 else ""
    kind = f"{which.lower()}Probe"
    run, where, repair = _repair(pod, end, probe, which, why, about, cluster)
    where, repair = _without_its_children(pod, end, run, about, cluster) or (where, repair)
    starved = at_its_cpu_limit(pod, container, answer_of(why, probe) if why else ProbeAnswer.UNKNOWN, about, cluster)
    if starved is not None:
        where += starved.clause
        repair = Repair((*starved.fixes, *repair.fixes), (*starved.evidence, *repair.evidence))
    summary += where
    timing = [
        quoted
        for field in ("initialDelaySeconds", "periodSeconds", "failureThreshold")
        for quoted in quote_spec(pod, cluster, about, name, f"{kind}.{field}")
        if quoted.value != 0
    ]
    evidence: list[Evidence] = [
        *quote_spec(pod, cluster, about, name, handler_path(pod, name, kind), "what the probe checks"),
        *timing,
        *([quote(end.outcome.event, "message")] if end.outcome.event is not None else []),
        *([quote(event, "message", f"seen {times(event.times)}")] if event is not None else []),
        *quote_status(pod, name, f"{end.ending.place}.exitCode", f"{end.ending.place}.reason", "restartCount"),
    ]
    if run.lines and says_it_was_stopped(run.lines):
        evidence.append(quote_line(LogTail(ref(pod), name, run.previous, run.lines), -1, "the last log line"))
    evidence += repair.evidence
    story = (
        story_of_lines(pod, name, run.lines, run.previous, about, cluster)
        if run.lines and not where and why and answer_of(why, probe) is ProbeAnswer.STATUS
        else Story()
    )
    if story.text:
        summary += f"; its log: {story.text}"
        evidence += story.evidence
    finding = Finding(
        about=about,
        summary=summary,
        detail=f"Restarted {times(end.part.status.restart_count)}.",
        confidence=_CONFIDENCE[proof],
        evidence=tuple(evidence),
        fixes=story.fixes or repair.fixes,
        because_of=story.because_of,
        commands=(
            look_at_pod(pod, "the probe's results, under Events"),
            look_at_log(pod, name, previous=run.previous, why="the log of the run that was killed"),
        ),
        would_disprove=""
        if proof is not Proof.ALLOWED
        else "An event `Killing` with another reason, or a node that was short of memory at that time.",
        aspect=name,
    )
    return as_it_matters(finding, pod, end.part, cluster)
