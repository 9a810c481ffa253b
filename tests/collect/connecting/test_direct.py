"""Requests without a proxy, and answers as servers may write them."""

from __future__ import annotations

import contextlib
import gzip
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.collect.connecting.carrying import CarriedAnswer, Sent
from kubedoctor.collect.connecting.dates import http_date
from kubedoctor.collect.connecting.deadlines import Deadlines
from kubedoctor.collect.connecting.direct import Direct
from kubedoctor.collect.connecting.failures import ConnectionFailed, EndedEarly, NotUnpacked
from tests.collect.certificates import make, server_side
from tests.collect.fake_api import Answer, FakeApi

OK = "HTTP/1.1 200 OK\r\n"
LATE = 10.0
"""Seconds after which a request would end without its deadline."""


def sent(url: str, *headers: tuple[str, str], method: str = "GET", body: bytes | None = None) -> Sent:
    return Sent(method, f"{url}/version?limit=5", headers, body, LATE, LATE)


def ends(text: str | bytes) -> Answer:
    """Sends a text and closes the connection."""
    content = text.encode("latin-1") if isinstance(text, str) else text
    return lambda stream: stream.sendall(content)


def whole(text: str) -> Answer:
    """Sends a text and waits for the next request."""
    return text.encode("latin-1")


def body(read: CarriedAnswer, most: int = 1 << 16) -> bytes:
    return b"".join(iter(lambda: read.read1(most), b""))


@contextlib.contextmanager
def answered(answer: Answer) -> Iterator[CarriedAnswer]:
    with FakeApi(lambda _: answer) as api:
        direct = Direct(None, None, lambda _: None)
        read = direct.send(sent(api.url))
        yield read
        read.close()
        direct.close()


