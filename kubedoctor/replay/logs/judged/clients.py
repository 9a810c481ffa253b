"""Lines in which a server reports what its clients do: a login that it refuses, a query of a table that is not there.

They are no failure of the program that writes them.
"""

from __future__ import annotations

import re
from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.replay.logs.families.known import KnownFault
from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.subjects import address

_TO_AN_UPSTREAM: Final = compiled_later(r"\bupstream: \"")
"""As nginx names the server behind it."""
_NAMES_A_CLIENT: Final = compiled_later(
    r"\bclient: |\[client:? "
    r"|\b(?:remote|client|source|peer)[_-]?(?:addr(?:ess)?|ip|host|port)?[\"']?[=:] ?[\"']?\[?/?\d+\.\d+\.\d+\.\d+"
    r"|\buser[_-]?agent[\"']?[=:]|\bipAddress[\"']?[=:]|handshake error from|\bcid:\d+|\bclient [\d.]+:\d+"
    r"|\b(?:from|with) (?:client )?/?(?:\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\]):(?:3[2-9]|[45]\d|6[0-5])\d{3}\b",
    re.IGNORECASE,
)
"""An address with an ephemeral port is a client's."""
_SERVER: Final = compiled_later(
    r"^\S+ \S+ (?:\w+ )?\[\d+(?:-\d+)?\](?: \S+)? (?:ERROR|FATAL|PANIC|DETAIL|HINT|CONTEXT|STATEMENT|QUERY):  "  # PostgreSQL
    r"|\"error_severity\" ?: ?\"|\"sql_state_code\" ?: ?\""  # PostgreSQL below an operator
    r"|\[MY-\d+\] \[Server\]|\] (?:Access denied for user|Aborted connection)"  # MySQL, MariaDB
    r"|\"c\": ?\"(?:ACCESS|NETWORK|QUERY|COMMAND|WRITE)\""  # MongoDB
    r"|<\d+\.\d+\.\d+> "  # RabbitMQ
    r"|\[(?:SocketServer|KafkaApi|RequestHandler)|Failed authentication with"  # Kafka
)
_OF_CLIENTS: Final = frozenset(
    {
        LogFault.CREDENTIALS,
        LogFault.NOT_AUTHORIZED,
        LogFault.DEPENDENCY_SCHEMA,
        LogFault.BAD_SETTING,
        LogFault.MISSING_FILE,
        LogFault.PERMISSION_FILE,
        LogFault.TLS,
        LogFault.CONNECTION_REFUSED,
        LogFault.CONNECTION_TIMEOUT,
    }
)
_REQUEST: Final = compiled_later(
    r"[\"' ](?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) /\S* |\bmethod=[\"']?[A-Z]+\b.*\bpath=|\bpath=.*\bmethod=",
    re.IGNORECASE,
)
_PROGRAM_OF_A_PAGE: Final = compiled_later(r"\bPHP (?:Fatal error|Warning|Recoverable fatal error): ")
_OF_PAGES: Final = frozenset({LogFault.MISSING_FILE, LogFault.BAD_SETTING})
"""What PHP fails at is its own, although the line names the client that asked; but a scanner requests files by name."""
_OF_WHOM_IT_SERVES: Final = frozenset({LogFault.CREDENTIALS, LogFault.NOT_AUTHORIZED, LogFault.TLS})
_OF_ANY_LOGIN: Final = compiled_later(
    r"(?:invalid|incorrect|wrong|bad) (?:username or )?(?:password|credentials|token)|password incorrect|token|invalid_grant"
    r"|invalid username-password pair|(?:failed|unable) to authenticate|authentication ?(?:failure|exception|error)"
    r"|authentication failed"
)
"""The words of a program that refuses its own users as well as of one that another refuses."""
_NAMES_A_SERVER: Final = compiled_later(
    r"\b(?:kafka|redis|valkey|postgres\w*|mysql|mariadb|mongo\w*|amqp|rabbit\w*|ldap|smtp|imap|nats|vault|registry|git|s3|elastic\w*"
    r"|opensearch|clickhouse|cassandra|oracle|database|broker|upstream|server|api|remote|azure|aws|aadsts)\b"
    r"|(?-i:\wCredential\b)|\bto (?:connect|log ?in) to\b|://",
    re.IGNORECASE,
)


def is_of_a_page(text: str) -> bool:
    """PHP reports what the program of a page fails at."""
    return _PROGRAM_OF_A_PAGE.search(text) is not None


def is_about_a_client(text: str, known: KnownFault) -> bool:
    """Whether the line reports of a client's fault, not of the program's own."""
    if known.fault not in _OF_CLIENTS or _TO_AN_UPSTREAM.search(text) is not None:
        return False
    if known.fault not in _OF_PAGES and is_of_a_page(text):
        return False
    if _NAMES_A_CLIENT.search(text) is not None or _SERVER.search(text) is not None:
        return True
    if known.fault not in _OF_WHOM_IT_SERVES:
        return False
    any_login = known.fault is LogFault.CREDENTIALS and _OF_ANY_LOGIN.fullmatch(known.pattern.needle) is not None
    names_server = bool(address(text)) or _NAMES_A_SERVER.search(text) is not None
    return _REQUEST.search(text) is not None or (any_login and not names_server)
