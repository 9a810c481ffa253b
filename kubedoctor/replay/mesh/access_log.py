"""Lines of a proxy's access log: what answered a request instead of its destination (Envoy, `docs/root/configuration/observability/
access_log/usage.rst`, `source/common/stream_info/utility.h`; Istio's default formats, `pilot/pkg/model/log.go`, 1.31)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later

NO_ROUTE: Final = "NR"
NO_CLUSTER: Final = "NC"
NO_HEALTHY_UPSTREAM: Final = "UH"
UPSTREAM_FAILURE: Final = "UF"
CONNECTION_TERMINATED: Final = "UC"

_TEXT: Final = compiled_later(
    r'^\[(?P<time>[^\]]+)\] "(?P<request>[^"]*)" (?P<code>\d+) (?P<flags>\S+) (?P<details>\S+) (?P<connection>\S+) '
    r'"(?P<failure>[^"]*)" \d+ \d+ \S+ \S+ "[^"]*" "[^"]*" "[^"]*" "(?P<authority>[^"]*)" "(?P<upstream>[^"]*)" '
    r"(?P<cluster>\S+) \S+ (?P<local>\S+) (?P<remote>\S+)(?: (?P<name>\S+) (?P<route>\S+))?"
)


class Access(NamedTuple):
    """A request, or a connection of TCP (code 0). `flags`: such as `NC` or `UF,URX`; `details`: `cluster_not_found`, of a
    connection why it ended; `cluster`: `outbound|80|v1|host`;
    `remote`: the address that sent it; `server_name`: of a TLS connection that the proxy passes on; `route`: by its name."""

    line: int
    code: int
    flags: tuple[str, ...]
    details: str
    authority: str
    cluster: str
    local: str
    remote: str
    failure: str
    server_name: str = ""
    route: str = ""

    @property
    def host(self) -> str:
        """The authority without its port, as the client wrote it."""
        return self.authority.rpartition(":")[0] if self.authority.rpartition(":")[2].isdigit() else self.authority


def accesses(lines: Iterable[str]) -> Iterator[Access]:
    """The requests that a log tells of, in its order; other lines are left out."""
    for index, line in enumerate(lines):
        found = _of_text(index, line) or _of_json(index, line)
        if found is not None:
            yield found


def _of_text(index: int, line: str) -> Access | None:
    found = _TEXT.search(line) if line.startswith("[") else None
    if found is None:
        return None
    return Access(
        index,
        int(found["code"]),
        _flags(found["flags"]),
        found["details"] if found["details"] != "-" else found["connection"],
        found["authority"],
        found["cluster"],
        found["local"],
        found["remote"],
        found["failure"],
        _text(found["name"]),
        _text(found["route"]),
    )


def _of_json(index: int, line: str) -> Access | None:
    if not line.startswith("{") or "response_flags" not in line:
        return None
    try:
        data = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return None
    if not isinstance(data, dict):
        return None
    code = str(data.get("response_code", ""))

    def field(name: str) -> str:
        value = data.get(name)
        return value if isinstance(value, str) else ""

    return Access(
        index,
        int(code) if code.isdigit() else 0,
        _flags(field("response_flags")),
        field("response_code_details") or field("connection_termination_details"),
        field("authority"),
        field("upstream_cluster"),
        field("downstream_local_address"),
        field("downstream_remote_address"),
        field("upstream_transport_failure_reason"),
        field("requested_server_name"),
        field("route_name"),
    )


def _text(written: str | None) -> str:
    return written if written is not None and written != "-" else ""


def _flags(written: str) -> tuple[str, ...]:
    return tuple(flag for flag in written.split(",") if flag and flag != "-")
