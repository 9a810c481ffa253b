"""The only place that sends requests. Only reads, and reviews of one's own permissions, are allowed."""

from __future__ import annotations

import contextlib
import random
import re
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import urllib3
from urllib3.exceptions import HTTPError, IncompleteRead, NewConnectionError, ProtocolError
from urllib3.exceptions import TimeoutError as TookTooLong

from kubedoctor.collect.connecting.connection import USER_AGENT, Connection, is_loopback
from kubedoctor.collect.live.answers import ApiRefusal, problem_of, refusal_of, unexpected
from kubedoctor.problems import ConnectionProblem, LoginProblem, SourceProblem

REVIEWS = frozenset(
    {
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
    }
)
# A GET of these runs a command, opens a tunnel or sends a request of one's own into the cluster.
_NOT_READS = frozenset({"exec", "attach", "portforward", "proxy"})
_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._:~%-]+)+")
JSON = "application/json"
MOST_BYTES = 512 * 2**20  # no cluster gives a larger answer to a chunked list
MOST_TRIES = 5
_LARGEST_SKEW = timedelta(days=50 * 365)  # ages cannot be computed with a clock that differs more
LONGEST_PAUSE = 10.0  # seconds, even if Retry-After is longer
_AGAIN = frozenset({429, 500, 502, 503, 504})
_PIECE = 1 << 20
_POOL = 16
Query = Mapping[str, str | int]


class NotARead(Exception):
    """A request that would do more than read: a defect in kubedoctor, raised before anything is sent."""


