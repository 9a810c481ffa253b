"""A server that stops while clients connect leaves no socket open."""

from __future__ import annotations

import gc
import socket
import threading
import warnings
from urllib.parse import urlsplit

from kubedoctor.sandbox import Sandbox, load_recording, recording_path, serve


def test_connections_that_are_accepted_meanwhile_are_closed() -> None:
    """asyncio warns of a transport that nobody closed."""
    clients: list[socket.socket] = []
    connecting = threading.Event()

    def connect(port: int) -> None:
        for _ in range(150):
            try:
                clients.append(socket.create_connection(("127.0.0.1", port), timeout=1))
            except OSError:
                return
            connecting.set()

    gc.collect()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ResourceWarning)
        for _ in range(3):
            with serve(Sandbox(load_recording(recording_path("oom-killed")))) as served:
                port = urlsplit(served.url).port
                assert port is not None
                threads = [threading.Thread(target=connect, args=(port,)) for _ in range(3)]
                for thread in threads:
                    thread.start()
                assert connecting.wait(10)
            for thread in threads:
                thread.join()
            for client in clients:
                client.close()
            connecting.clear()
        gc.collect()
    assert clients
    assert not [str(warning.message) for warning in told if "transport" in str(warning.message)]
