"""The pieces of a document: lists of objects of one kind, logs, and descriptions of the bundle."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import msgspec

from kubedoctor.cluster.grammar.text import counted
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.cluster.seen.decoding import kind_of_data
from kubedoctor.cluster.seen.mending import marked_text, without_text_marks
from kubedoctor.cluster.seen.wants import LogWant
from kubedoctor.collect.bundles.documents import Document
from kubedoctor.collect.bundles.layouts import PathMeaning, place_of
from kubedoctor.collect.bundles.parsing import (
    Head,
    Unparsable,
    head_of,
    json_data,
    json_values,
    kind_of_list,
    looks_like_json,
    raw_items,
    yaml_documents,
)
from kubedoctor.collect.recording import is_recording
from kubedoctor.problems import BundleProblem


@dataclass(frozen=True)
class Objects:
    """Objects of one kind. `body` is a whole JSON list of them, where there is one; else `items`, which may be decoded
    already.

    `listed`: they came as a list, so it would have included other objects of the kind. `whole`: they are all objects of
    `namespace`; empty means all namespaces.
    """

    kind: str
    items: tuple[msgspec.Raw | dict[str, Any] | KubernetesObject, ...] = ()
    body: bytes = b""
    listed: bool = False
    whole: bool = False
    namespace: str = ""


@dataclass(frozen=True)
class RecordedLog:
    """A log, or the reason why it is missing. `is_cut`: lines before the text are left out."""

    want: LogWant
    text: str = ""
    why: str = ""
    is_cut: bool = False


@dataclass(frozen=True)
class RecordedState:
    """A whole recorded state or the cluster of a scenario."""

    data: dict[str, Any]


@dataclass(frozen=True)
class BundleManifest:
    """The manifest of a bundle written by kubedoctor."""

    data: dict[str, Any]


@dataclass(frozen=True)
class Refusals:
    """What could not be listed, by namespace (empty: everywhere), and why."""

    kind: str
    reasons: dict[str, str]


@dataclass(frozen=True)
class RecordedVersion:
    """The version of the API server."""

    version: str


@dataclass(frozen=True)
class Oddity:
    """A document, or a part of one, of another sort, as a sentence. `usual`: bundles contain such files, and nothing is
    missing.
    """

    text: str
    usual: bool = False


Piece = Objects | RecordedLog | RecordedState | BundleManifest | Refusals | RecordedVersion | Oddity


class _ItemHead(msgspec.Struct, frozen=True, rename={"api_version": "apiVersion"}):
    kind: Any = None
    api_version: Any = None


_ITEM_HEAD = msgspec.json.Decoder(_ItemHead)
# As kubectl prints an object; it avoids parsing the whole object for its kind.
_USUAL_TOP = re.compile(rb'\{\s*"apiVersion":\s*"([\w./-]+)",\s*"kind":\s*"(\w+)",')
_START = re.compile(r"^==== START logs for container (\S+) of pod ([^\s/]+)/(\S+) ====\n", re.MULTILINE)
_FLOW = re.compile(rb"\s*\{\s*[^\s\"}]")
_LOGS = b"==== START logs for container "
_END = "==== END logs for container "
_LOG_ERRORS = ("Create log request error: ", "Request log error: ")


def pieces_of(document: Document) -> Iterator[Piece]:
    """The pieces of a document; unreadable content becomes an Oddity."""
    place = place_of(document.parts)
    if place.what == "ignored":
        return
    if document.part is not None:
        yield from _list(document.part.head, document.part.items, place)
        return
    document = _in_utf8(document)
    if place.what == "log" and place.log is not None:
        yield RecordedLog(place.log, without_text_marks(marked_text(document.body)), is_cut=document.is_cut)
        return
    if place.what == "dumped-log" or document.body.find(_LOGS, 0, 64 << 20) >= 0:
        yield from _dump(document)
        return
    if not document.body or document.body.isspace():
        return
    try:
        if place.what == "errors":
            yield from _refusals(json_data(document.body), place)
        elif looks_like_json(document.body) and not _is_flow(document):
            yield from _json(document, place)
        else:
            yield from _yaml(document, place)
    except Unparsable as error:
        yield Oddity(f"{document.path} cannot be read: {error}")


def _in_utf8(document: Document) -> Document:
    """Without a byte order mark: PowerShell redirects kubectl's output as UTF-16."""
    body = document.body
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return replace(document, body=body.decode("utf-16", "replace").encode())
    return replace(document, body=body[3:]) if body.startswith(codecs.BOM_UTF8) else document


def _is_flow(document: Document) -> bool:
    """Whether YAML begins as JSON does: `{kind: Pod}`, or a template's `{{ if }}`."""
    return document.path.endswith((".yaml", ".yml")) and _FLOW.match(document.body) is not None


