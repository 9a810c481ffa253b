"""Last words of programs in several languages."""

from __future__ import annotations

import pytest

from kubedoctor.replay.logs.log_lines import Sign, is_no_log, port_listened_on, read_log, says_it_was_stopped


@pytest.mark.parametrize(
    ("line", "sign", "subject"),
    [
        ("exec /app: exec format error", Sign.EXEC_FORMAT, "/app"),
        ("2026/11/23 14:44:00 listen tcp :10250: bind: address already in use", Sign.ADDRESS_IN_USE, "10250"),
        ("Error: listen EADDRINUSE: address already in use :::3000", Sign.ADDRESS_IN_USE, "3000"),
        ("open /data/cart.db: read-only file system", Sign.READ_ONLY, "/data/cart.db"),
        ("OSError: [Errno 30] Read-only file system: '/data/x'", Sign.READ_ONLY, "/data/x"),
        ("dial tcp: lookup payment.shop.svc on 10.96.0.10:53: no such host", Sign.UNRESOLVED_HOST, "payment.shop.svc"),
        ("Error: getaddrinfo ENOTFOUND db", Sign.UNRESOLVED_HOST, "db"),
        ('could not translate host name "db" to address: Name or service not known', Sign.UNRESOLVED_HOST, "db"),
        ("java.net.UnknownHostException: db.shop", Sign.UNRESOLVED_HOST, "db.shop"),
        ("wget: bad address 'payments'", Sign.UNRESOLVED_HOST, "payments"),
        ('nginx: [emerg] host not found in upstream "api" in /etc/nginx/nginx.conf:3', Sign.UNRESOLVED_HOST, "api"),
        ("dial tcp 10.96.1.1:80: connect: connection refused", Sign.REFUSED, "10.96.1.1:80"),
        ("Error: connect ECONNREFUSED 127.0.0.1:5432", Sign.REFUSED, "127.0.0.1:5432"),
        (
            'connection to server at "db" (10.1.2.3), port 5432 failed: Connection refused',
            Sign.REFUSED,
            "db:5432",
        ),
        ("open /data/cart.db: permission denied", Sign.PERMISSION, "/data/cart.db"),
        ("Error: EACCES: permission denied, mkdir '/app/cache'", Sign.PERMISSION, "/app/cache"),
        ("fatal: environment variable DATABASE_URL is not set", Sign.MISSING_VARIABLE, "DATABASE_URL"),
        ("KeyError: 'DATABASE_URL'", Sign.MISSING_VARIABLE, "DATABASE_URL"),
        ("/start.sh: line 3: DATABASE_URL: unbound variable", Sign.MISSING_VARIABLE, "DATABASE_URL"),
        ("DATABASE_URL must be set", Sign.MISSING_VARIABLE, "DATABASE_URL"),
        ("config: /etc/c.json: invalid character 'r' after object key:value pair", Sign.BAD_SYNTAX, "/etc/c.json"),
        ("yaml: line 3: mapping values are not allowed in this context", Sign.BAD_SYNTAX, ""),
        ("open /etc/proxy/b.json: no such file or directory", Sign.MISSING_FILE, "/etc/proxy/b.json"),
        ("ModuleNotFoundError: No module named 'flask'", Sign.MISSING_FILE, "flask"),
        ("Error: unknown flag: --prot", Sign.BAD_FLAG, "--prot"),
        ("flag provided but not defined: -prot", Sign.BAD_FLAG, "-prot"),
        ("app.py: error: unrecognized arguments: --prot", Sign.BAD_FLAG, "--prot"),
        (
            'pods is forbidden: User "system:serviceaccount:a:b" cannot list',
            Sign.API_FORBIDDEN,
            "system:serviceaccount:a:b",
        ),
        ('password authentication failed for user "shop"', Sign.CREDENTIALS, ""),
        ("java.lang.OutOfMemoryError: Java heap space", Sign.HEAP, ""),
        ("panic: runtime error: invalid memory address", Sign.PANIC, ""),
    ],
)
def test_lines(line: str, sign: Sign, subject: str) -> None:
    found = read_log(["starting", line])
    assert found is not None
    assert (found.sign, found.subject, found.index) == (sign, subject, 1)


def test_the_newest_telling_line_wins_over_a_bare_crash() -> None:
    log = [
        "open /a: no such file or directory",
        "dial tcp 10.1.1.1:80: connect: connection refused",
        "panic: giving up",
    ]
    found = read_log(log)
    assert found is not None
    assert (found.sign, found.index) == (Sign.REFUSED, 1)


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


@pytest.mark.parametrize("line", ["ready to serve", "permission denied for table orders", "", "GET /healthz 200"])
def test_lines_that_tell_nothing(line: str) -> None:
    assert read_log([line]) is None


def test_stops_are_told_from_ends() -> None:
    assert says_it_was_stopped(["serving", "received SIGTERM, shutting down"])
    assert not says_it_was_stopped(["stopping"] + ["more"] * 10)
    assert not says_it_was_stopped([])


def test_a_log_that_is_gone() -> None:
    assert is_no_log(["unable to retrieve container logs for containerd://1"])
    assert is_no_log(["", " "])
    assert not is_no_log(["hello"])


@pytest.mark.parametrize(
    ("line", "port"),
    [
        ("2026/11/23 14:46:36 listening on [::]:8080", 8080),
        ("Server listening at http://0.0.0.0:3000/", 3000),
        ("Listening on port 8081", 8081),
        ("14:46:36 ready", 0),
    ],
)
def test_the_port_that_a_program_names(line: str, port: int) -> None:
    assert port_listened_on([line]) == port
