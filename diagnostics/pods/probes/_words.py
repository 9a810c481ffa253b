"""What all probes share: their handler, their last failure, and both in words."""

from __future__ import annotations

import re
from collections.abc import Callable

from kubedoctor.cluster import Cluster, Container, Event, Pod, Probe, container_path, ref, visible, visible_end
from kubedoctor.findings import has_path
from kubedoctor.replay.kubelet.container_errors import command_named, reason_in
from kubedoctor.replay.kubelet.outcome_facts import concerns
from kubedoctor.replay.kubelet.probes import ProbeAnswer, answer_of, port_number, read_probe_failure
from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.log_lines import parse_line
from kubedoctor.replay.logs.reading import read_log

LONGEST_ANSWER = 160
UNDECLARED = "the container declares no such port"
STATUS = re.compile(r"statuscode: (\d{3})")
_NO_ROUTE = re.compile(r"no route to host", re.IGNORECASE)


def last_failure(
    pod: Pod, container: str, which: str, cluster: Cluster, counts: Callable[[Event], bool] = lambda _: True
) -> tuple[str, Event | None]:
    """The last result of a failing probe (`Liveness`, `Readiness`, `Startup`) and its event; empty if no event is left."""
    alone = _probed(pod, which) == [container]
    for event in reversed(cluster.events_about(ref(pod))):
        mine = concerns(event, container) or (alone and not event.involved_object.field_path)
        if event.reason == "Unhealthy" and mine and counts(event):
            probe, why = read_probe_failure(event.message)
            if probe == which and why:
                return why, event
    return "", None


def _probed(pod: Pod, which: str) -> list[str]:
    """The containers that have such a probe."""
    parts = (*(pod.spec.init_containers or ()), *pod.spec.containers)
    return [part.name for part in parts if getattr(part, f"{which.lower()}_probe") is not None]


def handler_path(pod: Pod, container: str, kind: str) -> str:
    """The handler of a probe, as a path below the container: `livenessProbe.httpGet`."""
    for field in ("httpGet", "tcpSocket", "grpc", "exec"):
        if has_path(pod, f"{container_path(pod, container)}.{kind}.{field}"):
            return f"{kind}.{field}"
    return f"{kind}.periodSeconds"


def target(probe: Probe, container: Container) -> str:
    """`GET /ready on port http (8080)`, `TCP connection to port 8080`, ``command `cat /tmp/ok` ``."""
    if probe.http_get is not None:
        method = "HTTPS GET" if probe.http_get.scheme == "HTTPS" else "GET"
        return f"{method} {visible(probe.http_get.path or '/')} on {_port(probe, container, probe.http_get.port)}"
    if probe.tcp_socket is not None:
        return f"TCP connection to {_port(probe, container, probe.tcp_socket.port)}"
    if probe.grpc is not None:
        return f"gRPC health check on {_port(probe, container, probe.grpc.port)}"
    if probe.exec is not None:
        return f"command `{visible(' '.join(probe.exec.command or ()), LONGEST_ANSWER)}`"
    return "probe without a handler"


def failure(probe: Probe, container: Container, why: str) -> str:
    """`GET /ready on port http (8080) returns 503`; `why` is what the kubelet wrote after `probe failed:`."""
    request = target(probe, container)
    answer = answer_of(why, probe)
    status = STATUS.search(why)
    if answer is ProbeAnswer.STATUS and status is not None:
        return f"{request} returns {status[1]}"
    if answer is ProbeAnswer.REFUSED and probe.exec is None:
        return f"{request}: connection refused"
    if answer is ProbeAnswer.TIMEOUT and not _NO_ROUTE.search(why):
        return f"{request} timed out after {probe.timeout_seconds}s (timeoutSeconds)"
    if answer is ProbeAnswer.UNRESOLVED_PORT and UNDECLARED in request:
        return request
    if answer is ProbeAnswer.COMMAND_MISSING and (program := command_named(why)):
        return f"{request}: {visible(program, LONGEST_ANSWER)} not found in image {visible(container.image)}"
    if answer is ProbeAnswer.COMMAND_NOT_RUN:
        return f"the container runtime cannot run {request}: {_first_and_last(reason_in(why))}"
    if probe.exec is not None and (decides := _deciding_line(why)):
        return f"{request}: {visible(decides, LONGEST_ANSWER)}"
    return f"{request}: {visible_end(reason_in(why), LONGEST_ANSWER)}"


def _deciding_line(output: str) -> str:
    """Of what a command printed in several lines, the one that states a fault, of a line of JSON its message; else empty."""
    lines = output.splitlines()
    if len(lines) == 1 and (line := parse_line(output)).structured:
        return line.message
    cause = read_log(lines, 1) if len(lines) > 1 else None
    if cause is None or (cause.fault is LogFault.UNKNOWN and len(output) <= LONGEST_ANSWER):
        return ""
    return " ".join(parse_line(lines[cause.index]).message.split()).lstrip("*- ").rstrip(".")


def _first_and_last(reason: str) -> str:
    """The step that failed and the kernel's answer, without the paths of the runtime between them."""
    clauses = [clause for clause in reason.split(": ") if clause and clause != "unknown"]
    shown = clauses if len(reason) <= LONGEST_ANSWER else [clauses[0], clauses[-1]]
    return visible(": ".join(dict.fromkeys(shown)), LONGEST_ANSWER)


def _port(probe: Probe, container: Container, port: int | str) -> str:
    number = port_number(probe, container)
    if not number:
        return f"port {port} ({UNDECLARED})"
    return f"port {port} ({number})" if str(number) != str(port) else f"port {port}"
