"""What an ingress controller's log says of the kinds that it may not read (client-go's reflector, v0.30)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.replay.services.proxy_log import is_recent

_REFUSED: Final = compiled_later(
    r"failed to list \*v1\.(?P<kind>Ingress|IngressClass|Service|EndpointSlice|Endpoints|Secret): .+ is forbidden: "
)
"""Of what decides where requests go; other kinds are for options of a controller."""
_ENOUGH: Final = 2


class UnreadKind(msgspec.Struct, frozen=True):
    """index: of the last line that says so; count: such lines about the kind."""

    kind: str
    index: int
    count: int


def unread_kind(lines: Sequence[str], at: datetime) -> UnreadKind | None:
    """The kind that is refused repeatedly until now; None where that is over."""
    found: dict[str, list[int]] = {}
    for index, line in enumerate(lines):
        if (match := _REFUSED.search(line)) is not None:
            found.setdefault(match["kind"], []).append(index)
    for kind, indexes in found.items():
        if len(indexes) >= _ENOUGH and is_recent(lines[indexes[-1]], at):
            return UnreadKind(kind, indexes[-1], len(indexes))
    return None
