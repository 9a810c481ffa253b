"""Last words of programs in several languages."""

from __future__ import annotations

import time

import pytest

from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.judged.repeated import repeated_error
from kubedoctor.replay.logs.reading import read_log


@pytest.mark.parametrize(
    ("line", "fault", "subject"),
    [
        ("exec /app: exec format error", LogFault.IMAGE_ARCHITECTURE, "/app"),
        ("2026/11/23 14:44:00 listen tcp :10250: bind: address already in use", LogFault.ADDRESS_IN_USE, ":10250"),
        ("Error: listen EADDRINUSE: address already in use :::3000", LogFault.ADDRESS_IN_USE, ":::3000"),
        ("open /data/cart.db: read-only file system", LogFault.READ_ONLY, "/data/cart.db"),
        ("OSError: [Errno 30] Read-only file system: '/data/x'", LogFault.READ_ONLY, "/data/x"),
        (
            "dial tcp: lookup payment.shop.svc on 10.96.0.10:53: no such host",
            LogFault.NAME_NOT_RESOLVED,
            "payment.shop.svc",
        ),
        ("Error: getaddrinfo ENOTFOUND db", LogFault.NAME_NOT_RESOLVED, "db"),
        ('could not translate host name "db" to address: Name or service not known', LogFault.NAME_NOT_RESOLVED, "db"),
        ("java.net.UnknownHostException: db.shop", LogFault.NAME_NOT_RESOLVED, "db.shop"),
        ("wget: bad address 'payments'", LogFault.NAME_NOT_RESOLVED, "payments"),
        (
            'nginx: [emerg] host not found in upstream "api" in /etc/nginx/nginx.conf:3',
            LogFault.NAME_NOT_RESOLVED,
            "api",
        ),
        ("dial tcp 10.96.1.1:80: connect: connection refused", LogFault.CONNECTION_REFUSED, "10.96.1.1:80"),
        ("Error: connect ECONNREFUSED 127.0.0.1:5432", LogFault.CONNECTION_REFUSED, "127.0.0.1:5432"),
        (
            'connection to server at "db" (10.1.2.3), port 5432 failed: Connection refused',
            LogFault.CONNECTION_REFUSED,
            "db:5432",
        ),
        ("open /data/cart.db: permission denied", LogFault.PERMISSION_FILE, "/data/cart.db"),
        ("Error: EACCES: permission denied, mkdir '/app/cache'", LogFault.PERMISSION_FILE, "/app/cache"),
        ("fatal: environment variable DATABASE_URL is not set", LogFault.MISSING_VARIABLE, "DATABASE_URL"),
        ("KeyError: 'DATABASE_URL'", LogFault.MISSING_VARIABLE, "DATABASE_URL"),
        ("/start.sh: line 3: DATABASE_URL: unbound variable", LogFault.MISSING_VARIABLE, "DATABASE_URL"),
        ("DATABASE_URL must be set", LogFault.MISSING_VARIABLE, "DATABASE_URL"),
        ("config: /etc/c.json: invalid character 'r' after object key:value pair", LogFault.BAD_SETTING, "/etc/c.json"),
        ("yaml: line 3: mapping values are not allowed in this context", LogFault.BAD_SETTING, ""),
        ("open /etc/proxy/b.json: no such file or directory", LogFault.MISSING_FILE, "/etc/proxy/b.json"),
        ("ModuleNotFoundError: No module named 'flask'", LogFault.MISSING_LIBRARY, "flask"),
        ("Error: unknown flag: --prot", LogFault.BAD_FLAG, "--prot"),
        ("flag provided but not defined: -prot", LogFault.BAD_FLAG, "-prot"),
        ("app.py: error: unrecognized arguments: --prot", LogFault.BAD_FLAG, "--prot"),
        (
            'pods is forbidden: User "system:serviceaccount:a:b" cannot list resource "pods" in API group ""',
            LogFault.API_FORBIDDEN,
            "list pods",
        ),
        ('password authentication failed for user "shop"', LogFault.CREDENTIALS, "shop"),
        ("ERROR: permission denied for table orders", LogFault.NOT_AUTHORIZED, "orders"),
        ("java.lang.OutOfMemoryError: Java heap space", LogFault.HEAP, ""),
        ("panic: runtime error: invalid memory address", LogFault.PANIC, ""),
    ],
)
def test_lines(line: str, fault: LogFault, subject: str) -> None:
    found = read_log(["starting", line])
    assert found is not None
    assert (found.fault, found.subject, found.index) == (fault, subject, 1)


def test_the_newest_telling_line_wins_over_a_bare_crash() -> None:
    log = [
        "open /a: no such file or directory",
        "dial tcp 10.1.1.1:80: connect: connection refused",
        "panic: giving up",
    ]
    found = read_log(log)
    assert found is not None
    assert (found.fault, found.index) == (LogFault.CONNECTION_REFUSED, 1)


