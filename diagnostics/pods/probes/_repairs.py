"""What would content a probe: another port, scheme or time, by what the kubelet, the log and other pods show."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec

from diagnostics.pods.probes._words import STATUS
from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster import (
    Cluster,
    Container,
    LogTail,
    Pod,
    Probe,
    human_duration,
    pods_of,
    ref,
    template_of,
)
from kubedoctor.findings import (
    SETTABLE,
    ContainerWithStatus,
    Effect,
    Evidence,
    Fix,
    Ref,
    command_line,
    container_change,
    fix_by_hand,
    has_path,
    quote,
    quote_line,
    quote_spec,
)
from kubedoctor.replay.kubelet.probes import ProbeAnswer, gives_up_after, port_number, port_of_command
from kubedoctor.replay.kubelet.starts import finishes, slowest_start, threshold_for, time_allowed
from kubedoctor.replay.logs.listening import (
    expects_tls,
    loopback_ports,
    port_listened_on,
    ports_listened_on,
    refuses_the_host,
)
from kubedoctor.replay.logs.start_up import logged_start

_NO_GRPC = re.compile(r"failed to connect service|unknown service|Unimplemented|does not implement")
_PLAIN_ANSWER = "server gave HTTP response to HTTPS client"
_RUNS_NO_COMMAND = (
    "Check the container runtime, the cgroups and the free memory, processes and disk of {node}; other pods with exec"
    " probes there fail too, unless the container has reached its own limit of memory or processes"
)
LONGER = 5
"""Seconds that answer most commands; the default of 1 is short for a program that starts a shell or an interpreter."""


class Repair(NamedTuple):
    """Fixes, and what they are computed from."""

    fixes: tuple[Fix, ...]
    evidence: tuple[Evidence, ...] = ()


class ProbeFailure(NamedTuple):
    """How a probe failed. why: what the kubelet wrote, or nothing; port: the one that it should check, or 0; log: the
    program's lines; loopback: it listens on the port, but not for the kubelet."""

    why: str
    answer: ProbeAnswer
    port: int
    log: Sequence[str]
    loopback: bool = False


_NOT_REACHED = re.compile(
    r"refused|(?:failed|unable|can't|couldn't|could not) (?:to )?connect|timed? ?out|deadline", re.IGNORECASE
)


def port_elsewhere(probe: Probe, container: Container, lines: Sequence[str], answer: ProbeAnswer, why: str = "") -> int:
    """The port that the probe should check, if that is not its port; 0 if nothing shows it."""
    asked, listens = port_number(probe, container), port_listened_on(lines)
    if by_command := port_of_command(probe):
        known = {*ports_listened_on(lines).values(), 0}
        return listens if by_command not in known and listens and _NOT_REACHED.search(why) else 0
    if not asked or answer not in (ProbeAnswer.REFUSED, ProbeAnswer.UNKNOWN, ProbeAnswer.TIMEOUT):
        return 0
    if listens:
        return listens if listens != asked else 0
    # A port that also takes UDP, as that of a DNS server, does not speak the protocol of a probe.
    packets = {port.container_port for port in container.ports or () if port.protocol == "UDP"}
    declared = {port.container_port for port in container.ports or ()} - packets
    return next(iter(declared)) if len(declared) == 1 and asked not in declared else 0


def set_probe(about: Ref, container: str, path: tuple[str, ...], value: Any, summary: str, cluster: Cluster) -> Fix:
    """A fix that sets one field of a probe in the workload's template; by hand where there is none."""
    item = cluster.maybe.get_ref(about) if about.kind in SETTABLE - {"CronJob"} else None
    change = container_change(item, (container,), path, value)
    if change is None or item is None:
        return fix_by_hand(about, summary)
    return Fix(summary, command_line(change, item), Effect.DISRUPTS)


def longer_start(
    pod: Pod, part: ContainerWithStatus, probe: Probe, log: LogTail, about: Ref, cluster: Cluster
) -> Repair:
    """A startup probe that gives the program as long as a start took, where one was seen, or twice the time."""
    name = part.container.name
    took, evidence = _observed_start(pod, name, gives_up_after(probe), log, about, cluster)
    threshold = threshold_for(probe, took)
    summary = f"Raise failureThreshold of the startup probe to {threshold}: {_allowed(probe, threshold, took)}"
    path = ("startupProbe", "failureThreshold")
    fix = set_probe(about, name, path, threshold, summary, cluster)
    return Repair((_proven(fix, about, name, path, threshold, took, cluster),), evidence)


