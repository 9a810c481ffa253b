"""What the sidecar of a mesh says about the request by which a program failed."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import Cluster, Pod, Service, visible
from kubedoctor.findings import Ref, look_at_log, quote_line, ref
from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.reading import LogCause
from kubedoctor.replay.mesh.proxy_log import ProxyAnswer, SidecarVerdict, failed_request
from kubedoctor.replay.services.hosts import is_address, service_named, split_address

PROXIES: Final = ("istio-proxy", "linkerd-proxy")
_BY_A_PROXY: Final = re.compile(
    r"\b50[234]\b|upstream connect error|no healthy upstream|connection reset|ECONNRESET|socket hang up|service unavailable"
    r"|bad gateway|premature end|unexpected EOF|connection closed",
    re.IGNORECASE,
)
_URL: Final = re.compile(r"https?://(?P<host>[\w.-]+)")
_WORDS: Final = {
    SidecarVerdict.NO_HEALTHY_UPSTREAM: "finds no healthy endpoint",
    SidecarVerdict.NO_ROUTE: "has no route",
    SidecarVerdict.NO_CLUSTER: "does not know the destination",
    SidecarVerdict.OVERFLOW: "has too many connections open, by the circuit breaker of its DestinationRule,",
    SidecarVerdict.CONNECT_FAILED: "cannot connect",
    SidecarVerdict.UPSTREAM_CLOSED: "lost the connection in the middle of a request: the other side closed it,",
    SidecarVerdict.UPSTREAM_RESET: "got a reset from the other side",
    SidecarVerdict.UPSTREAM_TIMEOUT: "got no answer in time",
    SidecarVerdict.DENIED: "was denied",
    SidecarVerdict.RATE_LIMITED: "was limited in its rate",
}


def with_proxy(pod: Pod, cause: LogCause, line: str, story: Story, cluster: Cluster) -> Story:
    """The story with what the pod's proxy says about the request; unchanged where no proxy answers for it."""
    names = [part.name for part in (*pod.spec.containers, *(pod.spec.init_containers or ()))]
    proxy = next((name for name in PROXIES if name in names), "")
    if not proxy or not (cause.fault is LogFault.CONNECTION_RESET or _BY_A_PROXY.search(line)):
        return story
    tail = cluster.log_tail(pod, proxy)
    url = _URL.search(line)
    host = split_address(cause.subject)[0] or (url["host"] if url is not None else "")
    answer = failed_request(tail.lines, "" if is_address(host) else host) if tail is not None else None
    if tail is None or answer is None:
        return story
    asked = visible(answer.host, 120)
    reason = f" ({visible(answer.failure, 160)})" if answer.failure else ""
    flag = f"its proxy {_WORDS[answer.verdict]} for {asked}{reason}" if asked else f"its proxy {_WORDS[answer.verdict]}"
    return msgspec.structs.replace(
        story,
        text=f"{story.text}; {flag}" if story.text else flag,
        because_of=(*story.because_of, *_blamed(pod, answer, cluster)),
        evidence=(*story.evidence, quote_line(tail, answer.line, "what its proxy did with the request")),
        commands=(
            *story.commands,
            look_at_log(pod, proxy, previous=False, why="the requests that failed at its proxy"),
        ),
    )


def _blamed(pod: Pod, answer: ProxyAnswer, cluster: Cluster) -> tuple[Ref, ...]:
    host = split_address(answer.host)[0]
    named = service_named(host, pod.namespace) if host and not is_address(host) else None
    service = cluster.maybe.get(Service, named.namespace, named.name) if named is not None else None
    return (ref(service),) if service is not None else ()
