"""A live cluster, read in rounds: what is wanted is fetched in parallel into one snapshot."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from kubedoctor.cluster.grammar.text import visible
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.kinds.resources import ResourceKind, is_namespaced, kind_named
from kubedoctor.cluster.seen.decoding import Unreadable, plain_json
from kubedoctor.cluster.seen.mending import without_marks
from kubedoctor.cluster.seen.news import News
from kubedoctor.cluster.seen.snapshot import Snapshot, Source
from kubedoctor.cluster.seen.wants import CannotSee, LogWant, Want
from kubedoctor.collect.computed.printed import Printed
from kubedoctor.collect.computed.usage import Uses, read_usage
from kubedoctor.collect.connecting.connection import connect
from kubedoctor.collect.connecting.transport import Transport
from kubedoctor.collect.live.answers import ApiRefusal
from kubedoctor.collect.live.fetching import Fetcher, FetchResult, apply
from kubedoctor.collect.live.listing import CHUNK, OnChunk, ReadAt
from kubedoctor.collect.live.parallel import in_parallel, in_time
from kubedoctor.collect.live.tails import MOST_LOGS
from kubedoctor.collect.loading import loading
from kubedoctor.collect.options import Options
from kubedoctor.collect.recordable import Recordable, Recorder
from kubedoctor.collect.redact import redact_object
from kubedoctor.problems import ConnectionProblem, SourceProblem

if TYPE_CHECKING:
    from kubedoctor.collect.live.followed_logs import FollowedLogs, LogPeriod
    from kubedoctor.collect.live.watching import Watcher

LARGE_SKEW = 60.0  # seconds
_EVENTS_AT_ONCE = 4  # from this number of objects on, one list of the namespace's events takes less time
_MOST_NAMES = 5000
MOST_EXTENSIONS = 250
"""Kinds; few clusters have more, and most of them have no objects."""
EXTENSIONS_TIME = 5.0  # seconds for all kinds of extensions together
_CUSTOM_RESOURCES = "custom resources "


class LiveSource:
    """A cluster behind an API server. `lock` guards the snapshot where several threads use it.

    The snapshot's clock is the API server's: `taken_at` moves to its time with every round.
    """

    def __init__(self, transport: Transport) -> None:
        connection = transport.connection
        self.transport = transport
        self.namespace = connection.namespace
        self.named_namespace = connection.named_namespace
        self.context = connection.context
        self.snapshot = Snapshot(datetime.now(UTC), Source("live", connection.context, flags=connection.flags))
        self.lock = threading.RLock()
        self._fetcher = Fetcher(transport, connection.namespace)
        self._read_at: dict[Want, ReadAt] = {}
        self._knows_server = False
        self._told_skew = False

    @property
    def strain(self) -> str:
        """Whether the server answers late, or is too busy, as a clause; empty where it does not."""
        return self.transport.strain.words

    def gather(self, wants: frozenset[Want | LogWant]) -> None:
        """Fetch what is wanted. Raises SourceProblem only if the server cannot be used at all."""
        self._gather(wants, keep=False)

    def list_all(
        self, kinds: Iterable[str], namespace: str | None = None, on_part: Callable[[], None] | None = None
    ) -> None:
        """List whole kinds; those of custom resources that are not served are empty. Unknown kinds are skipped."""
        wants: set[Want | LogWant] = set()
        for kind in kinds:
            row = kind_named(kind)
            if row is None and "." not in kind:
                continue
            wants.add(Want(kind, (namespace or "") if row is None or row.namespaced else ""))
        self._gather(frozenset(wants), keep=True, on_part=on_part)

    def list_extensions(
        self, first: Iterable[str] = (), namespace: str | None = None, current: Collection[str] = ()
    ) -> None:
        """List the kinds of extensions that the cluster serves, one chunk of each, as many as the time allows. current:
        kinds that a watch follows; a list could be older."""
        try:
            extensions = self._fetcher.extensions()
        except (ApiRefusal, SourceProblem) as problem:
            if isinstance(problem, SourceProblem) and not self.transport.answered:
                raise
            why = problem.clause if isinstance(problem, ApiRefusal) else problem.what
            self._note_extensions(f"custom resources were not listed: discovery: {why}")
            return
        named = set(first)
        wants = [
            Want(kind, (namespace or "") if self._fetcher.is_namespaced(kind) else "")
            for kind in sorted(set(extensions.kinds).difference(current), key=lambda kind: (kind not in named, kind))
        ]
        tasks = [partial(self._fetcher.fetch, want, most=CHUNK) for want in wants[:MOST_EXTENSIONS]]
        with loading(keep=True):
            outcomes = in_time(tasks, EXTENSIONS_TIME) if tasks else []
        unread = {want.kind: f"no time after {EXTENSIONS_TIME:g}s" for want in wants[len(tasks) :]}
        with self.lock:
            for want, outcome in zip(wants, outcomes, strict=False):
                if outcome is None:
                    unread[want.kind] = f"no answer within {EXTENSIONS_TIME:g}s"
                    continue
                self._take(outcome)
                if why := outcome.refused or outcome.limited:
                    unread[want.kind] = why
            self._note_time()
        self._note_extensions(*_not_discovered(extensions.unread), *_not_listed(unread))
        self._count()

    def extension_kinds(self) -> tuple[ResourceKind, ...]:
        """The kinds of extensions that the cluster serves. Raises SourceProblem where discovery fails."""
        try:
            if not self._fetcher.known_extensions():
                self._fetcher.extensions()
        except ApiRefusal as refusal:
            raise ConnectionProblem(f"discovery: {refusal.clause}", "See: kubectl api-resources") from None
        finally:
            self._count()
        return self._fetcher.known_extensions()

    def openapi(self) -> bytes:
        """The schemas of the kinds that the server has, as JSON of OpenAPI 2; empty where they cannot be read."""
        try:
            return self.transport.get("/openapi/v2")
        except (ApiRefusal, SourceProblem):
            return b""
        finally:
            self._count()

    def raw(self, ref: Ref) -> dict[str, Any] | None:
        """The object as the server has it, without secret values and managed fields."""
        try:
            body = self._fetcher.body(Want(ref.kind, ref.namespace, ref.name))
            document = _plain(body) if body else None
        except (ApiRefusal, SourceProblem, Unreadable):
            return None
        finally:
            self._count()
        return redact_object(document) if isinstance(document, dict) else None

    def recordable(self, kinds: Iterable[str], namespace: str = "") -> Iterator[tuple[str, Recordable | CannotSee]]:
        """As the server lists them, one kind after the other, chunk by chunk. Secrets are read whole for the names of
        their keys; the values are removed."""
        recorder = Recorder()
        for kind in kinds:
            try:
                for document in self._fetcher.documents(Want(kind, namespace if is_namespaced(kind) else "")):
                    yield kind, recorder.of_data(kind, document)
            except CannotSee as blind:
                yield kind, blind
            finally:
                self._count()

    def usage(self, kind: str, namespace: str = "") -> Uses:
        """What the pods or nodes use now. Raises ApiRefusal, also where metrics are not served, and SourceProblem."""
        try:
            return read_usage(self.transport, kind, namespace)
        finally:
            self._count()

    def printed(self, kind: str, namespace: str = "") -> Printed:
        """A list as the server prints it. Raises ApiRefusal and SourceProblem."""
        snapshot = self.snapshot

        def is_secret(namespace: str, name: str) -> bool:
            return snapshot.get(Ref("Secret", namespace, name)) is not None

        try:
            return self._fetcher.printed(kind, namespace, is_secret)
        finally:
            self._count()

    def refs(self, kind: str, namespace: str = "") -> tuple[Ref, ...]:
        """Objects from the snapshot, else from a list without content; at most 5,000."""
        want = Want(kind, namespace)
        if self.snapshot.covers(want):
            return tuple(sorted(map(ref, self.snapshot.of_kind(kind, namespace))))
        try:
            return self._fetcher.refs(want, _MOST_NAMES)
        except (ApiRefusal, SourceProblem):
            return ()
        finally:
            self._count()

    def names(self, kind: str, namespace: str = "") -> tuple[str, ...]:
        """As `refs`."""
        return tuple(sorted({known.name for known in self.refs(kind, namespace)}))

    def watch(self, kinds: Iterable[str], on_change: Callable[[News], None], namespace: str | None = None) -> Watcher:
        """Keep the snapshot current from now on; the caller stops the watcher. What was listed whole is followed from
        there on."""
        from kubedoctor.collect.live.watching import Watcher

        with self.lock:
            starts, self._read_at = self._read_at, {}  # the watch makes the snapshot newer than these
        return Watcher(
            self.transport, kinds, namespace, on_change, snapshot=self.snapshot, lock=self.lock, starts=starts
        )

    def follow_logs(self, wants: tuple[LogWant, ...], period: LogPeriod, *, follow: bool) -> FollowedLogs:
        """Start to read the logs of these containers; the caller stops it."""
        from kubedoctor.collect.live.followed_logs import FollowedLogs

        return FollowedLogs(self.transport, wants, period, follow=follow)

    def anew(self) -> LiveSource:
        """The same cluster over the same connection, of which nothing was seen yet."""
        return LiveSource(self.transport)

    def close(self) -> None:
        """Close idle connections."""
        self.transport.close()

    def _gather(
        self, wants: frozenset[Want | LogWant], *, keep: bool, on_part: Callable[[], None] | None = None
    ) -> None:
        tasks, leftover = self._tasks(wants, self._show if on_part else None)
        if not self._knows_server:
            tasks.append(self._read_version)
        with loading(keep=keep):
            outcomes = in_parallel(tasks, on_part) if tasks else []
        if not self.transport.answered:
            for outcome in outcomes:
                if outcome.no_server:
                    raise outcome.no_server
        with self.lock:
            for outcome in outcomes:
                self._take(outcome)
            for log in leftover:
                self.snapshot.refuse(log, f"too many logs: only {MOST_LOGS} were read")
            self._note_time()
        self._count()

    def _take(self, outcome: FetchResult) -> None:
        apply(outcome, self.snapshot)
        if outcome.read_at is not None and outcome.covered is not None and not outcome.limited:
            self._read_at[outcome.covered] = outcome.read_at

    def _tasks(
        self, wants: frozenset[Want | LogWant], on_chunk: OnChunk | None
    ) -> tuple[list[Callable[[], FetchResult]], list[LogWant]]:
        """What to fetch, and the logs that are too many."""
        logs = sorted(want for want in wants if isinstance(want, LogWant))
        tasks: list[Callable[[], FetchResult]] = [
            partial(self._fetcher.fetch, want, stands_for, on_chunk)
            for want, stands_for in _merged(sorted(want for want in wants if isinstance(want, Want)))
        ]
        tasks += [partial(self._fetcher.log, log) for log in logs[:MOST_LOGS]]
        return tasks, logs[MOST_LOGS:]

    def _show(self, objects: tuple[KubernetesObject, ...]) -> None:
        with self.lock:
            self.snapshot.add(objects)

    def _read_version(self) -> FetchResult:
        version = self._fetcher.version()
        with self.lock:
            self._knows_server = True
            if version:
                self.snapshot.source = msgspec.structs.replace(self.snapshot.source, kubernetes=version)
        return FetchResult(())

    def _note_time(self) -> None:
        now = self.transport.server_time
        if now is not None:
            self.snapshot.taken_at = now
        if abs(self.transport.skew) > LARGE_SKEW and not self._told_skew:
            self._told_skew = True
            minutes = round(abs(self.transport.skew) / 60)
            side = "behind" if self.transport.skew > 0 else "ahead of"
            self.snapshot.problems.append(
                f"the clock of this machine is {minutes}m {side} the API server; ages use the clock of the API server"
            )

    def _note_extensions(self, *sentences: str) -> None:
        """Say these instead of what was said after the last list."""
        with self.lock:
            known = [line for line in self.snapshot.problems if not line.startswith(_CUSTOM_RESOURCES)]
            self.snapshot.problems[:] = [*known, *sentences]

    def _count(self) -> None:
        self.snapshot.requests = self.transport.requests


def _plain(body: bytes) -> Any:
    """JSON as it is, or without the values that cannot be read. Raises Unreadable."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return without_marks(plain_json(body), [])


