"""Refusals of the API server and network failures, as sentences and clauses for people."""

import ssl
from datetime import timedelta

import msgspec

from kubedoctor.cluster.grammar.credentials import without_credentials
from kubedoctor.cluster.grammar.durations import human_duration
from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.collect.connecting.carrying import Headers
from kubedoctor.collect.connecting.connection import Connection
from kubedoctor.collect.connecting.failures import (
    EndedEarly,
    NotReached,
    NotReachedInTime,
    NotResolved,
    NotUnpacked,
    ProxyRefused,
    TookTooLong,
)
from kubedoctor.problems import ConnectionProblem, LoginProblem, SourceProblem

_LONGEST_WORDS = 300
_LONGEST_WAIT = 1e9  # seconds; dates have no more
LONGEST_PAUSE = 10.0  # seconds, even if Retry-After is longer
_IMPERSONATION = compiled_later(r'"([^"]*)" is forbidden: User "([^"]*)" cannot impersonate')


class ApiRefusal(Exception):
    """One request failed. `status` is the HTTP status, 0 without an answer; `reason` is that of the Status."""

    def __init__(self, status: int, reason: str, message: str, retry_after: float = 0.0) -> None:
        self.message = without_credentials(message)
        super().__init__(self.message)
        self.status = status
        self.reason = reason
        self.retry_after = retry_after

    @property
    def clause(self) -> str:
        """For the middle of a sentence: `the server answered 500 (etcdserver: request timed out)`."""
        if not self.status:
            return self.message
        text = self.message or self.reason
        pause = timedelta(seconds=min(self.retry_after, _LONGEST_WAIT))
        wait = f" and asks to wait {human_duration(pause)}" if self.retry_after > LONGEST_PAUSE else ""
        return f"the server returned {self.status}" + (f" ({text})" if text else "") + wait


class _Status(msgspec.Struct, frozen=True):
    kind: str = ""
    reason: str | None = None
    message: str | None = None


_STATUS = msgspec.json.Decoder(_Status)


def refusal_of(status: int, body: bytes, headers: Headers, connection: Connection) -> ApiRefusal | SourceProblem:
    """The meaning of an answer other than 2xx. A web page or a redirect means that this is no API server."""
    try:
        status_object = _STATUS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = body[:_LONGEST_WORDS].decode("utf-8", "replace").strip()
        if status == 400 and "HTTPS server" in text:
            return ConnectionProblem(
                f"{connection.server} uses HTTPS, but {connection.where} has http",
                f"Set it: kubectl config set-cluster {connection.cluster_name} "
                f"--server=https{connection.server.removeprefix('http')}",
            )
        if 300 <= status < 400 or (_is_page(body) and status < 500):
            return unexpected(body, connection, status)
        status_object = _Status(message="" if _is_page(body) else text)
    if status == 403 and (denied := _IMPERSONATION.search(status_object.message or "")):
        acted, user = denied[1], denied[2]
        return LoginProblem(
            f"{visible(user)} may not impersonate {visible(acted)} (403)",
            "Run without --as and --as-group, or ask for permission to impersonate",
        )
    return ApiRefusal(
        status,
        status_object.reason or "",
        visible(status_object.message or "", _LONGEST_WORDS),
        _seconds(headers.get("Retry-After")),
    )


class NoApiServer(ConnectionProblem):
    """The answer did not come from an API server, or not whole. Where other answers are valid, only this one is lost."""


def unexpected(body: bytes, connection: Connection, status: int = 200) -> NoApiServer:
    """An answer that an API server would not give."""
    if _is_page(body):
        what = "a web page"
    elif 300 <= status < 400:
        what = "a redirect"
    else:
        what = f"{visible(body[:40].decode('utf-8', 'replace'))!r}" if body.strip() else "nothing"
    return NoApiServer(
        f"{connection.server} is not a Kubernetes API server: it returned {what}",
        f"Check the server of the cluster {connection.cluster_name} in {connection.where}; "
        "a proxy or a login page may be in between",
    )


