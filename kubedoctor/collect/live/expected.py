"""Checks that an answer fits its request: a 200 with JSON may be a Status, a proxy's error or a list of another
kind."""

import contextlib
from typing import Any

import msgspec

from kubedoctor.cluster.grammar.text import visible, with_article
from kubedoctor.cluster.kinds.resources import ResourceKind, kind_named
from kubedoctor.cluster.seen.decoding import Decoded
from kubedoctor.cluster.seen.mending import marked
from kubedoctor.collect.live.answers import ApiRefusal

_LONGEST_WORDS = 200


class _Head(msgspec.Struct, frozen=True, rename={"api_version": "apiVersion"}):
    kind: Any = None
    api_version: Any = None
    metadata: Any = None
    message: Any = None
    reason: Any = None


_HEAD = msgspec.json.Decoder(_Head)


def check_kind(body: bytes, kind: str) -> None:
    """Raises ApiRefusal unless the body is an object of this kind."""
    head = _head(body)
    if head.kind != kind:
        raise _instead(head, kind)


class Expected(msgspec.Struct, frozen=True):
    """What was requested: a kind in a version, in a namespace or in all, with its content or only names."""

    row: ResourceKind
    version: str
    namespace: str = ""
    names_only: bool = False

    @property
    def api_version(self) -> str:
        return f"{self.row.group}/{self.version}" if self.row.group else self.version


def check_list(asked: Expected, decoded: Decoded, body: bytes) -> Decoded:
    """The list without items that have no name. Raises ApiRefusal where it is not the requested list."""
    check_list_kind(asked, decoded.kind, decoded.api_version, body)
    if asked.row.namespaced and asked.namespace:
        for obj in decoded.objects:
            if obj.metadata.namespace not in ("", asked.namespace):
                where = visible(obj.metadata.namespace, _LONGEST_WORDS)
                raise _Other(f"the server returned objects of namespace {where}")
    if all(obj.metadata.name for obj in decoded.objects):
        return decoded
    objects = tuple(obj for obj in decoded.objects if obj.metadata.name)
    nameless = (f"{asked.row.kind}: an item has no name; ignored",) * (len(decoded.objects) - len(objects))
    return msgspec.structs.replace(decoded, objects=objects, problems=(*decoded.problems, *nameless))


def check_list_kind(asked: Expected, kind: Any, api_version: Any, body: bytes) -> None:
    """Raises ApiRefusal unless the body is a list of the kind."""
    if not _is_list_of(asked, kind, api_version):
        raise _instead(_head(body), f"{asked.row.kind}List")


def check_namespace(asked: Expected, item: dict[str, Any]) -> None:
    """Raises ApiRefusal where an item of a list is of another namespace."""
    metadata = item.get("metadata")
    where = metadata.get("namespace") if isinstance(metadata, dict) else ""
    if asked.row.namespaced and asked.namespace and where and where != asked.namespace:
        raise _Other(f"the server returned objects of namespace {visible(str(where), _LONGEST_WORDS)}")


def other_kind(asked: Expected, item: Any) -> str:
    """The kind of an item of a list where it is not the requested one, with its article. Most lists leave it out."""
    kind = item.get("kind") if isinstance(item, dict) else ""
    return (
        with_article(visible(kind, _LONGEST_WORDS))
        if isinstance(kind, str) and kind not in ("", asked.row.kind)
        else ""
    )


def _is_list_of(asked: Expected, kind: Any, api_version: Any) -> bool:
    row = asked.row
    if kind == "List":
        return api_version in ("v1", "", None)
    if kind == "PartialObjectMetadataList":
        # Without content it would look like objects that are well.
        return asked.names_only and _group(api_version) == "meta.k8s.io"
    if api_version and api_version != asked.api_version:
        return False
    known = kind_named(row.kind)
    if known is not None and known.group == row.group:
        return bool(kind == f"{row.kind}List")
    # A custom resource may define another name for its list kind.
    return isinstance(kind, str) and kind.endswith("List") and bool(api_version)


def check_object(asked: Expected, name: str, body: bytes) -> None:
    """Raises ApiRefusal where the body is not the requested object."""
    head = _head(body)
    if head.kind != asked.row.kind or (head.api_version and head.api_version != asked.api_version):
        raise _instead(head, asked.row.kind)
    check_name(asked.row, asked.namespace, head.metadata, name)


def check_watched(asked: Expected, body: bytes) -> None:
    """Raises ApiRefusal where a watch sends what is not an object of the kind, in the namespace where one is given."""
    head = _head(body)
    if head.kind != asked.row.kind and not (asked.names_only and head.kind == "PartialObjectMetadata"):
        raise _instead(head, asked.row.kind)
    check_name(asked.row, asked.namespace, head.metadata)


def check_name(row: ResourceKind, namespace: str, metadata: Any, name: str = "") -> None:
    """Raises ApiRefusal where metadata has no name, another name or another namespace than requested."""
    metadata = metadata if isinstance(metadata, dict) else {}
    returned_name, where = metadata.get("name"), metadata.get("namespace") or ""
    if not isinstance(returned_name, str) or not returned_name:
        raise _Other(f"the server returned {with_article(row.kind)} without name")
    if name and returned_name != name:
        raise _Other(
            f"the server returned {row.kind} {visible(returned_name, _LONGEST_WORDS)} instead of {visible(name)}"
        )
    if row.namespaced and namespace and where not in ("", namespace):
        raise _Other(f"the server returned {with_article(row.kind)} of namespace {visible(str(where), _LONGEST_WORDS)}")


class _Other(ApiRefusal):
    """An answer to another question."""

    def __init__(self, message: str) -> None:
        super().__init__(0, "NotAsked", message)


def _instead(head: _Head, expected: str) -> ApiRefusal:
    if not isinstance(head.kind, str) or not head.kind:
        return _Other(f"the server returned JSON without kind instead of {with_article(expected)}")
    words = head.message or head.reason if head.kind == "Status" else ""
    message = f": {visible(words, _LONGEST_WORDS)}" if isinstance(words, str) and words else ""
    version = ""
    if head.kind == expected and isinstance(head.api_version, str):
        version = f" of {visible(head.api_version, _LONGEST_WORDS)}"
    returned = with_article(visible(head.kind, _LONGEST_WORDS))
    return _Other(f"the server returned {returned}{version} instead of {with_article(expected)}{message}")


def _head(body: bytes) -> _Head:
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _HEAD.decode(body)
    try:
        return _HEAD.decode(marked(body))  # one bad value is no other answer
    except (msgspec.DecodeError, RecursionError) as error:
        raise ApiRefusal(0, "Unreadable", f"the response cannot be decoded ({error})") from None


def _group(api_version: Any) -> str:
    return api_version.rpartition("/")[0] if isinstance(api_version, str) else "?"
