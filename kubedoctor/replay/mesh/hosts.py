"""Host names of Istio's objects, with `*` for any beginning, and which one is the most specific (Istio,
`pkg/config/host/name.go`, `names.go`; `pilot/pkg/model/config.go`, MostSpecificHostMatch; 1.31)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def is_wildcard(name: str) -> bool:
    return name.startswith("*")


def matches(one: str, other: str) -> bool:
    """Whether some host is meant by both."""
    if is_wildcard(one) and is_wildcard(other):
        short, long = sorted((one[1:], other[1:]), key=len)
        return long.endswith(short)
    if is_wildcard(one):
        return other.endswith(one[1:])
    return one.endswith(other[1:]) if is_wildcard(other) else one == other


def is_subset(one: str, other: str) -> bool:
    """Whether the other name means all hosts that the first one means."""
    if is_wildcard(one):
        return is_wildcard(other) and len(one) >= len(other) and one[1:].endswith(other[1:])
    return one.endswith(other[1:]) if is_wildcard(other) else one == other


def specificity(name: str) -> tuple[bool, int, str]:
    """A key that sorts the most specific name first: whole names, then the longest, then by the alphabet."""
    return is_wildcard(name), -len(name), name


def visible_hosts(hosts: Iterable[str], namespace: str) -> tuple[str, ...]:
    """The hosts of a Gateway, written as `namespace/host`, that a namespace may use, without the namespace."""
    found = []
    for written in hosts:
        space, slash, name = written.partition("/")
        if not slash:
            found.append(written)
        elif space in (namespace, "*"):
            found.append(name)
    return tuple(found)


def intersection(hosts: Iterable[str], others: Sequence[str]) -> tuple[str, ...]:
    """The names that both lists mean, the narrower of each pair."""
    found: dict[str, None] = {}
    for host in hosts:
        for other in others:
            if is_subset(host, other):
                found[host] = None
            elif is_subset(other, host):
                found[other] = None
    return tuple(found)


def most_specific(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that stands for a name, the most specific one; a wildcard is met by wildcards alone."""
    known = set(candidates)
    if name in known:
        return name
    ending = name[1:] if is_wildcard(name) else name
    wider = [candidate for candidate in known if is_wildcard(candidate) and ending.endswith(candidate[1:])]
    return min(wider, key=specificity, default=None)
