"""Reads lists in chunks, and keeps the part that was read of an incomplete list."""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from kubedoctor.cluster.grammar.text import counted, visible
from kubedoctor.cluster.kinds.meta import CustomResource, KubernetesObject
from kubedoctor.cluster.kinds.resources import ResourceKind
from kubedoctor.cluster.seen.decoding import Decoded, ListMeta, Unreadable, decode_list, plain_json
from kubedoctor.cluster.seen.mending import has_marks, marked, without_marks
from kubedoctor.cluster.seen.sharing import Models, share_parts
from kubedoctor.cluster.seen.wants import Want
from kubedoctor.collect.connecting.paths import segment
from kubedoctor.collect.connecting.transport import JSON, MOST_TRIES, Transport
from kubedoctor.collect.live.answers import ApiRefusal
from kubedoctor.collect.live.expected import Expected, check_list, check_list_kind, check_namespace, other_kind
from kubedoctor.problems import ConnectionProblem

CHUNK = 500
MOST_RESTARTS = 2
MOST_EMPTY = 10
"""Chunks one after the other."""
MOST_OBJECTS = 400_000
"""More than twice the pods of the largest cluster that Kubernetes supports."""
LARGE = 8 * 2**20
"""Bytes of an answer from which on its items are counted first: a chunk of the largest usual pods is half of that."""
_SERVED_EVERYWHERE = ("", "apps", "storage.k8s.io")
_NEWER = ("CSIStorageCapacity",)
"""Kinds of these groups that are newer than the group."""
OnChunk = Callable[[tuple[KubernetesObject, ...]], None]
NAMES_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class Listed(msgspec.Struct):
    """The result of a list. `broke_off` is a clause if the list is incomplete, empty if it is complete. `remaining`: how
    many objects it has that were not read, as far as the server counts them."""

    objects: list[KubernetesObject]
    resource_version: str = ""
    problems: list[str] = msgspec.field(default_factory=list)
    broke_off: str = ""
    remaining: int = 0

    def clear(self) -> None:
        """Forget what was read, to begin the list again."""
        self.objects.clear()
        self.problems.clear()


class ServedResource(msgspec.Struct, frozen=True):
    """A kind as this cluster serves it: its version, and its name in Refs."""

    row: ResourceKind
    ref_kind: str
    version: str

    @property
    def names_only(self) -> bool:
        """Whether it is listed without content: no check needs every secret of a cluster."""
        return self.ref_kind == "Secret"

    def asked(self, namespace: str, *, names_only: bool = False) -> Expected:
        """What a request for it in a namespace must be answered with."""
        return Expected(self.row, self.version, namespace, names_only)

    @property
    def not_served(self) -> str:
        """Why it cannot be read, where the cluster does not have it."""
        return f"this cluster does not serve {self.row.resource}"

    def is_denied(self, refusal: ApiRefusal, name: str = "") -> bool:
        """Whether the answer denies a kind that every cluster serves: then a proxy or the server fails, and it is
        unknown whether objects exist. For an object that does not exist the server's answer has its name."""
        row = self.row
        if refusal.status != 404 or row.group not in _SERVED_EVERYWHERE or row.kind in _NEWER:
            return False
        return not name or visible(name)[:100] not in refusal.message

    def path(self, namespace: str = "", name: str = "") -> str:
        """The URL path, with quoted names."""
        return self.row.path(segment(namespace) or None, segment(name) or None, self.version)

    def listing(self, namespace: str) -> str:
        """The request in words: `list pods in shop`, `list pods at cluster scope`."""
        where = f"in {namespace}" if namespace else "at cluster scope"
        return f"list {self.row.resource} {where}" if self.row.namespaced else f"list {self.row.resource}"

    def getting(self, namespace: str, name: str) -> str:
        """The request in words: `get pods/web-1 in shop`."""
        where = f" in {namespace}" if self.row.namespaced else ""
        return f"get {self.row.resource}/{name}{where}"


class ReadAt(msgspec.Struct, frozen=True):
    """Where a list was read whole, and the version of what it has: a watch can start from there."""

    resource: ServedResource
    version: str


