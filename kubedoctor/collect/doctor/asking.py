"""Which rights one has oneself, by reviews of the API server."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec

from kubedoctor.answers.access.needed import NeededRight
from kubedoctor.collect.connecting.transport import Transport
from kubedoctor.collect.live.access import may, may_get
from kubedoctor.collect.live.answers import ApiRefusal
from kubedoctor.collect.live.parallel import in_time
from kubedoctor.problems import SourceProblem

_SECONDS = 60.0
"""For all reviews: a server that is slow leaves the rest unknown."""


class AskedRights(msgspec.Struct, frozen=True):
    """The rights that are refused, and those that could not be asked about, with the reason."""

    refused: tuple[NeededRight, ...] = ()
    unknown: tuple[NeededRight, ...] = ()
    why: str = ""


def ask_rights(transport: Transport, rights: Sequence[NeededRight], namespace: str = "") -> AskedRights:
    """Whether these are allowed: on objects in namespaces in the one of that name, without it in all."""
    answers = in_time([partial(_allowed, transport, right, namespace) for right in rights], _SECONDS) if rights else []
    refused, unknown, why = [], [], ""
    for right, answer in zip(rights, answers, strict=True):
        if answer is False:
            refused.append(right)
        elif answer is not True:
            unknown.append(right)
            why = why or answer or f"no answer within {_SECONDS:g}s"
    return AskedRights(tuple(refused), tuple(unknown), why)


def _allowed(transport: Transport, right: NeededRight, namespace: str) -> bool | str:
    """Whether it is, or why that is not known."""
    try:
        if right.path:
            return may_get(transport, right.path).allowed
        scope = namespace if right.namespaced else ""
        return may(transport, right.verb, right.resource, group=right.group, namespace=scope).allowed
    except ApiRefusal as refusal:
        return refusal.clause
    except SourceProblem as problem:
        return problem.what
