"""Serves a sandbox on loopback, to kubectl and to any other client, with a kubeconfig of its own."""

from __future__ import annotations

import asyncio
import hmac
import os
import secrets
import socket
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

import yaml
from aiohttp import web

from kubedoctor.sandbox.exchange import FailureStatus, Request, Response, Stream
from kubedoctor.sandbox.folder import OwnFolder
from kubedoctor.sandbox.sandbox import Sandbox
from kubedoctor.sandbox.state import SandboxState

CONTEXT = "kubedoctor-demo"
_TOKEN_BYTES = 24
_BOOKMARK_EVERY = 60.0
_STARTS_WITHIN = 30.0
_LARGEST_BODY = 3 * 2**20
_TURNS = 10
"""Turns of the loop, more than it takes to accept a connection."""
_OPEN = frozenset({"/healthz", "/livez", "/readyz", "/version"})
"""These paths reveal nothing about the cluster. Some versions of kubectl drop the token from the path for `get
--raw`."""
_NO_TOKEN = (
    "The path does not begin with this server's token. Use the kubeconfig that was printed."
    " With get --raw, some versions of kubectl drop the token: use kubectl get instead."
)


class SandboxServer:
    """A running server. The folder with its kubeconfig is removed when it stops, or the process ends; use it in a `with`
    block."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._streams: set[Stream] = set()
        self._folder = OwnFolder()
        self._started: Future[int] = Future()
        self._thread = threading.Thread(target=self._run, name="kubedoctor-sandbox", daemon=True)
        self._thread.start()
        try:
            self._port = self._started.result(_STARTS_WITHIN)
        except BaseException:
            self._folder.remove()
            raise
        self.url = f"http://127.0.0.1:{self._port}/{self._token}"
        self.kubeconfig = self._folder.path / "kubeconfig"
        _write_privately(self.kubeconfig, self._configuration())

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that make a shell or kubectl use this server and no other."""
        return {"KUBECONFIG": str(self.kubeconfig), "KUBECACHEDIR": str(self._folder.path / "cache")}

    def stop(self) -> None:
        """Ends every stream, the server and its thread, and removes the folder. May be called again."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
        self._folder.remove()

    def __enter__(self) -> SandboxServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _configuration(self) -> str:
        cluster = {"name": CONTEXT, "cluster": {"server": self.url}}
        context = {"cluster": CONTEXT, "user": CONTEXT, "namespace": self.sandbox.state.namespace}
        return yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": CONTEXT,
                "clusters": [cluster],
                "contexts": [{"name": CONTEXT, "context": context}],
                "users": [{"name": CONTEXT, "user": {}}],
            },
            sort_keys=False,
        )

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001  # a thread's failure must reach the thread that waits for it
            if not self._started.done():
                self._started.set_exception(error)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        application = web.Application(client_max_size=_LARGEST_BODY)
        application.router.add_route("*", "/{path:.*}", self._handler)
        runner = web.AppRunner(
            application, access_log=None, handle_signals=False, handler_cancellation=True, shutdown_timeout=1.0
        )
        await runner.setup()
        listening = socket.create_server(("127.0.0.1", 0))
        try:
            await web.SockSite(runner, listening).start()
            self._started.set_result(runner.addresses[0][1])
            await self._stopping.wait()
        finally:
            for stream in list(self._streams):
                stream.end()
            await self._accept_no_more(listening)
            await runner.cleanup()

    async def _accept_no_more(self, listening: socket.socket) -> None:
        """asyncio loses the connections that it is accepting while a server closes, and leaves their sockets open."""
        self._loop.remove_reader(listening)
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    async def _handler(self, incoming: web.Request) -> web.StreamResponse:
        if self._is_stranger(incoming):
            return _plain(FailureStatus(403, "Forbidden", "Only connections from this machine are served.").response())
        token, _, path = incoming.path.lstrip("/").partition("/")
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            if incoming.path not in _OPEN:
                return _plain(FailureStatus(403, "Forbidden", _NO_TOKEN).response())
            path = incoming.path.lstrip("/")
        request = Request(
            incoming.method,
            f"/{path}",
            dict(incoming.query),
            {name.lower(): ",".join(incoming.headers.getall(name)) for name in incoming.headers},
            await incoming.read(),
        )
        if path.startswith("openapi/"):  # This may have to load the client's models first.
            response = await self._loop.run_in_executor(None, self.sandbox.handle, request)
        else:
            response = self.sandbox.handle(request)
        if response.delay:
            await asyncio.sleep(response.delay)
        if response.stream is None:
            return _plain(response)
        return await self._stream(incoming, response, response.stream)

    def _is_stranger(self, incoming: web.Request) -> bool:
        """Whether the request is from a web page, or reaches loopback under another host name."""
        hosts = {f"{name}:{self._port}" for name in ("127.0.0.1", "localhost")}
        origin = incoming.headers.get("Origin")
        return incoming.headers.get("Host") not in hosts or (
            origin is not None and urlsplit(origin).netloc not in hosts
        )

    async def _stream(self, incoming: web.Request, response: Response, stream: Stream) -> web.StreamResponse:
        changed = asyncio.Event()
        stream.on_change = lambda: _wake(self._loop, changed)
        self._streams.add(stream)
        outgoing = web.StreamResponse(headers={"Content-Type": response.content_type, **response.headers})
        try:
            await outgoing.prepare(incoming)
            if response.body:
                await outgoing.write(response.body)
            await self._pump(stream, changed, outgoing.write)
            if stream.dropped and incoming.transport is not None:
                incoming.transport.abort()
            else:
                await outgoing.write_eof()
        except ConnectionError:
            return outgoing
        finally:
            self._streams.discard(stream)
            stream.close()
        return outgoing

    async def _pump(self, stream: Stream, changed: asyncio.Event, write: Callable[[bytes], Awaitable[None]]) -> None:
        ends = None if stream.lasts is None else self._loop.time() + stream.lasts
        while True:
            changed.clear()
            ended = stream.ended
            for chunk in stream.take():
                await write(chunk)
            remaining = _BOOKMARK_EVERY if ends is None else min(_BOOKMARK_EVERY, ends - self._loop.time())
            if ended or remaining <= 0:
                return
            try:
                await asyncio.wait_for(changed.wait(), remaining)
            except TimeoutError:
                stream.bookmark()


def _wake(loop: asyncio.AbstractEventLoop, changed: asyncio.Event) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(changed.set)


def _plain(response: Response) -> web.Response:
    headers = {"Content-Type": response.content_type, "Cache-Control": "no-cache, private", **response.headers}
    return web.Response(status=response.code, body=response.body, headers=headers)


def _write_privately(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def serve(state: SandboxState | Sandbox) -> SandboxServer:
    """Starts a server in a thread of its own, on a free port of 127.0.0.1. OSError when no port is free."""
    return SandboxServer(state if isinstance(state, Sandbox) else Sandbox(state))
