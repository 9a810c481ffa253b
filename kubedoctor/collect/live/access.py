"""One's own permissions, by reviews of the API server, which every user may create."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from kubedoctor.collect.connecting.transport import Transport
from kubedoctor.collect.live.answers import ApiRefusal
from kubedoctor.collect.live.expected import check_kind

_GROUP = "authorization.k8s.io/v1"
T = TypeVar("T")


class ResourceRule(msgspec.Struct, frozen=True, rename="camel"):
    """Verbs that are allowed on resources; `*` means all. Names empty: every object."""

    verbs: tuple[str, ...] = ()
    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()


class Rights(msgspec.Struct, frozen=True):
    """One's own permissions in a namespace. `incomplete`: an authorizer could not list everything that it allows."""

    rules: tuple[ResourceRule, ...] = ()
    incomplete: bool = False


class Answer(msgspec.Struct, frozen=True):
    """Whether a request is allowed, and the authorizer's reason, which may be empty."""

    allowed: bool = False
    reason: str = ""


class Identity(msgspec.Struct, frozen=True):
    """A user and the groups that it is in, as the API server sees them."""

    user: str
    groups: tuple[str, ...] = ()


class _UserInfo(msgspec.Struct, frozen=True):
    username: str = ""
    groups: tuple[str, ...] | None = None


class _WhoStatus(msgspec.Struct, frozen=True, rename="camel"):
    user_info: _UserInfo = _UserInfo()


class _Who(msgspec.Struct, frozen=True):
    status: _WhoStatus = _WhoStatus()


class _AccessStatus(msgspec.Struct, frozen=True):
    allowed: bool = False
    reason: str | None = None


class _Access(msgspec.Struct, frozen=True):
    status: _AccessStatus = _AccessStatus()


class _RuleRow(msgspec.Struct, frozen=True, rename="camel"):
    verbs: tuple[str, ...] | None = None
    api_groups: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    resource_names: tuple[str, ...] | None = None


class _RulesStatus(msgspec.Struct, frozen=True, rename="camel"):
    resource_rules: tuple[_RuleRow, ...] | None = None
    incomplete: bool = False


class _Rules(msgspec.Struct, frozen=True):
    status: _RulesStatus = _RulesStatus()


_ACCESS_DECODER = msgspec.json.Decoder(_Access)
_WHO_DECODER = msgspec.json.Decoder(_Who)
_RULES_DECODER = msgspec.json.Decoder(_Rules)


def may(
    transport: Transport, verb: str, resource: str, *, group: str = "", namespace: str = "", name: str = ""
) -> Answer:
    """Whether a request would be allowed. Raises ApiRefusal or SourceProblem where the review itself fails."""
    plural, _, subresource = resource.partition("/")
    attributes = {"verb": verb, "group": group, "resource": plural}
    attributes |= {"namespace": namespace, "name": name, "subresource": subresource}
    return _review(transport, {"resourceAttributes": attributes})


def may_get(transport: Transport, path: str) -> Answer:
    """As `may`, of a path that is no resource, such as `/readyz`."""
    return _review(transport, {"nonResourceAttributes": {"verb": "get", "path": path}})


def _review(transport: Transport, spec: dict[str, dict[str, str]]) -> Answer:
    document = {"apiVersion": _GROUP, "kind": "SelfSubjectAccessReview", "spec": spec}
    body = transport.review(f"/apis/{_GROUP}/selfsubjectaccessreviews", document)
    status = _decoded(_ACCESS_DECODER, body, "SelfSubjectAccessReview").status
    return Answer(status.allowed, status.reason or "")


def whoami(transport: Transport) -> Identity:
    """Who one is for the API server. Raises ApiRefusal (404 before 1.28) or SourceProblem."""
    group = "authentication.k8s.io/v1"
    document = {"apiVersion": group, "kind": "SelfSubjectReview"}
    body = transport.review(f"/apis/{group}/selfsubjectreviews", document)
    user = _decoded(_WHO_DECODER, body, "SelfSubjectReview").status.user_info
    return Identity(user.username, user.groups or ())


def rights(transport: Transport, namespace: str) -> Rights:
    """One's own permissions in a namespace, as far as the authorizers can list them."""
    document = {"apiVersion": _GROUP, "kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace}}
    body = transport.review(f"/apis/{_GROUP}/selfsubjectrulesreviews", document)
    status = _decoded(_RULES_DECODER, body, "SelfSubjectRulesReview").status
    rules = tuple(
        ResourceRule(row.verbs or (), row.api_groups or (), row.resources or (), row.resource_names or ())
        for row in status.resource_rules or ()
    )
    return Rights(rules, status.incomplete)


def _decoded(decoder: msgspec.json.Decoder[T], body: bytes, kind: str) -> T:
    check_kind(body, kind)
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ApiRefusal(0, "Unreadable", f"the access review cannot be decoded ({error})") from None
