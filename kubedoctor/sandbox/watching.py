"""Watches: the first events, then every change that the request selects, as the API server's watch cache sends them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kubedoctor.sandbox.exchange import FailureStatus, Object, Request, Response, Stream, encode
from kubedoctor.sandbox.resources import Resource
from kubedoctor.sandbox.store import HistoryEntry, Store

Render = Callable[[str, Object, bool], Object]
"""Event type, object, whether it is the first event: the object as the client accepts it."""

INITIAL_EVENTS_END = "k8s.io/initial-events-end"
_LONGEST = 1800


@dataclass(slots=True)
class Watching:
    """The parameters of one watch."""

    store: Store
    resource: Resource
    namespace: str
    accepts: Callable[[Object], bool]
    render: Render


def watch(request: Request, about: Watching, drop_after: int | None = None) -> Response:
    """A response whose stream continues as the store changes."""
    stream = Stream(float(request.number("timeoutSeconds") or _LONGEST))
    stream.drop_after = drop_after
    writer = _Writer(about, stream)
    if request.flag("allowWatchBookmarks"):
        stream = writer.stream = Stream(stream.lasts, writer.bookmark)
        stream.drop_after = drop_after
    try:
        _begin(request, about, writer)
    except FailureStatus as refusal:
        if refusal.code != 410:
            raise
        return ended_with(refusal)
    stream.on_close = about.store.listen(writer.change)
    return Response(stream=stream)


def ended_with(refusal: FailureStatus) -> Response:
    """A watch whose only event is an ERROR."""
    stream = Stream()
    stream.write(encode({"type": "ERROR", "object": refusal.status()}) + b"\n")
    stream.end()
    return Response(stream=stream)


def _begin(request: Request, about: Watching, writer: _Writer) -> None:
    initial = request.query.get("sendInitialEvents")
    if initial is not None and request.query.get("resourceVersionMatch") != "NotOlderThan":
        raise FailureStatus(
            422,
            "Invalid",
            "ListOptions.meta.k8s.io is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting"
            " resourceVersionMatch to NotOlderThan",
        )
    version = request.number("resourceVersion") or 0
    if initial == "true" or (not version and initial is None):
        for obj in about.store.list(about.resource, about.namespace):
            if about.accepts(obj):
                writer.event("ADDED", obj)
        if initial == "true" and request.flag("allowWatchBookmarks"):
            writer.stream.write(writer.bookmark({INITIAL_EVENTS_END: "true"}))
    elif version:
        if version < about.store.oldest:
            message = f"too old resource version: {version} ({about.store.oldest})"
            raise FailureStatus(410, "Expired", message)
        for change in about.store.since(version):
            writer.change(change)


class _Writer:
    def __init__(self, about: Watching, stream: Stream) -> None:
        self.about = about
        self.stream = stream
        self._first = True

    def event(self, kind: str, obj: Object) -> None:
        document = {"type": kind, "object": self.about.render(kind, obj, self._first)}
        self._first = False
        self.stream.write(encode(document) + b"\n")

    def bookmark(self, annotations: Object | None = None) -> bytes:
        metadata: Object = {"resourceVersion": str(self.about.store.version), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        resource = self.about.resource
        obj = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
        return encode({"type": "BOOKMARK", "object": self.about.render("BOOKMARK", obj, False)}) + b"\n"

    def change(self, change: HistoryEntry) -> None:
        """An object that starts or stops matching the selectors is added or deleted for this watch."""
        resource = self.about.resource
        if change.key[:2] != (resource.group, resource.plural) or self.about.namespace not in ("", change.key[2]):
            return
        was = change.before is not None and self.about.accepts(change.before)
        selected = change.type != "DELETED" and self.about.accepts(change.now)
        if selected:
            self.event("MODIFIED" if was else "ADDED", change.now)
        elif was:
            version = {"resourceVersion": str(change.version)}
            last = change.before or change.now
            self.event("DELETED", {**last, "metadata": {**last["metadata"], **version}})
