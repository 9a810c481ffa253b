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

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from fnmatch import fnmatchcase
from typing import Any, Final

import msgspec

from kubedoctor.cluster.grammar.text import visible
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.kinds.resources import kind_from_word
from kubedoctor.engine.catalogue import Catalogue

ANNOTATION: Final = "kubedoctor.dev/ignore"
EXAMPLE: Final = "KD1203 until 2026-12-31: why"
_KEYS: Final = ("code", "kind", "namespace", "name", "until", "reason")
_LINE: Final = re.compile(r"(?P<codes>.*?)(?:\s+until\s+(?P<until>[^\s:]+))?\s*(?::\s*(?P<reason>.*))?")
_MOST_ENTRIES: Final = 1000


class Suppression(msgspec.Struct, frozen=True):
    """What is suppressed, and why. Empty fields fit every object. by: where it is written. until: its last day."""

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
            and any(
                self.kind in ("", place.kind) and (not self.name or fnmatchcase(place.name, self.name))
                for place in line
            )
        )


class WrittenSuppressions(msgspec.Struct, frozen=True):
    """What was written. refused: a sentence for each suppression that is not in force."""

    suppressions: tuple[Suppression, ...] = ()
    refused: tuple[str, ...] = ()


class _Refused(Exception):
    """A clause: why an entry is not in force."""


def written_in_file(data: Any, file: str, catalogue: Catalogue, today: date | None) -> WrittenSuppressions:
    """The suppressions of a settings file. today: None where it is not known, so that nothing expires."""
    if data is None:
        return WrittenSuppressions()
    entries = data.get("suppressions", []) if isinstance(data, dict) else None
    if not isinstance(entries, list):
        return WrittenSuppressions(refused=(f"{file}: no list `suppressions`, so nothing is suppressed",))
    accepted: list[Suppression] = []
    refused = [f"{file}: {visible(str(key), 60)} is not a setting" for key in data if key != "suppressions"]
    for number, entry in enumerate(entries[:_MOST_ENTRIES], 1):
        by = f"{file}, entry {number}"
        try:
            accepted.append(_of_entry(entry, by, catalogue, today))
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
    for line in filter(None, map(str.strip, text.splitlines())):
        match = _LINE.fullmatch(line)
        assert match is not None
        try:
            reason, until = match["reason"] or "", match["until"]
            accepted.append(_checked(match["codes"].split(","), reason, until, by, catalogue, today))
        except _Refused as why:
            refused.append(f"{by}: {why}")
    return WrittenSuppressions(tuple(accepted), tuple(refused))


def _of_entry(entry: Any, by: str, catalogue: Catalogue, today: date | None) -> Suppression:
    if not isinstance(entry, dict):
        raise _Refused("it is not a map with code, until and reason")
    if unknown := sorted(str(key) for key in entry if key not in _KEYS):
        raise _Refused(f"{visible(unknown[0], 60)} is not one of {', '.join(_KEYS)}")
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
    kind = entry.get("kind", "")
    row = kind_from_word(kind.lower()) if kind else None
    return msgspec.structs.replace(
        plain,
        kind=row.kind if row is not None else kind,
        namespace=entry.get("namespace", ""),
        name=entry.get("name", ""),
    )


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
    if not until:
        raise _Refused(f"{_listed(codes)} has no last day. Write: {EXAMPLE}")
    try:
        return date.fromisoformat(until.strip() if isinstance(until, str) else "")
    except ValueError:
        raise _Refused(f"until {visible(str(until), 40)} is not a day such as 2026-12-31") from None


def _listed(codes: Iterable[str]) -> str:
    return ", ".join(sorted(codes))