def problem_of(error: Exception, connection: Connection) -> SourceProblem:
    """A failure of the network or of TLS, with what to try."""
    server = connection.server
    if isinstance(error, ProxyRefused):
        return ConnectionProblem(
            f"proxy {connection.proxy} does not allow the connection to {server}: {_last_words(error)}",
            "Check proxy-url in the kubeconfig, HTTPS_PROXY and NO_PROXY",
        )
    if isinstance(error, ssl.SSLError):
        return _tls_problem(str(error), connection)
    if isinstance(error, NotResolved):
        return ConnectionProblem(
            f"host name {connection.host} cannot be resolved",
            f"Is the VPN up, and is {server} correct? Check: kubectl config view --minify",
        )
    if isinstance(error, NotReached):
        words = _last_words(error)
        refused = "refused" in words.lower()
        return ConnectionProblem(
            f"{server} refuses the connection" if refused else f"{server} cannot be reached: {words}",
            "Is the cluster running, and are its address and port correct? Check: kubectl config view --minify",
        )
    if isinstance(error, NotReachedInTime):
        return ConnectionProblem(
            f"no connection to {server} within {connection.connect_timeout:g}s",
            f"{'Wait longer with --request-timeout=2m. ' if connection.is_hasty else ''}Is the VPN up, or does a firewall block the connection? Check: kubectl config view --minify",
        )
    if isinstance(error, TookTooLong | TimeoutError):
        within = f" within {connection.answer_timeout:g}s" if connection.answer_timeout else " in time"
        return ConnectionProblem(
            f"{server} did not answer{within}",
            "Wait longer with --request-timeout=2m, or read less with -n NAMESPACE",
        )
    if isinstance(error, NotUnpacked):
        return NoApiServer(
            f"the response of {server} cannot be unpacked ({_last_words(error)})",
            "Try again. If it fails again, check any proxy in between",
        )
    incomplete = isinstance(error, EndedEarly)
    what = "broke in the middle of a response" if incomplete else f"broke: {_last_words(error)}"
    problem = NoApiServer if incomplete else ConnectionProblem
    return problem(
        f"the connection to {server} {what}", "Try again. If it fails again, check the network and any proxy in between"
    )


def _tls_problem(words: str, connection: Connection) -> ConnectionProblem:
    server, cluster = connection.server, connection.cluster_name
    authority = "Get a new kubeconfig, or check certificate-authority-data of the cluster " + cluster
    if "certificate has expired" in words:
        return ConnectionProblem(
            f"the certificate of {server} has expired",
            "Renew it on the control plane (kubeadm: kubeadm certs renew apiserver), or check this machine's clock",
        )
    if "not yet valid" in words:
        return ConnectionProblem(f"the certificate of {server} is not valid yet", "Check this machine's clock")
    if "Hostname mismatch" in words or "IP address mismatch" in words or "doesn't match" in words:
        return ConnectionProblem(
            f"the certificate of {server} is valid for other names only",
            "Use an address that the certificate contains, or set tls-server-name of the cluster " + cluster,
        )
    if "CERTIFICATE_VERIFY_FAILED" in words:
        return ConnectionProblem(
            f"the certificate of {server} is signed by an authority that is not trusted", authority
        )
    if "WRONG_VERSION_NUMBER" in words or "record layer failure" in words:
        return ConnectionProblem(
            f"{server} does not speak TLS", f"Is it an HTTP address? Check the server of the cluster {cluster}"
        )
    if "ALERT_CERTIFICATE" in words.upper() or "CERTIFICATE_REQUIRED" in words or "alert certificate" in words:
        return ConnectionProblem(
            f"{server} rejects the client certificate of {connection.user}",
            "Get a new kubeconfig from its source",
        )
    return ConnectionProblem(f"TLS handshake with {server} failed: {_short_tls(words)}", authority)


def _short_tls(words: str) -> str:
    """`[SSL: UNEXPECTED_EOF] EOF occurred (_ssl.c:1006)` without the parts for programmers."""
    return words.rpartition("] ")[2].partition(" (_ssl")[0]


def _last_words(error: BaseException) -> str:
    """The innermost of a chain of wrapped errors, without numbers and class names."""
    for _ in range(5):
        inner = next((cause for cause in error.args if isinstance(cause, BaseException)), None)
        inner = inner or error.__cause__
        if inner is None:
            break
        error = inner
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return visible(str(error).rpartition("] ")[2] or type(error).__name__, _LONGEST_WORDS)


def _is_page(body: bytes) -> bool:
    return body.lstrip()[:1] == b"<"


def _seconds(text: str | None) -> float:
    """Retry-After in seconds; a date there is rare and counts as none."""
    return float(text) if text and text.strip().isdecimal() else 0.0
