"""A client that requires TLS of a database server that has none: the setting that requires it, and the server."""

from __future__ import annotations

import re
from typing import Final

from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import Cluster, Container, Pod
from kubedoctor.findings import Ref, fix_by_hand, quote_spec
from kubedoctor.replay.logs.reading import LogCause

_WITHOUT: Final = frozenset(
    {
        "ssl is not enabled on the server",
        "server refused tls connection",
        "no ssl enabled connection",
        "server does not support tls",
        "server doesn't support it",
        "server does not support ssl",
        "does not support ssl",
    }
)
"""Patterns of the clients of PostgreSQL and MySQL."""
_REQUIRES: Final = re.compile(
    r"[?&; ](?P<setting>(?:sslmode|ssl-mode|ssl_mode|sslMode|useSSL|requireSSL|ssl|tls|Ssl Mode)=(?!disable|false|prefer|allow)[\w-]+)",
    re.IGNORECASE,
)
_HOST: Final = re.compile(
    r"://(?:[^@/\s]*@)?(?P<url>[\w.-]+(?::\d+)?)|\b(?:host|server)=(?P<word>[\w.-]+)", re.IGNORECASE
)
_VARIABLE: Final = re.compile(r"SSL_?MODE$|_(?:USE_|REQUIRE_)?(?:SSL|TLS)(?:_ENABLED|_REQUIRED)?$", re.IGNORECASE)
_OFF: Final = frozenset({"", "disable", "disabled", "false", "0", "no", "off", "prefer", "allow", "none"})


def database_without_tls(
    pod: Pod, container: Container, cause: LogCause, message: str, about: Ref, cluster: Cluster
) -> Story | None:
    """None where the fault is another one of TLS."""
    if cause.pattern not in _WITHOUT:
        return None
    text = f"it requires TLS, and the database server has none: {message}"
    for variable in container.env or ():
        value = variable.value or ""
        required = _REQUIRES.search(value)
        setting = required["setting"] if required is not None else ""
        if not setting and _VARIABLE.search(variable.name) and value.lower() not in _OFF:
            setting = f"{variable.name}={value}"
        if not setting:
            continue
        host = _HOST.search(value) if required is not None else None
        server = f", the server is {host['url'] or host['word']}" if host is not None else ""
        where = f"{variable.name} has {setting}" if required is not None else f"{setting} is set"
        shown = quote_spec(pod, cluster, about, container.name, f"env[name={variable.name}].value", "requires TLS")
        fix = fix_by_hand(about, f"Turn on TLS in the database server, or let {variable.name} not require it")
        return Story(f"{text}; {where}{server}", evidence=tuple(shown), fixes=(fix,))
    fix = fix_by_hand(about, "Turn on TLS in the database server, or set sslmode=disable in the program's settings")
    return Story(text, fixes=(fix,))
