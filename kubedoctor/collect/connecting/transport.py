"""The only place that sends requests. Only reads, and reviews of one's own permissions, are allowed."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec

from kubedoctor.collect.connecting.carrying import CarriedAnswer, Carrier, Sent
from kubedoctor.collect.connecting.connection import USER_AGENT, Connection, is_loopback
from kubedoctor.collect.connecting.dates import http_date
from kubedoctor.collect.connecting.deadlines import PATIENCE, Deadline, Deadlines, Patience
from kubedoctor.collect.connecting.direct import Direct
from kubedoctor.collect.connecting.failures import ConnectionFailed, EndedEarly, TookTooLong
from kubedoctor.collect.connecting.paths import check_is_read
from kubedoctor.collect.live.answers import LONGEST_PAUSE, ApiRefusal, NoApiServer, problem_of, refusal_of, unexpected
from kubedoctor.collect.strain import Strain
from kubedoctor.problems import ConnectionProblem, LoginProblem, SourceProblem

JSON = "application/json"
MOST_OF_A_LINE = 32 * 2**20  # etcd stores no object larger than 1.5 MiB, unless it is configured to
MOST_BYTES = 512 * 2**20  # no cluster gives a larger answer to a chunked list
MOST_TRIES = 5
_LARGEST_SKEW = timedelta(days=50 * 365)  # ages cannot be computed with a clock that differs more
_AGAIN = frozenset({429, 500, 502, 503, 504})
_WHOLE = (200, 201)
PROBE = 5.0  # seconds for an answer of a server that was silent before
_PIECE = 1 << 20
Query = Mapping[str, str | int]


class Transport:
    """Requests to one API server, from several threads. Raises SourceProblem for an unusable server, and ApiRefusal for
    a single request that fails.

    `requests` counts what was sent. `answered` is false until the first answer of the server. `server_time` is the
    newest time that the server sent, and `skew` by how many seconds it is ahead of this machine's clock. `strain`: whether
    the server answers late, or is too busy.
    """

    def __init__(self, connection: Connection, *, pause: Any = time.sleep) -> None:
        self.connection = connection
        self.requests = 0
        self.answered = False
        self.server_time: datetime | None = None
        self.skew = 0.0
        self.strain = Strain()
        self._pause = pause
        self._lock = threading.Lock()
        self._renewing = threading.Lock()
        self._renewals = 0
        self._closed = False
        self._deadlines = Deadlines()
        self._patience = Patience(self._probe)
        self._carrier = self._open_carrier()

    def get(
        self,
        path: str,
        query: Query | None = None,
        *,
        accept: str = JSON,
        tries: int = MOST_TRIES,
        text: bool = False,
        also: Collection[int] = (),
    ) -> bytes:
        """The body of an answer. `text`: any text, such as a log; otherwise it must be JSON. `also`: of these statuses too."""
        return self._ask("GET", path, query, {"Accept": accept}, None, tries, text, also)

    def review(self, path: str, document: Mapping[str, Any]) -> bytes:
        """Ask the API server about one's own permissions; `path` is one of REVIEWS."""
        body = msgspec.json.encode(document)
        return self._ask("POST", path, None, {"Accept": JSON, "Content-Type": JSON}, body, MOST_TRIES, False)

    def stream(self, path: str, query: Query, idle: float, accept: str = JSON) -> LineStream:
        """The lines of a continuing answer, such as a watch. `idle`: seconds without a line after which the connection
        counts as dead."""
        renewals = self._renewals
        try:
            response = self._open_stream(path, query, accept, idle)
            if response.status == 401 and self._renew(renewals):
                response.close()
                response = self._open_stream(path, query, accept, idle)
        except _Dropped as dropped:
            raise dropped.problem from None
        if response.status == 401:
            raise self._not_accepted()
        return LineStream(response, self.connection)

    def _open_stream(self, path: str, query: Query, accept: str, idle: float) -> CarriedAnswer:
        """The response once its headers are there. Raises for a refusal other than 401."""
        allowed = self.connection.answer_timeout
        with self._deadlines.within(min(allowed, idle) if allowed else idle) as deadline:
            response = self._send("GET", path, query, {"Accept": accept}, None, idle, deadline)
            if response.status not in (200, 401):
                body = self._body(response, deadline)
                raise refusal_of(response.status, body, response.headers, self.connection)
        return response

    def close(self) -> None:
        """Close the connections; no more requests are sent."""
        self._closed = True
        self._carrier.close()

    # One request, repeated where that may help

    def _ask(
        self,
        method: str,
        path: str,
        query: Query | None,
        headers: dict[str, str],
        body: bytes | None,
        tries: int,
        text: bool,
        also: Collection[int] = (),
    ) -> bytes:
        self._patience.check()
        waited, began = 0.0, time.monotonic()
        allowed = self.connection.answer_timeout or PATIENCE
        for attempt in range(1, tries + 1):
            late = waited > 3 * LONGEST_PAUSE or time.monotonic() - began > max(allowed, PATIENCE)
            last = attempt == tries or late or self._patience.over
            seconds = 0.2 * 2 ** (attempt - 1)
            try:
                with self.strain.asking():
                    answer = self._once(method, path, query, headers, body, text, also)
            except ApiRefusal as refusal:
                if refusal.status not in _AGAIN:
                    self._patience.answered()
                    raise
                self._patience.failed()
                self.strain.refused(refusal.status)
                seconds = max(seconds, refusal.retry_after)
                if last or time.monotonic() - began + min(seconds, LONGEST_PAUSE) > allowed:
                    raise
            except _Dropped as dropped:
                self._patience.failed(dropped.problem if last else None)
                if last:
                    raise dropped.problem from None
            except ConnectionProblem as problem:
                if not isinstance(problem, NoApiServer):
                    self._patience.failed(problem)
                raise
            else:
                self._patience.answered()
                return answer
            seconds = min(seconds, LONGEST_PAUSE) * _spread()
            waited += seconds
            self._pause(seconds)
        raise AssertionError("the last try returns or raises")

    def _once(
        self,
        method: str,
        path: str,
        query: Query | None,
        headers: dict[str, str],
        body: bytes | None,
        text: bool,
        also: Collection[int],
    ) -> bytes:
        renewals = self._renewals
        response, answer = self._exchange(method, path, query, headers, body)
        if response.status == 401 and self._renew(renewals):
            response, answer = self._exchange(method, path, query, headers, body)
        if response.status == 401:
            raise self._not_accepted()
        if response.status not in _WHOLE and response.status not in also:
            refusal = refusal_of(response.status, answer, response.headers, self.connection)
            self.answered = self.answered or bool(getattr(refusal, "reason", ""))
            raise refusal
        if not text and answer.lstrip()[:1] not in (b"{", b"["):
            raise unexpected(answer, self.connection)
        self.answered = True
        return answer

    def _exchange(
        self,
        method: str,
        path: str,
        query: Query | None,
        headers: dict[str, str],
        body: bytes | None,
        allowed: float | None = None,
    ) -> tuple[CarriedAnswer, bytes]:
        """One request and its whole answer, within the time that is allowed for it."""
        allowed = allowed or self.connection.answer_timeout
        with self._deadlines.within(allowed) as deadline:
            response = self._send(method, path, query, headers, body, allowed, deadline)
            return response, self._body(response, deadline)

    def _probe(self) -> None:
        """Raises where the server gives no answer in a few seconds."""
        allowed = self.connection.answer_timeout
        try:
            self._exchange("GET", "/version", None, {"Accept": JSON}, None, min(PROBE, allowed or PROBE))
        except _Dropped as dropped:
            raise dropped.problem from None

    def _send(
        self,
        method: str,
        path: str,
        query: Query | None,
        headers: dict[str, str],
        body: bytes | None,
        read: float | None,
        deadline: Deadline,
    ) -> CarriedAnswer:
        """Every request goes through here. Redirects are not followed: they could lead anywhere."""
        check_is_read(method, path)
        if self._closed:
            raise ConnectionProblem(f"the connection to {self.connection.server} was closed", "Open it again")
        names = [*headers.items(), ("User-Agent", USER_AGENT)]
        if not is_loopback(self.connection.host):
            names.append(("Accept-Encoding", "gzip"))
        names += [*self.connection.impersonation, *self.connection.credentials.headers().items()]
        url = self.connection.server + path + (f"?{urlencode(query)}" if query else "")
        with self._lock:
            self.requests += 1
        try:
            response = self._carrier.send(Sent(method, url, names, body, self.connection.connect_timeout, read))
        except (ConnectionFailed, OSError, ValueError, AttributeError) as error:
            raise self._failed(error, deadline) from None
        self._note(response.headers.get("Date"))
        return response

    def _body(self, response: CarriedAnswer, deadline: Deadline) -> bytes:
        """The whole body, within time and size. The connection goes back to the pool only after a whole answer."""
        pieces: list[bytes] = []
        size = 0
        deadline.response = response
        if deadline.expired:  # between the headers and here
            deadline.end()
        try:
            while piece := response.read1(_PIECE):
                pieces.append(piece)
                size += len(piece)
                if deadline.expired:  # what has come already may take long to unpack
                    raise TookTooLong
                if size > MOST_BYTES:
                    response.close()
                    raise ApiRefusal(0, "TooLarge", f"the response is larger than {MOST_BYTES >> 20} MiB")
            if deadline.expired:  # without a length, the end of a connection looks like that of the body
                raise TookTooLong
            if response.missing:
                raise EndedEarly(f"{size} bytes, and {response.missing} are missing")
        except (ConnectionFailed, OSError, ValueError, AttributeError) as error:
            response.close()
            raise self._failed(error, deadline) from None
        response.release()
        return b"".join(pieces)

    # What went wrong

    def _failed(self, error: Exception, deadline: Deadline) -> Exception:
        if deadline.expired:
            error = TookTooLong()
        elif isinstance(error, AttributeError):
            return error
        problem = problem_of(error, self.connection)
        again = type(error) in (ConnectionFailed, EndedEarly) or isinstance(
            error, ConnectionResetError | BrokenPipeError
        )
        return _Dropped(problem) if again else problem

    def _not_accepted(self) -> LoginProblem:
        connection = self.connection
        why = connection.why_not_accepted(datetime.now(UTC))
        whose = f": {why}" if why else f" of {connection.user}" if connection.user else ""
        if connection.credentials.kind == "no credentials":
            hint = f"The context {connection.context} has no credentials. Check: kubectl config view --minify"
        else:
            hint = "Log in again, or get a new kubeconfig. Check: kubectl auth whoami"
        return LoginProblem(f"{connection.server} rejects the credentials{whose} (401)", hint)

    def _renew(self, seen: int) -> bool:
        """New credentials after a 401; one thread renews them for all."""
        with self._renewing:
            if self._renewals != seen:
                return True
            before = self.connection.credentials.certificate
            if not self.connection.credentials.renew():
                return False
            self._renewals += 1
            if self.connection.credentials.certificate != before:
                old, self._carrier = self._carrier, self._open_carrier()
                old.close()
            return True

    def _note(self, date: str | None) -> None:
        if not date:
            return
        time = http_date(date)
        if time is None:
            return
        if abs(time - datetime.now(UTC)) > _LARGEST_SKEW:
            return
        self.skew = (time - datetime.now(UTC)).total_seconds()
        if self.server_time is None or time > self.server_time:
            self.server_time = time

    def _open_carrier(self) -> Carrier:
        """What carries the requests. Its connections are ended at the deadline of their request, from its first byte on."""
        connection, uses = self.connection, self._deadlines.uses
        tls, name, proxy = connection.tls(), connection.server_name, connection.proxy
        if not proxy:
            return Direct(tls, name, uses)
        try:
            from kubedoctor.collect.connecting.proxied import Proxied

            return Proxied(proxy, tls, name, uses, insecure=connection.insecure)
        except Exception as error:  # noqa: BLE001  # a library that is not there, or does not know such a proxy
            raise ConnectionProblem(
                f"proxy {proxy} cannot be used: {error}",
                "Check proxy-url in the kubeconfig and HTTPS_PROXY; a SOCKS proxy needs: pip install PySocks",
            ) from None


