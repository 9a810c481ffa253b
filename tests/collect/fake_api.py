"""An API server that answers exactly the bytes it is told to, on loopback: for what the sandbox is too well-behaved."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

Answer = bytes | Callable[[socket.socket], None]


@dataclass(frozen=True)
class Asked:
    """One request as it arrived. Header names are lower-case; of equal ones all values."""

    method: str
    path: str
    query: str
    headers: Mapping[str, list[str]]
    body: bytes


Script = Callable[[Asked], Answer]


def response(
    body: bytes | object, status: str = "200 OK", content_type: str = "application/json", extra: str = ""
) -> bytes:
    """A whole answer."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(content)}\r\n{extra}\r\n"
    return head.encode() + content


def refusal(code: int, reason: str, message: str, extra: str = "") -> bytes:
    """A Status, as the API server refuses."""
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason}
    return response({**status, "code": code}, f"{code} {reason}", extra=extra)


def listing(*names: str, token: str = "", kind: str = "PodList", api_version: str = "v1") -> bytes:
    """A list, or a chunk of one."""
    items = [{"metadata": {"name": name, "namespace": "shop"}} for name in names]
    metadata = {"resourceVersion": "7", **({"continue": token} if token else {})}
    return response({"kind": kind, "apiVersion": api_version, "metadata": metadata, "items": items})


class FakeApi:
    """Answers each request with what `script` says for it; keeps all requests in `asked`."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self._script = script
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._ended = threading.Event()
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def __enter__(self) -> FakeApi:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """A thread that still waits on a closed socket would take connections of the next one with its number."""
        self._ended.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join(1.0)
        self._listener.close()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with self._tls.wrap_socket(connection, server_side=True) if self._tls else connection as stream:
                while asked := _read(stream):
                    self.asked.append(asked)
                    answer = self._script(asked)
                    if not isinstance(answer, bytes):
                        answer(stream)
                        return
                    stream.sendall(answer)
        except OSError:
            return


def _read(stream: socket.socket) -> Asked | None:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = stream.recv(65536)
        if not piece:
            return None
        data += piece
        if data.startswith(b"\x16"):  # a TLS greeting
            stream.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
            return None
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), []).append(value.strip())
    missing = int(headers.get("content-length", ["0"])[0]) - len(body)
    while missing > 0:
        piece = stream.recv(missing)
        body += piece
        missing -= len(piece)
    path, _, query = target.partition("?")
    return Asked(method, path, query, headers, body)


def truncated(stream: socket.socket) -> None:
    """Half of a body, then an orderly end."""
    stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n" + b'{"items": [')


def reset(stream: socket.socket) -> None:
    """No answer: the connection is reset."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.close()


def dripping(ended: threading.Event) -> Callable[[socket.socket], None]:
    """A body that comes byte by byte and never ends."""

    def drip(stream: socket.socket) -> None:
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999\r\n\r\n")
        while not ended.wait(0.05):
            stream.sendall(b" ")

    return drip


def kubeconfig(
    path: Path, server: str, *, user: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None
) -> str:
    """Write a kubeconfig with one context, `test`, whose namespace is shop."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "here", "user": "jane", "namespace": "shop"}}],
        "clusters": [{"name": "here", "cluster": {"server": server, **(cluster or {})}}],
        "users": [{"name": "jane", "user": user or {}}],
    }
    path.write_text(yaml.safe_dump(document))
    return str(path)