def read_list(
    transport: Transport,
    resource: ServedResource,
    want: Want,
    *,
    on_chunk: OnChunk | None = None,
    most: int | None = None,
    names_only: bool | None = None,
    tries: int = MOST_TRIES,
) -> Listed:
    """All objects that the want names. Raises the transport's exceptions if nothing could be read.

    A continuation that has expired (410) restarts the list, at last without chunks. `on_chunk` gets each chunk,
    including those of a restarted list. `most`: stop after so many.
    """
    listed = Listed([])
    token, restarts, empty = "", 0, 0
    seen: set[str] = set()
    models: Models = {}
    accept = NAMES_ONLY if (resource.names_only if names_only is None else names_only) else JSON
    while True:
        query = _query(want, token, chunked=restarts <= MOST_RESTARTS)
        try:
            chunk = _decode(transport, resource, want, query, accept, tries)
        except (ApiRefusal, ConnectionProblem) as problem:
            if not token:
                raise
            if isinstance(problem, ApiRefusal) and problem.status == 410 and restarts <= MOST_RESTARTS:
                token, restarts = "", restarts + 1
                seen.clear()
                listed.clear()
                continue
            why = problem.clause if isinstance(problem, ApiRefusal) else problem.what
            listed.broke_off = _broke(resource, want, listed, why)
            return listed
        if listed.objects:  # a large list: what its parts have in common is a third of its memory
            share_parts(chunk.objects, models)
        if on_chunk:
            on_chunk(chunk.objects)
        listed.objects += chunk.objects
        listed.problems += chunk.problems
        listed.resource_version = chunk.resource_version
        if not chunk.continue_token:
            return listed
        if most and len(listed.objects) >= most:
            listed.remaining = chunk.remaining
            listed.broke_off = _only_first(resource, listed)
            return listed
        empty = 0 if chunk.objects else empty + 1
        if why := _endless(chunk.continue_token in seen, empty, len(listed.objects)):
            listed.broke_off = _broke(resource, want, listed, why)
            return listed
        token = chunk.continue_token
        seen.add(token)


