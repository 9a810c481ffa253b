"""A program ends again and again.

## What it means
The container starts, its program ends, and the kubelet starts it once more after a pause: 10 s, 20 s, 40 s, up to
5 minutes. `CrashLoopBackOff` is the name of the pause, not of a cause. The cause is in the program's own words: the
log of the run that ended.

## Why it happens
- A setting is wrong or missing: a variable, a file, an argument, a password.
- Something it needs does not answer: a database, another Service, DNS.
- It may not do what it must: write to a directory, listen on a port, use the API.
- It has a defect and crashes (exit codes 134 and 139: it was aborted; it touched foreign memory).
- It has simply done its work: exit code 0 is an end too. A program that ends belongs in a Job.

## How to fix it
1. Read the log of the run that ended: `kubectl logs POD -c CONTAINER --previous`.
2. Compare what the line names, a file, a host, a variable, with the pod's settings.
3. If the log is empty, look at the exit code: above 128 it is 128 plus a signal.
4. If it worked yesterday, compare with the version before: `kubectl rollout history deployment/NAME`.

## References
- https://kubernetes.io/docs/tasks/debug/debug-application/debug-running-pod/
- https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.pods.crashes._config_file import broken_config_file
from diagnostics.pods.crashes._crash import how_it_ends, story_of
from diagnostics.pods.crashes._ends import End, ends_of
from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import Cluster, ConfigMap, EndpointSlice, Event, Namespace, NetworkPolicy, Pod, Service
from kubedoctor.cluster.relations.workloads import WORKLOADS
from kubedoctor.cluster.triage import restarted
from kubedoctor.findings import Confidence, Finding, Ref, Severity, diagnostic
from kubedoctor.findings.commands import look_at_log, look_at_pod
from kubedoctor.findings.containers import CONSEQUENCES, at_fault, quote_status, times
from kubedoctor.replay.kubelet.killers import Killer
from kubedoctor.replay.logs.log_lines import Sign


@diagnostic(
    code="KD1003",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(Event, ConfigMap, Service, EndpointSlice, Namespace, NetworkPolicy, *WORKLOADS),
    when=restarted,
    explains=CONSEQUENCES,
    symptoms=(
        "CrashLoopBackOff",
        "BackOff",
        "Error",
        "exit code 1",
        "exit code 2",
        "exit code 139",
        "exit code 134",
        "exit code 255",
        "exit code 143",
        "exit code 137",
        "exit code 127",
        "Completed",
        "Init:CrashLoopBackOff",
    ),
)
def crash_loop(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    for end in ends_of(pod, cluster, lambda part: not part.is_init):
        if end.killer is not Killer.ITSELF:
            continue  # The diagnostics of memory, starts, probes, hooks and init containers tell of these.
        about = at_fault(pod, cluster)
        story = story_of(pod, end, about, cluster)
        if story.sign is not None and story.sign.sign is Sign.EXEC_FORMAT:
            continue  # It never ran: start-error tells of it.
        broken = broken_config_file(pod, end, story, cluster)
        if broken is not None:
            yield broken
        yield _finding(pod, end, about, story, broken)


def _finding(pod: Pod, end: End, about: Ref, story: Story, broken: Finding | None) -> Finding:
    name, restarts = end.name, end.part.status.restart_count
    said = how_it_ends(pod, end)
    if story.text:
        said = f"{said}: {story.text}"
    elif end.ending.exit_code == 0:
        said = f"{said}: it has done its work, and is started again all the same"
    detail = f"Restarted {times(restarts)} so far."
    if not story.evidence:
        detail += " Its log has nothing to tell."
    confidence, disprove = Confidence.LIKELY, ""
    if not story.text and end.ending.exit_code != 0:
        confidence = Confidence.POSSIBLE
        disprove = "The log of another run, or the program's own files, may tell what it ends for."
    place = end.ending.place
    evidence = [
        *quote_status(pod, name, f"{place}.exitCode", f"{place}.reason", f"{place}.message", "restartCount"),
        *story.evidence,
    ]
    return Finding(
        about=about,
        summary=said,
        detail=detail,
        confidence=confidence,
        evidence=tuple(evidence),
        fixes=story.fixes,
        commands=(
            look_at_log(pod, name, previous=end.log.previous, why="what it wrote before it ended"),
            *story.commands,
            look_at_pod(pod, "its state and newest events"),
        ),
        would_disprove=disprove,
        aspect=name,
        because_of=(*story.because_of, *((broken.about,) if broken else ())),
    )
