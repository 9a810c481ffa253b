"""Versions of Kubernetes and of its APIs (`apimachinery/pkg/util/version`, `pkg/version`, v1.37)."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later

_VERSION: Final = compiled_later(r"[\t\n\f\r ]*v?([0-9]+(?:\.[0-9]+)*)(.*)")
_IDENTIFIERS: Final = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_EXTRA: Final = compiled_later(rf"(?:-({_IDENTIFIERS}))?(?:\+({_IDENTIFIERS}))?[\t\n\f\r ]*")
_LARGEST: Final = (1 << 64) - 1


class VersionError(ValueError):
    """A text that is not a version; the text of the error is a sentence for a person."""


class Version:
    """A release such as `v1.37.2-gke.1+abc`, in order of release.

    Semantic versions compare by pre-release too, never by build metadata. If one of two is not
    semantic (`1.29+` of `/version` is not), only the numbers count, and missing ones are zero.
    """

    __slots__ = ("build", "components", "pre_release", "semantic", "suffix")

    components: tuple[int, ...]
    pre_release: str
    build: str
    semantic: bool
    suffix: str
    """The text after the numbers, as written: `-gke.1+abc`, `+`."""

    def __init__(
        self,
        components: tuple[int, ...],
        suffix: str = "",
        *,
        semantic: bool = False,
        pre_release: str = "",
        build: str = "",
    ) -> None:
        self.components = components
        self.suffix = suffix
        self.semantic = semantic
        self.pre_release = pre_release
        self.build = build

    @classmethod
    def parse(cls, text: str) -> Version:
        """Reads a semantic version, or else two or more numbers and anything behind them; raises VersionError."""
        match = _VERSION.fullmatch(text)
        if match is None:
            raise VersionError(f"{text!r} is not a version.")
        numbers, suffix = match[1].split("."), match[2]
        extra = _EXTRA.fullmatch(suffix)
        if extra is not None and len(numbers) == 3 and not any(map(_zero_prefixed, numbers)):
            pre_release = extra[1] or ""
            if not any(map(_zero_prefixed, filter(_is_number, pre_release.split(".")))):
                components = _components(text, numbers)
                return cls(components, suffix.strip(), semantic=True, pre_release=pre_release, build=extra[2] or "")
        if len(numbers) < 2:
            raise VersionError(f"{text!r} is not a version: at least two numbers are needed, such as 1.37.")
        if _zero_prefixed(numbers[0]):
            raise VersionError(f"{text!r} is not a version: a number has a leading zero.")
        return cls(_components(text, numbers), suffix.strip())

    @property
    def major(self) -> int:
        """1 in every release of Kubernetes so far."""
        return self.components[0]

    @property
    def minor(self) -> int:
        """The release line: 37 of 1.37.2."""
        return self.components[1]

    @property
    def patch(self) -> int:
        """0 if the version does not have one."""
        return self.components[2] if len(self.components) > 2 else 0

    def __str__(self) -> str:
        return ".".join(map(str, self.components)) + self.suffix

    def __repr__(self) -> str:
        return f"Version({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return self._compared(other) == 0 if isinstance(other, Version) else NotImplemented

    def __hash__(self) -> int:
        return hash(_without_trailing_zeros(self.components))

    def __lt__(self, other: Version) -> bool:
        return self._compared(other) < 0

    def __le__(self, other: Version) -> bool:
        return self._compared(other) <= 0

    def __gt__(self, other: Version) -> bool:
        return self._compared(other) > 0

    def __ge__(self, other: Version) -> bool:
        return self._compared(other) >= 0

    def _compared(self, other: Version) -> int:
        mine, theirs = _without_trailing_zeros(self.components), _without_trailing_zeros(other.components)
        if mine != theirs:
            return 1 if mine > theirs else -1
        if not (self.semantic and other.semantic) or self.pre_release == other.pre_release:
            return 0
        if not (self.pre_release and other.pre_release):
            return -1 if self.pre_release else 1
        return _compared_identifiers(self.pre_release.split("."), other.pre_release.split("."))


def _compared_identifiers(mine: list[str], theirs: list[str]) -> int:
    for first, two in zip(mine, theirs, strict=False):
        if _is_number(first) and _is_number(two):
            if int(first) != int(two):
                return 1 if int(first) > int(two) else -1
        elif first != two:
            return 1 if first > two else -1
    return (len(mine) > len(theirs)) - (len(mine) < len(theirs))


def _is_number(text: str) -> bool:
    """Whether the text is a whole number of 64 bits, as upstream's `ParseUint` decides."""
    return text.isascii() and text.isdigit() and (len(text) < 20 or int(text.lstrip("0")[:21] or "0") <= _LARGEST)


def _zero_prefixed(number: str) -> bool:
    return number.startswith("0") and number != "0"


def _components(text: str, numbers: list[str]) -> tuple[int, ...]:
    if not all(map(_is_number, numbers)):
        raise VersionError(f"{text!r} is not a version: a number is too long.")
    return tuple(int(number.lstrip("0") or "0") for number in numbers)


def _without_trailing_zeros(components: tuple[int, ...]) -> tuple[int, ...]:
    end = len(components)
    while end and not components[end - 1]:
        end -= 1
    return components[:end]
