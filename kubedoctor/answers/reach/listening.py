"""What a pod's declared ports tell of the end of a connection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubedoctor.answers.reach.connections import ConnectionTarget
from kubedoctor.answers.reach.way import Way
from kubedoctor.answers.sheet import Link, Mark
from kubedoctor.cluster.changes import put
from kubedoctor.cluster.grammar.text import listed
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import ready
from kubedoctor.findings import Fix, command_line
from kubedoctor.replay.services.ports import declared_ports
from kubedoctor.replay.services.refusals import wrong_number


def container_link(target: ConnectionTarget) -> Link:
    """Whether the pod listens there, by what it declares."""
    assert target.pod is not None
    title = ref(target.pod).title
    if not ready(target.pod):
        return Link(
            f"{title} is not ready: nothing may answer on port {port_text(target)}", Mark.UNKNOWN, ref(target.pod)
        )
    declared = declares(target)
    if declared:
        return Link(f"{title} declares port {port_text(target)}", Mark.YES, ref(target.pod))
    ports = listed((f"{row.container_port}/{row.protocol or 'TCP'}" for _, row in declared_ports(target.pod)), 5)
    if declared is None:
        return Link(f"{title} declares no ports; whether it listens on {port_text(target)} is not known", Mark.UNKNOWN)
    text = f"{title} declares {ports}, not {port_text(target)}: connection refused, unless it listens there without declaring it"
    return Link(text, Mark.UNKNOWN, ref(target.pod))


def declares(target: ConnectionTarget) -> bool | None:
    """None where the pod declares nothing, or the target is no pod."""
    rows = [row for _, row in declared_ports(target.pod)] if target.pod is not None else []
    if not rows:
        return None
    return any(row.container_port == target.port and (row.protocol or "TCP") == target.protocol for row in rows)


def port_text(target: ConnectionTarget) -> str:
    """`8080/TCP`."""
    return f"{target.port}/{target.protocol}"


def right_port(way: Way, targets: Sequence[ConnectionTarget], cluster: Cluster) -> Iterator[Fix]:
    """Where a Service sends to a port that none of its pods declares, and a readiness probe succeeds on the one that they do.
    It is not proven: that a port is declared does not tell that anything listens on it."""
    service, port = way.service, way.port
    if service is None or port is None or any(declares(target) is not False for target in targets):
        return
    pods = [target.pod for target in targets if target.pod is not None]
    wrong = wrong_number(service, port, pods, cluster)
    if wrong is not None and len(wrong.declared) == 1:
        at = (service.spec.ports or ()).index(port)
        change = put(ref(service), ("spec", "ports", at, "targetPort"), wrong.declared[0])
        summary = f"Set targetPort of port {port.port} to {wrong.declared[0]}, the port that its pods declare"
        yield Fix(summary, command_line(change, service))
