"""How the kubelet probes: timing, port and the messages of a failure (pkg/kubelet/prober, pkg/probe, v1.37)."""

from __future__ import annotations

import enum
import re
from datetime import timedelta

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.kinds.containers import Container, Probe
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.messages.message import Message
from kubedoctor.replay.messages.phrases import first_phrase
from kubedoctor.replay.messages.pods.probe import RESULTS

DEFAULT_GRACE = 30


class ProbeAnswer(enum.Enum):
    """How a probe failed. COMMAND_NOT_RUN: the container runtime could not run its command."""

    REFUSED = enum.auto()
    TIMEOUT = enum.auto()
    STATUS = enum.auto()
    TLS = enum.auto()
    RESET = enum.auto()
    COMMAND_MISSING = enum.auto()
    COMMAND_FAILED = enum.auto()
    COMMAND_NOT_RUN = enum.auto()
    GRPC = enum.auto()
    UNRESOLVED_PORT = enum.auto()
    UNKNOWN = enum.auto()


_FAILED = compiled_later(
    r"^(?:\(combined from similar events\): )?(?P<probe>Readiness|Liveness|Startup) probe (?:failed|errored|error)(?: and resulted in unknown state)?: (?P<why>.*)",
    re.DOTALL,
)
_BY_VALUE = {
    "port": ProbeAnswer.UNRESOLVED_PORT,
    "status": ProbeAnswer.STATUS,
    "missing": ProbeAnswer.COMMAND_MISSING,
    "runtime": ProbeAnswer.COMMAND_NOT_RUN,
    "reset": ProbeAnswer.RESET,
}
_BY_CLASS = {
    MessageClass.PROBE_PROTOCOL: ProbeAnswer.TLS,
    MessageClass.PROBE_STATUS_CODE: ProbeAnswer.GRPC,
    MessageClass.PROBE_REFUSED: ProbeAnswer.REFUSED,
    MessageClass.PROBE_TIMEOUT: ProbeAnswer.TIMEOUT,
}


def read_probe_failure(message: str) -> tuple[str, str]:
    """The probe of an `Unhealthy` event (`Readiness`, `Liveness`, `Startup`) and its result; empty if none."""
    match = _FAILED.match(message)
    return (match["probe"], match["why"].strip()) if match else ("", "")


def answer_of(why: str, probe: Probe | None) -> ProbeAnswer:
    """The kind of a failure; `why` is what the kubelet wrote after `probe failed:`."""
    unknown = ProbeAnswer.COMMAND_FAILED if probe is not None and probe.exec is not None else ProbeAnswer.UNKNOWN
    match = first_phrase(Message(text=f"Liveness probe failed: {why}"), RESULTS)
    if match is None:
        return unknown
    named = next((answer for name, answer in _BY_VALUE.items() if name in match.values), None)
    answer = named or _BY_CLASS.get(match.message_class, unknown)
    # A gRPC client only gives up: refused and too slow read alike.
    return ProbeAnswer.GRPC if answer is ProbeAnswer.TIMEOUT and "failed to connect service" in why else answer


def gives_up_after(probe: Probe) -> timedelta:
    """The time from the start of the container until the failure threshold, if each probe fails."""
    return timedelta(seconds=probe.initial_delay_seconds + probe.period_seconds * max(1, probe.failure_threshold))


def gives_up_not_before(probe: Probe) -> timedelta:
    """The shortest such time: the first probe may run as soon as the initial delay is over."""
    repeats = max(0, probe.failure_threshold - 1)
    return timedelta(seconds=probe.initial_delay_seconds + probe.period_seconds * repeats)


def killed_not_after(probe: Probe, pod: Pod) -> timedelta:
    """The latest end of a container whose probe failed from the start, with timeouts and the grace period."""
    grace = probe.termination_grace_period_seconds
    if grace is None:
        grace = pod.spec.termination_grace_period_seconds
    slack = probe.timeout_seconds * max(1, probe.failure_threshold) + probe.period_seconds
    return gives_up_after(probe) + timedelta(seconds=slack + (DEFAULT_GRACE if grace is None else grace))


def port_of(probe: Probe) -> int | str:
    """The port that a probe checks, a number or a name; 0 for a command."""
    if probe.http_get is not None:
        return probe.http_get.port
    if probe.tcp_socket is not None:
        return probe.tcp_socket.port
    return probe.grpc.port if probe.grpc is not None else 0


_ASKED_BY_COMMAND = compiled_later(
    r"(?:-addr[= ]|--?address[= ]|--?endpoint[= ]|https?://|\btcp://|/dev/tcp/)(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])?[:/](?P<port>\d{2,5})\b"
    r"|\bnc (?:-\w+ )*(?:localhost|127\.0\.0\.1) (?P<nc>\d{2,5})\b"
)
"""Of grpc_health_probe, curl, wget, nc and bash."""


def port_of_command(probe: Probe) -> int:
    """The port of its own pod that the command of a probe asks; 0 where it names none."""
    words = " ".join(probe.exec.command or ()) if probe.exec is not None else ""
    found = _ASKED_BY_COMMAND.search(words)
    return int(found["port"] or found["nc"]) if found is not None else 0


def port_number(probe: Probe, container: Container) -> int:
    """The number of that port; 0 for a command or a name that the container does not declare."""
    port = port_of(probe)
    if isinstance(port, int):
        return port
    if port.isdigit():
        return int(port)
    return next((declared.container_port for declared in container.ports or () if declared.name == port), 0)
