"""Did you mean: the labels, names and keys that a person most likely intended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from posixpath import commonprefix

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later

PLAUSIBLE = 0.6
"""From this likeness (difflib's ratio) on, one word may be a misspelling of the other."""

SHORT_PART = 2
"""Words with so few letters are abbreviations, not misspellings: `eu`, `us`, `rw`, `ro`, `a`, `b`."""
_OPPOSITES = frozenset(
    map(
        frozenset,
        (
            ("internal", "external"),
            ("ingress", "egress"),
            ("import", "export"),
            ("include", "exclude"),
            ("input", "output"),
            ("inbound", "outbound"),
        ),
    )
)
"""Words that are alike and mean the contrary."""
_SEPARATORS = compiled_later(r"[-_./: ]")
_SAYS_NOTHING = frozenset({"", "true", "false", "yes", "no"})
"""Values so common that finding one under another key means nothing."""


class LabelDifference(msgspec.Struct, frozen=True):
    """One required label, and the label found in its place: `found_key` equals `key` when only the value differs."""

    key: str
    wanted: str
    found: str
    found_key: str


class NearMiss(msgspec.Struct, frozen=True):
    """Labels that almost match the required ones."""

    labels: Mapping[str, str]
    differences: tuple[LabelDifference, ...]

    @property
    def text(self) -> str:
        """The labels as found, in kubectl's form: `app=checkout,tier=web`; only those that differ."""
        return ",".join(f"{difference.found_key}={difference.found}" for difference in self.differences)


@lru_cache(maxsize=65536)
def likeness(word: str, candidate: str) -> float:
    """From 0, nothing in common, to 1, equal but for upper and lower case; the order of the two is irrelevant."""
    first, second = sorted((word.casefold(), candidate.casefold()))
    from difflib import SequenceMatcher  # slow, and seldom needed

    return SequenceMatcher(None, first, second, autojunk=False).ratio()


@lru_cache(maxsize=65536)
def misspelled(word: str, candidate: str) -> bool:
    """Whether one of two different words is a typing error for the other: a few letters wrong, missing, doubled or
    swapped, or other capitals and separators.

    Numbers and words of one or two letters count as intended: `v1` is no typing error for `v2`, nor `zone-a` for
    `zone-b`, `db-0` for `db-1`, `web` for `web-v2`. So do opposites: `nginx-internal` for `nginx-external`.
    """
    first, two = word.casefold(), candidate.casefold()
    if word == candidate or not first or not two:
        return False
    if _SEPARATORS.sub("", first) == _SEPARATORS.sub("", two):
        return True
    start = len(commonprefix([first, two]))
    end = len(commonprefix([first[start:][::-1], two[start:][::-1]]))
    for text in (first, two):
        around = text[max(start - 1, 0) : len(text) - end + 1]
        if any(letter.isdigit() for letter in around):
            return False
    parts = [_part_at(text, start, len(text) - end) for text in (first, two)]
    if max(map(len, parts)) <= SHORT_PART or frozenset(parts) in _OPPOSITES:
        return False
    return _edits(first, two) <= _errors_allowed(min(len(first), len(two)))


def _part_at(text: str, start: int, end: int) -> str:
    """The words between separators that `text[start:end]` touches."""
    while start > 0 and not _SEPARATORS.match(text[start - 1]):
        start -= 1
    while end < len(text) and not _SEPARATORS.match(text[end]):
        end += 1
    return text[start:end]


def _errors_allowed(length: int) -> int:
    """How many typing errors a word of that length may contain."""
    return 1 if length < 6 else 2 if length < 12 else 3


def _edits(first: str, two: str) -> int:
    """The optimal string alignment distance: insertions, deletions, exchanges, and swaps of neighbours."""
    before: list[int] = []
    above = list(range(len(two) + 1))
    for row, letter in enumerate(first, 1):
        current = [row]
        for column, other_letter in enumerate(two, 1):
            cost = min(above[column] + 1, current[-1] + 1, above[column - 1] + (letter != other_letter))
            if row > 1 and column > 1 and letter == two[column - 2] and first[row - 2] == other_letter:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        before, above = above, current
    return above[-1]


def misspellings(word: str, words: Iterable[str], n: int = 1, *, errors: int = 3) -> tuple[str, ...]:
    """At most `n` of the words that `word` is a typing error for, the nearest first: sure enough for a fix. With at most
    so many errors."""
    ranked = sorted(
        (-likeness(word, candidate), candidate)
        for candidate in set(words)
        if misspelled(word, candidate) and (errors >= 3 or _edits(word.casefold(), candidate.casefold()) <= errors)
    )
    return tuple(candidate for _, candidate in ranked[:n])


def nearest_word(word: str, words: Iterable[str], n: int = 3) -> tuple[str, ...]:
    """At most `n` of the words that are like `word`, the nearest first; never `word` itself.

    For suggestions about input that a person typed; conclusions about a cluster need `misspellings`.
    """
    near = [(likeness(word, candidate), candidate) for candidate in set(words) if candidate != word]
    near = sorted(
        (candidate for candidate in near if candidate[0] >= PLAUSIBLE),
        key=lambda candidate: (-candidate[0], candidate[1]),
    )
    return tuple(candidate for _, candidate in near[:n])


def words_meant(word: str, words: Iterable[str], n: int = 3) -> tuple[str, ...]:
    """At most `n` of the words of a fixed vocabulary that a person can have meant: `word` is a typing error for them, or
    their beginning. `nearest_word` also finds what merely has some letters in common."""
    words = set(words)
    begun = sorted((known for known in words if known.startswith(word)), key=lambda known: (len(known), known))
    return tuple(dict.fromkeys((*misspellings(word, words, n), *(begun if len(word) > SHORT_PART else ()))))[:n]


def nearest_labels(required: Mapping[str, str], candidates: Iterable[Mapping[str, str]]) -> NearMiss | None:
    """The candidate that `required` plausibly refers to, or None.

    Candidates that have all required labels are skipped.
    """
    best: NearMiss | None = None
    best_score = (-1, 0.0)
    for labels in candidates:
        judged = _differences(required, labels)
        if judged is None:
            continue
        differences, nearness = judged
        score = (len(required) - len(differences), nearness)
        if score > best_score:
            best, best_score = NearMiss(labels, differences), score
    return best


def _differences(
    required: Mapping[str, str], labels: Mapping[str, str]
) -> tuple[tuple[LabelDifference, ...], float] | None:
    """The differences and the sum of their likenesses; None if there are none or one is no typing error."""
    differences: list[LabelDifference] = []
    nearness = 0.0
    for key, value in required.items():
        value_found = labels.get(key)
        if value_found == value:
            continue
        if value_found is not None:
            near = likeness(value, value_found) if misspelled(value, value_found) else 0.0
            found_key = key
        else:
            near, found_key = _nearest_key(key, value, required, labels)
            value_found = labels.get(found_key, "")
        if near < PLAUSIBLE:
            return None
        nearness += near
        differences.append(LabelDifference(key, value, value_found, found_key))
    return (tuple(differences), nearness) if differences else None


def _nearest_key(key: str, value: str, required: Mapping[str, str], labels: Mapping[str, str]) -> tuple[float, str]:
    """The likeness and the key of the label that most likely stands for `key`; likeness 0 if there is none."""
    best = (0.0, key)
    for candidate, candidate_value in labels.items():
        if candidate in required:
            continue
        alike = likeness(key, candidate)
        if candidate_value == value and value not in _SAYS_NOTHING:
            near = PLAUSIBLE + (1 - PLAUSIBLE) * alike
        elif misspelled(key, candidate) and (candidate_value == value or misspelled(value, candidate_value)):
            near = alike * likeness(value, candidate_value)
        else:
            continue
        if near > best[0]:
            best = (near, candidate)
    return best