class Transport:
    """Requests to one API server, from several threads. Raises SourceProblem for an unusable server, and ApiRefusal for
    a single request that fails.

    `requests` counts what was sent. `answered` is false until the first answer of the server. `server_time` is the
    newest time that the server sent, and `skew` by how many seconds it is ahead of this machine's clock.
    """

    def __init__(self, connection: Connection, *, pause: Any = time.sleep) -> None:
        self.connection = connection
        self.requests = 0
        self.answered = False
        self.server_time: datetime | None = None
        self.skew = 0.0
        self._pause = pause
        self._lock = threading.Lock()
        self._renewing = threading.Lock()
        self._renewals = 0
        self._closed = False
        self._pool = self._open_pool()

    def get(
        self, path: str, query: Query | None = None, *, accept: str = JSON, tries: int = MOST_TRIES, text: bool = False
    ) -> bytes:
        """The body of an answer. `text`: any text, such as a log; otherwise it must be JSON."""
        return self._ask("GET", path, query, {"Accept": accept}, None, tries, text)

    def review(self, path: str, document: Mapping[str, Any]) -> bytes:
        """Ask the API server about one's own permissions; `path` is one of REVIEWS."""
        body = msgspec.json.encode(document)
        return self._ask("POST", path, None, {"Accept": JSON, "Content-Type": JSON}, body, MOST_TRIES, False)

    def stream(self, path: str, query: Query, idle: float, accept: str = JSON) -> LineStream:
        """The lines of a continuing answer, such as a watch. `idle`: seconds without a line after which the connection
        counts as dead."""
        timeout = urllib3.Timeout(connect=self.connection.connect_timeout, read=idle)
        renewals = self._renewals
        try:
            response = self._send("GET", path, query, {"Accept": accept}, None, timeout)
            if response.status == 401 and self._renew(renewals):
                response.close()
                response = self._send("GET", path, query, {"Accept": accept}, None, timeout)
            if response.status != 200:
                body = self._body(response, None)
                if response.status == 401:
                    raise self._not_accepted()
                raise refusal_of(response.status, body, response.headers, self.connection)
        except _Dropped as dropped:
            raise dropped.problem from None
        return LineStream(response, self.connection)

    def close(self) -> None:
        """Close the connections; no more requests are sent."""
        self._closed = True
        self._pool.clear()

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
    ) -> bytes:
        waited = 0.0
        for attempt in range(1, tries + 1):
            last = attempt == tries or waited > 3 * LONGEST_PAUSE
            seconds = 0.2 * 2 ** (attempt - 1)
            try:
                return self._once(method, path, query, headers, body, text)
            except ApiRefusal as refusal:
                if last or refusal.status not in _AGAIN:
                    raise
                seconds = max(seconds, refusal.retry_after)
            except _Dropped as dropped:
                if last:
                    raise dropped.problem from None
            seconds = min(seconds, LONGEST_PAUSE) * random.uniform(1.0, 1.25)
            waited += seconds
            self._pause(seconds)
        raise AssertionError("the last try returns or raises")

    def _once(
        self, method: str, path: str, query: Query | None, headers: dict[str, str], body: bytes | None, text: bool
    ) -> bytes:
        renewals = self._renewals
        allowed = self.connection.answer_timeout
        deadline = time.monotonic() + allowed if allowed else None
        timeout = urllib3.Timeout(connect=self.connection.connect_timeout, read=allowed)
        response = self._send(method, path, query, headers, body, timeout)
        answer = self._body(response, deadline)
        if response.status == 401 and self._renew(renewals):
            response = self._send(method, path, query, headers, body, timeout)
            answer = self._body(response, deadline)
        if response.status == 401:
            raise self._not_accepted()
        if not 200 <= response.status < 300:
            refusal = refusal_of(response.status, answer, response.headers, self.connection)
            self.answered = self.answered or bool(getattr(refusal, "reason", ""))
            raise refusal
        if not text and answer.lstrip()[:1] not in (b"{", b"["):
            raise unexpected(answer, self.connection)
        self.answered = True
        return answer

    def _send(
        self,
        method: str,
        path: str,
        query: Query | None,
        headers: dict[str, str],
        body: bytes | None,
        timeout: urllib3.Timeout,
    ) -> urllib3.BaseHTTPResponse:
        """Every request goes through here. Redirects are not followed: they could lead anywhere."""
        check_is_read(method, path)
        if self._closed:
            raise ConnectionProblem(f"the connection to {self.connection.server} was closed", "Open it again")
        sent = urllib3.HTTPHeaderDict(headers)
        sent["User-Agent"] = USER_AGENT
        if not is_loopback(self.connection.host):
            sent["Accept-Encoding"] = "gzip"
        for name, value in (*self.connection.impersonation, *self.connection.credentials.headers().items()):
            sent.add(name, value)
        url = self.connection.server + path + (f"?{urlencode(query)}" if query else "")
        with self._lock:
            self.requests += 1
        try:
            response = self._pool.urlopen(
                method,
                url,
                body=body,
                headers=sent,
                timeout=timeout,
                retries=False,
                redirect=False,
                preload_content=False,
            )
        except (HTTPError, OSError, ValueError) as error:
            raise self._failed(error) from None
        self._note(response.headers.get("Date"))
        return response

    def _body(self, response: urllib3.BaseHTTPResponse, deadline: float | None) -> bytes:
        """The whole body, within time and size. The connection goes back to the pool only after a whole answer."""
        pieces: list[bytes] = []
        size = 0
        try:
            while piece := response.read1(_PIECE, decode_content=True):
                pieces.append(piece)
                size += len(piece)
                if size > MOST_BYTES:
                    response.close()
                    raise ApiRefusal(0, "TooLarge", f"the response is larger than {MOST_BYTES >> 20} MiB")
                if deadline and time.monotonic() > deadline:
                    response.close()
                    raise TookTooLong
            missing = getattr(response, "length_remaining", 0)
            if missing:
                raise IncompleteRead(size, missing)
        except (HTTPError, OSError, ValueError) as error:
            response.close()
            raise self._failed(error) from None
        response.release_conn()
        return b"".join(pieces)

    # What went wrong

    def _failed(self, error: Exception) -> Exception:
        problem = problem_of(error, self.connection)
        again = isinstance(error, ProtocolError | ConnectionResetError | BrokenPipeError)
        refused = isinstance(error, NewConnectionError | TookTooLong)
        return _Dropped(problem) if again and not refused else problem

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
                old, self._pool = self._pool, self._open_pool()
                old.clear()
            return True

    def _note(self, date: str | None) -> None:
        if not date:
            return
        try:
            time = parsedate_to_datetime(date)
        except (ValueError, TypeError):
            return
        time = time if time.tzinfo else time.replace(tzinfo=UTC)
        if abs(time - datetime.now(UTC)) > _LARGEST_SKEW:
            return
        self.skew = (time - datetime.now(UTC)).total_seconds()
        if self.server_time is None or time > self.server_time:
            self.server_time = time

    def _open_pool(self) -> urllib3.PoolManager:
        connection = self.connection
        settings: dict[str, Any] = {"maxsize": _POOL, "num_pools": 2}
        if context := connection.tls():
            settings["ssl_context"] = context
            if connection.server_name:
                settings["server_hostname"] = settings["assert_hostname"] = connection.server_name
            if connection.insecure:
                urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
                settings["cert_reqs"] = "CERT_NONE"
        if not connection.proxy:
            return urllib3.PoolManager(**settings)
        try:
            if connection.proxy.startswith("socks"):
                from urllib3.contrib.socks import SOCKSProxyManager

                return SOCKSProxyManager(connection.proxy, **settings)
            return urllib3.ProxyManager(connection.proxy, **settings)
        except (ImportError, ValueError, HTTPError) as error:
            raise ConnectionProblem(
                f"proxy {connection.proxy} cannot be used: {error}",
                "Check proxy-url in the kubeconfig and HTTPS_PROXY; a SOCKS proxy needs: pip install PySocks",
            ) from None