def startup_probe_added(
    pod: Pod, part: ContainerWithStatus, probe: Probe, log: LogTail, about: Ref, cluster: Cluster
) -> Repair:
    """A startup probe that asks what the liveness probe asks: it holds that one back until the program has started."""
    name, window = part.container.name, gives_up_after(probe)
    took, evidence = _observed_start(pod, name, window, log, about, cluster)
    period = max(1, probe.period_seconds)
    as_long = Probe(period_seconds=period, failure_threshold=math.ceil(window.total_seconds() / period))
    threshold = threshold_for(as_long, took)
    summary = f"Add a startup probe like the liveness probe, with failureThreshold {threshold}: {_allowed(as_long, threshold, took)}"
    value = {**_handler(probe), "periodSeconds": period, "failureThreshold": threshold}
    if probe.timeout_seconds > 1:
        value["timeoutSeconds"] = probe.timeout_seconds
    fix = set_probe(about, name, ("startupProbe",), value, summary, cluster)
    return Repair((_proven(fix, about, name, ("startupProbe",), value, took, cluster),), evidence)


def _handler(probe: Probe) -> dict[str, Any]:
    fields = {"httpGet": probe.http_get, "tcpSocket": probe.tcp_socket, "grpc": probe.grpc, "exec": probe.exec}
    plain = {name: msgspec.to_builtins(handler) for name, handler in fields.items() if handler is not None}
    return {name: {key: value for key, value in handler.items() if value} for name, handler in plain.items()}


def _allowed(probe: Probe, threshold: int, took: timedelta | None) -> str:
    reason = f"a start took {human_duration(took)}" if took is not None else "how long a start takes was not seen"
    return f"a start may then take {human_duration(time_allowed(probe, threshold))}; {reason}"


def _proven(
    fix: Fix, about: Ref, name: str, path: tuple[str, ...], value: Any, took: timedelta | None, cluster: Cluster
) -> Fix:
    """Verified where the start that was seen ends before the changed probe gives up."""
    change = container_change(cluster.maybe.get_ref(about), (name,), path, value) if took is not None else None
    if change is None or took is None or not fix.command:
        return fix
    return proven(fix, prove(change, cluster, lambda after: _finishes_in_template(about, name, took, after)))


def _observed_start(
    pod: Pod, container: str, window: timedelta, log: LogTail, about: Ref, cluster: Cluster
) -> tuple[timedelta | None, tuple[Evidence, ...]]:
    """What the log says, else the slowest start of a ready pod of the workload."""
    if (logged := logged_start(log.lines)) is not None:
        return logged.took, (quote_line(log, logged.line, "how long the start took"),)
    workload = cluster.maybe.get_ref(about) if about != ref(pod) else None
    start = slowest_start(container, pods_of(workload, cluster) if workload is not None else (), window)
    if start is None:
        return None, ()
    path = "status.conditions[type=ContainersReady].lastTransitionTime"
    shows = f"ready {human_duration(start.took)} after its start"
    return start.took, (quote(start.pod, path, shows),) if has_path(start.pod, path) else ()


def _finishes_in_template(about: Ref, name: str, took: timedelta, cluster: Cluster) -> bool:
    workload = cluster.maybe.get_ref(about)
    template = template_of(workload) if workload is not None else None
    containers = (*(template.spec.init_containers or ()), *template.spec.containers) if template is not None else ()
    probe = next((container.startup_probe for container in containers if container.name == name), None)
    return probe is not None and finishes(probe, took)


def on_loopback(
    probe: Probe, container: Container, answer: ProbeAnswer, log: LogTail
) -> tuple[str, tuple[Evidence, ...]]:
    """Whether the program listens only at the loopback address, on the probe's port or another: the clause, and the line
    that says so."""
    asked = port_number(probe, container)
    ports = loopback_ports(log.lines) if answer in (ProbeAnswer.REFUSED, ProbeAnswer.UNKNOWN) and asked else {}
    if not ports or (asked not in ports.values() and port_listened_on(log.lines)):
        return "", ()
    index = next((index for index, port in ports.items() if port == asked), next(iter(ports)))
    text = f"; by its log the program listens on port {ports[index]} of the loopback address only"
    text += ", and the kubelet asks the pod's address" if ports[index] == asked else f", not on port {asked}"
    return text, (quote_line(log, index, "where it listens"),)


