"""Which diagnostics there are: found through the entry points `kubedoctor.diagnostics`.

Separate steps: find the packages, import their modules, take the diagnostics, sort, and check for doubles.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any

from kubedoctor.findings import Diagnostic
from kubedoctor.problems import PluginProblem

GROUP = "kubedoctor.diagnostics"


@dataclass(frozen=True)
class Catalogue:
    """Diagnostics sorted by id. `problems`: packages and modules that could not be used, a sentence each."""

    diagnostics: tuple[Diagnostic[Any], ...]
    problems: tuple[str, ...] = ()
    _by_subject: dict[str, tuple[Diagnostic[Any], ...]] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        groups: dict[str, list[Diagnostic[Any]]] = {}
        for one in self.diagnostics:
            for kind in one.subject_kinds:
                groups.setdefault(kind, []).append(one)
        self._by_subject.update({kind: tuple(members) for kind, members in groups.items()})

    def about(self, kind: str) -> tuple[Diagnostic[Any], ...]:
        """The diagnostics whose subject is of this kind."""
        return self._by_subject.get(kind, ())

    @property
    def subjects(self) -> tuple[str, ...]:
        """The kinds that have diagnostics, sorted."""
        return tuple(sorted(self._by_subject))

    def reads(self) -> frozenset[str]:
        """Every kind that some diagnostic reads."""
        return frozenset().union(*(one.read_kinds for one in self.diagnostics))

    def find(self, word: str) -> Diagnostic[Any] | None:
        """By code, by id, or by the last part of the id; any case."""
        wanted = word.lower().replace("_", "-")
        for one in self.diagnostics:
            if wanted in (one.code.lower(), one.id) or wanted in (code.lower() for code in one.also_known_as):
                return one
        tails = [one for one in self.diagnostics if one.id.rpartition("/")[2] == wanted]
        return tails[0] if len(tails) == 1 else None


@cache
def load_catalogue() -> Catalogue:
    """The diagnostics of all installed packages. A broken one is a problem; the others are used."""
    found: list[Diagnostic[Any]] = []
    problems: list[str] = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name != "kubedoctor", point.name)):
        package = point.dist.name if point.dist else point.name
        try:
            module = point.load()
        except Exception as error:  # noqa: BLE001  # a foreign package may raise anything when it is imported
            problems.append(f"the diagnostics of package {package} ({point.value}) cannot be imported: {error}")
            continue
        if not isinstance(module, ModuleType):
            problems.append(f"package {package}: its entry point {point.value} is not a module")
            continue
        found.extend(_collect(module, package, problems))
    return assemble(found, problems)


def assemble(diagnostics: Iterable[Diagnostic[Any]], problems: Iterable[str] = ()) -> Catalogue:
    """Sort, and leave out those whose code or id is taken; the first package keeps it."""
    taken: dict[str, Diagnostic[Any]] = {}
    said = list(problems)
    kept = []
    for one in diagnostics:
        rival = taken.get(one.code) or taken.get(one.id)
        if rival is not None:
            said.append(f"{one.package}: {one.id} has the code or id of {rival.id} ({rival.package}); it was left out")
            continue
        taken[one.code] = taken[one.id] = one
        kept.append(one)
    return Catalogue(tuple(sorted(kept, key=lambda one: one.id)), tuple(said))


def load_package(module: ModuleType) -> Catalogue:
    """The diagnostics of one package; raises PluginProblem if any of its modules cannot be used."""
    problems: list[str] = []
    found = list(_collect(module, module.__name__, problems))
    if problems:
        raise PluginProblem(problems[0])
    return assemble(found)


def _collect(package: ModuleType, name: str, problems: list[str]) -> Iterator[Diagnostic[Any]]:
    modules = [package]
    for info in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{package.__name__}."):
        try:
            modules.append(importlib.import_module(info.name))
        except Exception as error:  # noqa: BLE001  # one broken module must not cost the others
            problems.append(f"package {name}: {info.name} cannot be imported: {error}")
    for module in modules:
        for value in vars(module).values():
            if isinstance(value, Diagnostic) and value.check.__module__ == module.__name__:
                yield value
