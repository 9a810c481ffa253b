"""Fetches one want: the request that answers it, and the meaning of the answer or the refusal."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.kinds.resources import ResourceKind, kind_named
from kubedoctor.cluster.seen.decoding import Unreadable, decode_object
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.seen.wants import Barrier, CannotSee, LogTail, LogWant, Want
from kubedoctor.collect.computed.printed import IsSecret, Printed, read_printed
from kubedoctor.collect.connecting.paths import can_exist
from kubedoctor.collect.connecting.transport import MOST_TRIES, Transport
from kubedoctor.collect.live.answers import ApiRefusal, NoApiServer
from kubedoctor.collect.live.expected import check_object
from kubedoctor.collect.live.listing import Listed, OnChunk, ReadAt, ServedResource, named, read_documents, read_list
from kubedoctor.collect.live.served import Extensions, ServedKinds
from kubedoctor.collect.live.tails import read_tail
from kubedoctor.collect.metrics import NO_METRICS, is_metrics
from kubedoctor.problems import SourceProblem

_SUBJECT = compiled_later(r"involvedObject\.kind=([A-Za-z]+)")


ReadList = Callable[[ServedResource, Want], Listed]


class FetchResult(msgspec.Struct, frozen=True):
    """The result of some wants. `whole`: `covered` was listed completely, so other objects do not exist. `total`: how many
    objects a list of all namespaces has of which only the first were read; 0 where that is not known."""

    wants: tuple[Want | LogWant, ...]
    objects: tuple[KubernetesObject, ...] = ()
    covered: Want | None = None
    whole: bool = False
    names_only: bool = False
    limited: str = ""
    refused: str = ""
    barrier: Barrier = Barrier.OTHER
    tail: LogTail | None = None
    problems: tuple[str, ...] = ()
    total: int = 0
    read_at: ReadAt | None = None
    """Of `covered`, where it was listed whole; not of names alone."""
    no_server: NoApiServer | None = None
    """The problem to raise where no other request is answered either."""


def apply(outcome: FetchResult, snapshot: Snapshot) -> None:
    """Put the result into the snapshot."""
    snapshot.problems.extend(outcome.problems)
    if outcome.refused:
        for want in outcome.wants:
            snapshot.refuse(want, outcome.refused, outcome.barrier)
        return
    if outcome.names_only:
        snapshot.add_names(outcome.objects)
    elif outcome.whole and outcome.covered:
        snapshot.replace_all(outcome.covered.kind, outcome.objects, outcome.covered.namespace)
    else:
        snapshot.add(outcome.objects)
    for kind in {want.kind for want in outcome.wants if isinstance(want, Want)}:
        snapshot.lose(kind, outcome.problems)
        if outcome.total:
            snapshot.note_total(kind, outcome.total)
    if outcome.covered:
        snapshot.cover(outcome.covered)
    for want in outcome.wants:
        if isinstance(want, LogWant):
            snapshot.add_log(want, outcome.tail)
        elif outcome.limited:
            snapshot.limit(want, outcome.limited)
        else:
            snapshot.cover(want)


class Fetcher:
    """Answers wants from the API server; safe for threads. `namespace` is read where reading all namespaces is not
    allowed."""

    def __init__(self, transport: Transport, namespace: str) -> None:
        self._transport = transport
        self._namespace = namespace
        self._served = ServedKinds(transport)
        self._lock = threading.Lock()
        self._not_everywhere: dict[str, str] = {}

    def extensions(self) -> Extensions:
        """The kinds of extensions. Raises ApiRefusal or SourceProblem."""
        return self._served.extensions()

    def known_extensions(self) -> tuple[ResourceKind, ...]:
        """The kinds that `extensions` has found."""
        return self._served.known_extensions()

    def is_namespaced(self, kind: str) -> bool:
        """Whether a kind that `extensions` returned belongs to namespaces."""
        return any(resource.row.namespaced for resource in self._served.candidates(kind))

    def printed(self, kind: str, namespace: str, is_secret: IsSecret) -> Printed:
        """A list as the server prints it, in the newest version that it serves. Raises ApiRefusal and SourceProblem."""
        refused = ApiRefusal(404, "NotFound", f"this cluster does not serve {kind}")
        for resource in self._served.candidates(kind):
            try:
                return read_printed(self._transport, resource, namespace, is_secret)
            except ApiRefusal as refusal:
                if refusal.status != 404:
                    raise
                refused = refusal
        raise refused

    def fetch(
        self,
        want: Want,
        stands_for: tuple[Want, ...] = (),
        on_chunk: OnChunk | None = None,
        *,
        most: int | None = None,
    ) -> FetchResult:
        """Fetch; refusals are part of the result. Raises SourceProblem if the server never answered.

        on_chunk: gets each chunk of a list as soon as it was read, unless only names are read. most: of a list, read no
        chunk after so many objects, and try once.
        """
        read = partial(self._read, most=most, on_chunk=on_chunk)
        wants = stands_for or (want,)
        if not can_exist(want.name, want.namespace):
            return FetchResult(wants, covered=want)
        try:
            missing = ""
            for resource in self._served.candidates(want.kind):
                try:
                    outcome = self._get(resource, want) if want.name else self._list(resource, want, read)
                except ApiRefusal as refusal:
                    if resource.is_denied(refusal, want.name):
                        missing = resource.not_served
                        continue
                    if refusal.status == 404 and not is_metrics(want.kind):
                        continue  # not served in this version, or no such object
                    return FetchResult(
                        wants, refused=_clause(resource, want, refusal), barrier=_barrier(want.kind, refusal)
                    )
                self._served.works(resource)
                return msgspec.structs.replace(outcome, wants=wants)
        except ApiRefusal as refusal:
            return FetchResult(
                wants, refused=f"discovery of {want.kind}: {refusal.clause}", barrier=_barrier(want.kind, refusal)
            )
        except NoApiServer as problem:
            return FetchResult(wants, refused=f"{want}: {problem.what}", no_server=problem)
        except SourceProblem as problem:
            if not self._transport.answered:
                raise
            return FetchResult(wants, refused=f"{want}: {problem.what}")
        if missing:
            return FetchResult(wants, refused=missing, barrier=Barrier.NOT_SERVED)
        return FetchResult(wants, covered=want, whole=not (want.name or want.labels or want.fields))

    def log(self, want: LogWant) -> FetchResult:
        """Fetch the end of a log."""
        if want.pod and not can_exist(want.namespace, want.pod):
            return FetchResult((want,))
        try:
            return FetchResult((want,), tail=read_tail(self._transport, want))
        except ApiRefusal as refusal:
            if refusal.status == 404 and not want.pod:
                return FetchResult((want,))  # What serves the API has no such checks.
            if refusal.status == 403:
                why = f"get pods/log in {want.namespace} is forbidden" if want.namespace else f"{want} is forbidden"
                return FetchResult((want,), refused=why, barrier=Barrier.FORBIDDEN)
            return FetchResult((want,), refused=refusal.clause)
        except SourceProblem as problem:
            if not self._transport.answered:
                raise
            return FetchResult((want,), refused=problem.what)

    def body(self, want: Want) -> bytes | None:
        """One object as the server has it; None if it does not exist."""
        if not can_exist(want.namespace, want.name):
            return None
        for resource in self._served.candidates(want.kind):
            try:
                body = self._transport.get(resource.path(want.namespace, want.name))
                check_object(resource.asked(want.namespace), want.name, body)
                return body
            except ApiRefusal as refusal:
                if refusal.status != 404:
                    raise
        return None

    def documents(self, want: Want) -> Iterator[dict[str, Any]]:
        """Every object of a list as plain data, with its kind. Raises CannotSee where the list is incomplete."""
        try:
            candidates = self._served.candidates(want.kind)
        except ApiRefusal as refusal:
            raise CannotSee(want.kind, f"discovery of {want.kind}: {refusal.clause}") from None
        except SourceProblem as problem:
            if not (self._transport.answered or isinstance(problem, NoApiServer)):
                raise
            raise CannotSee(want.kind, problem.what) from None
        missing = ""
        for resource in candidates:
            seen = 0
            try:
                for document in read_documents(self._transport, resource, want):
                    seen += 1
                    yield document
            except ApiRefusal as refusal:
                if not seen and resource.is_denied(refusal, want.name):
                    missing = resource.not_served
                    continue
                if refusal.status == 404 and not seen and not is_metrics(want.kind):
                    continue
                broke = f" (after {seen:,})" if seen else ""
                raise CannotSee(want.kind, _clause(resource, want, refusal) + broke) from None
            except SourceProblem as problem:
                if not (self._transport.answered or isinstance(problem, NoApiServer)):
                    raise
                raise CannotSee(want.kind, problem.what) from None
            return
        if missing:
            raise CannotSee(want.kind, missing)

    def refs(self, want: Want, most: int) -> tuple[Ref, ...]:
        """The objects in a list, read without their content."""
        for resource in self._served.candidates(want.kind):
            try:
                listed = read_list(self._transport, resource, want, most=most, names_only=True)
            except ApiRefusal as refusal:
                if refusal.status != 404:
                    raise
            else:
                return tuple(
                    sorted({Ref(want.kind, obj.metadata.namespace, obj.metadata.name) for obj in listed.objects})
                )
        return ()

    def version(self) -> str:
        """The API server's version, `v1.37.2`; empty where it is unknown. Raises SourceProblem as `fetch`."""
        try:
            return _VERSION.decode(self._transport.get("/version")).git_version
        except (ApiRefusal, NoApiServer, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return ""
        except SourceProblem:
            if not self._transport.answered:
                raise
            return ""

    # One resource

    def _get(self, resource: ServedResource, want: Want) -> FetchResult:
        body = self._transport.get(resource.path(want.namespace, want.name), tries=_tries(want.kind))
        check_object(resource.asked(want.namespace), want.name, body)
        try:
            decoded = decode_object(resource.ref_kind, body)
        except Unreadable as error:
            raise ApiRefusal(0, "Unreadable", f"the response cannot be decoded ({error})") from None
        return FetchResult((want,), named(resource, decoded.objects), covered=want, problems=decoded.problems)

    def _list(self, resource: ServedResource, want: Want, read: ReadList) -> FetchResult:
        everywhere = resource.row.namespaced and not want.namespace
        if not everywhere:
            return self._outcome(resource, want, read(resource, want))
        with self._lock:
            why = self._not_everywhere.get(want.kind, "")
        if not why:
            try:
                return self._outcome(resource, want, read(resource, want))
            except ApiRefusal as refusal:
                if refusal.status != 403:
                    raise
                why = f"{resource.listing('')} is forbidden"
                with self._lock:
                    self._not_everywhere[want.kind] = why
        return self._list_one_namespace(resource, want, why, read)

    def _list_one_namespace(self, resource: ServedResource, want: Want, why: str, read: ReadList) -> FetchResult:
        """The list of one namespace, where listing all namespaces is not allowed."""
        namespace = _namespace_of_events(want) or self._namespace
        part = Want(want.kind, namespace, labels=want.labels, fields=want.fields)
        try:
            listed = read(resource, part)
        except ApiRefusal as refusal:
            if refusal.status == 403:
                both = f"{why}, and so is {resource.listing(namespace)}"
                return FetchResult((want,), refused=both, barrier=Barrier.FORBIDDEN)
            raise
        outcome = self._outcome(resource, part, listed)
        only = f"only namespace {namespace} could be read: {why}"
        limited = f"{only}; {outcome.limited}" if outcome.limited else only
        return msgspec.structs.replace(outcome, limited=limited)

    def _read(self, resource: ServedResource, want: Want, most: int | None, on_chunk: OnChunk | None) -> Listed:
        shown = None if resource.names_only else on_chunk
        tries = 1 if most else _tries(want.kind)
        return read_list(self._transport, resource, want, on_chunk=shown, most=most, tries=tries)

    def _outcome(self, resource: ServedResource, want: Want, listed: Listed) -> FetchResult:
        """`whole` only without selectors and for complete lists."""
        selected = bool(want.labels or want.fields)
        whole = not (selected or listed.broke_off)
        total = len(listed.objects) + listed.remaining if listed.remaining and not (selected or want.namespace) else 0
        version = "" if resource.names_only else listed.resource_version
        return FetchResult(
            (want,),
            tuple(listed.objects),
            covered=None if listed.broke_off else want,
            whole=whole,
            read_at=ReadAt(resource, version) if whole and version else None,
            names_only=resource.names_only,
            limited=listed.broke_off,
            problems=tuple(listed.problems),
            total=total,
        )


class _Version(msgspec.Struct, frozen=True, rename="camel"):
    git_version: str = ""


_VERSION = msgspec.json.Decoder(_Version)


def _clause(resource: ServedResource, want: Want, refusal: ApiRefusal) -> str:
    """Why a want is not answered, with verb, resource and scope."""
    if is_metrics(want.kind) and refusal.status == 404:
        return NO_METRICS
    if is_metrics(want.kind) and refusal.status >= 500:
        return f"metrics-server does not respond: {refusal.clause}"
    request = resource.getting(want.namespace, want.name) if want.name else resource.listing(want.namespace)
    return f"{request} is forbidden" if refusal.status == 403 else f"{request}: {refusal.clause}"


def _barrier(kind: str, refusal: ApiRefusal) -> Barrier:
    if refusal.status == 403:
        return Barrier.FORBIDDEN
    return Barrier.NOT_SERVED if refusal.status == 404 and is_metrics(kind) else Barrier.OTHER


def _tries(kind: str) -> int:
    """A cluster without a working metrics-server always answers 503: retries would only delay the report."""
    return 1 if is_metrics(kind) else MOST_TRIES


def _namespace_of_events(want: Want) -> str:
    """Events about cluster-scoped objects are in `default`."""
    subject = _SUBJECT.search(want.fields) if want.kind == "Event" else None
    row = kind_named(subject[1]) if subject else None
    return "default" if row is not None and not row.namespaced else ""