_NOT_HTTP = frozenset({22, 53, 3306, 5432, 5672, 6379, 9042, 27017})
"""Ports of SSH, DNS, databases and queues: an HTTP probe would fail there as well."""


def repaired(
    pod: Pod, container: Container, kind: str, probe: Probe, failure: ProbeFailure, about: Ref, cluster: Cluster
) -> Repair:
    """By how a probe failed. kind: `livenessProbe`."""
    which, name = kind.removesuffix("Probe"), container.name
    handler = next((field for field in ("httpGet", "tcpSocket", "grpc") if _has_handler(probe, field)), "")
    if failure.port and handler and not (probe.http_get is not None and failure.port in _NOT_HTTP):
        summary = f"Set the port of the {which} probe to {failure.port}"
        return Repair((set_probe(about, name, (kind, handler, "port"), failure.port, summary, cluster),))
    if failure.port and probe.exec is not None:
        return Repair((fix_by_hand(about, f"Let the command of the {which} probe ask port {failure.port}"),))
    scheme = _other_scheme(probe, failure)
    if scheme:
        summary = f"Set the scheme of the {which} probe to {scheme}"
        return Repair((set_probe(about, name, (kind, "httpGet", "scheme"), scheme, summary, cluster),))
    if failure.answer is ProbeAnswer.TIMEOUT:
        return _more_time(pod, container, kind, probe, about, cluster)
    if failure.answer is ProbeAnswer.COMMAND_NOT_RUN and pod.spec.node_name:
        return Repair((Fix(_RUNS_NO_COMMAND.format(node=pod.spec.node_name)),))
    return Repair((fix_by_hand(about, _by_hand(which, failure)),))


def _other_scheme(probe: Probe, failure: ProbeFailure) -> str:
    """The scheme that the program speaks, if that is not the probe's."""
    if probe.http_get is None:
        return ""
    if probe.http_get.scheme == "HTTPS":
        return "HTTP" if failure.answer is ProbeAnswer.TLS and _PLAIN_ANSWER in failure.why else ""
    return "HTTPS" if failure.answer in (ProbeAnswer.TLS, ProbeAnswer.STATUS) and expects_tls(failure.log) else ""


def _by_hand(which: str, failure: ProbeFailure) -> str:
    status = STATUS.search(failure.why)
    code = status[1] if status else ""
    if failure.answer is ProbeAnswer.COMMAND_MISSING:
        return f"Correct the command of the {which} probe: the image lacks a program that it calls"
    if failure.answer is ProbeAnswer.UNRESOLVED_PORT:
        return f"Declare the port of the {which} probe in the container's ports, or give its number"
    if failure.loopback:
        return f"Let the program serve the port of the {which} probe on all addresses (0.0.0.0 or [::]), or correct the probe"
    if code and refuses_the_host(failure.log) is not None:
        return f"Give the {which} probe a Host header that the program allows (httpGet.httpHeaders), or allow the pod's address"
    if code == "404":
        return f"Correct the path of the {which} probe"
    if code in ("401", "403"):
        return f"Let the {which} probe ask a path that needs no credentials"
    if failure.answer is ProbeAnswer.GRPC and _NO_GRPC.search(failure.why):
        return f"Serve grpc.health.v1.Health on the port of the {which} probe, or probe with httpGet or tcpSocket"
    cause = f"the cause of the {code} (see the log)" if code else "the cause of the failure (see the log)"
    return f"Fix {cause}, or correct the {which} probe"


def _has_handler(probe: Probe, field: str) -> bool:
    handlers = {"httpGet": probe.http_get, "tcpSocket": probe.tcp_socket, "grpc": probe.grpc}
    return handlers[field] is not None


def _more_time(pod: Pod, container: Container, kind: str, probe: Probe, about: Ref, cluster: Cluster) -> Repair:
    """A longer timeout; a command runs within the container's CPU limit, and may be slow for that."""
    seconds = max(LONGER, 2 * probe.timeout_seconds)
    which = kind.removesuffix("Probe")
    summary = f"Raise timeoutSeconds of the {which} probe from {probe.timeout_seconds} to {seconds}"
    summary += "" if probe.exec is not None else "; if it never answers, find in the log why it hangs"
    fix = set_probe(about, container.name, (kind, "timeoutSeconds"), seconds, summary, cluster)
    if probe.exec is None:
        return Repair((fix,))
    limit = quote_spec(
        pod,
        cluster,
        about,
        container.name,
        "resources.limits[cpu]",
        "the command shares this CPU limit with the program",
    )
    return Repair((fix,), tuple(limit))
