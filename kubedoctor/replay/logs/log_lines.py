"""Reads the cause of a program's end from the last lines of its log."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later

LINES_READ = 40
LONGEST_LINE = 2000
_STOP_LINES = 5


class Sign(enum.Enum):
    """The kind of cause that a log line states."""

    EXEC_FORMAT = enum.auto()
    ADDRESS_IN_USE = enum.auto()
    READ_ONLY = enum.auto()
    NO_SPACE = enum.auto()
    UNRESOLVED_HOST = enum.auto()
    REFUSED = enum.auto()
    TIMED_OUT = enum.auto()
    MISSING_VARIABLE = enum.auto()
    BAD_SYNTAX = enum.auto()
    MISSING_FILE = enum.auto()
    BAD_FLAG = enum.auto()
    COMMAND_NOT_FOUND = enum.auto()
    PERMISSION = enum.auto()
    API_FORBIDDEN = enum.auto()
    CREDENTIALS = enum.auto()
    CERTIFICATE = enum.auto()
    HEAP = enum.auto()
    PANIC = enum.auto()


class LogSign(msgspec.Struct, frozen=True):
    """A log line that states a cause: its position in the lines, and its subject (a host, path or variable; may be empty).

    `dns_silent`: a name was not resolved because the DNS server did not answer. `dns_answered`: the server answered that
    the name does not exist. Only in that case does Go write the server beside those words (`net/dnsclient_unix.go`), and
    do glibc and musl return EAI_NONAME, Node's ENOTFOUND; without an answer they return EAI_AGAIN.
    """

    sign: Sign
    index: int
    subject: str = ""
    dns_silent: bool = False
    dns_answered: bool = False


_DNS_ANSWERED = re.compile(
    r"lookup \S+ on \S+:53: no such host|getaddrinfo ENOTFOUND|name or service not known|name does not resolve",
    re.IGNORECASE,
)
_HOST = r"(?P<what>[A-Za-z0-9][\w.-]*)"
_NAME = r"(?P<what>[A-Z][A-Z0-9_]{2,})"
_PATH = re.compile(r"(?<![\w:/])(/[\w.@+-]+(?:/[\w.@+-]+)*)")
_ADDRESS = re.compile(
    r"(?<![\w.])((?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:]+\]|localhost|[A-Za-z][\w-]*(?:\.[\w-]+)*):\d{1,5})\b"
)
_SEPARATE_PORT = re.compile(r'"?(?P<host>[\w.-]+)"?(?: \([\d.]+\))?,? port (?P<port>\d+)')
_PORT = re.compile(r":(\d{2,5})\b|port (\d{2,5})", re.IGNORECASE)

_PATTERNS: tuple[tuple[Sign, re.Pattern[str]], ...] = tuple(
    (sign, compiled_later(pattern, flags))
    for sign, pattern, flags in (
        (Sign.EXEC_FORMAT, r"exec format error", re.IGNORECASE),
        (
            Sign.ADDRESS_IN_USE,
            r"address (?:is )?already in use|EADDRINUSE|port \d+ (?:is|was) already in use",
            re.IGNORECASE,
        ),
        (Sign.READ_ONLY, r"read-only file ?system|\bEROFS\b", re.IGNORECASE),
        (Sign.NO_SPACE, r"no space left on device|\bENOSPC\b|disk quota exceeded", re.IGNORECASE),
        (Sign.UNRESOLVED_HOST, rf"lookup {_HOST}(?: on [^\s]+)?: (?!.*unknown port)", 0),
        (Sign.UNRESOLVED_HOST, rf"getaddrinfo (?:ENOTFOUND|EAI_AGAIN) {_HOST}", 0),
        (Sign.UNRESOLVED_HOST, rf"could not translate host name \"{_HOST}\"", 0),
        (Sign.UNRESOLVED_HOST, rf"UnknownHostException:? {_HOST}", 0),
        (Sign.UNRESOLVED_HOST, rf"could not resolve host:? {_HOST}", re.IGNORECASE),
        (Sign.UNRESOLVED_HOST, rf"bad address '{_HOST}", 0),
        (Sign.UNRESOLVED_HOST, rf"host not found in upstream \"{_HOST}", 0),
        (Sign.UNRESOLVED_HOST, rf"Unknown (?:MySQL )?server host '{_HOST}'", re.IGNORECASE),
        (Sign.UNRESOLVED_HOST, rf"failed to resolve '{_HOST}'", re.IGNORECASE),
        (
            Sign.UNRESOLVED_HOST,
            r"no such host|name or service not known|temporary failure in name resolution|name does not resolve|"
            r"nodename nor servname|getaddrinfo failed|failed to lookup address",
            re.IGNORECASE,
        ),
        (Sign.API_FORBIDDEN, r"is forbidden: User \"(?P<what>[^\"]+)\" cannot", 0),
        (Sign.REFUSED, r"connection refused|ECONNREFUSED|actively refused", re.IGNORECASE),
        (
            Sign.CREDENTIALS,
            r"password authentication failed|access denied for user|authentication failed|WRONGPASS|\bNOAUTH\b|"
            r"invalid credentials|login failed for user",
            re.IGNORECASE,
        ),
        (
            Sign.CERTIFICATE,
            r"x509: |certificate verify failed|certificate has expired|SSLHandshakeException|"
            r"unable to (?:get local issuer|verify the first) certificate|self[- ]signed certificate",
            re.IGNORECASE,
        ),
        (
            Sign.HEAP,
            r"java\.lang\.OutOfMemoryError|heap out of memory|^MemoryError|runtime: out of memory|"
            r"cannot allocate memory|std::bad_alloc",
            re.IGNORECASE,
        ),
        (Sign.MISSING_VARIABLE, rf"env(?:ironment)?[ _-]?var(?:iable)?s?:? [\"'`$]?{_NAME}", re.IGNORECASE),
        (Sign.MISSING_VARIABLE, rf"KeyError: '{_NAME}'", 0),
        (
            Sign.MISSING_VARIABLE,
            rf"(?<![\w/.]){_NAME}[\"'`]?:? (?:is |was |env(?:ironment variable)? |variable |has )?"
            r"(?:not set|not been set|must be set|parameter not set|parameter null or not set|unbound variable|required|"
            r"is required|is missing|missing|undefined|not defined|cannot be empty|is empty)",
            0,
        ),
        (
            Sign.MISSING_VARIABLE,
            rf"(?:missing|required|unset|undefined|set)\b[^.]{{0,30}}?[\"'`$:= ]{_NAME}[\"'`]?\s*$",
            0,
        ),
        (
            Sign.BAD_SYNTAX,
            r"invalid character .{1,8} |unexpected end of JSON|JSONDecodeError|not valid JSON|in JSON at position|"
            r"JsonParseException|\byaml: |YAMLException|yaml\.\w+\.\w*Error|mapping values are not allowed|"
            r"error (?:during )?parsing|parse error|failed to parse|could not parse|cannot parse|unable to parse|"
            r"cannot unmarshal|toml: |TOMLDecodeError|unknown directive|while scanning|while parsing|"
            r"invalid (?:config|configuration|json|yaml)\b|syntax error",
            re.IGNORECASE,
        ),
        (
            Sign.BAD_FLAG,
            r"(?:unknown|unrecognized|unrecognised|invalid|illegal|unexpected) (?:shorthand )?(?:option|flag|argument|command|subcommand)s?\b"
            r"(?: --|:)? ?[\"'`]?(?P<what>[^\s\"'`]*)",
            re.IGNORECASE,
        ),
        (Sign.BAD_FLAG, r"flag provided but not defined: (?P<what>\S+)", re.IGNORECASE),
        (Sign.BAD_FLAG, r"(?:no such|unknown) option:? (?P<what>-\S+)", re.IGNORECASE),
        (Sign.MISSING_FILE, r"(?:Cannot find module|No module named) ['\"]?(?P<what>[^\s'\"]+)", 0),
        (
            Sign.MISSING_FILE,
            r"no such file or directory|\bENOENT\b|FileNotFound|cannot find the file|can't open file|file not found|"
            r"file does not exist",
            re.IGNORECASE,
        ),
        (Sign.COMMAND_NOT_FOUND, r"(?:^|: )(?P<what>[\w./-]+): (?:command )?not found\s*$", 0),
        (
            Sign.PERMISSION,
            r"permission denied(?! for | \(publickey)|\bEACCES\b|operation not permitted|\bEPERM\b|AccessDeniedException",
            re.IGNORECASE,
        ),
        (
            Sign.TIMED_OUT,
            r"i/o timeout|ETIMEDOUT|connection timed out|connect timed out|dial .*deadline exceeded|no route to host|"
            r"network is unreachable",
            re.IGNORECASE,
        ),
    )
)
_PANIC = re.compile(
    r"^panic: |^fatal error: |segmentation fault|core dumped|thread '.*' panicked|^Traceback \(most recent|"
    r"unhandled exception|exception in thread|uncaught \w*(?:exception|error)|UnhandledPromiseRejection",
    re.IGNORECASE,
)
_STOPPING = re.compile(
    r"\bSIGTERM\b|signal[: ]+(?:terminated|15)|received (?:termination|stop|shutdown)|"
    r"\b(?:stopping|shutting down|shutdown|graceful(?:ly)? (?:stop|shut|exit)\w*)\b",
    re.IGNORECASE,
)
_LISTENS = re.compile(r"\b(?:listen(?:ing|s)?|serving|started|running) (?:on|at)\b|\blistening\b", re.IGNORECASE)
_LISTENED_PORT = re.compile(r"(?::|port[ =:]+)(\d{2,5})\b(?!:\d)", re.IGNORECASE)
_NO_LOG = re.compile(r"^unable to retrieve container logs for ")


def read_log(lines: Sequence[str]) -> LogSign | None:
    """The newest line that states a cause; the first line of a crash trace if no line does."""
    crashed: LogSign | None = None
    first = max(0, len(lines) - LINES_READ)
    for index in range(len(lines) - 1, first - 1, -1):
        line = lines[index][:LONGEST_LINE]
        sign_of_line = _read_line(line, index)
        if sign_of_line is not None:
            return sign_of_line
        if _PANIC.search(line):
            crashed = LogSign(Sign.PANIC, index)
    return crashed


def says_it_was_stopped(lines: Sequence[str]) -> bool:
    """The last lines show that the program was stopped from outside: it did not exit by itself."""
    return any(_STOPPING.search(line[:LONGEST_LINE]) for line in lines[-_STOP_LINES:])


def is_no_log(lines: Sequence[str]) -> bool:
    """No lines at all, or the kubelet's message that the log does not exist."""
    return not any(line.strip() for line in lines) or (len(lines) <= 2 and _NO_LOG.match(lines[0]) is not None)


