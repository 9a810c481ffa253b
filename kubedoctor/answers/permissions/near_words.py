"""Words for a rule that is near to a request."""

from __future__ import annotations

from kubedoctor.replay.permissions.nearest import NearRule
from kubedoctor.replay.permissions.refusals import Refusal


def what_misses(near: NearRule, request: Refusal) -> str:
    """A clause: which part of the rule does not fit the request."""
    has = ", ".join(name or '""' for name in near.has)
    match near.part:
        case "verbs":
            return f"a rule for {request.what} has {has}, not {request.verb}"
        case "resourceNames":
            return f"a rule allows it for {has} only"
        case "apiGroups":
            return f"a rule for {request.resource} names API group {has}, not {request.group or 'the core group'}"
        case _:
            return f"a rule has {has}, not {request.resource}"
