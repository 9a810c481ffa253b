"""Sets of (protocol, port), as sorted ranges: what connections a rule, a policy or a pair of pods allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

import msgspec

PROTOCOLS: Final = ("TCP", "UDP", "SCTP")
_WIDTH: Final = 1 << 16
_PLACES: Final = {protocol: place * _WIDTH for place, protocol in enumerate(PROTOCOLS)}
_OTHER: Final = len(PROTOCOLS) * _WIDTH
"""Where every other protocol has its ports: only a rule without ports allows it."""


class PortSet(msgspec.Struct, frozen=True):
    """Ports of all protocols on one line, each protocol 65536 further; spans are inclusive, sorted, and do not touch."""

    spans: tuple[tuple[int, int], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __or__(self, other: PortSet) -> PortSet:
        if not other.spans or self is EVERY_PORT:
            return self
        return PortSet(tuple(_merged((*self.spans, *other.spans)))) if self.spans else other

    def __and__(self, other: PortSet) -> PortSet:
        if self is EVERY_PORT:
            return other
        if other is EVERY_PORT:
            return self
        found = []
        for first, last in self.spans:
            for start, end in other.spans:
                if first <= end and start <= last:
                    found.append((max(first, start), min(last, end)))
        return PortSet(tuple(found)) if found else NO_PORT

    def __sub__(self, other: PortSet) -> PortSet:
        return self & ~other if other.spans else self

    def __invert__(self) -> PortSet:
        gaps, start = [], 0
        for first, last in self.spans:
            if start < first:
                gaps.append((start, first - 1))
            start = last + 1
        return PortSet((*gaps, (start, _END)) if start <= _END else tuple(gaps))

    def holds(self, protocol: str, port: int) -> bool:
        """Whether a connection is in the set."""
        place = _PLACES.get(protocol, _OTHER) + port
        return any(first <= place <= last for first, last in self.spans)

    def ranges(self) -> Iterator[tuple[str, int, int]]:
        """Protocol, first and last port, by protocol; port 0 is not among them."""
        for protocol, place in _PLACES.items():
            for first, last in self.spans:
                start, end = max(first - place, 1), min(last - place, _WIDTH - 1)
                if start <= end:
                    yield protocol, start, end

    @property
    def text(self) -> str:
        """`SCTP 9003,TCP 1-79,81-65535`, `All Connections`, `No Connections`."""
        found: dict[str, list[str]] = {}
        for protocol, first, last in self.ranges():
            found.setdefault(protocol, []).append(str(first) if first == last else f"{first}-{last}")
        if found == {protocol: [f"1-{_WIDTH - 1}"] for protocol in PROTOCOLS}:
            return "All Connections"
        return ",".join(f"{name} {','.join(found[name])}" for name in sorted(found)) or "No Connections"


_END: Final = _OTHER + _WIDTH - 1
EVERY_PORT: Final = PortSet(((0, _END),))
NO_PORT: Final = PortSet()


@cache
def port_range(protocol: str, first: int, last: int) -> PortSet:
    """The ports of one protocol from the first to the last; none where the range is empty or no range of ports."""
    place = _PLACES.get(protocol, _OTHER)
    first, last = max(first, 0), min(last, _WIDTH - 1)
    return PortSet(((place + first, place + last),)) if first <= last else NO_PORT


def union(sets: Iterable[PortSet]) -> PortSet:
    """All ports of the sets; EVERY_PORT itself where nothing is missing."""
    spans = tuple(_merged(span for ports in sets for span in ports.spans))
    return EVERY_PORT if spans == EVERY_PORT.spans else PortSet(spans)


def _merged(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    start, end = -1, -2
    for first, last in sorted(spans):
        if first <= end + 1 and start >= 0:
            end = max(end, last)
            continue
        if start >= 0:
            yield start, end
        start, end = first, last
    if start >= 0:
        yield start, end
