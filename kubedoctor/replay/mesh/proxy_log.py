"""What the sidecar of a pod says about a request of its program that failed: Envoy's access log, Linkerd's own log.

Sources: Envoy, `source/common/stream_info/utility.h`; linkerd2-proxy, `linkerd/app/core/src/errors/respond.rs`, 2.14 and
later.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.replay.mesh.access_log import accesses


class SidecarVerdict(enum.Enum):
    """Why the proxy answered itself, or broke off."""

    NO_HEALTHY_UPSTREAM = "UH"
    NO_ROUTE = "NR"
    NO_CLUSTER = "NC"
    OVERFLOW = "UO"
    CONNECT_FAILED = "UF"
    UPSTREAM_CLOSED = "UC"
    UPSTREAM_RESET = "UR"
    UPSTREAM_TIMEOUT = "UT"
    DENIED = "UAEX"
    RATE_LIMITED = "RL"


class ProxyAnswer(NamedTuple):
    """A request that failed at the proxy. `host`: whom the program asked for, with the port where the log has it."""

    line: int
    verdict: SidecarVerdict
    host: str
    code: int = 0
    failure: str = ""


_INBOUND: Final = "inbound|"
_LINKERD: Final = compiled_later(r"\boutbound\b.*request failed error=(?P<why>.+)")
_LINKERD_NAME: Final = compiled_later(r"\bhttp\{name=(?P<host>[\w.-]+:\d+)")
_LINKERD_ADDRESS: Final = compiled_later(r"\bproxy\{addr=(?P<host>[\w.:\[\]-]+)")
_LINKERD_WHY: Final = (
    (compiled_later(r"no available endpoints|service (?:is )?unavailable|unavailable|failfast"), SidecarVerdict.NO_HEALTHY_UPSTREAM),
    (compiled_later(r"connect(?:ion)? (?:timed out|refused|error)|connect timed out|No route to host"), SidecarVerdict.CONNECT_FAILED),
    (compiled_later(r"reset|closed before message|broken pipe|connection closed"), SidecarVerdict.UPSTREAM_CLOSED),
    (compiled_later(r"timed out|timeout"), SidecarVerdict.UPSTREAM_TIMEOUT),
    (compiled_later(r"unauthorized|forbidden|denied"), SidecarVerdict.DENIED),
)  # fmt: skip


def failed_request(lines: Sequence[str], host: str = "") -> ProxyAnswer | None:
    """The newest request that failed at the proxy; of a host only requests to it, where one is named."""
    found = [answer for answer in (*_of_envoy(lines), *_of_linkerd(lines)) if _is_of(answer.host, host)]
    return max(found, key=lambda answer: answer.line, default=None)


def _is_of(asked: str, host: str) -> bool:
    """`reviews` names `reviews.shop.svc.cluster.local:9080` as well."""
    name, wanted = asked.rpartition(":")[0] or asked, host.rstrip(".")
    return not wanted or name == wanted or name.startswith(f"{wanted}.") or wanted.startswith(f"{name}.")


def _of_envoy(lines: Sequence[str]) -> Iterator[ProxyAnswer]:
    for access in accesses(lines):
        verdict = next((one for one in SidecarVerdict if one.value in access.flags), None)
        if verdict is not None and not access.cluster.startswith(_INBOUND):
            failure = "" if access.failure == "-" else access.failure
            yield ProxyAnswer(access.line, verdict, access.authority, access.code, failure)


def _of_linkerd(lines: Sequence[str]) -> Iterator[ProxyAnswer]:
    for index, line in enumerate(lines):
        found = _LINKERD.search(line)
        if found is None:
            continue
        verdict = next((verdict for pattern, verdict in _LINKERD_WHY if pattern.search(found["why"])), None)
        if verdict is not None:
            asked = _LINKERD_NAME.search(line) or _LINKERD_ADDRESS.search(line)
            yield ProxyAnswer(index, verdict, asked["host"] if asked is not None else "")
