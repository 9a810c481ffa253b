"""ingress-nginx ends requests of a host because of a limit of its own.

## What it means
The program behind the Ingress answers, but nginx does not pass the answer on: clients get 502, most often when they log in and
the program sets large cookies. Or nginx does not take the request: clients get 413. Only the controller's log says so.

## Why it happens
- The headers of an answer have to fit into one buffer (`proxy-buffer-size`, 4k by default): tokens in cookies are larger.
- The body of a request is longer than `proxy-body-size` (1m by default), as uploads and pushes of images are.

## How to fix it
Raise the limit with an annotation of this Ingress, or for all in the controller's ConfigMap. Smaller cookies help too: a session
in the program's own store in place of a token in the cookie.

## References
- https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#proxy-buffer-size
- https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#custom-max-body-size
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final, NamedTuple

from diagnostics.ingress._controllers import controller_of_ingress
from kubedoctor.cluster import Cluster, Ingress, IngressClass, LogTail, Pod, Service, counted, ref
from kubedoctor.cluster.changes import Step, edit
from kubedoctor.findings import (
    Command,
    Confidence,
    Effect,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
    has_path,
    kubectl,
    quote,
    quote_line,
)
from kubedoctor.replay.ingress.controllers import controller_pods
from kubedoctor.replay.ingress.nginx_limits import EndedRequest, NginxLimit, ended_requests

STILL: Final = timedelta(hours=1)
_NGINX_ORG: Final = "nginx.org/"
_PREFIXES: Final = {"ingress-nginx": "nginx.ingress.kubernetes.io/", "nginx.org": _NGINX_ORG}
"""By the name of the controller."""
_NAMES: Final = {(_NGINX_ORG, NginxLimit.REQUEST_BODY): "client-max-body-size"}
_ALL_BUFFERS: Final = f"metadata.annotations[{_NGINX_ORG}proxy-buffers]"
_SIGNS: Final = re.compile(r"[(\[\\^$*+?|{]")
"""What begins the part of an expression that does not stand for itself."""


class _Words(NamedTuple):
    code: int
    text: str
    default: str
    more: str
    severity: Severity


_WORDS: Final = {
    NginxLimit.RESPONSE_HEADER: _Words(
        502, "the response headers of {backend} are larger than nginx's buffer", "4k", "16k", Severity.WARNING
    ),
    NginxLimit.REQUEST_BODY: _Words(
        413, "requests for {backend} have a larger body than nginx takes", "1m", "16m", Severity.NOTICE
    ),
}


class _Seen(NamedTuple):
    tail: LogTail
    newest: EndedRequest
    times: int


@diagnostic(
    code="KD2322",
    subject=Ingress,
    severity=Severity.WARNING,
    reads=(Ingress, IngressClass, Pod, Service),
    symptoms=("502", "413", "upstream sent too big header", "client intended to send too large body"),
)
def nginx_limit_reached(ingress: Ingress, cluster: Cluster) -> Iterator[Finding]:
    controller = controller_of_ingress(ingress, cluster)
    prefix = next((prefix for name, prefix in _PREFIXES.items() if name in controller), "")
    if ingress.metadata.deletion_timestamp is not None or not prefix:
        return
    pods = controller_pods(ingress, cluster)
    for limit in NginxLimit:
        seen = _seen(ingress, limit, pods, cluster)
        if seen is not None:
            yield _finding(ingress, limit, f"{prefix}{_NAMES.get((prefix, limit), limit.value)}", seen)


def _seen(ingress: Ingress, limit: NginxLimit, pods: tuple[Pod, ...], cluster: Cluster) -> _Seen | None:
    """The newest request of the Ingress that met the limit within the last hour."""
    for pod in pods[:2]:
        tail = cluster.log_tail(pod, pod.spec.containers[0].name, optional=True)
        mine = [
            request
            for request in (ended_requests(tail.lines) if tail is not None else ())
            if request.limit is limit
            and (request.at is None or cluster.taken_at - request.at <= STILL)
            and _is_of(ingress, request, cluster)
        ]
        if tail is not None and mine:
            return _Seen(tail, mine[-1], len(mine))
    return None


def _is_of(ingress: Ingress, request: EndedRequest, cluster: Cluster) -> bool:
    """Whether no other Ingress has a longer path for it."""
    mine = _best_path(ingress, request)
    if mine is None:
        return False
    controller = controller_of_ingress(ingress, cluster)
    others = [other for other in cluster.all(Ingress) if controller_of_ingress(other, cluster) == controller]
    return not any((best := _best_path(other, request)) is not None and best[0] > mine[0] for other in others)


def _best_path(ingress: Ingress, request: EndedRequest) -> tuple[int, str] | None:
    """The length of the Ingress's longest path for the request, with `namespace/service` that it sends it to. Of an
    expression the part before its first sign counts."""
    found: tuple[int, str] | None = None
    for rule in ingress.spec.rules or ():
        host = rule.host
        if host and host != request.host and not (host.startswith("*.") and request.host.endswith(host[1:])):
            continue
        for path in (rule.http.paths or ()) if rule.http is not None else ():
            service = path.backend.service
            start = _SIGNS.split(path.path or "/", maxsplit=1)[0]
            fits = request.path == path.path if path.path_type == "Exact" else request.path.startswith(start)
            if service is not None and fits and (found is None or len(start) >= found[0]):
                found = (len(start), f"{ingress.namespace}/{service.name}")
    return found


def _finding(ingress: Ingress, limit: NginxLimit, annotation: str, seen: _Seen) -> Finding:
    words, path = _WORDS[limit], f"metadata.annotations[{annotation}]"
    backend = (_best_path(ingress, seen.newest) or (0, ""))[1]
    own = quote(ingress, path, "the limit that is set") if has_path(ingress, path) else None
    name = annotation.rpartition("/")[2]
    is_set = (
        f"{name} is {own.text}"
        if own is not None
        else f"{name}, {words.default} unless the controller's ConfigMap sets it"
    )
    values = {annotation: words.more}
    if annotation == f"{_NGINX_ORG}{NginxLimit.RESPONSE_HEADER.value}" and not has_path(ingress, _ALL_BUFFERS):
        values[f"{_NGINX_ORG}proxy-buffers"] = f"8 {words.more}"  # nginx refuses one buffer that is half of them all
    change = edit(ref(ingress), *(Step(("metadata", "annotations", key), value) for key, value in values.items()))
    wanted = " and ".join(f"{key.rpartition('/')[2]} of this Ingress to {value}" for key, value in values.items())
    raise_it = (
        Fix(f"Set {wanted}", command_line(change), Effect.CHANGES)
        if own is None
        else Fix(f"Raise {name} of this Ingress, now {own.text}")
    )
    pod = seen.tail.pod
    return Finding(
        about=ref(ingress),
        aspect=limit.value,
        summary=(
            f"requests for host {seen.newest.host} get {words.code}: {words.text.format(backend=f'Service {backend}')} ({is_set})"
        ),
        detail=f"The controller's log has {counted(seen.times, 'such request')} within an hour.",
        evidence=(
            quote_line(seen.tail, seen.newest.line, "the newest that nginx ended"),
            *((own,) if own is not None else ()),
        ),
        confidence=Confidence.CERTAIN,
        severity=words.severity,
        fixes=(raise_it,),
        commands=(Command(kubectl("logs", pod.name, namespace=pod.namespace), "which requests end so"),),
    )
