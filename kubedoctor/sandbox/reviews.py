"""The reader's permissions: the self-subject reviews behind `kubectl auth can-i` and `kubectl auth whoami`."""

from __future__ import annotations

import json
from collections.abc import Iterable

from kubedoctor.sandbox.exchange import FailureStatus, Object, Request, Response, respond
from kubedoctor.sandbox.faults import USER, Fault, RequestAttributes
from kubedoctor.sandbox.protobuf import decode, is_protobuf
from kubedoctor.sandbox.resources import READ, Resource, Resources

REVIEWS = frozenset({"SelfSubjectAccessReview", "SelfSubjectRulesReview", "SelfSubjectReview"})
_READ_ONLY = "This is a read-only recording of a cluster."


def review(
    request: Request, resource: Resource, resources: Resources, faults: Iterable[Fault], *, writable: bool = False
) -> Response:
    """Answers a POST of one of the reviews. Reading is allowed except for the faults; writing only where it is possible."""
    body = _body(request)
    refused = [fault for fault in faults if fault.code == 403]
    status: Object
    if resource.kind == "SelfSubjectReview":
        name = request.headers.get("impersonate-user") or USER
        status = {"userInfo": {"username": name, "groups": ["system:authenticated"]}}
    elif resource.kind == "SelfSubjectRulesReview":
        namespace = str((body.get("spec") or {}).get("namespace") or "")
        status = {
            "resourceRules": _rules(resources, refused, namespace, writable=writable),
            "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["*"]}],
            "incomplete": False,
        }
    else:
        status = _access(body.get("spec") or {}, refused, writable=writable)
    metadata = body.get("metadata") or {"creationTimestamp": None}
    answer = {**body, "apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata}
    return respond({**answer, "status": status}, 201)


def _body(request: Request) -> Object:
    if is_protobuf(request.body):
        return decode(request.body)
    try:
        body = json.loads(request.body)
    except (UnicodeDecodeError, ValueError):
        body = None
    if not isinstance(body, dict):
        raise FailureStatus(400, "BadRequest", "The body of a review must be a JSON object.")
    return body


def _access(spec: Object, refused: list[Fault], *, writable: bool) -> Object:
    if attributes := spec.get("resourceAttributes"):
        resource = str(attributes.get("resource") or "")
        if attributes.get("subresource"):
            resource += f"/{attributes['subresource']}"
        request = RequestAttributes(
            attributes.get("verb") or "",
            resource,
            attributes.get("group") or "",
            attributes.get("namespace") or "",
            attributes.get("name") or "",
        )
    else:
        attributes = spec.get("nonResourceAttributes") or {}
        request = RequestAttributes(attributes.get("verb") or "", path=attributes.get("path") or "")
    if not writable and request.verb not in READ:
        return {"allowed": False, "reason": _READ_ONLY}
    allowed = not any(fault.concerns(request) for fault in refused)
    return {"allowed": True} if allowed else {"allowed": False}


def _rules(resources: Resources, refused: list[Fault], namespace: str, *, writable: bool) -> list[Object]:
    if not refused:
        return [{"verbs": ["*"] if writable else list(READ), "apiGroups": ["*"], "resources": ["*"]}]
    rules = []
    for row in resources:
        for plural in (row.plural, *(f"{row.plural}/{subresource}" for subresource in row.subresources)):
            scope = namespace if row.namespaced else ""
            verbs = [
                verb
                for verb in row.verbs
                if not any(fault.concerns(RequestAttributes(verb, plural, row.group, scope)) for fault in refused)
            ]
            if verbs:
                rules.append({"verbs": verbs, "apiGroups": [row.group], "resources": [plural]})
    return rules