def read_documents(transport: Transport, resource: ServedResource, want: Want) -> Iterator[dict[str, Any]]:
    """The objects of a list as plain data, chunk by chunk. Raises the transport's exceptions at any point."""
    token, seen, lost, empty, count = "", set[str](), list[str](), 0, 0
    asked = resource.asked(want.namespace)
    version = asked.api_version
    while True:
        try:
            body = transport.get(resource.path(want.namespace), _query(want, token, chunked=True))
            check_count(body)
            chunk = _documents(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ApiRefusal(0, "Unreadable", f"the response cannot be decoded ({error})") from None
        check_list_kind(asked, chunk.kind, chunk.api_version, body)
        for raw in chunk.items or ():
            item, clauses = _item(raw)
            if isinstance(item, dict):
                check_namespace(asked, item)
            if other := other_kind(asked, item):
                lost.append(f"{_name_of(item)} is {other}")
                continue
            if clauses:
                lost.append(f"{_name_of(item)} {clauses[0]}")
            elif item is not None and not _has_name(item):
                lost.append("an item has no name")
            if not isinstance(item, dict) or not _has_name(item):
                continue
            yield {**item, "apiVersion": version, "kind": resource.row.kind}
        meta = chunk.metadata or ListMeta()
        empty, count = (0 if chunk.items else empty + 1), count + len(chunk.items or ())
        if why := _endless(meta.continue_ in seen, empty, count):
            raise ApiRefusal(0, "Endless", why)
        token = meta.continue_
        if not token and lost:
            raise ApiRefusal(0, "Unreadable", f"{counted(len(lost), 'object')} cannot be read whole: {lost[0]}")
        if not token:
            return
        seen.add(token)


def _endless(same: bool, empty: int, count: int) -> str:
    """Why a list that goes on is not read further; empty where it is."""
    if empty > MOST_EMPTY:
        return "the server keeps returning empty chunks"
    if same:
        return "the server keeps returning the same chunk"
    return f"it has more than {MOST_OBJECTS:,} objects" if count > MOST_OBJECTS else ""


def check_count(body: bytes) -> None:
    """Raises ApiRefusal for a large answer with more items than any cluster has objects: `{}` takes 3 bytes in it, and 300
    as an object. Counting creates none of them, and stops there."""
    if len(body) < LARGE:
        return
    count = itertools.count(1)

    class Counted(msgspec.Struct, gc=False):
        def __post_init__(self) -> None:
            if next(count) > MOST_OBJECTS:
                raise ValueError

    class Counting(msgspec.Struct):
        items: tuple[Counted, ...] | None = None

    try:
        msgspec.json.decode(body, type=Counting)
    except msgspec.ValidationError:
        if next(count) > MOST_OBJECTS:
            raise ApiRefusal(0, "TooLarge", f"it has more than {MOST_OBJECTS:,} objects") from None
        raise ApiRefusal(0, "Unreadable", "the response cannot be decoded (an item is no object)") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return  # a value that is not JSON is mended, or said, where the items are decoded


class _Documents(msgspec.Struct, frozen=True):
    items: tuple[msgspec.Raw, ...] | None = None
    metadata: ListMeta | None = None
    kind: Any = None
    api_version: Any = msgspec.field(default=None, name="apiVersion")


def _documents(body: bytes) -> _Documents:
    try:
        return _DOCUMENTS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _DOCUMENTS.decode(marked(body))


def _item(raw: msgspec.Raw) -> tuple[Any, list[str]]:
    """An item as plain data, and what was left out of it."""
    whole = bytes(raw)
    if not has_marks(whole):
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return msgspec.json.decode(whole), []
    clauses: list[str] = []
    try:
        item = without_marks(plain_json(whole), clauses)
    except Unreadable as error:
        return None, [f"is ignored ({error})"]
    return item, [clause.removeprefix(".") for clause in clauses] or ["cannot be decoded"]


def _has_name(item: Any) -> bool:
    metadata = item.get("metadata") if isinstance(item, dict) else None
    return isinstance(metadata, dict) and isinstance(metadata.get("name"), str) and bool(metadata["name"])


def _name_of(item: Any) -> str:
    metadata = item.get("metadata") if isinstance(item, dict) else None
    return visible(str(metadata.get("name")), 100) if isinstance(metadata, dict) else "an item"


_DOCUMENTS = msgspec.json.Decoder(_Documents)


def named(resource: ServedResource, objects: tuple[KubernetesObject, ...]) -> tuple[KubernetesObject, ...]:
    """Objects with their kind: items of a list may lack it, and a custom resource has no other source for it."""
    row = resource.row
    if not objects or not isinstance(objects[0], CustomResource):
        return objects
    version = f"{row.group}/{resource.version}" if row.group else resource.version
    return tuple(
        obj if obj.kind else msgspec.structs.replace(obj, kind=row.kind, api_version=version)
        for obj in objects
        if isinstance(obj, CustomResource)
    )


def _query(want: Want, token: str, *, chunked: bool) -> dict[str, str | int]:
    query: dict[str, str | int] = {}
    if want.labels:
        query["labelSelector"] = want.labels
    if want.fields:
        query["fieldSelector"] = want.fields
    if chunked:
        query["limit"] = CHUNK
    if token:
        query["continue"] = token
    return query


def _decode(
    transport: Transport, resource: ServedResource, want: Want, query: dict[str, str | int], accept: str, tries: int
) -> Decoded:
    """One chunk; a truncated answer is requested once more."""
    path = resource.path(want.namespace)
    asked = resource.asked(want.namespace, names_only=accept == NAMES_ONLY)
    for last in (False, True):
        try:
            body = transport.get(path, query, accept=accept, tries=tries)
            check_count(body)
            chunk = check_list(asked, decode_list(resource.ref_kind, body, names_only=asked.names_only), body)
        except Unreadable as error:
            if last:
                raise ApiRefusal(0, "Unreadable", f"the response cannot be decoded ({error})") from None
        else:
            return msgspec.structs.replace(chunk, objects=named(resource, chunk.objects))
    raise AssertionError("the last try returns or raises")


def _only_first(resource: ServedResource, listed: Listed) -> str:
    of = f"{len(listed.objects) + listed.remaining} " if listed.remaining else ""
    return f"only the first {counted(len(listed.objects), 'object')} of {of}{resource.row.resource} were read"


def _broke(resource: ServedResource, want: Want, listed: Listed, why: str) -> str:
    return f"{resource.listing(want.namespace)} stopped after {counted(len(listed.objects), 'object')}: {why}"
