"""The declarations of a package of diagnostics, kept beside its compiled modules, so that a check is imported only when
it runs.

They are written after an import without problems, read while each source that they were made from has the same time and
size, and written again after a change.
"""

import contextlib
import importlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from types import ModuleType
from typing import Any

import msgspec

import kubedoctor
from kubedoctor.cluster.kinds.references import kind_name
from kubedoctor.engine.installed import kept
from kubedoctor.findings import Diagnostic, Explains, Severity

_BELOW = ("answers", "cluster", "engine", "findings", "replay")
"""The packages of kubedoctor that declarations are made with."""
_VERSION = f"{kubedoctor.__version__} {sys.version}"
_FUNCTIONS = ("check", "when", "alike", "among")
Source = tuple[str, int, int]
"""The path, time of change and size of a file."""


class _Declaration(msgspec.Struct, frozen=True):
    """A diagnostic as data: kinds by name, functions as `module:name`."""

    id: str
    code: str
    subject: str
    severity: Severity
    reads: tuple[str, ...]
    check: str
    when: str | None
    alike: str | None
    among: str | None
    explains: tuple[Explains, ...]
    also_known_as: tuple[str, ...]
    symptoms: tuple[str, ...]
    also_subjects: tuple[str, ...]
    lesson: str
    package: str

    def diagnostic(self) -> Diagnostic[Any]:
        """The diagnostic; its functions are imported when they are first called."""
        fields = msgspec.structs.asdict(self)
        return Diagnostic(**fields | {name: imported_later(fields[name]) for name in _FUNCTIONS if fields[name]})


class Kept(msgspec.Struct, frozen=True):
    """What a package declares. `modules` declare something else than diagnostics, or a diagnostic that is no plain data:
    they are imported."""

    version: str
    sources: tuple[Source, ...]
    declarations: tuple[_Declaration, ...]
    modules: tuple[str, ...]

    def diagnostics(self) -> Iterator[Diagnostic[Any]]:
        """The diagnostics of the other modules."""
        return (declaration.diagnostic() for declaration in self.declarations)


class _Later:
    """A function that is imported when it is first called."""

    def __init__(self, place: str) -> None:
        self.__module__, _, self.__qualname__ = place.partition(":")
        self.__name__ = self.__qualname__
        self._function: Callable[..., Any] | None = None

    def __call__(self, *arguments: Any) -> Any:
        return (self._function or self.itself())(*arguments)

    def itself(self) -> Callable[..., Any]:
        """The function, imported now."""
        if self._function is None:
            self._function = _found(importlib.import_module(self.__module__), self.__qualname__)
        return self._function


@cache
def imported_later(place: str) -> Callable[..., Any]:
    """The function `module:name`: itself where its module is loaded, else one that imports it."""
    module, _, name = place.partition(":")
    loaded = sys.modules.get(module)
    function: Callable[..., Any] | None = _found(loaded, name) if loaded is not None else None
    return function or _Later(place)


def imported_now(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself, for many calls: each call of what is imported later is two."""
    return function.itself() if isinstance(function, _Later) else function


def kept_of(package: ModuleType, sources: tuple[Source, ...]) -> Kept | None:
    """The declarations of a package as they were kept; None where there are none or they were made of other sources."""
    known = kept.read(_place_of(package), Kept)
    return known if known is not None and (known.version, known.sources) == (_VERSION, sources) else None


def keep(package: ModuleType, sources: tuple[Source, ...], declared: Iterable[Any], home: Callable[[Any], str]) -> None:
    """Keep what a package declares, where compiled modules are kept. sources: from before they were imported. home: the
    module that declares an item."""
    rows: dict[str, list[_Declaration | None]] = {}
    for item in declared:
        rows.setdefault(home(item), []).append(_as_data(item))
    content = Kept(
        _VERSION,
        sources,
        tuple(row for found in rows.values() if None not in found for row in found if row is not None),
        tuple(module for module, found in rows.items() if None in found),
    )
    kept.write(_place_of(package), content)


def _as_data(item: Any) -> _Declaration | None:
    """A diagnostic as data; None for what is no diagnostic, or has a function that no module has by name."""
    if not isinstance(item, Diagnostic):
        return None
    functions = {name: getattr(item, name) for name in _FUNCTIONS}
    places = {name: _named(function) if function else None for name, function in functions.items()}
    if any(function and not places[name] for name, function in functions.items()):
        return None
    fields = {name: getattr(item, name) for name in _Declaration.__struct_fields__} | places
    kinds = {"reads": tuple(map(kind_name, item.reads)), "also_subjects": tuple(map(kind_name, item.also_subjects))}
    return _Declaration(**fields | kinds | {"subject": item.subject_kind})


def _named(function: Any) -> str | None:
    """`module:name`, where the function is found there."""
    module, name = getattr(function, "__module__", ""), getattr(function, "__qualname__", "")
    found = _found(sys.modules[module], name) if module in sys.modules else None
    return f"{module}:{name}" if found is function else None


def _found(module: ModuleType, name: str) -> Any:
    """The function of a name; a diagnostic's name stands for its check."""
    value = getattr(module, name, None)
    return value.check if isinstance(value, Diagnostic) else value


def _place_of(package: ModuleType) -> str | None:
    return kept.place_of(getattr(package, "__file__", None), "declarations")


def sources_of(package: ModuleType) -> tuple[Source, ...]:
    """All sources that declarations are made from, sorted."""
    own = os.path.dirname(str(kubedoctor.__file__))
    folders = [*getattr(package, "__path__", ()), *(os.path.join(own, name) for name in _BELOW)]
    return tuple(sorted(found for folder in folders for found in _files(folder)))


def _files(folder: str) -> Iterator[Source]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                status = entry.stat()
                yield entry.path, status.st_mtime_ns, status.st_size
            elif entry.name != "__pycache__" and entry.is_dir():
                yield from _files(entry.path)
