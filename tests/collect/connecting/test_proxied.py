"""Requests through a proxy: the same answers, and sentences that name the proxy."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from kubedoctor.problems import ConnectionProblem
from tests.collect.certificates import make, server_side
from tests.collect.conftest import Open
from tests.collect.fake_api import Answer, FakeApi, refusal, response, truncated

CLUSTER = "http://cluster.example:8080"


@contextmanager
def tunnel(port: int) -> Iterator[str]:
    """A proxy that connects every CONNECT to a port of this machine."""
    listener = socket.create_server(("127.0.0.1", 0))

    def carry(source: socket.socket, sink: socket.socket) -> None:
        try:
            while piece := source.recv(65536):
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            client.recv(65536)
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            server = socket.create_connection(("127.0.0.1", port))
            for pair in ((client, server), (server, client)):
                threading.Thread(target=carry, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    with closing(listener):
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_the_proxy_gets_the_whole_address(open_at: Open) -> None:
    with FakeApi(lambda _: response({"ok": 1})) as proxy:
        source = open_at(CLUSTER, cluster={"proxy-url": proxy.url}, as_user="amy", as_groups=("a",))
        assert source.transport.get("/version", {"x": 1}) == b'{"ok": 1}'
        assert source.transport.get("/version") == b'{"ok": 1}'
    first = proxy.asked[0]
    assert (first.path, first.query) == (f"{CLUSTER}/version", "x=1")
    assert first.headers["impersonate-group"] == ["a"]
    assert first.headers["accept-encoding"] == ["gzip"]


def test_tls_goes_through_the_proxy(open_at: Open, tmp_path: Path) -> None:
    certificate, key = make(tmp_path, "api")
    with FakeApi(lambda _: response({"ok": 1}), tls=server_side(certificate, key)) as api, tunnel(api.port) as proxy:
        cluster = {"proxy-url": proxy, "certificate-authority": str(certificate)}
        assert open_at(api.url, cluster=cluster).transport.get("/version") == b'{"ok": 1}'


def test_what_is_packed_comes_unpacked_through_the_proxy(open_at: Open) -> None:
    packed = "Content-Encoding: gzip\r\n"
    left = [
        response(gzip.compress(b'{"ok": 1}'), extra=packed),
        response(gzip.compress(b"{" * (70 << 20)), extra=packed),
    ]
    with FakeApi(lambda _: left.pop(0)) as proxy:
        transport = open_at(CLUSTER, cluster={"proxy-url": proxy.url}).transport
        assert transport.get("/version") == b'{"ok": 1}'
        with pytest.raises(ConnectionProblem, match="more than 200 times its size"):
            transport.get("/version")


@pytest.mark.parametrize("trouble", [refusal(503, "ServiceUnavailable", "x"), truncated], ids=["503", "truncated"])
def test_trouble_that_passes_is_not_seen(trouble: Answer, open_at: Open) -> None:
    left = [trouble, response({"ok": 1})]
    with FakeApi(lambda _: left.pop(0)) as proxy:
        assert open_at(CLUSTER, cluster={"proxy-url": proxy.url}).transport.get("/version") == b'{"ok": 1}'


def test_a_proxy_that_is_not_there_is_named(open_at: Open) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    source = open_at(CLUSTER, cluster={"proxy-url": f"http://127.0.0.1:{port}"})
    with pytest.raises(ConnectionProblem, match=rf"proxy http://127.0.0.1:{port} .*{CLUSTER}: Connection refused"):
        source.transport.get("/version")


def test_a_proxy_of_an_unknown_kind_is_named(open_at: Open) -> None:
    with pytest.raises(ConnectionProblem, match="proxy gopher://x cannot be used"):
        open_at(CLUSTER, cluster={"proxy-url": "gopher://x"})
