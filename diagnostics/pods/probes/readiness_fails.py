"""Readiness probe fails.

## What it means
The container runs but is not ready. The pod gets no traffic: its Services leave it out of their endpoints, and a
rollout waits for it. The kubelet does not restart a container because of its readiness probe.

## Why it happens
- The probe checks the wrong port, path or scheme.
- The program reports that it is not ready, for example with 503: it waits for a database, a cache, another Service.
- The program listens on 127.0.0.1 only: the probe comes from the node.
- The program answers more slowly than the probe's timeout (1s by default).

## How to fix it
1. Run the probe's request: `kubectl exec POD -- wget -qO- http://localhost:PORT/PATH`, or use `kubectl port-forward`.
2. Compare the probe's port with the port in the program's log.
3. If the program returns 503, read in its log what it waits for.

## References
- https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from diagnostics.pods._node import blamed_node
from diagnostics.pods._own_events import own_warning
from diagnostics.pods.crashes._crash import story_of_lines
from diagnostics.pods.crashes._story import Story
from diagnostics.pods.crashes._story_kinds import STORY_KINDS
from diagnostics.pods.probes._bgp import no_session
from diagnostics.pods.probes._kubelets import requests_without_certificate
from diagnostics.pods.probes._mesh_proxy import FILTER, REACH_ISTIOD, is_proxy, proxy_story
from diagnostics.pods.probes._refusal import refused_request
from diagnostics.pods.probes._repairs import ProbeFailure, Repair, on_loopback, port_elsewhere, repaired
from diagnostics.pods.probes._starved import at_its_cpu_limit
from diagnostics.pods.probes._words import failure, handler_path, last_failure, target
from kubedoctor.cluster import (
    WORKLOADS,
    CertificateSigningRequest,
    Cluster,
    Container,
    Event,
    Pod,
    Probe,
    condition,
    human_duration,
    not_ready,
    ref,
    times,
)
from kubedoctor.findings import (
    Command,
    Confidence,
    ContainerWithStatus,
    Explains,
    Finding,
    Severity,
    active,
    at_fault,
    containers_with_status,
    diagnostic,
    in_container,
    kubectl,
    look_at_log,
    look_at_pod,
    quote,
    quote_spec,
    quote_status,
)
from kubedoctor.replay.kubelet.probes import (
    ProbeAnswer,
    answer_of,
    gives_up_after,
)
from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.listening import expects_tls, port_listened_on

STARTING = timedelta(seconds=60)
"""The time that a program may take to listen on its port before that counts as a fault."""
SHORTEST = timedelta(seconds=10)


@diagnostic(
    code="KD1012",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(CertificateSigningRequest, FILTER, *STORY_KINDS, *WORKLOADS),
    when=not_ready,
    explains=(Explains("same", ("KD1201", "KD1215")), Explains("selects", ("KD2001", "KD2005"))),
    symptoms=("Unhealthy", "ContainersNotReady", "Readiness probe failed"),
)
def readiness_fails(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if not active(pod):
        return
    for part in containers_with_status(pod):
        probe = part.container.readiness_probe
        running = part.status.state.running if part.status.state else None
        if probe is None or running is None or part.status.ready or part.status.started is False:
            continue
        age = cluster.taken_at - running.started_at if running.started_at else STARTING
        if age >= max(gives_up_after(probe), SHORTEST):
            yield from _judge(pod, part, probe, age, cluster)


def _judge(pod: Pod, part: ContainerWithStatus, probe: Probe, age: timedelta, cluster: Cluster) -> Iterator[Finding]:
    container = part.container
    cluster.together(
        partial(at_fault, pod, cluster),
        partial(cluster.events_about, ref(pod)),
        partial(cluster.log_tail, pod, container.name),
    )
    about = at_fault(pod, cluster)
    why, event = last_failure(
        pod, container.name, "Readiness", cluster, lambda event: _is_of_this_state(event, pod, part, probe)
    )
    answer = answer_of(why, probe) if why else ProbeAnswer.UNKNOWN
    tail = cluster.log_tail(pod, container.name)
    lines = tail.lines if tail is not None else ()
    listens = port_listened_on(lines)
    loopback = on_loopback(probe, container, answer, tail) if tail is not None else ("", ())
    elsewhere = 0 if loopback[0] else port_elsewhere(probe, container, lines, answer, why)
    if answer is ProbeAnswer.REFUSED and not elsewhere and age < STARTING:
        return  # It may still be starting.
    failed = failure(probe, container, why) if why else _unanswered(probe, container, age)
    summary = f"readiness probe{in_container(pod, container.name)} fails: {failed}"
    story = no_session(pod, why, about, cluster)
    if is_proxy(pod, container.name):
        story = proxy_story(pod, tail, about, cluster)
    refused = refused_request("readinessProbe", probe, container, why, about, tail, cluster)
    failing = ProbeFailure(why, answer, elsewhere, lines, bool(loopback[0]))
    repair = repaired(pod, container, "readinessProbe", probe, failing, about, cluster)
    if is_proxy(pod, container.name):
        repair = Repair((REACH_ISTIOD,))
    starved = at_its_cpu_limit(pod, container, answer, about, cluster)
    if starved is not None:
        summary += starved.clause
        repair = Repair((*starved.fixes, *repair.fixes), (*starved.evidence, *repair.evidence))
    if elsewhere:
        summary += f"; the {'program listens on' if listens else 'container declares'} port {elsewhere}"
    elif answer is ProbeAnswer.STATUS and expects_tls(lines):
        summary += "; the program speaks TLS on that port (HTTPS)"
    elif refused.text or loopback[0]:
        summary += refused.text or loopback[0]
    elif story.text:
        summary += f"; {story.text}"
    elif answer not in (ProbeAnswer.COMMAND_MISSING, ProbeAnswer.COMMAND_NOT_RUN):
        story = story_of_lines(pod, container.name, lines, False, about, cluster) if lines else story
        summary += f"; its log: {story.text}" if story.text else ""
    words, shown = own_warning(pod, container.name, cluster) if not story.text else ("", ())
    summary += f"; also: {words}" if words else ""
    handler = handler_path(pod, container.name, "readinessProbe")
    yield Finding(
        about=about,
        summary=summary,
        confidence=Confidence.CERTAIN if why else Confidence.LIKELY,
        evidence=(
            *quote_spec(pod, cluster, about, container.name, handler, "what the probe checks"),
            *([quote(event, "message", f"seen {times(event.times)}")] if event is not None else []),
            *quote_status(pod, container.name, "ready", "state.running.startedAt"),
            *quote_spec(pod, cluster, about, container.name, "ports")[: bool(elsewhere)],
            *repair.evidence,
            *refused.evidence,
            *loopback[1],
            *shown,
            *story.evidence,
        ),
        fixes=story.fixes if story.fixes and _comes_first(story) else refused.fixes or repair.fixes,
        commands=(
            look_at_pod(pod, "the probe's results, under Events"),
            look_at_log(pod, container.name, previous=False),
            *(story.commands if story.cause is None else ()),
            Command(kubectl("get", "endpointslices", namespace=pod.namespace), "the pods that get traffic"),
        ),
        aspect=container.name,
        because_of=(
            *story.because_of,
            *(blamed_node(pod) if answer is ProbeAnswer.COMMAND_NOT_RUN else ()),
            *requests_without_certificate(story.text, lines, cluster),
        ),
    )


def _comes_first(story: Story) -> bool:
    """A name that does not resolve, and a right that is missing, are more than the probe shows."""
    return story.cause is None or story.cause.fault in (LogFault.NAME_NOT_RESOLVED, LogFault.API_FORBIDDEN)


def _is_of_this_state(event: Event, pod: Pod, part: ContainerWithStatus, probe: Probe) -> bool:
    """Whether the event is of this run of the container, and of the time since the pod is not ready: the kubelet reports
    a probe that keeps failing ever more rarely."""
    running = part.status.state.running if part.status.state else None
    state = condition(pod.status.conditions, "Ready")
    not_ready_since = state.last_transition_time if state is not None else None
    starts = [running.started_at if running else None, not_ready_since and not_ready_since - gives_up_after(probe)]
    seen = event.seen_at
    return seen is not None and all(start is None or seen >= start for start in starts)


def _unanswered(probe: Probe, container: Container, age: timedelta) -> str:
    return f"{target(probe, container)} has not succeeded for {human_duration(age)}"