@pytest.mark.parametrize(
    ("text", "expected", "keeps"),
    [
        (OK + "Content-Length: 5\r\n\r\nhello", b"hello", True),
        (OK + "content-length:5\r\n\r\nhello", b"hello", True),
        (OK + "Content-Length: 5\r\n\r\nhellothere", b"hello", False),
        (OK + "Content-Length: 5\r\n\r\nhello" + OK + "Content-Length: 0\r\n\r\n", b"hello", False),
        (OK + "Content-Length: 0\r\n\r\n", b"", True),
        ("HTTP/1.1 204 No Content\r\n\r\n", b"", True),
        (OK + "Connection: close\r\nContent-Length: 5\r\n\r\nhello", b"hello", False),
        ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello", False),
        (
            OK + "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;note=x\r\nlo\r\n0\r\nTrailer: x\r\n\r\n",
            b"hello",
            True,
        ),
        ("HTTP/1.1 100 Continue\r\n\r\n" + OK + "Content-Length: 2\r\n\r\nok", b"ok", True),
        ("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 2 + OK + "Content-Length: 2\r\n\r\nok", b"ok", True),
        ("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", b"ok", True),
    ],
)
def test_a_body_ends_where_it_says(text: str, expected: bytes, keeps: bool) -> None:
    """And the connection carries the next request, unless the server closes it."""
    used: list[Any] = []
    with FakeApi(lambda _: whole(text)) as api:
        direct = Direct(None, None, used.append)
        for _ in range(2):
            read = direct.send(sent(api.url))
            assert (body(read), read.missing) == (expected, 0)
            read.release()
        direct.close()
    assert (used[0] is used[1]) == keeps


def test_a_body_without_length_ends_with_the_connection() -> None:
    with answered(ends(OK + "\r\nhello until the end")) as read:
        assert (body(read), read.missing) == (b"hello until the end", 0)


def test_a_connection_that_the_server_closed_is_not_used_again() -> None:
    used: list[Any] = []
    with FakeApi(lambda _: ends(OK + "Content-Length: 2\r\n\r\nok")) as api:
        direct = Direct(None, None, used.append)
        for _ in range(3):
            read = direct.send(sent(api.url))
            assert body(read) == b"ok"
            read.release()
            assert select.select([direct._idle[-1].sock], [], [], LATE)[0], "the end of the connection has not come"
        direct.close()
    assert len(set(map(id, used))) == 3


@pytest.mark.parametrize("most", [1, 2, 1 << 16])
def test_a_packed_body_is_unpacked_bit_by_bit(most: int) -> None:
    packed = gzip.compress(b"hello " * 500)
    head = f"{OK}Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    with answered(head + packed) as read:
        pieces = list(iter(lambda: read.read1(most), b""))
    assert b"".join(pieces) == b"hello " * 500
    assert max(map(len, pieces[:-1]), default=0) <= most


def test_a_body_that_is_not_packed_as_it_says() -> None:
    noise = whole(f"{OK}Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello")
    with answered(noise) as read, pytest.raises(NotUnpacked):
        body(read)


def test_what_is_missing_is_known() -> None:
    with answered(ends(OK + "Content-Length: 9\r\n\r\nhello")) as read:
        assert (body(read), read.missing) == (b"hello", 4)


@pytest.mark.parametrize(
    "chunks",
    ["5\r\nhel", "x\r\nhello\r\n0\r\n\r\n", "-1\r\n", "0x5\r\nhello\r\n0\r\n\r\n", "", "3\r\nhello\r\n0\r\n\r\n"],
)
def test_chunks_that_end_too_early(chunks: str) -> None:
    with answered(ends(f"{OK}Transfer-Encoding: chunked\r\n\r\n{chunks}")) as read, pytest.raises(EndedEarly):
        body(read)


def test_a_line_between_chunks_that_does_not_end() -> None:
    chunks = "5;" + "x" * 600_000
    with answered(ends(f"{OK}Transfer-Encoding: chunked\r\n\r\n{chunks}")) as read, pytest.raises(ConnectionFailed):
        body(read)


def test_pieces_come_as_soon_as_they_are_there() -> None:
    """A watch: the server waits with the next line until this one was read."""
    was_read = threading.Semaphore(0)

    def watch(stream: socket.socket) -> None:
        stream.sendall((OK + "Transfer-Encoding: chunked\r\n\r\n").encode())
        for _ in range(3):
            stream.sendall(b"5\r\nline\n")
            assert was_read.acquire(timeout=LATE)
            stream.sendall(b"\r\n")
        stream.sendall(b"0\r\n\r\n")

    with answered(watch) as read:
        for _ in range(3):
            assert read.read1(1 << 16) == b"line\n"
            was_read.release()
        assert read.read1(1 << 16) == b""


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


@pytest.mark.parametrize("most", [1, 7, 1 << 16])
@pytest.mark.parametrize("step", [1, 5, 1 << 16])
def test_chunks_may_arrive_in_any_pieces(step: int, most: int) -> None:
    lines = [b"line %d\n" % number * (number + 1) for number in range(6)]
    text = (
        OK.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(map(chunk, lines)) + b"0\r\nTrailer: x\r\n\r\n"
    )

    def send(stream: socket.socket) -> None:
        for start in range(0, len(text), step):
            stream.sendall(text[start : start + step])

    with answered(send) as read:
        pieces = list(iter(lambda: read.read1(most), b""))
        assert read.read1(most) == b""
    assert b"".join(pieces) == b"".join(lines)
    assert max(map(len, pieces)) <= most


def test_chunks_that_have_arrived_are_read_together() -> None:
    """The events of a watch that changes a lot."""
    lines = [b"line %d\n" % number for number in range(50)]
    head = OK.encode() + b"Transfer-Encoding: chunked\r\n\r\n"
    with answered(head + b"".join(map(chunk, lines))) as read:
        assert read.read1(1 << 16) == b"".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SSH-2.0-OpenSSH_9.9\r\n",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        OK + "x: y\r\n" * 100_000 + "\r\n",
        OK + f"x: {'y' * 600_000}\r\n\r\n",
        OK + "Content-Length: 5\r\nContent-Length: 4\r\n\r\nhello",
        OK + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        OK + "Content-Length: 5\r\n",
    ],
    ids=lambda text: text[:40],
)
def test_what_is_not_http(text: str) -> None:
    with pytest.raises(ConnectionFailed), answered(ends(text)):
        pass


def test_headers_are_found_in_any_case() -> None:
    with answered(whole(OK + "X-One: a\r\nX-Two: c\r\nContent-Length: 0\r\n\r\n")) as read:
        assert (read.headers.get("x-ONE"), read.headers.get("X-Two"), read.headers.get("X-Three")) == ("a", "c", None)


