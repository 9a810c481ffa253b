"""Why a program refuses the request of a probe, by its log: the host that it names, the path that it asks."""

from __future__ import annotations

from typing import NamedTuple

from diagnostics.pods.probes._repairs import set_probe
from diagnostics.pods.probes._words import LONGEST_ANSWER
from kubedoctor.cluster import Cluster, Container, LogTail, Probe, visible_end
from kubedoctor.findings import Evidence, Fix, Ref, quote_line
from kubedoctor.replay.kubelet.probes import ProbeAnswer, answer_of, port_number
from kubedoctor.replay.logs.listening import base_path, refuses_the_host
from kubedoctor.replay.logs.log_lines import parse_line

_NOT_FOUND = "statuscode: 404"


class RefusedRequest(NamedTuple):
    """Why a program refuses the request of a probe, by its log. `text`: a clause; empty where the log does not say."""

    text: str = ""
    evidence: tuple[Evidence, ...] = ()
    fixes: tuple[Fix, ...] = ()


def refused_request(
    kind: str, probe: Probe, container: Container, why: str, about: Ref, log: LogTail | None, cluster: Cluster
) -> RefusedRequest:
    """Whether the program refuses the Host header, or serves everything below another path. kind: `readinessProbe`."""
    if log is None or probe.http_get is None or answer_of(why, probe) is not ProbeAnswer.STATUS:
        return RefusedRequest()
    index = refuses_the_host(log.lines)
    if index is None:
        at, base = base_path(log.lines, port_number(probe, container))
        path = probe.http_get.path or "/"
        if _NOT_FOUND not in why or not base or f"{path}/".startswith(f"{base}/"):
            return RefusedRequest()
        return _elsewhere(kind, f"{base}{path}".rstrip("/"), base, at, about, log, cluster)
    line = visible_end(" ".join(parse_line(log.lines[index]).message.split()), LONGEST_ANSWER).rstrip(".")
    who = "the pod's address" if not _names_a_host(probe) else "the Host header of the probe"
    text = f"; the program refuses requests for {who}: {line}"
    return RefusedRequest(text, (quote_line(log, index, "why it refuses the probe"),))


def _elsewhere(
    kind: str, right: str, base: str, line: int, about: Ref, log: LogTail, cluster: Cluster
) -> RefusedRequest:
    fix = set_probe(about, log.container, (kind, "httpGet", "path"), right, f"Set the probe's path to {right}", cluster)
    shown = (quote_line(log, line, "the path below which it serves"),)
    return RefusedRequest(f"; by its log the program serves below {base} (context path)", shown, (fix,))


def _names_a_host(probe: Probe) -> bool:
    headers = (probe.http_get.http_headers or ()) if probe.http_get is not None else ()
    return any(header.name.lower() == "host" for header in headers)
