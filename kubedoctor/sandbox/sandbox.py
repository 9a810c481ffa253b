"""The API server without a network: requests and their answers."""

from __future__ import annotations

import base64
import secrets
import threading
from collections import deque
from collections.abc import Callable, Iterable
from copy import deepcopy
from datetime import UTC, datetime

from kubedoctor.sandbox.exchange import FailureStatus, Object, Request, Response, Stream, encode, no_such_path, respond
from kubedoctor.sandbox.faults import Fault
from kubedoctor.sandbox.pod_logs import logs
from kubedoctor.sandbox.pod_logs.log_lines import LogFollower, LoggedLine, choice_of, timed_lines
from kubedoctor.sandbox.published import discovery, openapi
from kubedoctor.sandbox.renewing import renewed, renewed_leases
from kubedoctor.sandbox.resources import Resource, Resources
from kubedoctor.sandbox.reviews import REVIEWS, review
from kubedoctor.sandbox.scale import scale_of, scale_resource
from kubedoctor.sandbox.selection import selection
from kubedoctor.sandbox.state import SandboxState
from kubedoctor.sandbox.store import Store
from kubedoctor.sandbox.tables import table
from kubedoctor.sandbox.targets import READ_ONLY, RequestTarget, attributes_of, write_refused
from kubedoctor.sandbox.watching import Watching, ended_with, watch
from kubedoctor.sandbox.writes import Writer

_CHUNKED_LISTS = 200
_REQUESTS_KEPT = 10_000
_HEALTH = frozenset({"healthz", "readyz", "livez"})
_NEEDS_A_CONTAINER = {"exec": "exec", "attach": "attach", "portforward": "port-forward", "proxy": "proxy"}


