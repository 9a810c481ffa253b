"""What people type as the end of a connection: `db:5432`, `db.data:5432/UDP`, `10.0.0.1:80`, `pod/db-0:80`, a URL."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from kubedoctor.cluster.grammar.nearest import nearest_word
from kubedoctor.cluster.kinds.core import Node, Service, ServicePort
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.resources import kind_from_word, kind_words
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.problems import UsageProblem
from kubedoctor.replay.network.parties import parse_address
from kubedoctor.replay.network.port_sets import PROTOCOLS
from kubedoctor.replay.services.hosts import is_address, service_with_address
from kubedoctor.replay.services.proxy import balancer_ips, service_port

_URL: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>[^/?#]+)(?P<path>/[^?#]*)?")
_PORT_NAME: Final = re.compile(r"(?=.*[a-z])[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_SCHEME_PORTS: Final = {
    "http": "80",
    "https": "443",
    "grpc": "443",
    "postgres": "5432",
    "redis": "6379",
    "amqp": "5672",
}
_FORM: Final = re.compile(
    r"(?:(?P<kind>[A-Za-z.]+)/)?(?P<host>\[[^\]]+\]|[^:/\s]+)(?::(?P<port>[\w-]+))?(?:/(?P<protocol>[A-Za-z]+))?"
)
_USAGE: Final = "Write B:PORT or B:PORT/PROTOCOL, such as db:5432, db.data:5432, 10.0.0.1:53/UDP or pod/db-0:80."


class ReachEnd(NamedTuple):
    """text: as typed. kind: of the object, empty for a name or an address. port: a number or a Service port's name, empty
    where none is given. path: of a URL."""

    text: str
    kind: str
    host: str
    port: str
    protocol: str = "TCP"
    path: str = ""

    @property
    def number(self) -> int:
        """The port's number; 0 for a name and for none."""
        return int(self.port) if self.port.isdigit() else 0


def parse_destination(text: str) -> ReachEnd:
    """Raises UsageProblem."""
    url = _URL.match(text)
    form = _FORM.fullmatch(url["rest"] if url is not None else text)
    if "@" in text:
        raise UsageProblem("a destination has no user in it", _USAGE)
    if form is None:
        raise UsageProblem(f"{text!r} is not a destination", _USAGE)
    kind, protocol = "", (form["protocol"] or "TCP").upper()
    if form["kind"]:
        row = kind_from_word(form["kind"])
        if row is None:
            near = nearest_word(form["kind"], kind_words())
            raise UsageProblem(f"{form['kind']!r} is not a kind", f"Did you mean {near}?" if near else _USAGE)
        kind = row.kind
    if protocol not in PROTOCOLS:
        raise UsageProblem(f"{form['protocol']!r} is not a protocol", f"Protocols: {', '.join(PROTOCOLS)}.")
    port = form["port"] or (_SCHEME_PORTS.get(url["scheme"].lower(), "") if url is not None else "")
    if port.isdecimal() and not 0 < int(port) < 65536:
        raise UsageProblem(f"{port} is not a port", "Ports are 1 to 65535.")
    if port and not port.isdecimal() and not _PORT_NAME.fullmatch(port):
        raise UsageProblem(f"{port!r} is not a port", "Write a number, or the name of a port of the Service.")
    host = form["host"].strip("[]").lower()
    if is_address(host) and parse_address(host) is None:
        raise UsageProblem(f"{host} is not an IP address", _USAGE)
    return ReachEnd(text, kind, host, port, protocol, (url["path"] or "") if url is not None else "")


def families_apart(own: Iterable[str], host: str) -> str:
    """Why addresses cannot connect to a host's: all are of the other family. Empty where one can, or none is known."""
    families = {address[0] for text in own if (address := parse_address(text)) is not None}
    target = parse_address(host)
    if not families or target is None or target[0] in families:
        return ""
    return f"{host} is an IPv{target[0]} address, and the source has only IPv{min(families)}"


# Which Service takes a connection to an address: at its cluster addresses, those of its load balancer, its external addresses
# and the ports of nodes.


def entered_by(end: ReachEnd, cluster: Cluster) -> tuple[Service, ServicePort | None] | None:
    """The Service, and its port where it was entered from without; None for an address that no Service takes."""
    services = cluster.maybe.all(Service)
    service = service_with_address(end.host, services)
    if service is not None:
        return service, None
    for row in services:
        if end.host in (*balancer_ips(row), *(row.spec.external_ips or ())):
            port = service_port(row, end.number, end.protocol)
            if port is not None:
                return row, port
    found = _with_node_port(end, services)
    return found if found is not None and end.host in _node_addresses(cluster) else None


def at_node(end: ReachEnd, cluster: Cluster) -> tuple[Service, ServicePort] | None:
    """The Service behind a port of any node."""
    return _with_node_port(end, cluster.maybe.all(Service))


def node_entered(end: ReachEnd, cluster: Cluster) -> Node | None:
    """The node whose port it is; None for the address of a load balancer, which chooses a node itself."""
    if end.kind == "Node":
        return cluster.maybe.get(Node, "", end.host)
    for node in cluster.maybe.all(Node):
        if any(row.address == end.host for row in node.status.addresses or ()):
            return node
    return None


def _with_node_port(end: ReachEnd, services: tuple[Service, ...]) -> tuple[Service, ServicePort] | None:
    for service in services:
        for row in service.spec.ports or ():
            if end.number and row.node_port == end.number and (row.protocol or "TCP") == end.protocol:
                return service, row
    return None


def _node_addresses(cluster: Cluster) -> set[str]:
    """As nodes say, and as their pods do."""
    addresses = {row.address for node in cluster.maybe.all(Node) for row in node.status.addresses or ()}
    return addresses | {pod.status.host_ip for pod in cluster.maybe.all(Pod)} - {""}
