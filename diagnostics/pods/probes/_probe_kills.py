"""What the liveness and startup diagnostics share: the last failure of a probe, and the finding."""

from __future__ import annotations

from diagnostics.pods.crashes._ends import End, after_start, exit_words
from diagnostics.pods.probes._words import failure, handler_path, last_failure, target
from kubedoctor.cluster import Cluster, LogTail, Pod, Probe, ref, times
from kubedoctor.findings import (
    Confidence,
    Evidence,
    Finding,
    at_fault,
    fix_by_hand,
    look_at_log,
    look_at_pod,
    quote,
    quote_line,
    quote_spec,
    quote_status,
)
from kubedoctor.replay.kubelet.outcomes import Proof
from kubedoctor.replay.logs.stops import says_it_was_stopped

_CONFIDENCE = {Proof.STATED: Confidence.CERTAIN, Proof.FITS: Confidence.LIKELY, Proof.ALLOWED: Confidence.POSSIBLE}


def killed_by_probe(pod: Pod, end: End, probe: Probe, which: str, start: str, fix: str, cluster: Cluster) -> Finding:
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
    if end.log.lines and says_it_was_stopped(end.log.lines):
        evidence.append(quote_line(LogTail(ref(pod), name, end.log.previous, end.log.lines), -1, "the last log line"))
    return Finding(
        about=about,
        summary=summary,
        detail=f"Restarted {times(end.part.status.restart_count)}.",
        confidence=_CONFIDENCE[proof],
        evidence=tuple(evidence),
        fixes=(fix_by_hand(about, fix),),
        commands=(
            look_at_pod(pod, "the probe's results, under Events"),
            look_at_log(pod, name, previous=end.log.previous, why="the log of the run that was killed"),
        ),
        would_disprove=""
        if proof is not Proof.ALLOWED
        else "An event `Killing` with another reason, or a node that was short of memory at that time.",
        aspect=name,
    )
