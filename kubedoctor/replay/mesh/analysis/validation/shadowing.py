"""Rules and matches of VirtualServices that no request reaches (Istio, `analyzeUnreachable…` of `validation.go`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from kubedoctor.replay.mesh.analysis.validation.problems import SchemaProblem
from kubedoctor.replay.mesh.config import number, part, rows, text

_UNREACHABLE, _INEFFECTIVE = "IST0130", "IST0131"
_LAST: Final = "only the last rule can have no matches"  # upstream's words
_BEFORE: Final = "route without matches defined before"  # upstream's words
_USED: Final = "all matches used by prior rules"  # upstream's words
Row = Mapping[str, Any]


def shadowed(spec: Mapping[str, Any], protocol: str) -> Iterator[SchemaProblem]:
    """Of the rules for `http`, `tcp` or `tls`."""
    routes = list(rows(spec, protocol))
    seen: dict[str, str] = {}
    is_caught = False
    prefixes: list[_Prefix] = []
    for at, route in routes:
        name = _name(route, at)
        found = [match for _, match in rows(route, "match")]
        if not found:
            if is_caught:
                yield SchemaProblem(_UNREACHABLE, (name, _LAST))
            is_caught = True
            continue
        repeated = 0
        for index, match in enumerate(found):
            if is_caught:
                yield SchemaProblem(_UNREACHABLE, (name, _BEFORE))
                continue
            key = _key(match)
            if key in seen:
                yield SchemaProblem(_INEFFECTIVE, (name, _name(match, index), seen[key]))
                repeated += 1
                continue
            seen[key] = name
            if protocol == "http" and (prefix := text(part(match, "uri").get("prefix"))):
                prefixes.append(_Prefix(name, _name(match, index), prefix, match))
        if repeated == len(found):
            yield SchemaProblem(_UNREACHABLE, (name, _USED))
    yield from _covered(prefixes)


class _Prefix(NamedTuple):
    route: str
    match: str
    prefix: str
    row: Row


def _covered(prefixes: list[_Prefix]) -> Iterator[SchemaProblem]:
    for at, wide in enumerate(prefixes):
        for narrow in prefixes[at + 1 :]:
            if narrow.prefix != wide.prefix and narrow.prefix.startswith(wide.prefix) and _covers(wide.row, narrow.row):
                yield SchemaProblem(
                    _INEFFECTIVE,
                    (
                        narrow.route,
                        f"{narrow.match} of prefix {narrow.prefix}",
                        f"{wide.match} of prefix {wide.prefix} on {wide.route}",
                    ),
                )


def _covers(wide: Row, narrow: Row) -> bool:
    if number(wide.get("port")) != number(narrow.get("port")):
        return False
    # Upstream asks whether the wide one begins with the narrow one, and takes GET for an absent method.
    if not (_match(part(wide, "method")) or "exact:GET").startswith(_match(part(narrow, "method")) or "exact:GET"):
        return False
    if not _match(part(wide, "authority")).startswith(_match(part(narrow, "authority"))):
        return False
    for name in ("headers", "queryParams", "withoutHeaders"):
        mine, other = ({key: _match(value) for key, value in part(row, name).items()} for row in (wide, narrow))
        if mine.keys() != other.keys() or not all(mine[key].startswith(other[key]) for key in mine):
            return False
    return True


def _match(value: object) -> str:
    for kind in ("exact", "prefix"):
        if written := text(value.get(kind)) if isinstance(value, dict) else "":
            return f"{kind}:{written}"
    return ""


def _key(match: Row) -> str:
    kept = {key: value for key, value in match.items() if key != "name" and value not in (None, False, "", 0)}
    return msgspec.json.encode(kept, order="deterministic").decode()


def _name(row: Row, at: int) -> str:
    name = text(row.get("name"))
    return f'"{name}"' if name else f"#{at}"