def _json(document: Document, place: PathMeaning) -> Iterator[Piece]:
    try:
        head = head_of(document.body)
    except Unparsable:
        yield from _json_values(document, place)
        return
    if head is None:
        if document.body.lstrip()[:1] == b"[":
            yield from _items(raw_items(document.body), place)
        else:
            yield from _data(json_data(document.body), document, place)
    elif place.what in ("errors", "version", "manifest") or head.scenario or head.objects or head.captured_at:
        yield from _data(json_data(document.body), document, place)
    elif head.items and (kind_of_list(head) or head.kind in (None, "", "List")):
        yield from _list(head, document.body, place)
    else:
        yield from _data(json_data(document.body), document, place)


def _list(head: Head, content: bytes | tuple[msgspec.Raw, ...], place: PathMeaning) -> Iterator[Piece]:
    """The items of a list: `content` is the whole document, or some of its items."""
    kind = kind_of_list(head)
    if not kind:
        yield from _items(head.elements() if isinstance(content, bytes) else content, place)
        return
    # A path that names another kind than the list is ignored.
    whole = place.whole and place.kind in ("", kind)
    namespace = place.namespace if whole else ""
    if kind_named(kind) is None:
        group = kind.partition(".")[2]
        items = head.elements() if isinstance(content, bytes) else content
        typed = tuple(_with_kind(json_data(item), kind, group) for item in items)
        yield Objects(kind, typed, listed=True, whole=whole, namespace=namespace)
    elif isinstance(content, bytes):
        yield Objects(kind, body=content, listed=True, whole=whole, namespace=namespace)
    else:
        yield Objects(kind, content, listed=True, whole=whole, namespace=namespace)


def _with_kind(item: Any, kind: str, group: str) -> Any:
    if isinstance(item, dict) and not item.get("kind"):
        return {"kind": kind.partition(".")[0], "apiVersion": f"{group}/v1" if group else "v1", **item}
    return item


def _items(items: tuple[msgspec.Raw | Any, ...], place: PathMeaning) -> Iterator[Piece]:
    """Items of mixed kinds; for items without a kind, the path gives it."""
    kinds: dict[str, list[Any]] = {}
    nameless = 0
    for item in items:
        kind = _kind_of_item(item) or place.kind
        nested = _members(_plain(item) if isinstance(item, msgspec.Raw) else item) if "List" in kind else None
        if nested is not None:  # as `jq --slurp` puts several lists into one
            yield from _items(nested, PathMeaning())
        elif kind:
            kinds.setdefault(kind, []).append(item)
        else:
            nameless += 1
    if not items and place.kind:
        kinds[place.kind] = []
    for kind, members in kinds.items():
        whole = place.whole and place.what == "objects"
        yield Objects(kind, tuple(members), listed=True, whole=whole, namespace=place.namespace if whole else "")
    if nameless:
        yield Oddity(f"{counted(nameless, 'item')} without a kind; ignored")


@lru_cache(maxsize=1000)
def _kind_named(kind: bytes, version: bytes) -> str:
    return kind_of_data({"kind": kind.decode(), "apiVersion": version.decode()})


def _plain(item: msgspec.Raw) -> Any:
    try:
        return json_data(item)
    except Unparsable:
        return None


def _kind_of_item(item: Any) -> str:
    if isinstance(item, msgspec.Raw):
        if top := _USUAL_TOP.match(memoryview(item)[:300]):
            return _kind_named(top[2], top[1])
        try:
            head = _ITEM_HEAD.decode(item)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _kind_of_item(_plain(item))
        return kind_of_data({"kind": head.kind, "apiVersion": head.api_version})
    return kind_of_data(item) if isinstance(item, dict) else ""


def _data(data: Any, document: Document, place: PathMeaning) -> Iterator[Piece]:
    """Pieces from plain data: from YAML, or small JSON."""
    if isinstance(data, list):
        yield from _items(tuple(data), place)
        return
    if not isinstance(data, dict):
        yield _no_objects(document)
        return
    if place.what == "manifest" and "format" in data:
        yield BundleManifest(data)
    elif place.what == "version":
        info = data.get("info")
        version = info.get("gitVersion") if isinstance(info, Mapping) else data.get("string")
        yield RecordedVersion(version if isinstance(version, str) else "")
    elif is_recording(data) or ("scenario" in data and isinstance(data.get("cluster"), list)):
        yield RecordedState(data)
    elif place.what == "objects" and not data.get("kind") and "items" not in data:
        yield Objects(place.kind, (data,)) if place.kind else _no_objects(document)
    else:
        yield from _object_or_list(data, document, place)


