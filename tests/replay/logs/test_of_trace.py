"""A fault whose own line names no server: another exception of its trace does, and nothing outside the trace counts."""

from __future__ import annotations

import pytest

from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.reading import read_log

REFUSED, TIMEOUT, NAME = LogFault.CONNECTION_REFUSED, LogFault.CONNECTION_TIMEOUT, LogFault.NAME_NOT_RESOLVED

TRACES = {
    "npgsql": (
        REFUSED,
        "10.96.1.7:5432",
        """Unhandled exception. Npgsql.NpgsqlException (0x80004005): Failed to connect to 10.96.1.7:5432
 ---> System.Net.Sockets.SocketException (111): Connection refused
   at Npgsql.Internal.NpgsqlConnector.Connect(NpgsqlTimeout timeout)""",
    ),
    "http client of .NET": (
        NAME,
        "api:80",
        """Unhandled exception. System.Net.Http.HttpRequestException: Name or service not known (api:80)
 ---> System.Net.Sockets.SocketException (0xFFFDFFFF, 11): Name or service not known
   at System.Net.Http.HttpConnectionPool.ConnectToTcpHostAsync(String host, Int32 port)""",
    ),
    "a record above the trace": (
        TIMEOUT,
        "orders-db:5432",
        """2026-01-15 10:00:00.000 ERROR 1 --- [main] c.a.Pool : cannot open a connection to orders-db:5432
java.net.SocketTimeoutException: Connect timed out
	at java.base/sun.nio.ch.NioSocketImpl.connect(NioSocketImpl.java:592)""",
    ),
    "jedis": (
        REFUSED,
        "redis:6379",
        """redis.clients.jedis.exceptions.JedisConnectionException: Failed to connect to any host resolved for DNS name redis:6379.
	at redis.clients.jedis.DefaultJedisSocketFactory.connectToFirstSuccessfulHost(DefaultJedisSocketFactory.java:63)
Caused by: java.net.ConnectException: Connection refused
	at java.base/sun.nio.ch.Net.pollConnect(Native Method)""",
    ),
    "python, the server below": (
        REFUSED,
        "redis:6379",
        """Traceback (most recent call last):
  File "/usr/lib/python3.12/site-packages/redis/connection.py", line 385, in connect
    sock.connect(socket_address)
ConnectionRefusedError: [Errno 111] Connection refused

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/main.py", line 12, in <module>
    client.ping()
redis.exceptions.ConnectionError: Error 111 connecting to redis:6379. Connection refused.""",
    ),
    "nothing of the trace names a server": (
        TIMEOUT,
        "",
        """2026-01-15 10:00:00.000  INFO 1 --- [main] o.s.b.w.e.tomcat.TomcatWebServer : Tomcat started on 0.0.0.0:8080
org.postgresql.util.PSQLException: The connection attempt failed.
	at org.postgresql.core.v3.ConnectionFactoryImpl.openConnectionImpl(ConnectionFactoryImpl.java:385)
Caused by: java.net.SocketTimeoutException: Connect timed out
	at java.base/sun.nio.ch.NioSocketImpl.connect(NioSocketImpl.java:592)""",
    ),
}


@pytest.mark.parametrize(("fault", "server", "text"), TRACES.values(), ids=list(TRACES))
def test_the_server_of_a_trace(fault: LogFault, server: str, text: str) -> None:
    cause = read_log(text.splitlines(), 1)
    assert cause is not None
    assert (cause.fault, cause.subject) == (fault, server)
