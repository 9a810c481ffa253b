"""Answers as servers may write them."""

from __future__ import annotations

import gzip
import io

import pytest

from kubedoctor.collect.connecting.dates import http_date
from kubedoctor.collect.connecting.failures import ConnectionFailed, EndedEarly, NotUnpacked
from kubedoctor.collect.connecting.http_answer import HttpAnswer, read_head

OK = "HTTP/1.1 200 OK\r\n"


def answer(text: str | bytes) -> HttpAnswer:
    return read_head(io.BufferedReader(io.BytesIO(text if isinstance(text, bytes) else text.encode("latin-1"))))


def body(read: HttpAnswer, most: int = 1 << 16) -> bytes:
    return b"".join(iter(lambda: read.read1(most), b""))


@pytest.mark.parametrize(
    ("text", "expected", "keeps"),
    [
        (OK + "Content-Length: 5\r\n\r\nhello", b"hello", True),
        (OK + "content-length:5\r\n\r\nhellothere", b"hello", True),
        (OK + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", b"hello", True),
        (OK + "Content-Length: 0\r\n\r\n", b"", True),
        ("HTTP/1.1 204 No Content\r\n\r\n", b"", True),
        (OK + "Connection: close\r\nContent-Length: 5\r\n\r\nhello", b"hello", False),
        ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello", False),
        (OK + "\r\nhello until the end", b"hello until the end", False),
        (
            OK + "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;note=x\r\nlo\r\n0\r\nTrailer: x\r\n\r\n",
            b"hello",
            True,
        ),
        ("HTTP/1.1 100 Continue\r\n\r\n" + OK + "Content-Length: 2\r\n\r\nok", b"ok", True),
        ("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", b"ok", True),
    ],
)
def test_a_body_ends_where_it_says(text: str, expected: bytes, keeps: bool) -> None:
    read = answer(text)
    assert (body(read), read.missing, read.keeps_connection) == (expected, 0, keeps)


@pytest.mark.parametrize("most", [1, 2, 1 << 16])
def test_a_packed_body_is_unpacked_bit_by_bit(most: int) -> None:
    packed = gzip.compress(b"hello " * 5000)
    head = f"{OK}Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    read = answer(head + packed)
    pieces = list(iter(lambda: read.read1(most), b""))
    assert b"".join(pieces) == b"hello " * 5000
    assert max(map(len, pieces[:-1]), default=0) <= most
    with pytest.raises(NotUnpacked):
        body(answer(f"{OK}Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"))


def test_what_is_missing_is_known() -> None:
    read = answer(OK + "Content-Length: 9\r\n\r\nhello")
    assert (body(read), read.missing, read.keeps_connection) == (b"hello", 4, False)


@pytest.mark.parametrize("chunks", ["5\r\nhel", "x\r\nhello\r\n0\r\n\r\n", "-1\r\n", "", "3\r\nhello\r\n0\r\n\r\n"])
def test_chunks_that_end_too_early(chunks: str) -> None:
    read = answer(f"{OK}Transfer-Encoding: chunked\r\n\r\n{chunks}")
    with pytest.raises(EndedEarly):
        body(read)
    assert not read.keeps_connection


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SSH-2.0-OpenSSH_9.9\r\n",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        OK + "x: y\r\n" * 101 + "\r\n",
        OK + f"x: {'y' * 70_000}\r\n\r\n",
    ],
)
def test_what_is_not_http(text: str) -> None:
    with pytest.raises(ConnectionFailed):
        answer(text)


def test_headers_are_found_in_any_case_and_folded_lines_joined() -> None:
    read = answer(OK + "X-One: a\r\n b\r\nX-Two: c\r\nx-two: d\r\n\r\n")
    assert (read.headers.get("x-ONE"), read.headers.get("X-Two"), read.headers.get("X-Three")) == ("a b", "c, d", None)


def test_dates() -> None:
    found = http_date("Sun, 06 Nov 1994 08:49:37 GMT")
    assert found is not None
    assert found.isoformat() == "1994-11-06T08:49:37+00:00"
    for text in (
        "",
        "yesterday",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ):
        assert http_date(text) is None, text
