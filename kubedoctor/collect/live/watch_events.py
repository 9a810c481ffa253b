"""Decodes the events of a watch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from kubedoctor.cluster.grammar.text import visible
from kubedoctor.cluster.kinds.meta import KubernetesObject, ObjectMeta
from kubedoctor.cluster.kinds.pods import Pod, PodStatus
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.decoding import (
    Decoded,
    Unreadable,
    convert_object,
    decode_exact,
    decode_object,
    plain_json,
)
from kubedoctor.cluster.seen.mending import has_marks, marked
from kubedoctor.collect.live.answers import ApiRefusal
from kubedoctor.collect.live.expected import check_kind, check_watched
from kubedoctor.collect.live.listing import ServedResource, named

_TYPES = ("ADDED", "MODIFIED", "DELETED")


class WatchExpired(Exception):
    """The server no longer has the changes since the last known version: list again."""


class WatchEvent(msgspec.Struct, frozen=True):
    """`type` is ADDED, MODIFIED, DELETED or BOOKMARK. A bookmark has no object, only the version of the list."""

    type: str
    decoded: Decoded = Decoded(())
    version: str = ""


class _Event(msgspec.Struct, frozen=True):
    type: Any = None
    object: msgspec.Raw = msgspec.Raw(b"{}")


class _Error(msgspec.Struct, frozen=True):
    code: int = 0
    reason: str | None = None
    message: str | None = None


class _Metadata(msgspec.Struct, frozen=True, rename="camel"):
    resource_version: str = ""


class _Bookmark(msgspec.Struct, frozen=True):
    metadata: _Metadata = _Metadata()


class _PodWithoutSpec(msgspec.Struct, frozen=True, gc=False):
    metadata: ObjectMeta = ObjectMeta()
    status: PodStatus = PodStatus()


_POD = msgspec.json.Decoder(_PodWithoutSpec)
_EVENT = msgspec.json.Decoder(_Event)
_ERROR = msgspec.json.Decoder(_Error)
_BOOKMARK = msgspec.json.Decoder(_Bookmark)


class EventReader:
    """Reads the lines of a watch of one kind, in a namespace or in all. `known`: the objects that were read before."""

    def __init__(
        self, resource: ServedResource, namespace: str, known: Callable[[Ref], KubernetesObject | None] | None = None
    ) -> None:
        self._known = known if resource.ref_kind == "Pod" else None
        self._resource = resource
        self._namespace = namespace if resource.row.namespaced else ""
        self._asked = resource.asked(namespace, names_only=resource.names_only)
        row = resource.row
        about = f'"kind":"{row.kind}","apiVersion":"{self._asked.api_version}",'
        self._openings = {
            f'{{"type":"{type_}","object":{{{about}'.encode(): (type_, len(f'{{"type":"{type_}","object":'))
            for type_ in _TYPES
        }
        self._lengths = sorted({len(opening) for opening in self._openings})

    def read(self, line: bytes) -> WatchEvent:
        """The event of a line. Raises ApiRefusal for what is no event of the kind, and WatchExpired."""
        return self._usual(line) or self._any(line)

    def _usual(self, line: bytes) -> WatchEvent | None:
        """An event as the API server writes it, kind first: decoded once. None for any other."""
        if self._resource.names_only or (not line.isascii() and has_marks(line)):
            return None
        for length in self._lengths:
            type_, start = self._openings.get(line[:length], ("", 0))
            if type_:
                break
        else:
            return None
        body = memoryview(line)[start:-1]
        known = self._with_known_spec(body) if type_ == "MODIFIED" else None
        obj = known or decode_exact(self._resource.ref_kind, body)
        if obj is None or not line.endswith(b"}") or not obj.metadata.name:
            return None
        if self._namespace and obj.metadata.namespace not in ("", self._namespace):
            return None
        return WatchEvent(type_, Decoded(named(self._resource, (obj,))))

    def _with_known_spec(self, body: memoryview) -> Pod | None:
        """A pod whose spec was read before: most events are about its status, and the spec takes half of the time. The
        API server counts up `metadata.generation` with each change of the spec (`updatePodGeneration` in
        `pkg/registry/core/pod/strategy.go`, v1.34), but for the Node that a pod is bound to.
        """
        if self._known is None:
            return None
        try:
            pod = _POD.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        if not pod.metadata.generation:  # an older server does not count
            self._known = None
            return None
        before = self._known(Ref("Pod", pod.metadata.namespace, pod.metadata.name))
        if not isinstance(before, Pod) or not before.spec.node_name:
            return None
        then, now = before.metadata, pod.metadata
        if (then.uid, then.generation) != (now.uid, now.generation):
            return None
        return Pod(metadata=now, spec=before.spec, status=pod.status)

    def _any(self, line: bytes) -> WatchEvent:
        try:
            event = _event(line)
            if event.type == "BOOKMARK":
                return WatchEvent("BOOKMARK", version=_BOOKMARK.decode(event.object).metadata.resource_version)
            if event.type == "ERROR":
                raise _failure(_ERROR.decode(event.object))
            if event.type not in _TYPES:
                raise _no_event(line)
            whole = bytes(event.object)
            check_watched(self._asked, whole)
            kind, names_only = self._resource.ref_kind, self._resource.names_only
            decoded = (
                convert_object(kind, plain_json(whole), names_only=names_only)
                if has_marks(whole)
                else decode_object(kind, whole, names_only=names_only)
            )
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Unreadable) as error:
            what = "a web page" if line.lstrip()[:1] == b"<" else f"what cannot be decoded ({error})"
            raise ApiRefusal(0, "Unreadable", f"the watch returned {what}") from None
        return WatchEvent(event.type, msgspec.structs.replace(decoded, objects=named(self._resource, decoded.objects)))


def _event(line: bytes) -> _Event:
    try:
        return _EVENT.decode(line)
    except RecursionError:
        return _EVENT.decode(marked(line))


def _no_event(line: bytes) -> ApiRefusal:
    """The error for a line that is not a watch event: mostly a Status or a list."""
    try:
        check_kind(line, "WatchEvent")
    except ApiRefusal as refusal:
        return refusal
    return ApiRefusal(0, "NotAsked", "the watch returned an event of unknown type")


def _failure(error: _Error) -> Exception:
    if error.code == 410:
        return WatchExpired()
    return ApiRefusal(error.code, error.reason or "", visible(error.message or "the watch failed", 300))
