"""What the diagnostics of killing probes share: the last failure of a probe, and the finding."""

from __future__ import annotations

from diagnostics.pods.crashes._ends import End
from kubedoctor.cluster import Cluster, Event, Pod, Probe, ref
from kubedoctor.cluster.seen.wants import LogTail
from kubedoctor.cluster.triage import container_path
from kubedoctor.findings import Confidence, Evidence, Finding, has_path, quote, quote_line
from kubedoctor.findings.commands import change, look_at_log, look_at_pod
from kubedoctor.findings.containers import at_fault, quote_spec, quote_status, seconds, times
from kubedoctor.replay.kubelet.killers import Proof, concerns
from kubedoctor.replay.kubelet.probes import read_probe_failure, target_text
from kubedoctor.replay.logs.log_lines import says_it_was_stopped

_CONFIDENCE = {Proof.STATED: Confidence.CERTAIN, Proof.FITS: Confidence.LIKELY, Proof.ALLOWED: Confidence.POSSIBLE}


def last_failure(pod: Pod, container: str, which: str, cluster: Cluster) -> tuple[str, Event | None]:
    """What a probe (`Liveness`, `Startup`) got last, and the event that tells; empty if no event is left."""
    for event in reversed(cluster.events_about(ref(pod))):
        if event.reason == "Unhealthy" and concerns(event, container):
            probe, why = read_probe_failure(event.message)
            if probe == which and why:
                return why, event
    return "", None


def probe_path(pod: Pod, container: str, kind: str) -> str:
    """The part of a probe that says what is asked, below the container: `livenessProbe.httpGet`."""
    for field in ("httpGet", "tcpSocket", "grpc", "exec"):
        if has_path(pod, f"{container_path(pod, container)}.{kind}.{field}"):
            return f"{kind}.{field}"
    return f"{kind}.periodSeconds"


def killed_by_probe(pod: Pod, end: End, probe: Probe, which: str, said: str, fix: str, cluster: Cluster) -> Finding:
    """The finding that a probe has its container killed. `which`: Liveness or Startup; `said`: how the summary begins."""
    name = end.name
    about = at_fault(pod, cluster)
    why, event = last_failure(pod, name, which, cluster)
    proof = end.verdict.proof
    said += f" ({target_text(probe)})"
    if why:
        said += f": {' '.join(why.split())[:160]}"
    said += f"; the container was killed after {seconds(end.ending.lasted)} with {end.ending.text}"
    if proof is not Proof.STATED and not end.ending.is_out_of_memory:
        said += ", not for memory" if end.ending.exit_code == 137 else ""
    kind = f"{which.lower()}Probe"
    timing = [
        one
        for field in ("initialDelaySeconds", "periodSeconds", "failureThreshold")
        for one in quote_spec(pod, cluster, about, name, f"{kind}.{field}")
        if one.value != 0
    ]
    evidence: list[Evidence] = [
        *quote_spec(pod, cluster, about, name, probe_path(pod, name, kind), "what the kubelet asks"),
        *timing,
        *([quote(end.verdict.event, "message")] if end.verdict.event is not None else []),
        *([quote(event, "message", f"seen {times(event.times)}")] if event is not None else []),
        *quote_status(pod, name, f"{end.ending.place}.exitCode", f"{end.ending.place}.reason", "restartCount"),
    ]
    if end.log.lines and says_it_was_stopped(end.log.lines):
        evidence.append(quote_line(LogTail(ref(pod), name, end.log.previous, end.log.lines), -1, "its last words"))
    return Finding(
        about=about,
        summary=said,
        detail=f"Restarted {times(end.part.status.restart_count)} so far.",
        confidence=_CONFIDENCE[proof],
        evidence=tuple(evidence),
        fixes=(change(about, fix),),
        commands=(
            look_at_pod(pod, "what the probe got, and how often"),
            look_at_log(pod, name, previous=end.log.previous, why="what the program did meanwhile"),
        ),
        would_disprove=""
        if proof is not Proof.ALLOWED
        else "An event `Killing` that names another reason, or a node that was short of memory at that time.",
        aspect=name,
    )
