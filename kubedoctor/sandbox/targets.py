"""What a request is about: the resource that its path names, and its attributes in the words of RBAC."""

from __future__ import annotations

from typing import NamedTuple

from kubedoctor.sandbox.exchange import FailureStatus, Request
from kubedoctor.sandbox.faults import RequestAttributes
from kubedoctor.sandbox.resources import Resource

_WRITES = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class RequestTarget(NamedTuple):
    """What a path names."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""


READ_ONLY = "This is a read-only recording of a cluster: changes are not possible."


def write_refused(request: Request, target: RequestTarget) -> FailureStatus:
    """The answer to a write where nothing can be changed."""
    verb = {"POST": "created", "DELETE": "deleted"}.get(request.method, "changed")
    resource = target.resource
    subject = f"{resource.qualified} {target.name!r}" if target.name else resource.qualified
    details = {"name": target.name, "group": resource.group, "kind": resource.plural}
    return FailureStatus(
        405,
        "MethodNotAllowed",
        f"This is a read-only recording of a cluster: {subject} cannot be {verb}. Get, describe, logs and explain work.",
        {key: value for key, value in details.items() if value},
    )


def attributes_of(request: Request, target: RequestTarget | None) -> RequestAttributes:
    """The request in the words of RBAC."""
    path = f"/{request.path.strip('/')}"
    if target is None:
        return RequestAttributes(_WRITES.get(request.method, "get"), path=path)
    verb = _WRITES.get(request.method) or ("get" if target.name else "watch" if request.watches else "list")
    plural = target.resource.plural
    return RequestAttributes(
        verb,
        f"{plural}/{target.subresource}" if target.subresource else plural,
        target.resource.group,
        target.namespace,
        target.name,
        path,
        bool(request.query.get("continue")),
    )
