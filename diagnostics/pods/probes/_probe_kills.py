"""What the liveness and startup diagnostics share: the last failure of a probe, and the finding."""

from __future__ import annotations

from diagnostics.pods.crashes._ends import End, exit_words
from diagnostics.pods.probes._words import failure, target
from kubedoctor.cluster import Cluster, Event, LogTail, Pod, Probe, container_path, human_duration, ref, times
from kubedoctor.findings import (
    Confidence,
    Evidence,
    Finding,
    at_fault,
    fix_by_hand,
    has_path,
    look_at_log,
    look_at_pod,
    quote,
    quote_line,
    quote_spec,
    quote_status,
)
from kubedoctor.replay.kubelet.killers import Proof, concerns
from kubedoctor.replay.kubelet.probes import read_probe_failure
from kubedoctor.replay.logs.log_lines import says_it_was_stopped

_CONFIDENCE = {Proof.STATED: Confidence.CERTAIN, Proof.FITS: Confidence.LIKELY, Proof.ALLOWED: Confidence.POSSIBLE}


def last_failure(pod: Pod, container: str, which: str, cluster: Cluster) -> tuple[str, Event | None]:
    """The last result of a failing probe (`Liveness`, `Startup`) and its event; empty if no event is left."""
    for event in reversed(cluster.events_about(ref(pod))):
        if event.reason == "Unhealthy" and concerns(event, container):
            probe, why = read_probe_failure(event.message)
            if probe == which and why:
                return why, event
    return "", None


def probe_path(pod: Pod, container: str, kind: str) -> str:
    """The handler of a probe, as a path below the container: `livenessProbe.httpGet`."""
    for field in ("httpGet", "tcpSocket", "grpc", "exec"):
        if has_path(pod, f"{container_path(pod, container)}.{kind}.{field}"):
            return f"{kind}.{field}"
    return f"{kind}.periodSeconds"


def killed_by_probe(pod: Pod, end: End, probe: Probe, which: str, start: str, fix: str, cluster: Cluster) -> Finding:
    """The finding that a probe got its container killed. `which`: Liveness or Startup; `start`: of the summary."""
    name = end.name
    about = at_fault(pod, cluster)
    why, event = last_failure(pod, name, which, cluster)
    proof = end.verdict.proof
    container = end.part.container
    after = f" after {human_duration(end.ending.lasted)}" if end.ending.lasted is not None else ""
    summary = f"{start}: {failure(probe, container, why) if why else target(probe, container)}"
    summary += f"; container `{name}` was killed{after}, exit {exit_words(end.ending)}"
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
        *quote_spec(pod, cluster, about, name, probe_path(pod, name, kind), "what the probe checks"),
        *timing,
        *([quote(end.verdict.event, "message")] if end.verdict.event is not None else []),
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
