"""Which AuthorizationPolicies deny a request by who sends it (Istio, `pilot/pkg/security/authz`, `pilot/pkg/model/authorization.go`, 1.31).

Only the source decides here: a rule that also names paths, methods or conditions counts as one that may match."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.replay.mesh.config import part, rows, text, words

_IDENTITY: Final = (
    "principals",
    "notPrincipals",
    "namespaces",
    "notNamespaces",
    "serviceAccounts",
    "notServiceAccounts",
)


_HTTP: Final = ("methods", "notMethods", "paths", "notPaths", "hosts", "notHosts")
"""Fields of an operation that only a request of HTTP has."""
DRY_RUN: Final = "istio.io/dry-run"
_TOKEN: Final = ("requestPrincipals", "notRequestPrincipals")
"""Of a source: what the token of a request says."""


class Caller(NamedTuple):
    """Who sends a request. `mutual`: with a certificate of the mesh, so that its identity is known."""

    namespace: str
    account: str
    address: str
    mutual: bool

    @property
    def principal(self) -> str:
        return f"cluster.local/ns/{self.namespace}/sa/{self.account}" if self.mutual else ""


class AllowedSource(NamedTuple):
    """A source that an ALLOW rule takes: the path of one of its fields and the values there."""

    policy: CustomResource
    path: str
    values: tuple[str, ...]
    needs_identity: bool


class SourceDecision(NamedTuple):
    """Why the callers of the policies are denied: no ALLOW policy takes the source. `allowances`: what they take."""

    policies: tuple[CustomResource, ...]
    allowances: tuple[AllowedSource, ...]


def in_force(policies: Iterable[CustomResource]) -> tuple[CustomResource, ...]:
    """Without those that only log what they would deny (`pilot/pkg/security/authz/builder`: a shadow rule)."""
    return tuple(policy for policy in policies if policy.annotations.get(DRY_RUN) != "true")


def source_denied(caller: Caller, policies: Iterable[CustomResource]) -> SourceDecision | None:
    """Why no ALLOW policy takes the caller; None where one may take it, or none is in force."""
    allowing = tuple(p for p in policies if text((p.spec or {}).get("action")) in ("", "ALLOW"))
    if not allowing:
        return None
    allowances: list[AllowedSource] = []
    for policy in allowing:
        for at, rule in rows(policy.spec, "rules"):
            sources = list(rows(rule, "from"))
            if not sources:
                return None
            for index, row in sources:
                source = part(row, "source")
                if source_takes(source, caller, policy.namespace):
                    return None
                allowances += _fields(policy, f"spec.rules[{at}].from[{index}].source", source)
    return SourceDecision(allowing, tuple(allowances))


class HTTPField(NamedTuple):
    """A field of a rule that only a request of HTTP has, with its path. name: as a reader knows it."""

    policy: CustomResource
    path: str
    name: str


def never_on_tcp(caller: Caller, port: int, policies: Iterable[CustomResource]) -> HTTPField | None:
    """The field of HTTP in an ALLOW rule that would take the caller at the port: for TCP such a rule is left out as a
    whole (`pilot/pkg/security/authz/model/model.go`, checkError; `generator.go`: "is HTTP only")."""
    for policy in policies:
        if text((policy.spec or {}).get("action")) not in ("", "ALLOW"):
            continue
        for at, rule in rows(policy.spec, "rules"):
            sources = [part(row, "source") for _, row in rows(rule, "from")]
            taken = not sources or any(source_takes(source, caller, policy.namespace) for source in sources)
            field = http_field(policy, at, rule) if taken and _takes_port(rule, port) else None
            if field is not None:
                return field
    return None


def http_field(policy: CustomResource, at: int, rule: object) -> HTTPField | None:
    """The first field of HTTP in a rule. In one with the action DENY Istio leaves out the field alone for TCP, so that the
    rule takes more connections (`checkError`, as above)."""
    path = f"spec.rules[{at}]"
    for index, row in rows(rule, "to"):
        for name in _HTTP:
            if words(part(row, "operation"), name):
                return HTTPField(policy, f"{path}.to[{index}].operation.{name}", name)
    for index, row in rows(rule, "from"):
        for name in _TOKEN:
            if words(part(row, "source"), name):
                return HTTPField(policy, f"{path}.from[{index}].source.{name}", name)
    for index, row in rows(rule, "when"):
        key = text(row.get("key"))
        if key.startswith("request."):
            return HTTPField(policy, f"{path}.when[{index}].key", key)
    return None


def _takes_port(rule: object, port: int) -> bool:
    operations = [part(row, "operation") for _, row in rows(rule, "to")]
    return not operations or any(
        str(port) in (words(one, "ports") or (str(port),)) and str(port) not in words(one, "notPorts")
        for one in operations
    )


def _fields(policy: CustomResource, path: str, source: object) -> Iterable[AllowedSource]:
    for name in (*_IDENTITY, "ipBlocks", "remoteIpBlocks", "requestPrincipals"):
        values = words(source, name)
        if values:
            yield AllowedSource(policy, f"{path}.{name}", values, name in _IDENTITY)


def source_takes(source: object, caller: Caller, namespace: str) -> bool:
    """All fields have to match; those that cannot be judged by the caller alone count as matching."""
    account = f"{caller.namespace}/{caller.account}" if caller.mutual else ""
    named = tuple(word if "/" in word else f"{namespace}/{word}" for word in words(source, "serviceAccounts"))
    return (
        _one_of(words(source, "principals"), caller.principal)
        and _one_of(words(source, "namespaces"), caller.namespace if caller.mutual else "")
        and _one_of(named, account)
        and not _any_of(words(source, "notPrincipals"), caller.principal)
        and not _any_of(words(source, "notNamespaces"), caller.namespace if caller.mutual else "")
    )


def _one_of(wanted: tuple[str, ...], value: str) -> bool:
    return not wanted or _any_of(wanted, value)


def _any_of(wanted: tuple[str, ...], value: str) -> bool:
    """`*` alone: any that is not empty; at an end: prefix or suffix (`pilot/pkg/security/authz/matcher`)."""
    if not value:
        return False
    for word in wanted:
        if word == "*" or word == value:
            return True
        if word.startswith("*") and value.endswith(word[1:]):
            return True
        if word.endswith("*") and value.startswith(word[:-1]):
            return True
    return False


_ALLOW: Final = ("", "ALLOW")
_ADDRESSES: Final = ("ipBlocks", "notIpBlocks", "remoteIpBlocks", "notRemoteIpBlocks", "notServiceAccounts")


class Admission(NamedTuple):
    """Whether the policies let a connection in, as far as its two ends decide (`pilot/pkg/security/authz/builder`): CUSTOM and
    DENY before ALLOW; where no policy allows, all is allowed. allowed: None where a request's path, address or token decides, or
    another server. policy: that which decides; None where none is in force."""

    allowed: bool | None
    policy: CustomResource | None = None


def admitted(caller: Caller, port: int, policies: Iterable[CustomResource]) -> Admission:
    """policies: those that select the server."""
    by_action: dict[str, list[CustomResource]] = {}
    for policy in policies:
        action = text((policy.spec or {}).get("action"))
        by_action.setdefault("ALLOW" if action in _ALLOW else action, []).append(policy)
    open_question: CustomResource | None = next(iter(by_action.get("CUSTOM", ())), None)
    for policy in by_action.get("DENY", ()):
        taken = _takes(policy, caller, port)
        if taken is True:
            return Admission(False, policy)
        if taken is None:
            open_question = open_question or policy
    allowing = by_action.get("ALLOW", [])
    results = {index: _takes(policy, caller, port) for index, policy in enumerate(allowing)}
    if allowing and not any(taken is not False for taken in results.values()):
        return Admission(False, allowing[0])
    if open_question is None and allowing and True not in results.values():
        open_question = next(policy for index, policy in enumerate(allowing) if results[index] is None)
    if open_question is not None:
        return Admission(None, open_question)
    return Admission(True, next((policy for index, policy in enumerate(allowing) if results[index]), None))


def _takes(policy: CustomResource, caller: Caller, port: int) -> bool | None:
    """Whether a rule takes the caller; None where that depends on the request. A policy without rules takes no caller."""
    found = [_rule_takes(policy, at, rule, caller, port) for at, rule in rows(policy.spec, "rules")]
    return True if True in found else None if None in found else False


def _rule_takes(policy: CustomResource, at: int, rule: object, caller: Caller, port: int) -> bool | None:
    sources = [part(row, "source") for _, row in rows(rule, "from")]
    by_source = [_source_takes(source, caller, policy.namespace) for source in sources] or [True]
    operations = [part(row, "operation") for _, row in rows(rule, "to")]
    by_port = [_at_port(operation, port) for operation in operations] or [True]
    if all(found is False for found in by_source) or not any(by_port):
        return False
    sure = True in by_source and not list(rows(rule, "when")) and http_field(policy, at, rule) is None
    return True if sure else None


def _source_takes(source: object, caller: Caller, namespace: str) -> bool | None:
    if not source_takes(source, caller, namespace):
        return False
    return None if any(words(source, name) for name in _ADDRESSES) else True


def _at_port(operation: object, port: int) -> bool:
    wanted = words(operation, "ports")
    return (not wanted or str(port) in wanted) and str(port) not in words(operation, "notPorts")
