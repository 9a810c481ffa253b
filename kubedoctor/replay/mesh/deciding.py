"""Whether AuthorizationPolicies let a connection in, as far as its two ends decide (Istio, `pilot/pkg/security/authz/builder`,
`pilot/pkg/model/authorization.go`, 1.31): CUSTOM and DENY before ALLOW; where none allows, all is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.replay.mesh.authorization import Caller, http_field, source_takes
from kubedoctor.replay.mesh.config import part, rows, text, words

_ALLOW: Final = ("", "ALLOW")
_ADDRESSES: Final = ("ipBlocks", "notIpBlocks", "remoteIpBlocks", "notRemoteIpBlocks", "notServiceAccounts")


class Admission(NamedTuple):
    """allowed: None where a request's path, address or token decides, or another server. policy: that which decides; None
    where none is in force."""

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