_UNSYNCED = (
    'E0115 09:58:00.000000       1 main.go:88] "problem running manager" err="failed to wait for widget caches to sync'
)


@pytest.mark.parametrize("end", ["error: timed out waiting for caches to sync", f'{_UNSYNCED}: timed out"'])
@pytest.mark.parametrize(
    ("why", "fault"),
    [
        ("the server could not find the requested resource (get widgets.example.com)", LogFault.RESOURCE_NOT_SERVED),
        (
            'widgets.example.com is forbidden: User "system:serviceaccount:a:b" cannot list resource',
            LogFault.API_FORBIDDEN,
        ),
    ],
)
def test_what_kept_a_cache_empty_decides_over_that_it_did_not_sync(why: str, fault: LogFault, end: str) -> None:
    head = "0115 09:57:00.000000       1 reflector.go:424] pkg/x.go:1: failed to list *v1.Widget:"
    for level in "WE":
        found = read_log([f"{level}{head} {why}", end], 1)
        assert found is not None
        assert (found.fault, found.index) == (fault, 0)


def test_a_cache_of_another_kind_is_not_blamed() -> None:
    head = "W0115 09:57:00.000000       1 reflector.go:424] pkg/x.go:1: failed to list *v1.Part:"
    end = f'{_UNSYNCED}: timed out waiting for cache to be synced for Kind *v1.Widget"'
    for line in (f"{head} the server could not find the requested resource (get parts.example.com)", "starting"):
        found = read_log([line, end], 1)
        assert found is not None
        assert (found.fault, found.subject, found.index) == (LogFault.CACHE_SYNC, "Widget", 1)


def test_a_dns_server_that_gives_no_answer_is_told_from_a_wrong_name() -> None:
    silent = read_log(["lookup db on 10.96.0.10:53: read udp 10.1.1.1:4->10.96.0.10:53: i/o timeout"])
    wrong = read_log(["lookup db on 10.96.0.10:53: no such host"])
    assert silent is not None
    assert wrong is not None
    assert (silent.dns_silent, wrong.dns_silent) == (True, False)
    assert (silent.dns_answered, wrong.dns_answered) == (False, True)


@pytest.mark.parametrize(
    "line",
    [
        "Error: getaddrinfo ENOTFOUND db.shop",
        "socket.gaierror: [Errno -2] Name or service not known",
        'psql: could not translate host name "db" to address: Name does not resolve',
    ],
)
def test_that_there_is_no_such_name_is_an_answer(line: str) -> None:
    found = read_log([line])
    assert found is not None
    assert found.dns_answered


@pytest.mark.parametrize(
    "line",
    [
        "Error: getaddrinfo EAI_AGAIN db.shop",
        "wget: bad address 'db.shop'",
        "dial tcp: lookup db: no such host",
        "lookup db on 10.96.0.10:53: server misbehaving",
        "getaddrinfo: Temporary failure in name resolution",
    ],
)
def test_without_the_servers_name_no_answer_is_proven(line: str) -> None:
    found = read_log([line])
    assert found is not None
    assert not found.dns_answered


@pytest.mark.parametrize("line", ["ready to serve", "", "GET /healthz 200"])
def test_lines_that_tell_nothing(line: str) -> None:
    assert read_log([line]) is None


def test_an_error_that_is_repeated() -> None:
    lines = [
        'level=error msg="cannot scrape 10.0.0.1"',
        "level=error msg=other",
        'level=error msg="cannot scrape 10.0.0.2"',
        "level=info msg=fine",
    ]
    cause = repeated_error(lines)
    assert cause is not None
    assert (cause.fault, cause.index, cause.lines_after) == (LogFault.UNKNOWN, 2, 1)
    assert repeated_error(lines[1:]) is None
    assert repeated_error(["level=error msg=failed"] * 3) is None


@pytest.mark.parametrize(
    ("lines", "subject"),
    [
        (("Missing environment variables:", "-" * 22, "DATABASE_URL"), "DATABASE_URL"),
        (("ERROR: " + "a_" * 12 + " must be a number",), None),
        (('sysctl: setting key "net.core.somaxconn": Read-only file system',), "net.core.somaxconn"),
        (("ERROR: sysctl: " + "a.a" * 500,), None),
        (("ERROR: cannot be accessed " + "/a" * 1000,), None),
        (("ERROR: failed" + " " * 3900 + "x",) * 10, None),
    ],
    ids=str,
)
def test_no_line_takes_long(lines: tuple[str, ...], subject: str | None) -> None:
    before = time.process_time()
    cause = read_log(lines, 1)
    assert subject is None or (cause is not None and cause.subject == subject)
    assert time.process_time() - before < 1