def _not_listed(unread: Mapping[str, str]) -> Iterator[str]:
    """One line for all kinds that were not listed whole: a cluster may have hundreds."""
    for first, why in sorted(unread.items())[:1]:
        if len(unread) == 1:
            yield f"{_CUSTOM_RESOURCES}of kind {first} were not listed whole: {why}"
        else:
            yield f"{_CUSTOM_RESOURCES}of {len(unread)} kinds were not listed whole, for example {first}: {why}"


def _not_discovered(unknown: Mapping[str, str]) -> Iterator[str]:
    """One line for all groups whose kinds are not known."""
    for first, why in sorted(unknown.items())[:1]:
        if len(unknown) == 1:
            yield f"{_CUSTOM_RESOURCES}of group {visible(first, 100)} were not listed: discovery: {why}"
        else:
            groups = f"{len(unknown)} groups were not listed, for example {visible(first, 100)}"
            yield f"{_CUSTOM_RESOURCES}of {groups}: discovery: {why}"


def _merged(wants: list[Want]) -> list[tuple[Want, tuple[Want, ...]]]:
    """Each request with the wants that it answers: events about many objects of a namespace are read in one list."""
    events: dict[str, list[Want]] = {}
    for want in wants:
        if want.kind == "Event" and want.namespace and want.fields:
            events.setdefault(want.namespace, []).append(want)
    requests: list[tuple[Want, tuple[Want, ...]]] = []
    for want in wants:
        together = events.get(want.namespace, []) if want.kind == "Event" and want.fields else []
        if len(together) < _EVENTS_AT_ONCE:
            requests.append((want, (want,)))
        elif want is together[0]:
            requests.append((Want("Event", want.namespace), tuple(together)))
    return requests


def open_live(options: Options) -> LiveSource:
    """The cluster of the flags and the kubeconfig. Sends no request yet, but may run an exec plug-in."""
    return LiveSource(Transport(connect(options)))
