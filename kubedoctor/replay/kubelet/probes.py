"""How the kubelet probes: timing, port and the messages of a failure (pkg/kubelet/prober, pkg/probe, v1.37)."""

from __future__ import annotations

import enum
import re
from datetime import timedelta

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.kinds.containers import Container, Probe
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.kubelet.messages import MessageKinds

DEFAULT_GRACE = 30


class ProbeAnswer(enum.Enum):
    """How a probe failed."""

    REFUSED = enum.auto()
    TIMEOUT = enum.auto()
    STATUS = enum.auto()
    TLS = enum.auto()
    RESET = enum.auto()
    COMMAND_MISSING = enum.auto()
    COMMAND_FAILED = enum.auto()
    GRPC = enum.auto()
    UNRESOLVED_PORT = enum.auto()
    UNKNOWN = enum.auto()


_FAILED = compiled_later(
    r"^(?P<probe>Readiness|Liveness|Startup) probe (?:failed|errored|error)(?: and resulted in unknown state)?: (?P<why>.*)",
    re.DOTALL,
)
_ANSWERS = MessageKinds(
    (ProbeAnswer.STATUS, r"statuscode: \d{3}"),
    (ProbeAnswer.UNRESOLVED_PORT, r"couldn't find port|invalid port|strconv\.\w+: parsing"),
    (ProbeAnswer.TLS, r"server gave HTTP response to HTTPS client|malformed HTTP|x509: |tls: |http2: frame"),
    (ProbeAnswer.GRPC, r"grpc|health rpc|NOT_SERVING|failed to connect service"),
    (
        ProbeAnswer.COMMAND_MISSING,
        r"executable file not found|exec failed|no such file or directory|command not found",
    ),
    (ProbeAnswer.REFUSED, r"connection refused"),
    (ProbeAnswer.TIMEOUT, r"i/o timeout|deadline exceeded|Client\.Timeout|timed out|no route to host"),
    (ProbeAnswer.RESET, r"connection reset|\bEOF\b"),
)


def read_probe_failure(message: str) -> tuple[str, str]:
    """The probe of an `Unhealthy` event (`Readiness`, `Liveness`, `Startup`) and its result; empty if none."""
    match = _FAILED.match(message)
    return (match["probe"], match["why"].strip()) if match else ("", "")


def answer_of(why: str, probe: Probe | None) -> ProbeAnswer:
    """The kind of a failure; `why` is what the kubelet wrote after `probe failed:`."""
    unknown = ProbeAnswer.COMMAND_FAILED if probe is not None and probe.exec is not None else ProbeAnswer.UNKNOWN
    return _ANSWERS.of(why) or unknown


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


def port_number(probe: Probe, container: Container) -> int:
    """The number of that port; 0 for a command or a name that the container does not declare."""
    port = port_of(probe)
    if isinstance(port, int):
        return port
    if port.isdigit():
        return int(port)
    return next((declared.container_port for declared in container.ports or () if declared.name == port), 0)
