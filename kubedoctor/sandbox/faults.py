"""Faults for tests of clients: answers of an API server instead of the expected ones.

    Sandbox(state, faults=[forbidden("secrets"), throttled(times=2)])

The first fault that applies to a request decides. A fault can be added and removed while the sandbox runs
(`sandbox.faults` is a list).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from kubedoctor.sandbox.exchange import FailureStatus, Response
from kubedoctor.sandbox.resources import METRICS

USER = "kubedoctor-demo"


@dataclass(frozen=True, slots=True)
class RequestAttributes:
    """A request in the words of RBAC. `resource` is `deployments`, `pods/log`."""

    verb: str
    resource: str = ""
    group: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""
    continued: bool = False

    @property
    def qualified(self) -> str:
        """With the group: `deployments.apps`, `pods/log`."""
        plural, slash, subresource = self.resource.partition("/")
        return f"{plural}.{self.group}{slash}{subresource}" if self.group else self.resource


@dataclass(slots=True)
class Fault:
    """One fault. Empty `resources`, `verbs` or `namespaces` mean all; a namespace "" means all namespaces at once.

    A resource is `secrets`, `deployments` or `deployments.apps`, `pods/log`; the metrics need `pods.metrics.k8s.io`.

    `paths` are prefixes of URL paths, used instead of the resource. The first `after` matching requests pass, the next
    `times` fail (None: all). `code` 0 answers normally, after `delay` seconds and, for a watch, with a connection that
    drops after `drop_after` events; any answer breaks off after `cut_after` bytes. `page` is the answer instead of a
    Status, such as a proxy's HTML page. `in_stream` sends the refusal as a watch's ERROR event.
    """

    code: int = 403
    reason: str = "Forbidden"
    message: str = ""
    resources: Collection[str] = ()
    verbs: Collection[str] = ()
    namespaces: Collection[str] = ()
    groups: Collection[str] = ()
    paths: Collection[str] = ()
    continued: bool = False
    after: int = 0
    times: int | None = None
    retry_after: int | None = None
    delay: float = 0.0
    drop_after: int | None = None
    cut_after: int | None = None
    page: str = ""
    in_stream: bool = False
    seen: int = field(default=0, init=False)

    def concerns(self, request_attributes: RequestAttributes) -> bool:
        """Whether the fault applies to such a request, regardless of counts."""
        if self.paths:
            return any(f"{request_attributes.path}/".startswith(f"{path.rstrip('/')}/") for path in self.paths)
        return (
            (not self.resources or request_attributes.qualified in self.resources or self._plainly(request_attributes))
            and (not self.verbs or request_attributes.verb in self.verbs)
            and (not self.namespaces or request_attributes.namespace in self.namespaces)
            and (not self.groups or request_attributes.group in self.groups)
            and (not self.continued or request_attributes.continued)
        )

    def _plainly(self, request_attributes: RequestAttributes) -> bool:
        return request_attributes.resource in self.resources and request_attributes.group != METRICS

    def hits(self, request_attributes: RequestAttributes) -> bool:
        """Whether this request fails; counts it."""
        if not self.concerns(request_attributes):
            return False
        self.seen += 1
        return self.seen > self.after and (self.times is None or self.seen <= self.after + self.times)

    def answer(self, request_attributes: RequestAttributes) -> Response:
        """The answer instead of the expected one."""
        if self.page:
            return Response(self.code, self.page.encode(), "text/html; charset=utf-8")
        return self.refusal(request_attributes).response()

    def refusal(self, request_attributes: RequestAttributes) -> FailureStatus:
        """The Status of the answer."""
        return FailureStatus(
            self.code,
            self.reason,
            self.message or _words(self, request_attributes),
            _details(request_attributes),
            self.retry_after,
        )


def _details(request_attributes: RequestAttributes) -> dict[str, str]:
    return {
        key: value
        for key, value in (
            ("name", request_attributes.name),
            ("group", request_attributes.group),
            ("kind", request_attributes.resource.partition("/")[0]),
        )
        if value
    }


def _words(fault: Fault, request_attributes: RequestAttributes) -> str:
    if fault.code != 403:
        return fault.reason
    if not request_attributes.resource:
        return f'forbidden: User "{USER}" cannot {request_attributes.verb} path "{request_attributes.path}"'
    kind = request_attributes.qualified.partition("/")[0]
    name = f' "{request_attributes.name}"' if request_attributes.name else ""
    scope = (
        f'in the namespace "{request_attributes.namespace}"' if request_attributes.namespace else "at the cluster scope"
    )
    return (
        f'{kind}{name} is forbidden: User "{USER}" cannot {request_attributes.verb} resource "{request_attributes.resource}"'
        f' in API group "{request_attributes.group}" {scope}'
    )


def forbidden(*resources: str, verbs: Collection[str] = (), namespaces: Collection[str] = ()) -> Fault:
    """403 as RBAC words it. `namespaces=("",)` refuses the list of all namespaces and allows each one."""
    return Fault(resources=resources, verbs=verbs, namespaces=namespaces)


def unauthorized() -> Fault:
    """401 to everything, as with an expired token."""
    return Fault(401, "Unauthorized", "Unauthorized", paths=("/",))


def group_missing(group: str) -> Fault:
    """The API group is not served: 404, and discovery does not list it."""
    message = "the server could not find the requested resource"
    return Fault(404, "NotFound", message, paths=(f"/apis/{group}",), groups=(group,))


def throttled(*resources: str, times: int | None = None, retry_after: int = 1) -> Fault:
    """429 with Retry-After, `times` times."""
    message = "too many requests, please try again later"
    return Fault(429, "TooManyRequests", message, resources, times=times, retry_after=retry_after)


def server_error(
    *resources: str, code: int = 500, after: int = 0, times: int | None = None, verbs: Collection[str] = ()
) -> Fault:
    """5xx; `after=1` lets the first chunk of a list through."""
    reason, message = {
        500: ("InternalError", "Internal error occurred: etcdserver: request timed out"),
        503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
        504: ("Timeout", "Timeout: request did not complete within the allotted timeout"),
    }.get(code, ("InternalError", "Internal error occurred"))
    return Fault(code, reason, message, resources, verbs, after=after, times=times)


def list_expired(*resources: str, times: int | None = 1) -> Fault:
    """410 to a continue token, as after a compaction of etcd."""
    message = "The provided continue parameter is too old to display a consistent list result."
    return Fault(410, "Expired", message, resources, ("list",), continued=True, times=times)


def watch_expired(*resources: str, times: int | None = 1) -> Fault:
    """A watch whose first event is the ERROR 410, as the API server's watch cache answers."""
    message = "too old resource version: 1 (2)"
    return Fault(410, "Expired", message, resources, ("watch",), times=times, in_stream=True)


def watch_drops(*resources: str, after_events: int, times: int | None = None) -> Fault:
    """The connection of a watch breaks after this number of events."""
    return Fault(0, resources=resources, verbs=("watch",), drop_after=after_events, times=times)


def slow(*resources: str, seconds: float, times: int | None = None) -> Fault:
    """The answer is delayed."""
    return Fault(0, resources=resources, delay=seconds, times=times)


def cut_short(*resources: str, after_bytes: int, times: int | None = None) -> Fault:
    """The connection breaks in the middle of the body."""
    return Fault(0, resources=resources, cut_after=after_bytes, times=times)


def html_page(*resources: str, code: int = 200, page: str = "<html><body>Please log in</body></html>") -> Fault:
    """A page of a proxy instead of the API server's answer."""
    return Fault(code, resources=resources, page=page)
