"""A watcher on a sandbox, for tests of watching."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from kubedoctor.cluster.history.ring import Ring
from kubedoctor.cluster.seen.news import News
from kubedoctor.collect.connecting.connection import connect
from kubedoctor.collect.connecting.transport import Transport
from kubedoctor.collect.live.cluster import LiveSource
from kubedoctor.collect.live.watching import KindStatus, Watcher
from kubedoctor.collect.options import Options
from kubedoctor.sandbox import Fault, Sandbox, SandboxState, serve
from tests.collect.served import OBJECTS, names

PATIENCE = 10.0  # seconds: far more than any of these takes


class Watched:
    """A watcher on a sandbox."""

    def __init__(
        self,
        source: LiveSource,
        sandbox: Sandbox,
        kinds: Iterable[str],
        namespace: str | None,
        on_change: Callable[[News], None] = lambda _: None,
    ) -> None:
        self.source = source
        self.sandbox = sandbox
        self.watcher: Watcher = source.watch(kinds, on_change, namespace)

    def until(self, true: Callable[[], bool]) -> None:
        """Wait for something that the snapshot shows; it fails after a time in which it should have come."""
        ends = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < ends, self.watcher.status()
            time.sleep(0.01)

    def disturbed(self, kind: str) -> bool:
        """Whether the kind is stale; as long as it is not, its connection is broken."""
        if self.status(kind).state != "stale":
            for follower in self.watcher._followers:
                follower.interrupt()
        return self.status(kind).state == "stale"

    def status(self, kind: str) -> KindStatus:
        (found,) = [each for each in self.watcher.status() if each.kind == kind]
        return found

    def is_(self, kind: str, state: str) -> Callable[[], bool]:
        return lambda: self.status(kind).state == state

    def names(self, kind: str) -> list[str]:
        with self.source.lock:
            return names(self.source, kind)

    def requests(self, kind: str) -> list[dict[str, str]]:
        return [dict(each.query) for each in self.sandbox.requests.copy() if each.path.endswith(f"/{kind}")]


@contextmanager
def watched(
    *ordered: Fault,
    kinds: Iterable[str] = ("Pod",),
    namespace: str | None = None,
    objects: Any = OBJECTS,
    on_change: Callable[[News], None] = lambda _: None,
    history: Ring | None = None,
) -> Iterator[Watched]:
    sandbox = Sandbox(SandboxState(list(objects), namespace="shop"), faults=ordered)
    with serve(sandbox) as served:
        connection = connect(Options(kubeconfig=str(served.kubeconfig)), {})
        source = LiveSource(Transport(connection, pause=lambda _: None))
        source.snapshot.history = history
        made = Watched(source, sandbox, kinds, namespace, on_change)
        try:
            yield made
        finally:
            made.watcher.stop()
            made.source.close()