def _spread() -> float:
    """From 1 to 1.25: requests that failed together are not repeated together."""
    return 1.0 + int.from_bytes(os.urandom(2), "big") / (4 * 0xFFFF)


class _Dropped(Exception):
    """The connection broke: a retry may help."""

    def __init__(self, problem: SourceProblem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class LineStream:
    """Lines of a continuing answer. `close` may be called from another thread and ends the iteration."""

    def __init__(self, response: CarriedAnswer, connection: Connection) -> None:
        self._response = response
        self._connection = connection
        self._closed = False

    def __iter__(self) -> Iterator[list[bytes]]:
        """Whole lines without line ends, as many as have arrived. Raises ConnectionProblem when the connection breaks."""
        buffer = b""
        try:
            while piece := self._response.read1(_PIECE):
                *lines, buffer = (buffer + piece).split(b"\n")
                if len(buffer) > MOST_OF_A_LINE:
                    raise ApiRefusal(0, "TooLarge", f"an event is larger than {MOST_OF_A_LINE >> 20} MiB")
                if lines := [line for line in lines if line]:
                    yield lines
            if buffer.strip():
                yield [buffer]
        except (ConnectionFailed, OSError, ValueError, AttributeError) as error:
            if not self._closed:
                raise problem_of(error, self._connection) from None
        finally:
            self._response.close()

    def close(self) -> None:
        """End it, also where another thread waits for the next line."""
        self._closed = True
        # It may have ended already, or be ending in the reading thread.
        with contextlib.suppress(ValueError, RuntimeError, OSError, AttributeError):
            self._response.shutdown()
