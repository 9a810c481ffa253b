"""An API server for benchmarks: it lists a folder of generated lists, and sends watch events at a given rate.

`python -m tests.bench.streaming_server FOLDER`. It prints its URL, then reads a line of JSON for each change of rates,
`{"pods": 700, "leases": 150, "nodes": 50, "events": 100, "churn": 0}` (a second), and answers with what it has sent so
far. `churn`: pods and events are created, change twice and are deleted, so that their number stays the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import sys
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from kubedoctor.cluster.kinds.resources import KINDS, ResourceKind

Item = dict[str, Any]
TICK = 0.02  # seconds
AGE = 5.0
"""Seconds from the creation of a pod to its deletion, and between its two changes."""


class Collection:
    """The objects of a kind, and the responses that watch it."""

    def __init__(self, row: ResourceKind) -> None:
        self.row = row
        self.items: dict[tuple[str, str], bytes] = {}
        self.watchers: list[web.StreamResponse] = []
        self.head = f'{{"kind":"{row.kind}","apiVersion":"{row.api_version}",'.encode()

    def load(self, body: bytes) -> None:
        for raw in msgspec.json.decode(body, type=_List).items:
            metadata = msgspec.json.decode(raw, type=_Item).metadata
            self.items[(metadata.namespace, metadata.name)] = bytes(raw)

    def chunk(self, namespace: str, start: int, limit: int) -> bytes:
        items = [raw for (where, _), raw in self.items.items() if not namespace or where == namespace]
        there = items[start : start + limit]
        token = str(start + limit) if start + limit < len(items) else ""
        metadata = json.dumps({"resourceVersion": "99999999", "continue": token})
        opening = (
            f'{{"kind":"{self.row.kind}List","apiVersion":"{self.row.api_version}","metadata":{metadata},"items":['
        )
        return opening.encode() + b",".join(there) + b"]}"


class _Metadata(msgspec.Struct):
    name: str
    namespace: str = ""


class _Item(msgspec.Struct):
    metadata: _Metadata


class _List(msgspec.Struct):
    items: list[msgspec.Raw]


class StreamingServer:
    """The collections, and how they change."""

    def __init__(self, folder: Path) -> None:
        # Metrics have the plurals of what they measure, and this cluster has none.
        self.collections = {row.path(): Collection(row) for row in KINDS if row.group != "metrics.k8s.io"}
        self.by_plural = {each.row.plural: each for each in self.collections.values()}
        for path in folder.glob("*.json"):
            self.by_plural[path.stem].load(path.read_bytes())
        self.rates: dict[str, float] = {}
        self.sent = 0
        self._random = random.Random(9)
        self._version = itertools.count(100_000_000)
        self._due: dict[str, float] = {}
        self._later: deque[tuple[float, Callable[[], None]]] = deque()
        self._pending: dict[str, list[bytes]] = {}
        self._add_leases()
        self._names = {plural: list(each.items) for plural, each in self.by_plural.items()}
        self._numbers = itertools.count(1)
        self._turns: dict[str, Iterator[tuple[str, str]]] = {
            plural: itertools.cycle(names) for plural, names in self._names.items() if names
        }

    def _add_leases(self) -> None:
        for _, name in list(self.by_plural["nodes"].items):
            lease = {
                "metadata": {"name": name, "namespace": "kube-node-lease", "resourceVersion": "1", "uid": name},
                "spec": {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": _now() + ".000000Z"},
            }
            self.by_plural["leases"].items[("kube-node-lease", name)] = json.dumps(lease).encode()

    # HTTP

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path, namespace = request.path, ""
        if path == "/version":
            return web.json_response({"major": "1", "minor": "34", "gitVersion": "v1.34.2"})
        if path == "/apis":
            return web.json_response({"kind": "APIGroupList", "apiVersion": "v1", "groups": []})
        before, found, after = path.partition("/namespaces/")
        if found and "/" in after:
            namespace, _, rest = after.partition("/")
            path = f"{before}/{rest}"
        collection = self.collections.get(path)
        if collection is None:
            body = {"kind": "Status", "status": "Failure", "code": 404, "reason": "NotFound", "message": "not found"}
            return web.json_response(body, status=404)
        if request.query.get("watch") == "true":
            return await self._watch(request, collection)
        start = int(request.query.get("continue") or 0)
        limit = int(request.query.get("limit") or 1_000_000)
        return web.Response(body=collection.chunk(namespace, start, limit), content_type="application/json")

    async def _watch(self, request: web.Request, collection: Collection) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        collection.watchers.append(response)
        try:
            await asyncio.sleep(1e6)
        finally:
            collection.watchers.remove(response)
        return response

    async def stream(self) -> None:
        """Send events at the rates, forever."""
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(TICK)
            now = loop.time()
            for what, rate in self.rates.items():
                due = self._due.get(what, 0.0) + rate * min(now - last, 1.0)
                for _ in range(int(due)):
                    getattr(self, f"_change_{what}")(now)
                self._due[what] = due - int(due)
            last = now
            while self._later and self._later[0][0] <= now:
                self._later.popleft()[1]()
            pending, self._pending = self._pending, {}
            for plural, lines in pending.items():
                self.sent += len(lines)
                for watcher in list(self.by_plural[plural].watchers):
                    with contextlib.suppress(ConnectionError):  # it has gone, and will watch again
                        for line in lines:  # as an API server flushes them
                            await watcher.write(line + b"\n")

    # Changes

    def _send(self, plural: str, kind: str, obj: Item) -> None:
        collection = self.by_plural[plural]
        obj["metadata"]["resourceVersion"] = str(next(self._version))
        raw = msgspec.json.encode(obj)
        key = (obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        if kind == "DELETED":
            collection.items.pop(key, None)
        else:
            collection.items[key] = raw
        event = b'{"type":"%s","object":%s%s}' % (kind.encode(), collection.head, raw[1:])
        self._pending.setdefault(plural, []).append(event)

    def _next(self, plural: str) -> Item | None:
        """An object whose turn it is; None where it was deleted."""
        raw = self.by_plural[plural].items.get(next(self._turns[plural]))
        return msgspec.json.decode(raw) if raw is not None else None

    def _change_pods(self, _: float) -> None:
        """A running pod becomes ready or not ready; most changes of a pod in a large cluster are of this kind."""
        key = self._random.choice(self._names["pods"])
        raw = self.by_plural["pods"].items.get(key)
        if raw is not None:
            pod = msgspec.json.decode(raw)
            self._send("pods", "MODIFIED", _turned(pod, not _is_ready(pod)))

    def _change_leases(self, _: float) -> None:
        if lease := self._next("leases"):
            lease["spec"]["renewTime"] = _now() + f".{self._random.randrange(10**6):06}Z"
            self._send("leases", "MODIFIED", lease)

    def _change_nodes(self, _: float) -> None:
        if node := self._next("nodes"):
            for condition in node["status"]["conditions"]:
                condition["lastHeartbeatTime"] = _now() + "Z"
            self._send("nodes", "MODIFIED", node)

    def _change_events(self, now: float) -> None:
        """An Event about a pod; it expires after a while."""
        namespace, name = self._random.choice(self._names["pods"])
        self._event_about(namespace, name, "Unhealthy", "Readiness probe failed: statuscode: 503", now)

    def _event_about(self, namespace: str, name: str, reason: str, message: str, now: float) -> None:
        stamp = _now() + "Z"
        event = {
            "metadata": {"name": f"{name}.{next(self._numbers):x}", "namespace": namespace, "creationTimestamp": stamp},
            "involvedObject": {"kind": "Pod", "namespace": namespace, "name": name, "apiVersion": "v1"},
            "reason": reason,
            "message": message,
            "source": {"component": "kubelet"},
            "firstTimestamp": stamp,
            "lastTimestamp": stamp,
            "count": 1,
            "type": "Warning" if reason == "Unhealthy" else "Normal",
        }
        self._send("events", "ADDED", event)
        self._later.append((now + 2 * AGE, lambda: self._send("events", "DELETED", event)))

    def _change_churn(self, now: float) -> None:
        """One fifth of the changes are creations; each leads to two changes, an Event (which is deleted later) and a
        deletion."""
        number = next(self._numbers)
        if number % 6:
            return
        key = self._random.choice(self._names["pods"])
        raw = self.by_plural["pods"].items.get(key)
        if raw is None:
            return
        pod = msgspec.json.decode(raw)
        pod["metadata"]["name"] = f"{key[1][:40]}-{number:x}"
        pod["metadata"]["uid"] = f"uid-{number}"
        self._send("pods", "ADDED", _turned(pod, False))
        self._event_about(key[0], pod["metadata"]["name"], "Pulled", f"Pulled image for the {number}th", now)
        self._later.append((now + AGE, lambda: self._send("pods", "MODIFIED", _turned(pod, True))))
        self._later.append((now + AGE, lambda: self._send("pods", "MODIFIED", _turned(pod, False))))
        self._later.append((now + AGE, lambda: self._send("pods", "DELETED", pod)))


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _is_ready(pod: Item) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", ()))


def _turned(pod: Item, ready: bool) -> Item:
    """The pod with other conditions and container statuses."""
    status = "True" if ready else "False"
    for condition in pod["status"].get("conditions", ()):
        if condition["type"] in ("Ready", "ContainersReady"):
            condition.update(status=status, lastTransitionTime=_now() + "Z")
    for container in pod["status"].get("containerStatuses", ()):
        container["ready"] = ready
        container["restartCount"] += not ready
    return pod


async def serve(folder: Path) -> None:
    server = StreamingServer(folder)
    application = web.Application()
    application.router.add_route("GET", "/{path:.*}", server.answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    streaming = asyncio.create_task(server.stream())
    while line := await asyncio.to_thread(sys.stdin.readline):
        server.rates = json.loads(line)
        print(json.dumps({"sent": server.sent}), flush=True)
        if streaming.done():
            streaming.result()
    streaming.cancel()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
