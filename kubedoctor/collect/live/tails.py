"""Log tails: bounded in lines and bytes, with secrets redacted."""

from __future__ import annotations

from kubedoctor.cluster.grammar.redaction import redact_lines
from kubedoctor.cluster.seen.wants import READYZ, LogTail, LogWant
from kubedoctor.collect.computed.volumes import volume_lines
from kubedoctor.collect.connecting.paths import segment
from kubedoctor.collect.connecting.transport import Transport
from kubedoctor.collect.live.answers import ApiRefusal

MOST_LINES = 200
FAILS = frozenset({500})
"""The status of `/readyz` with a check that fails; its text says which."""
FEWER_LINES = 25
MOST_BYTES = 65536
MOST_LOGS = 50  # of one round


def read_tail(transport: Transport, want: LogWant) -> LogTail | None:
    """The end of a log; None where there is none. Raises ApiRefusal where it cannot be read.

    The limit of bytes counts from the oldest requested line: where it truncates the log, the newest lines would be
    lost, so fewer lines are requested.
    """
    if want == READYZ:
        return _tail(
            transport.get("/readyz", {"verbose": "true"}, accept="*/*", tries=1, text=True, also=FAILS),
            want,
            MOST_LINES,
        )
    if want.node:
        path = f"/api/v1/nodes/{segment(want.node)}/proxy/stats/summary"
        return LogTail(want.about, want.container, want.previous, volume_lines(transport.get(path, tries=1)))
    body = _read(transport, want, MOST_LINES)
    if body is not None and len(body) >= MOST_BYTES:
        fewer = _read(transport, want, FEWER_LINES)
        return _tail(fewer, want, FEWER_LINES) if fewer is not None else None
    return _tail(body, want, MOST_LINES) if body is not None else None


def _read(transport: Transport, want: LogWant, lines: int) -> bytes | None:
    path = f"/api/v1/namespaces/{segment(want.namespace)}/pods/{segment(want.pod)}/log"
    query: dict[str, str | int] = {"container": want.container, "tailLines": lines, "limitBytes": MOST_BYTES}
    if want.previous:
        query["previous"] = "true"
    try:
        return transport.get(path, query, accept="*/*", tries=2, text=True)
    except ApiRefusal as refusal:
        if refusal.status == 404 or (refusal.status == 400 and _has_none(refusal.message)):
            return None
        raise


def _has_none(message: str) -> bool:
    """Whether the kubelet reports no log (yet), `pkg/kubelet/kubelet_pods.go`, v1.37."""
    return any(
        words in message
        for words in ("previous terminated container", "is waiting to start", "is not available", "not found")
    )


def _tail(body: bytes, want: LogWant, lines: int) -> LogTail | None:
    if body.startswith(b"unable to retrieve container logs for "):  # the kubelet reports it in a log of one line
        return None
    text = body[-MOST_BYTES:].decode("utf-8", "replace")
    redacted = redact_lines([line.rstrip("\r") for line in text.removesuffix("\n").split("\n")]) if text else ()
    return LogTail(
        want.about,
        want.container,
        want.previous,
        redacted[-lines:],
        truncated=len(redacted) >= lines or len(body) >= MOST_BYTES,
    )
