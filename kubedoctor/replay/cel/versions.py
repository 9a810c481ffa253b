"""`semver("1.2.3")` (`apiserver/pkg/cel/library/semverlib.go`, v1.37)."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import Any, Final

KEY: Final = "kubernetes.semver"
_NUMBER: Final = r"(0|[1-9]\d*)"
_PATTERN: Final = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-((?:{_NUMBER}|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:{_NUMBER}|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?"
)
_LENIENT: Final = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?((?:-[^+]*)?(?:\+.*)?)")


def semver(text: str, *normalize: bool) -> dict[str, str]:
    """normalize: whether `v1.2` and `01.2.3` are versions too."""
    if any(normalize) and (match := _LENIENT.fullmatch(text)):
        numbers = ".".join(str(int(match[group] or 0)) for group in (1, 2, 3))
        text = numbers + match[4]
    if _PATTERN.fullmatch(text) is None:
        raise ValueError(f"no semantic version: {text}")
    return {KEY: text}


def is_semver(text: str, *normalize: bool) -> bool:
    """normalize: as of `semver`."""
    try:
        semver(text, *normalize)
    except ValueError:
        return False
    return True


def _numbers(value: Any) -> tuple[int, int, int]:
    first, second, third = value[KEY].partition("+")[0].partition("-")[0].split(".")
    return int(first), int(second), int(third)


def major(value: Any) -> int:
    """1 of `1.2.3`."""
    return _numbers(value)[0]


def minor(value: Any) -> int:
    """2 of `1.2.3`."""
    return _numbers(value)[1]


def patch(value: Any) -> int:
    """3 of `1.2.3`."""
    return _numbers(value)[2]


def compare(one: Any, other: Any) -> int:
    """-1, 0 or 1; a version before its release is smaller than the release."""
    left, right = _numbers(one), _numbers(other)
    if left != right:
        return 1 if left > right else -1
    before, after = _early(one), _early(other)
    if not before or not after:
        return (not before) - (not after)
    for mine, theirs in zip_longest(before, after):
        if mine == theirs:
            continue
        if mine is None or theirs is None:
            return -1 if mine is None else 1
        if mine.isdigit() != theirs.isdigit():
            return -1 if mine.isdigit() else 1
        is_more = int(mine) > int(theirs) if mine.isdigit() else mine > theirs
        return 1 if is_more else -1
    return 0


def _early(value: Any) -> list[str]:
    text = value[KEY].partition("+")[0].partition("-")[2]
    return text.split(".") if text else []


def is_less(one: Any, other: Any) -> bool:
    """Whether the first is older."""
    return compare(one, other) < 0


def is_greater(one: Any, other: Any) -> bool:
    """Whether the first is newer."""
    return compare(one, other) > 0
