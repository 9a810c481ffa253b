"""Single lines by which programs say the same thing in their own words: the class, and what the line names."""

from __future__ import annotations

import pytest

from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.reading import read_log

WORDINGS: tuple[tuple[str, LogFault, str], ...] = (
    (
        "OSError: [Errno 98] error while attempting to bind on address ('0.0.0.0', 8000): address already in use",
        LogFault.ADDRESS_IN_USE,
        ":8000",
    ),
    (
        "Error: adapting config using caddyfile: /etc/caddy/Caddyfile:3: unrecognized directive: reverse_prox",
        LogFault.BAD_SETTING,
        "reverse_prox",
    ),
    (
        "2026-01-15T10:00:00Z E! loading config file /etc/telegraf.conf failed: plugin inputs.cpu: line 3: configuration "
        'specified the fields ["percpuu"], but they were not used. This config option does not exist in this version.',
        LogFault.BAD_SETTING,
        "percpuu",
    ),
    (
        '2026-01-15 10:00:00 +0000 [error]: config error file="/fluentd/etc/fluent.conf" error_class=Fluent::ConfigError '
        "error=\"Unknown output plugin 'elasticsearch'. Run 'gem search -rd fluent-plugin' to find plugins\"",
        LogFault.BAD_SETTING,
        "elasticsearch",
    ),
    ("[15-Jan-2026 10:00:00] ERROR: [pool www] cannot get uid for user 'nginx'", LogFault.BAD_SETTING, "nginx"),
    (
        '{"level":"fatal","msg":"discovery failed","error":"--initial-cluster has etcd-0=http://etcd-0:2380 but missing '
        'from --initial-advertise-peer-urls=http://localhost:2380"}',
        LogFault.BAD_SETTING,
        "--initial-cluster",
    ),
    (
        "[Nest] 1  - ERROR [ExceptionHandler] Nest can't resolve dependencies of the UsersService (?).",
        LogFault.BAD_SETTING,
        "UsersService",
    ),
    ("error: Environment variable not found: DATABASE_URL.", LogFault.MISSING_VARIABLE, "DATABASE_URL"),
    ("production.ERROR: No application encryption key has been specified.", LogFault.MISSING_VARIABLE, "APP_KEY"),
    (
        'Exiting: error loading config file: config file ("filebeat.yml") must be owned by the user identifier (uid=0) or root',
        LogFault.PERMISSION_FILE,
        "filebeat.yml",
    ),
    (
        'ArgumentError: Path "/usr/share/logstash/data" must be a writable directory. It is not writable.',
        LogFault.PERMISSION_FILE,
        "/usr/share/logstash/data",
    ),
    (
        "Poco::Exception. Code: 1000, e.code() = 13, Access to file denied: /var/log/clickhouse-server/server.log",
        LogFault.PERMISSION_FILE,
        "/var/log/clickhouse-server/server.log",
    ),
    (
        "1:M 15 Jan 2026 10:00:00.000 # Can't open or create append-only dir appendonlydir: Permission denied",
        LogFault.PERMISSION_FILE,
        "appendonlydir",
    ),
    (
        "mkdir: cannot create directory '../sonatype-work/nexus3/log': Permission denied",
        LogFault.PERMISSION_FILE,
        "../sonatype-work/nexus3/log",
    ),
    (
        '{"level":"error","err":"bucket store initial sync: iter bucket: Access Denied."}',
        LogFault.NOT_AUTHORIZED,
        "",
    ),
    (
        "IllegalOperation: Attempted to create a lock file on a read-only directory: /data/db",
        LogFault.READ_ONLY,
        "/data/db",
    ),
    ("ERROR Unable to initialize backend: decodeXLHeaders: Unknown xl header version 3", LogFault.DATA_DIRECTORY, ""),
    (
        "ERROR: store dir=/cockroach/cockroach-data, last used with cockroach version v22.2, is too old for running version v24.1",
        LogFault.DATA_DIRECTORY,
        "/cockroach/cockroach-data",
    ),
    (
        '{"level":"fatal","msg":"sql schema version compatibility check failed","error":"version mismatch for '
        'keyspace/database: \\"temporal\\". Expected version: 1.11 cannot be greater than Actual version: 1.9"}',
        LogFault.DEPENDENCY_SCHEMA,
        "temporal",
    ),
    ("ERROR: You need to initialize the database. Please run `airflow db init`.", LogFault.DEPENDENCY_SCHEMA, ""),
    ("Error: '/etc/gunicorn.conf.py' doesn't exist", LogFault.MISSING_FILE, "/etc/gunicorn.conf.py"),
    ("Error: Could not find a production build in the '.next' directory.", LogFault.MISSING_FILE, ".next"),
    ("Caused by: java.lang.IllegalArgumentException: /data/myid file is missing", LogFault.MISSING_FILE, "/data/myid"),
    (
        "E0115 10:00:00.000000       1 leaderelection.go:330] error retrieving resource lock ops/operator: the server has "
        "received too many requests and has asked us to try again later (get leases.coordination.k8s.io operator)",
        LogFault.API_BUSY,
        "limit of the API server",
    ),
    (
        '{"level":"error","msg":"Reconciler error","error":"client rate limiter Wait returned an error: context deadline '
        'exceeded"}',
        LogFault.API_BUSY,
        "limit of its own client",
    ),
    (
        '{"level":"error","error":"client rate limiter Wait returned an error: rate: Wait(n=1) would exceed context deadline"}',
        LogFault.API_BUSY,
        "limit of its own client",
    ),
    ("Error: etcdserver: mvcc: database space exceeded", LogFault.NO_SPACE, "quota of etcd"),
    ('ERROR:    Error loading ASGI app. Could not import module "main".', LogFault.MISSING_LIBRARY, "main"),
)


@pytest.mark.parametrize(("line", "fault", "subject"), WORDINGS, ids=lambda value: str(value)[:40])
def test_wordings(line: str, fault: LogFault, subject: str) -> None:
    cause = read_log((line,), 1)
    assert cause is not None
    assert (cause.fault, cause.subject) == (fault, subject)


@pytest.mark.parametrize(
    "line",
    [
        "I0115 10:00:00.000000       1 request.go:668] Waited for 1.04s due to client-side throttling, not priority and "
        "fairness, request: GET:https://10.96.0.1:443/apis/storage.k8s.io/v1?timeout=32s",
        "E0115 10:00:00.000000       1 reflector.go:147] client rate limiter Wait returned an error: context canceled",
    ],
)
def test_a_client_that_waits_or_stops_is_not_limited(line: str) -> None:
    cause = read_log((line,), 1)
    assert cause is None or cause.fault is not LogFault.API_BUSY


def test_a_warning_of_the_virtual_machine_is_no_cause() -> None:
    lines = (
        "mkdir: cannot create directory '../sonatype-work/nexus3/log': Permission denied",
        "OpenJDK 64-Bit Server VM warning: Cannot open file ../log/jvm.log due to No such file or directory",
    )
    cause = read_log(lines, 1)
    assert cause is not None
    assert (cause.index, cause.fault) == (0, LogFault.PERMISSION_FILE)
