"""The rule of a role that allows nearly what was refused, and which part of it misses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from kubedoctor.cluster.kinds.control import PolicyRule
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.replay.permissions.grants import allows, rules_of
from kubedoctor.replay.permissions.refusals import Refusal

_PARTS: Final = {
    "verbs": "verbs",
    "resource_names": "resourceNames",
    "api_groups": "apiGroups",
    "resources": "resources",
}
"""What a rule may lack, the nearest first, with the API's names."""


class NearRule(msgspec.Struct, frozen=True):
    """A rule that would allow the request but for one part: `verbs`, `resourceNames`, `apiGroups` or `resources`."""

    role: Ref
    index: int
    part: str
    has: tuple[str, ...]


def nearest_rule(request: Refusal, roles: Iterable[Ref], cluster: Cluster) -> NearRule | None:
    """The first rule that misses by one part, one that only lacks the verb before others. None where none is near, and
    for requests of no resource."""
    if request.path:
        return None
    found = [
        NearRule(role, index, part, has)
        for role in roles
        for index, rule in enumerate(rules_of(role, cluster) or ())
        if (missed := _missed(rule, request)) is not None
        for part, has in (missed,)
    ]
    order = list(_PARTS.values())
    return min(found, key=lambda near: order.index(near.part), default=None)


def _missed(rule: PolicyRule, request: Refusal) -> tuple[str, tuple[str, ...]] | None:
    """The one part without which the rule allows the request, and what it has there."""
    if allows(rule, request):
        return None
    for part in _PARTS:
        has: tuple[str, ...] = getattr(rule, part) or ()
        if not has:
            continue
        if allows(msgspec.structs.replace(rule, **{part: None if part == "resource_names" else ("*",)}), request):
            if part == "resources" and not _akin(has, request.resource):
                return None
            return _PARTS[part], has
    return None


def _akin(has: Iterable[str], resource: str) -> bool:
    """The same resource, with or without its subresource: other resources are other rights, not near ones."""
    return resource.partition("/")[0] in {name.partition("/")[0] for name in has}
