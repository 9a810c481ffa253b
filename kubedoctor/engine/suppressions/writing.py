"""Suppressions as people write them: entries of a file, and lines of an annotation.

suppressions:
- code: KD1203                      # or several, or an id: workloads/replicas-zero
  kind: deployment                  # these three narrow it, and are optional; * stands for any letters
  namespace: shop
  name: checkout-*
  until: 2026-12-31                 # the last day
  reason: scaled to 0 until the migration

kubedoctor.dev/ignore: "KD1203 until 2026-12-31: scaled to 0 until the migration"
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from fnmatch import fnmatchcase
from typing import Any, Final

import msgspec

from kubedoctor.cluster.grammar.nearest import words_meant
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.kinds.resources import ResourceKind, kind_from_word, kind_words, kinds_meant
from kubedoctor.engine.catalogue import Catalogue

ANNOTATION: Final = "kubedoctor.dev/ignore"
EXAMPLE: Final = "KD1203 until 2026-12-31: why"
_KEYS: Final = ("code", "kind", "namespace", "name", "until", "reason")
_MOST_ENTRIES: Final = 1000
_MOST_LINES: Final = 100
_LONGEST_LINE: Final = 4000  # characters; an annotation may have 256 KiB
_LONGEST_NUMBER: Final = 64  # bits
Extensions = Callable[[], Iterable[ResourceKind] | None]
"""The kinds of extensions that exist, None where that cannot be known; asked only for a word that is no kind of
Kubernetes."""


class Suppression(msgspec.Struct, frozen=True):
    """What is suppressed, and why. Empty fields fit every object. by: where it is written. until: its last day. kind: as
    a Ref spells it, with or without its group, or a pattern for that; capitals do not count."""

    codes: frozenset[str]
    reason: str
    until: date
    by: str
    kind: str = ""
    namespace: str = ""
    name: str = ""

    def fits(self, code: str, about: Ref, line: Iterable[Ref]) -> bool:
        """Whether it means a finding. line: the object that it is about, and the workloads that own that."""
        return (
            code in self.codes
            and (not self.namespace or fnmatchcase(about.namespace, self.namespace))
            and any(self._fits_kind(place) and (not self.name or fnmatchcase(place.name, self.name)) for place in line)
        )

    def _fits_kind(self, place: Ref) -> bool:
        kind = self.kind.lower()
        return not kind or any(fnmatchcase(name.lower(), kind) for name in (place.kind, place.short_kind))


class WrittenSuppressions(msgspec.Struct, frozen=True):
    """What was written. refused: a sentence for each suppression that is not in force."""

    suppressions: tuple[Suppression, ...] = ()
    refused: tuple[str, ...] = ()


class _Refused(Exception):
    """A clause: why an entry is not in force."""


def written_in_file(
    data: Any, file: str, catalogue: Catalogue, today: date | None, extensions: Extensions = tuple
) -> WrittenSuppressions:
    """The suppressions of a settings file. today: None where it is not known, so that nothing expires."""
    if data is None:
        return WrittenSuppressions()
    entries = data.get("suppressions", []) if isinstance(data, dict) else None
    if not isinstance(entries, list):
        return WrittenSuppressions(refused=(f"{file}: no list `suppressions`, so nothing is suppressed",))
    accepted: list[Suppression] = []
    refused = [f"{file}: {_shown(key)} is not a setting" for key in data if key != "suppressions"]
    for number, entry in enumerate(entries[:_MOST_ENTRIES], 1):
        by = f"{file}, entry {number}"
        try:
            accepted.append(_of_entry(entry, by, catalogue, today, extensions))
        except _Refused as why:
            refused.append(f"{by}: {why}")
    if len(entries) > _MOST_ENTRIES:
        refused.append(f"{file}: only the first {_MOST_ENTRIES} entries count")
    return WrittenSuppressions(tuple(accepted), tuple(refused))


def written_in_annotation(text: str, about: Ref, catalogue: Catalogue, today: date | None) -> WrittenSuppressions:
    """The suppressions of an annotation, a line each. They mean the object, what it owns, and all in a namespace."""
    by = f"annotation of {about.title}"
    accepted: list[Suppression] = []
    refused: list[str] = []
    lines = [line for line in map(str.strip, text.splitlines()) if line]
    for line in lines[:_MOST_LINES]:
        try:
            accepted.append(_of_line(line, by, catalogue, today))
        except _Refused as why:
            refused.append(f"{by}: {why}")
    if len(lines) > _MOST_LINES:
        refused.append(f"{by}: only the first {_MOST_LINES} lines count")
    return WrittenSuppressions(tuple(accepted), tuple(refused))


def _of_line(line: str, by: str, catalogue: Catalogue, today: date | None) -> Suppression:
    """`CODES until DAY: REASON`."""
    if len(line) > _LONGEST_LINE:
        raise _Refused(f"a line is longer than {_LONGEST_LINE} characters")
    head, _, reason = line.partition(":")
    words = head.split()
    dated = len(words) > 1 and words[-2] == "until"
    codes = " ".join(words[:-2] if dated else words)
    return _checked(codes.split(","), reason, words[-1] if dated else None, by, catalogue, today)


def _of_entry(entry: Any, by: str, catalogue: Catalogue, today: date | None, extensions: Extensions) -> Suppression:
    if not isinstance(entry, dict):
        raise _Refused("it is not a map with code, until and reason")
    if unknown := sorted(_shown(key) for key in entry if key not in _KEYS):
        raise _Refused(f"{unknown[0]} is not one of {', '.join(_KEYS)}")
    for key in ("kind", "namespace", "name", "reason"):
        if not isinstance(entry.get(key, ""), str):
            raise _Refused(f"its {key} is not text")
    code = entry.get("code")
    plain = _checked(
        code if isinstance(code, list) else [code],
        entry.get("reason", ""),
        entry.get("until"),
        by,
        catalogue,
        today,
    )
    return msgspec.structs.replace(
        plain,
        kind=_kind(entry.get("kind", "").strip(), extensions),
        namespace=entry.get("namespace", ""),
        name=entry.get("name", ""),
    )


def _kind(word: str, extensions: Extensions) -> str:
    """The kind that a word means, or a pattern as it is."""
    if not word or any(sign in word for sign in "*?["):
        return word
    if (row := kind_from_word(word)) is not None:
        return row.kind
    if (known := extensions()) is None:
        return word
    known = tuple(known)
    if meant := kinds_meant(word, known):
        return meant[0].kind if len(meant) == 1 else meant[0].kind.partition(".")[0]
    if "." in word.partition(".")[2]:  # a kind with the group of an extension, which another cluster may have
        return word
    words = [name for name in kind_words() if "." not in name]
    near = words_meant(word.lower(), [*words, *(name for row in known for name in (row.plural, row.singular))])
    hint = f"Did you mean {', '.join(near)}?" if near else "All kinds: kubectl api-resources"
    raise _Refused(f"no kind is called {visible(word, 60)} here. {hint}")


def _checked(
    codes: Iterable[Any], reason: str, until: Any, by: str, catalogue: Catalogue, today: date | None
) -> Suppression:
    """Raises _Refused where something is missing, wrong, or over."""
    known = frozenset(_codes(codes, catalogue))
    if not known:
        raise _Refused(f"it names no code. Write: {EXAMPLE}")
    if not reason.strip():
        raise _Refused(f"{_listed(known)} has no reason. Write: {EXAMPLE}")
    last = _day(until, known)
    if today is not None and last < today:
        raise _Refused(f"{_listed(known)} expired on {last}: repair it, or set a later day")
    return Suppression(known, " ".join(reason.split()), last, by)


def _codes(words: Iterable[Any], catalogue: Catalogue) -> Iterator[str]:
    pages = {name: page.code for page in catalogue.diagnostics for name in (page.code.lower(), page.id)}
    for word in words:
        name = word.strip().lower() if isinstance(word, str) else ""
        if not name:
            raise _Refused(f"it names no code. Write: {EXAMPLE}")
        if name not in pages:
            raise _Refused(
                f"no diagnostic has the code {visible(str(word).strip(), 60)}. All codes: kubedoctor explain"
            )
        yield pages[name]


def _day(until: Any, codes: Iterable[str]) -> date:
    if isinstance(until, datetime):
        return until.date()
    if isinstance(until, date):
        return until
    if until in (None, ""):
        raise _Refused(f"{_listed(codes)} has no last day. Write: {EXAMPLE}")
    try:
        return datetime.fromisoformat(until.strip() if isinstance(until, str) else "").date()
    except ValueError:
        raise _Refused(f"until {_shown(until, 40)} is not a day such as 2026-12-31") from None


def _shown(value: Any, most: int = 60) -> str:
    """A value of a file in a sentence. Lists and maps are not written out: aliases make them endless."""
    if isinstance(value, list | dict | tuple | set):
        return "a list or map"
    if isinstance(value, int) and value.bit_length() > _LONGEST_NUMBER:
        return "a long number"
    return visible(str(value), most)


def _listed(codes: Iterable[str]) -> str:
    return ", ".join(sorted(codes))