def test_a_request_arrives_as_it_was_asked_for() -> None:
    used: list[Any] = []
    with FakeApi(lambda _: whole(OK + "Content-Length: 0\r\n\r\n")) as api:
        direct = Direct(None, None, used.append)
        headers = (("Impersonate-Group", "a"), ("Impersonate-Group", "b"))
        direct.send(sent(api.url, *headers, method="POST", body=b"{}")).close()
        got_answer = direct.send(sent(api.url))
        assert used[1].sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        got_answer.close()
        direct.close()
    posted, got = api.asked
    assert (posted.method, posted.path, posted.query, posted.body) == ("POST", "/version", "limit=5", b"{}")
    assert posted.headers == {
        "host": [f"127.0.0.1:{api.port}"],
        "impersonate-group": ["a", "b"],
        "content-length": ["2"],
    }
    assert list(got.headers) == ["host"]


def test_a_header_is_sent_in_utf_8() -> None:
    with FakeApi(lambda _: whole(OK + "Content-Length: 0\r\n\r\n")) as api:
        Direct(None, None, lambda _: None).send(sent(api.url, ("Impersonate-User", "bø秘"))).close()
    (value,) = api.asked[0].headers["impersonate-user"]
    assert value.encode("latin-1").decode() == "bø秘"


@pytest.mark.parametrize("value", ["secret\r\nX: y", "secret\n y", "secret\r\n y", "secret\0", "secret\r"])
def test_a_header_stays_one_line(value: str) -> None:
    with FakeApi(lambda _: b"") as api:
        with pytest.raises(ValueError, match="'Authorization' has a value") as raised:
            Direct(None, None, lambda _: None).send(sent(api.url, ("Authorization", value)))
        assert "secret" not in str(raised.value)
        assert raised.value.__cause__ is None
        assert api.asked == []


def record(stream: socket.socket) -> None:
    """A record of a TLS handshake, byte by byte."""
    with contextlib.suppress(OSError):
        for byte in b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xf0" + bytes(400):
            stream.sendall(bytes([byte]))
            time.sleep(0.02)


def headers(stream: socket.socket) -> None:
    """Headers, byte by byte."""
    with contextlib.suppress(OSError):
        for byte in (OK + "X: y\r\n" * 90).encode():
            stream.sendall(bytes([byte]))
            time.sleep(0.02)


@pytest.mark.parametrize(("sends", "tls"), [(record, True), (headers, False)], ids=["TLS handshake", "headers"])
def test_a_deadline_ends_a_request_from_its_first_byte_on(sends: Callable[[socket.socket], None], tls: bool) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener.accept()[0] as stream:
            sends(stream)

    threading.Thread(target=serve, daemon=True).start()
    deadlines = Deadlines()
    context = ssl.create_default_context() if tls else None
    url = f"http{'s' if tls else ''}://127.0.0.1:{listener.getsockname()[1]}"
    began = time.monotonic()
    with listener, deadlines.within(0.1) as deadline:
        with pytest.raises((ConnectionFailed, OSError)):
            Direct(context, None, deadlines.uses).send(sent(url))
        assert deadline.expired
    assert time.monotonic() - began < 4


def test_a_deadline_that_passed_while_connecting_ends_the_request() -> None:
    with FakeApi(lambda _: whole(OK + "Content-Length: 0\r\n\r\n")) as api:
        deadlines = Deadlines()
        with deadlines.within(60) as deadline:
            deadline.expired = True
            with pytest.raises(ConnectionFailed):
                Direct(None, None, deadlines.uses).send(sent(api.url))


def test_the_certificate_may_have_another_name(tmp_path: Path) -> None:
    certificate, key = make(tmp_path, "server")
    context = ssl.create_default_context(cafile=str(certificate))
    with FakeApi(lambda _: whole(OK + "Content-Length: 2\r\n\r\nok"), server_side(certificate, key)) as api:
        direct = Direct(context, None, lambda _: None)
        for _ in range(2):
            read = direct.send(sent(api.url))
            assert body(read) == b"ok"
            read.release()
        direct.close()
        with pytest.raises(ssl.SSLError):
            Direct(context, "elsewhere", lambda _: None).send(sent(api.url))


def test_dates() -> None:
    for text in ("Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"):
        found = http_date(text)
        assert found is not None
        assert found.isoformat() == "1994-11-06T08:49:37+00:00", text
    for text in ("", "yesterday", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT"):
        assert http_date(text) is None, text