class Sandbox:
    """A Kubernetes API server in memory, safe to call from several threads.

    `faults` may be changed at any time. `requests` holds the newest requests. `clock` gives the present moment for ages.
    `renews`: whether the leases of what runs are renewed. `writable`: whether requests may change objects.
    """

    def __init__(
        self,
        state: SandboxState,
        *,
        faults: Iterable[Fault] = (),
        clock: Callable[[], datetime] | None = None,
        renews: bool = False,
        writable: bool = False,
    ) -> None:
        self.state = state
        self.faults: list[Fault] = list(faults)
        self.requests: deque[Request] = deque(maxlen=_REQUESTS_KEPT)
        self._clock = clock or _now
        self._lock = threading.RLock()
        self._resources = Resources(writable=writable)
        self._store = Store(self._clock)
        self._logs: dict[str, dict[str, str]] = {key: dict(each) for key, each in state.logs.items()}
        self._appended: dict[str, list[LoggedLine]] = {}
        self._followers: dict[str, list[LogFollower]] = {}
        self._chunks: dict[str, tuple[str, list[Object]]] = {}
        self._renewed = renewed_leases(state.objects) if renews else frozenset()
        definitions = [obj for obj in state.objects if obj.get("kind") == "CustomResourceDefinition"]
        for definition in definitions:
            self._resources.define(definition)
        for obj in state.objects:
            self._store.load(self._resources.of(obj), deepcopy(obj))
        self._writer = (
            Writer(self._store, self._resources, self._clock, state.kubernetes, self._was_stored, self._was_removed)
            if writable
            else None
        )

    # Changes to the cluster by the program.

    def put(self, obj: Object) -> Object:
        """Adds or replaces an object and notifies the watches; returns the stored object. ValueError for an unknown
        kind."""
        with self._lock:
            resource = self._resources.of(obj)
            stored = self._store.put(resource, deepcopy(obj))
            self._was_stored(resource, stored)
            return stored

    def _was_stored(self, resource: Resource, obj: Object) -> None:
        if resource.kind == "CustomResourceDefinition":
            self._resources.define(obj)
        if resource.kind == "Pod":
            self._end_logs(obj)

    def _was_removed(self, resource: Resource, obj: Object) -> None:
        if resource.kind == "CustomResourceDefinition":
            self._resources.forget(obj)
        if resource.kind == "Pod":
            self._end_logs(obj, gone=True)

    def delete(self, obj: Object) -> Object:
        """Removes the object of this kind, namespace and name and notifies the watches; FailureStatus when there is
        none."""
        with self._lock:
            resource = self._resources.of(obj)
            _, _, namespace, name = self._store.key_of(resource, obj)
            deleted = self._store.delete(resource, namespace, name)
            self._was_removed(resource, deleted)
            return deleted

    def append_log(self, namespace: str, pod: str, container: str, text: str) -> None:
        """Adds to a container's current log, now, and to the streams that follow it."""
        key = f"{namespace}/{pod}/{container}"
        with self._lock:
            self._logs.setdefault(key, {}).setdefault("current", "")
            lines = [LoggedLine(self._clock(), line) for line in text.splitlines(keepends=True)]
            self._appended.setdefault(key, []).extend(lines)
            followers = self._followers.get(key, [])
            self._followers[key] = followers = [follower for follower in followers if not follower.stream.ended]
        for follower in followers:
            follower.write(lines)

    def rotate_log(self, namespace: str, pod: str, container: str) -> None:
        """As the kubelet does with a large log: what was written before is not read any more; who follows stays."""
        key = f"{namespace}/{pod}/{container}"
        with self._lock:
            self._logs.setdefault(key, {})["current"] = ""
            self._appended.pop(key, None)

    def _end_logs(self, pod: Object, *, gone: bool = False) -> None:
        """A followed log ends with its container."""
        start = f"{pod['metadata'].get('namespace', '')}/{pod['metadata']['name']}/"
        for key in [key for key in self._followers if key.startswith(start)]:
            if gone or not logs.is_running(pod, key.removeprefix(start)):
                for follower in self._followers.pop(key):
                    follower.stream.end()

    def forget_history(self) -> None:
        """Like a compaction of etcd: a watch from an older resourceVersion and a continued list get a 410."""
        with self._lock:
            self._store.forget_history()
            self._chunks.clear()

    # Requests.

    def handle(self, request: Request) -> Response:
        """The answer to one request, which may be a refusal."""
        if request.path.startswith("/openapi/"):
            openapi.load_models()  # Before taking the lock, so that other requests do not wait.
        with self._lock:
            self.requests.append(request)
            try:
                return self._answer(request)
            except FailureStatus as refusal:
                return refusal.response()
            except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
                message = (
                    f"This recording contains an object that no API server would store: {type(error).__name__} {error}."
                )
                return FailureStatus(500, "InternalError", message).response()

    def _answer(self, request: Request) -> Response:
        parts = [part for part in request.path.split("/") if part]
        target = self._target(parts)
        attributes = attributes_of(request, target)
        fault = next((candidate for candidate in self.faults if candidate.hits(attributes)), None)
        if fault is not None and fault.code:
            response = ended_with(fault.refusal(attributes)) if fault.in_stream else fault.answer(attributes)
        elif target is None:
            response = self._document(request, parts)
        else:
            response = self._resource(request, target, fault.drop_after if fault else None)
        if fault is not None:
            response.delay = fault.delay
            if fault.cut_after is not None:
                response.body = response.body[: fault.cut_after]
                response.stream = Stream()
                response.stream.end(dropped=True)
        return response

    def _target(self, parts: list[str]) -> RequestTarget | None:
        """The resource that a path names; None for discovery, health, version and unknown paths."""
        if parts[:1] == ["api"]:
            group, version, segments = "", "".join(parts[1:2]), parts[2:]
        elif parts[:1] == ["apis"]:
            group, version, segments = "".join(parts[1:2]), "".join(parts[2:3]), parts[3:]
        else:
            return None
        namespace = ""
        if (
            segments[:1] == ["namespaces"]
            and len(segments) > 2
            and not (len(segments) == 3 and segments[2] in ("status", "finalize"))
        ):
            namespace, segments = segments[1], segments[2:]
        resource = self._resources.at(group, version, segments[0]) if segments else None
        if resource is None or len(segments) > 3 or (namespace and not resource.namespaced):
            return None
        if len(segments) > 1 and resource.namespaced and not namespace:
            return None
        return RequestTarget(resource, namespace, *segments[1:])

    def _document(self, request: Request, parts: list[str]) -> Response:
        head = parts[0] if parts else ""
        if request.method not in ("GET", "HEAD"):
            raise FailureStatus(405, "MethodNotAllowed", READ_ONLY) if self._writer is None else no_such_path()
        if head in _HEALTH:
            body = f"[+]ping ok\n{head} check passed\n" if "verbose" in request.query else "ok"
            return Response(body=body.encode(), content_type="text/plain; charset=utf-8")
        if head == "version":
            return respond(_version(self.state.kubernetes))
        if parts in (["api"], ["apis"]):
            hidden = {group for fault in self.faults if fault.code == 404 for group in fault.groups}
            return discovery.versions_or_groups(request, self._resources, frozenset(hidden))
        if head == "apis" and len(parts) == 2:
            return discovery.group(self._resources, parts[1])
        if head == "api" and len(parts) == 2:
            return discovery.resource_list(self._resources, "", parts[1])
        if head == "apis" and len(parts) == 3:
            return discovery.resource_list(self._resources, parts[1], parts[2])
        if parts == ["openapi", "v3"]:
            return respond(openapi.index(self._resources))
        if parts[:3] == ["openapi", "v3", "api"] and len(parts) == 4:
            return respond(openapi.document(self._resources, "", parts[3]))
        if parts[:3] == ["openapi", "v3", "apis"] and len(parts) == 5:
            return respond(openapi.document(self._resources, parts[3], parts[4]))
        if not parts:
            paths = ["/api", "/apis", "/healthz", "/livez", "/openapi/v3", "/readyz", "/version"]
            return respond({"paths": paths})
        raise no_such_path()

    def _resource(self, request: Request, target: RequestTarget, drop_after: int | None) -> Response:
        resource = target.resource
        if resource.kind in REVIEWS:
            if request.method != "POST":
                raise FailureStatus(405, "MethodNotAllowed", f"{resource.kind} accepts only POST.")
            return review(request, resource, self._resources, self.faults, writable=self._writer is not None)
        if target.subresource in _NEEDS_A_CONTAINER:
            word = _NEEDS_A_CONTAINER[target.subresource]
            raise FailureStatus(
                405,
                "MethodNotAllowed",
                f"This is a recording of a cluster: nothing runs in it, so {word} is not possible."
                " Logs, describe and events work.",
            )
        if request.method != "GET":
            return self._written(request, target)
        if target.subresource == "log":
            return self._log(request, target)
        if target.subresource and target.subresource not in resource.subresources:
            raise no_such_path()
        if resource.kind == "Lease":
            self._renew(resource)
        if target.name:
            obj = self._store.get(resource, target.namespace, target.name)
            if target.subresource == "scale":
                resource, obj = scale_resource(resource), scale_of(obj)
            return respond(self._one(request, resource, obj))
        accepts = selection(request, resource)
        if request.watches:
            if "watch" not in resource.verbs:
                raise FailureStatus(405, "MethodNotAllowed", f"{resource.qualified} cannot be watched")
            render = self._renderer(request, resource)
            about = Watching(self._store, resource, target.namespace, accepts, render)
            return watch(request, about, drop_after)
        return self._list(request, target, accepts)

    def _written(self, request: Request, target: RequestTarget) -> Response:
        if self._writer is None:
            raise write_refused(request, target)
        written = self._writer.answer(request, target)
        is_object = written.document.get("kind") == written.resource.kind
        document = self._one(request, written.resource, written.document) if is_object else written.document
        return respond(document, written.code)

    def _renew(self, leases: Resource) -> None:
        for namespace, name in self._renewed:
            lease = self._store.find(leases, namespace, name)
            if lease is not None and (later := renewed(deepcopy(lease), self._clock())) is not None:
                self._store.put(leases, later)

    def _one(self, request: Request, resource: Resource, obj: Object) -> Object:
        if request.accepts("as=Table"):
            metadata = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
            include = request.query.get("includeObject", "Metadata")
            return table(resource, [obj], self._clock(), metadata=metadata, include=include)
        if request.accepts("as=PartialObjectMetadata;"):
            return _partial(obj)
        return obj

    def _renderer(self, request: Request, resource: Resource) -> Callable[[str, Object, bool], Object]:
        include = request.query.get("includeObject", "Metadata")
        as_table, as_partial = request.accepts("as=Table"), request.accepts("as=PartialObjectMetadata;")

        def render(kind: str, obj: Object, first: bool) -> Object:
            if as_table:
                rows = [] if kind == "BOOKMARK" else [obj]
                metadata = (
                    obj["metadata"] if kind == "BOOKMARK" else {"resourceVersion": obj["metadata"]["resourceVersion"]}
                )
                return table(resource, rows, self._clock(), metadata=metadata, include=include, with_columns=first)
            return _partial(obj) if as_partial else obj

        return render

    def _list(self, request: Request, target: RequestTarget, accepts: Callable[[Object], bool]) -> Response:
        resource, limit = target.resource, request.number("limit")
        if token := request.query.get("continue", ""):
            if token not in self._chunks:
                message = "The provided continue parameter is too old to display a consistent list result."
                raise FailureStatus(410, "Expired", message)
            version, objects = self._chunks[token]
        else:
            version = str(self._store.version)
            objects = [obj for obj in self._store.list(resource, target.namespace) if accepts(obj)]
        metadata: Object = {"resourceVersion": version}
        if limit and len(objects) > limit:
            metadata["continue"] = self._keep(version, objects[limit:])
            if not request.query.get("labelSelector") and not request.query.get("fieldSelector"):
                metadata["remainingItemCount"] = len(objects) - limit
            objects = objects[:limit]
        if request.accepts("as=Table"):
            include = request.query.get("includeObject", "Metadata")
            return respond(table(resource, objects, self._clock(), metadata=metadata, include=include))
        if request.accepts("as=PartialObjectMetadataList"):
            items = [_partial(obj) for obj in objects]
            kind = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
            return respond({**kind, "metadata": metadata, "items": items})
        # As in the API server, items of a list do not repeat their kind.
        items = [{key: value for key, value in obj.items() if key not in ("apiVersion", "kind")} for obj in objects]
        kind = {"kind": f"{resource.kind}List", "apiVersion": resource.api_version}
        return respond({**kind, "metadata": metadata, "items": items})

    def _keep(self, version: str, remaining: list[Object]) -> str:
        token = base64.urlsafe_b64encode(encode({"v": "meta.k8s.io/v1", "start": secrets.token_hex(8)})).decode()
        while len(self._chunks) >= _CHUNKED_LISTS:
            del self._chunks[next(iter(self._chunks))]
        self._chunks[token] = (version, remaining)
        return token

    def _log(self, request: Request, target: RequestTarget) -> Response:
        pod = self._store.get(target.resource, target.namespace, target.name)
        container = logs.container_asked_for(request, pod)
        key = f"{target.namespace}/{target.name}/{container}"
        choice = choice_of(request, target.name, self._clock())
        text = logs.text_of(request, pod, container, self._logs.get(key))
        lines = timed_lines(text, *logs.life_of(request, pod, container, self.state.taken_at or self._clock()))
        is_current = not request.flag("previous")
        body = choice.of([*lines, *self._appended.get(key, ())] if is_current else lines)
        response = Response(body=body, content_type="text/plain")
        if request.flag("follow") and is_current and logs.is_running(pod, container):
            follower = LogFollower(choice, len(body))
            response.stream = follower.stream
            self._followers.setdefault(key, []).append(follower)
        return response


def _partial(obj: Object) -> Object:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def _version(git_version: str) -> Object:
    major, _, after_major = git_version.removeprefix("v").partition(".")
    return {
        "major": major,
        "minor": after_major.partition(".")[0],
        "gitVersion": git_version,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "",
        "platform": "recording",
    }


def _now() -> datetime:
    return datetime.now(UTC)
