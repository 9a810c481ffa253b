"""The version of a runtime that a program needs, and the version that its image has, as runtimes and package managers log it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later

LINES_OF_A_STATEMENT: Final = 14
_FIRST_CLASS_FILE: Final = 44
"""The version of the class files of Java 1.0: each release counts one up."""

_VERSION: Final = r"v?\d+(?:\.\w+)*(?:-[\w.]+)?"
_ONE: Final = r"[\^~<>=!]*\s*v?\d[\w.*-]*\+?"
_RANGE: Final = rf"{_ONE}(?:\s*(?:,|\|\|?|\bor\b|&&?|\s)\s*{_ONE})*"
_WORDINGS: Final = (
    (
        "Ruby",
        compiled_later(rf"Your Ruby version is (?P<has>{_VERSION}), but your Gemfile specified (?P<needs>{_RANGE})"),
    ),
    (
        "PHP",
        compiled_later(rf"require a PHP version \"(?P<needs>[^\"]+)\"\. You are running (?P<has>{_VERSION})"),
    ),
    ("PHP", compiled_later(rf"requires php (?P<needs>{_RANGE}) but your php version \((?P<has>{_VERSION})")),
    (
        "Node.js",
        compiled_later(
            rf"engine \"node\" is incompatible.*Expected version \"(?P<needs>[^\"]+)\"\. Got \"(?P<has>{_VERSION})\""
        ),
    ),
    (
        "Node.js",
        compiled_later(
            rf"You are using Node\.js (?P<has>{_VERSION})\. .*?Node\.js version (?:\"(?P<needs>[^\"]+)\"|(?P<plain>{_RANGE}))"
        ),
    ),
    ("Python", compiled_later(rf"requires a different Python: (?P<has>{_VERSION}) not in '(?P<needs>[^']+)'")),
    (
        "Python",
        compiled_later(rf"requires Python '?(?P<needs>{_RANGE})'? but the running Python is (?P<has>{_VERSION})"),
    ),
    ("Go", compiled_later(rf"requires go (?P<needs>{_RANGE}) \(running go ?(?P<has>{_VERSION})")),
    ("Perl", compiled_later(rf"Perl (?P<needs>{_VERSION}) required--this is only (?P<has>{_VERSION})")),
)
_CLASS_FILES: Final = compiled_later(
    r"class file version (?P<needs>\d+)\.\d+\), this version of the Java Runtime only recognizes class file versions up to"
    r" (?P<has>\d+)"
)
_NATIVE_MODULE: Final = compiled_later(
    r"NODE_MODULE_VERSION (?P<built>\d+)\. This version of Node\.js requires\s+NODE_MODULE_VERSION (?P<has>\d+)"
)
_DOTNET: Final = compiled_later(
    r"(?:You must install or update \.NET to run this application|not possible to find any compatible framework version)"
)
_DOTNET_NEEDS: Final = compiled_later(
    rf"(?:[Ff]ramework:? '(?P<framework>[\w.]+)', version '(?P<needs>{_VERSION})'|specified framework can be found)"
)
_DOTNET_HAS: Final = compiled_later(rf"(?P<has>{_VERSION}) at \[")


class RuntimeVersions(msgspec.Struct, frozen=True):
    """A runtime (`Ruby`), the version or range that the program needs, and what the image has; `has` is empty where it has
    none of it."""

    runtime: str
    needs: str
    has: str


def runtime_versions(lines: Sequence[str], index: int) -> RuntimeVersions | None:
    """What the statement says that begins at `index`; None where it names no two versions."""
    first = lines[index]
    statement = " ".join(line.strip() for line in lines[index : index + LINES_OF_A_STATEMENT])
    if _DOTNET.search(first):
        return _dotnet(statement)
    for runtime, wording in _WORDINGS:
        if found := wording.search(first):
            groups = found.groupdict()
            return RuntimeVersions(runtime, (groups["needs"] or groups.get("plain") or "").strip(), groups["has"])
    if found := _CLASS_FILES.search(first):
        needs, has = (str(int(found[name]) - _FIRST_CLASS_FILE) for name in ("needs", "has"))
        return RuntimeVersions("Java", needs, has)
    if (found := _NATIVE_MODULE.search(statement)) and "NODE_MODULE_VERSION" in " ".join(lines[index : index + 3]):
        return RuntimeVersions("NODE_MODULE_VERSION", found["built"], found["has"])
    return None


def stating_lines(lines: Sequence[str], index: int) -> tuple[int, ...]:
    """Of a statement over several lines, those below `index` that state the needed and the found version."""
    if not _DOTNET.search(lines[index]):
        return ()
    below = range(index + 1, min(len(lines), index + LINES_OF_A_STATEMENT))
    needs = next((place for place in below if _DOTNET_NEEDS.search(lines[place])), None)
    has = next((place for place in below if _DOTNET_HAS.search(lines[place])), None)
    return tuple(place for place in (needs, has) if place is not None)


def _dotnet(statement: str) -> RuntimeVersions | None:
    """Of `hostfxr`: the framework and its version, then each version that was found; several are listed."""
    needs = _DOTNET_NEEDS.search(statement)
    if needs is None or not needs["framework"]:
        return None
    found = [match["has"] for match in _DOTNET_HAS.finditer(statement, needs.end())]
    return RuntimeVersions(needs["framework"], needs["needs"], ", ".join(found))
