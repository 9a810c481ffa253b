"""Did you mean: the labels, names and keys that a person most likely wanted to write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from functools import lru_cache
from typing import NamedTuple

import msgspec

PLAUSIBLE = 0.6
"""From this likeness (difflib's ratio) on, two words may be one word and its misspelling."""

_SAYS_NOTHING = frozenset({"", "true", "false", "yes", "no"})
"""Values so common that finding one under another key means nothing."""


class LabelDifference(NamedTuple):
    """One wanted label, and what stands in its place: `found_key` equals `key` when only the value differs."""

    key: str
    wanted: str
    found: str
    found_key: str


class NearMiss(msgspec.Struct, frozen=True):
    """Labels that almost are the wanted ones."""

    labels: Mapping[str, str]
    differs: tuple[LabelDifference, ...]

    @property
    def text(self) -> str:
        """The labels as found, in kubectl's form: `app=checkout,tier=web`; only those that differ."""
        return ",".join(f"{each.found_key}={each.found}" for each in self.differs)


@lru_cache(maxsize=65536)
def likeness(one: str, other: str) -> float:
    """From 0, nothing in common, to 1, equal but for upper and lower case; the order of the two is irrelevant."""
    first, second = sorted((one.casefold(), other.casefold()))
    return SequenceMatcher(None, first, second, autojunk=False).ratio()


def nearest_word(word: str, words: Iterable[str], n: int = 3) -> tuple[str, ...]:
    """At most `n` of the words that `word` may be a misspelling of, the nearest first; never `word` itself."""
    near = [(likeness(word, each), each) for each in set(words) if each != word]
    near = sorted((each for each in near if each[0] >= PLAUSIBLE), key=lambda each: (-each[0], each[1]))
    return tuple(each for _, each in near[:n])


def nearest_labels(wanted: Mapping[str, str], candidates: Iterable[Mapping[str, str]]) -> NearMiss | None:
    """The candidate that was plausibly meant by `wanted`, or None.

    Candidates that have all the wanted labels are no misses and are passed over.
    """
    best: NearMiss | None = None
    best_score = (-1, 0.0)
    for labels in candidates:
        judged = _differences(wanted, labels)
        if judged is None:
            continue
        differs, nearness = judged
        score = (len(wanted) - len(differs), nearness)
        if score > best_score:
            best, best_score = NearMiss(labels, differs), score
    return best


def _differences(
    wanted: Mapping[str, str], labels: Mapping[str, str]
) -> tuple[tuple[LabelDifference, ...], float] | None:
    """The differences and the sum of their likenesses; None if there are none or one is no slip of the pen."""
    differs: list[LabelDifference] = []
    nearness = 0.0
    for key, value in wanted.items():
        found = labels.get(key)
        if found == value:
            continue
        if found is not None:
            near = likeness(value, found)
            found_key = key
        else:
            near, found_key = _nearest_key(key, value, wanted, labels)
            found = labels.get(found_key, "")
        if near < PLAUSIBLE:
            return None
        nearness += near
        differs.append(LabelDifference(key, value, found, found_key))
    return (tuple(differs), nearness) if differs else None


def _nearest_key(key: str, value: str, wanted: Mapping[str, str], labels: Mapping[str, str]) -> tuple[float, str]:
    """The likeness and the key of the label that most likely stands for `key`; likeness 0 if there is none."""
    best = (0.0, key)
    for other, found in labels.items():
        if other in wanted:
            continue
        alike = likeness(key, other)
        if found == value and value not in _SAYS_NOTHING:
            near = PLAUSIBLE + (1 - PLAUSIBLE) * alike
        elif alike >= PLAUSIBLE:
            near = alike * likeness(value, found)
        else:
            continue
        if near > best[0]:
            best = (near, other)
    return best