def _object_or_list(data: dict[str, Any], document: Document, place: PathMeaning) -> Iterator[Piece]:
    kind, members = data.get("kind"), _members(data)
    if members is not None:
        if word := kind.removesuffix("List") if isinstance(kind, str) else "":
            of = kind_of_data({"kind": word, "apiVersion": data.get("apiVersion")})
            whole = place.whole and place.kind in ("", of)
            place = PathMeaning("objects", of, place.namespace if whole else "", whole)
        yield from _items(members, place)
    elif kind == "Status" and "message" in data:
        yield Oddity(f"{document.path} is an error of the API server, not a list of objects: {data['message']}")
    elif kind == "Config" and "clusters" in data:
        raise BundleProblem(
            f"{document.path} is a kubeconfig, not a recording of a cluster", f"Use --kubeconfig {document.path}"
        )
    elif kind == "Table":
        yield Oddity(f"{document.path} is a printed table without objects; use kubectl get -o json")
    elif (name := kind_of_data(data)) and isinstance(data.get("metadata"), dict):
        yield Objects(name, (data,))
    else:
        yield _no_objects(document)


def _members(data: Any) -> tuple[Any, ...] | None:
    """The items of a list, with their kind; None for what is no list."""
    kind = data.get("kind") if isinstance(data, dict) else "?"
    if kind not in (None, "") and not (isinstance(kind, str) and kind.endswith("List")):
        return None
    if "items" not in data:
        return None
    items = data["items"] if isinstance(data["items"], list) else ()
    word = kind.removesuffix("List") if kind else ""
    return tuple(
        {**item, "kind": word, "apiVersion": item.get("apiVersion") or data.get("apiVersion")}
        if word and isinstance(item, dict) and not item.get("kind")
        else item
        for item in items
    )


def _no_objects(document: Document) -> Oddity:
    return Oddity(f"{document.path} contains no Kubernetes objects", usual=not document.named)


def _refusals(data: Any, place: PathMeaning) -> Iterator[Piece]:
    """Errors of a support bundle: by namespace, or a list of them."""
    if isinstance(data, list):
        data = {"": "; ".join(map(str, data))}
    if place.kind and isinstance(data, dict):
        yield Refusals(place.kind, {str(namespace): str(why) for namespace, why in data.items() if why})


def _json_values(document: Document, place: PathMeaning) -> Iterator[Piece]:
    for value in json_values(marked_text(document.body)):
        yield from _data(value, document, place)


def _yaml(document: Document, place: PathMeaning) -> Iterator[Piece]:
    for value in yaml_documents(document.body):
        yield from _data(value, document, place)


def _dump(document: Document) -> Iterator[Piece]:
    """The logs and, in the form of one stream, the lists of `kubectl cluster-info dump`."""
    text = marked_text(document.body)
    position = 0
    for start in _START.finditer(text):
        if start.start() < position:
            continue
        yield from _between(text[position : start.start()], document)
        container, namespace, pod = start.groups()
        closing = f"{_END}{container} of pod {namespace}/{pod} ====\n"
        end = text.find(closing, start.end())
        body = text[start.end() : end if end >= 0 else len(text)]
        position = end + len(closing) if end >= 0 else len(text)
        want = LogWant(namespace, pod, container)
        failed = next((sign for sign in _LOG_ERRORS if body.startswith(sign)), None)
        yield (
            RecordedLog(want, why=body[len(failed) :].strip())
            if failed
            else RecordedLog(want, without_text_marks(body))
        )
    yield from _between(text[position:], document)


def _between(text: str, document: Document) -> Iterator[Piece]:
    if not text.strip():
        return
    body = text.encode()
    try:
        values = list(json_values(text) if looks_like_json(body) else yaml_documents(body))
        # The lists of a namespace follow each other, its events first; an empty list does not name it.
        group: list[Any] = []
        for value in values:
            if isinstance(value, dict) and value.get("kind") in ("EventList", "NodeList"):
                yield from _dumped_lists(group, document)
                group = []
            group.append(value)
        yield from _dumped_lists(group, document)
    except Unparsable as error:
        yield Oddity(f"{document.path} cannot be read: {error}")


def _dumped_lists(group: list[Any], document: Document) -> Iterator[Piece]:
    items = [item for value in group if isinstance(value, dict) for item in value.get("items") or ()]
    metadata = [item["metadata"] for item in items if isinstance(item, dict) and isinstance(item.get("metadata"), dict)]
    namespace = next((str(meta["namespace"]) for meta in metadata if meta.get("namespace")), "")
    nodes = any(isinstance(value, dict) and value.get("kind") == "NodeList" for value in group)
    for value in group:
        yield from _data(value, document, PathMeaning(namespace=namespace, whole=bool(namespace) or nodes))