def port_listened_on(lines: Sequence[str]) -> int:
    """The port that the program logs as its own; 0 if it logs none."""
    for line in reversed(lines):
        listens = _LISTENS.search(line[:LONGEST_LINE])
        port = _LISTENED_PORT.search(line[:LONGEST_LINE], listens.end()) if listens else None
        if port and 0 < int(port.group(1)) < 65536:
            return int(port.group(1))
    return 0


def _read_line(line: str, index: int) -> LogSign | None:
    for sign, pattern in _PATTERNS:
        match = pattern.search(line)
        if match is None:
            continue
        subject = (match.groupdict().get("what") or "").rstrip(".,:;")
        unresolved = sign is Sign.UNRESOLVED_HOST
        silent = unresolved and re.search(r":53\b.*(refused|timeout|unreachable)", line) is not None
        answered = unresolved and _DNS_ANSWERED.search(line) is not None
        return LogSign(sign, index, subject or _subject(sign, line), silent, answered)
    return None


def _subject(sign: Sign, line: str) -> str:
    """The subject of a line whose pattern does not capture it."""
    if sign in (Sign.REFUSED, Sign.TIMED_OUT):
        addresses = _ADDRESS.findall(line)
        if addresses:
            return str(addresses[-1])
        apart = _SEPARATE_PORT.search(line)
        return f"{apart['host']}:{apart['port']}" if apart else ""
    if sign is Sign.ADDRESS_IN_USE:
        ports = _PORT.findall(line)  # The first match may be the time of day.
        return str(ports[-1][0] or ports[-1][1]) if ports else ""
    if sign in (Sign.READ_ONLY, Sign.MISSING_FILE, Sign.PERMISSION, Sign.BAD_SYNTAX, Sign.NO_SPACE, Sign.EXEC_FORMAT):
        paths = _PATH.findall(line)
        return str(paths[-1] if sign is not Sign.BAD_SYNTAX else paths[0]).rstrip(".,:;") if paths else ""
    return ""