class _Dropped(Exception):
    """The connection broke: a retry may help."""

    def __init__(self, problem: SourceProblem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class LineStream:
    """Lines of a continuing answer. `close` may be called from another thread and ends the iteration."""

    def __init__(self, response: urllib3.BaseHTTPResponse, connection: Connection) -> None:
        self._response = response
        self._connection = connection
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        """Whole lines without line ends. Raises ConnectionProblem when the connection breaks."""
        buffer = b""
        try:
            while piece := self._response.read1(_PIECE, decode_content=True):
                *lines, buffer = (buffer + piece).split(b"\n")
                if len(buffer) > MOST_BYTES:
                    return
                yield from filter(None, lines)
            if buffer.strip():
                yield buffer
        except (HTTPError, OSError, ValueError, AttributeError) as error:
            if not self._closed:
                raise problem_of(error, self._connection) from None
        finally:
            self._response.close()

    def close(self) -> None:
        """End it, also where another thread waits for the next line."""
        self._closed = True
        # It may have ended already, or be ending in the reading thread.
        with contextlib.suppress(ValueError, RuntimeError, OSError, AttributeError, HTTPError):
            self._response.shutdown()


def check_is_read(method: str, path: str) -> None:
    """Raises NotARead for everything but a GET that reads, or a POST that asks about one's own permissions."""
    if method == "POST" and path in REVIEWS:
        return
    if method != "GET":
        raise NotARead(f"{method} {path}")
    if path == "/":
        return
    if not _PATH.fullmatch(path) or "%2f" in path.lower():
        raise NotARead(f"{method} {path!r}: not the path of a resource")
    if _subresource(path.strip("/").split("/")) in _NOT_READS:
        raise NotARead(f"{method} {path}: not a read")


def _subresource(parts: list[str]) -> str:
    """The part of the path after the name of an object: `log` in `/api/v1/namespaces/shop/pods/web-1/log`."""
    segments = parts[2:] if parts[:1] == ["api"] else parts[3:] if parts[:1] == ["apis"] else []
    if segments[:1] == ["namespaces"] and len(segments) > 3:
        segments = segments[2:]
    return segments[2] if len(segments) > 2 else ""


def can_exist(*names: str) -> bool:
    """Whether objects may have these names: names that would form another path are not allowed
    (`IsValidPathSegmentName` of `apimachinery/pkg/api/validation/path`, v1.37)."""
    return all(name not in (".", "..") and "/" not in name and "%" not in name for name in names)


def segment(name: str) -> str:
    """A name as one segment of a path, quoted."""
    return quote(name, safe="")
