"""Which diagnostics there are: found through the entry points `kubedoctor.diagnostics`.

Separate steps: find the packages, import their modules, take the diagnostics, sort, and check for doubles.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
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

    def find(self, words: str) -> Diagnostic[Any] | None:
        """The most likely of the pages."""
        return next(iter(self.pages(words)), None)

    def pages(self, words: str) -> tuple[Diagnostic[Any], ...]:
        """Those that the words lead to, most likely first: a code or an id leads to its own, else what the pages declare as
        names and symptoms, else the last part of an id. Upper and lower case, `-` and `_` make no difference.
        """
        wanted = _plain(words)
        own = tuple(page for page in self.diagnostics if wanted in (_plain(page.code), _plain(page.id)))
        if own:
            return own
        ranked = [(rank, page) for page in self.diagnostics if (rank := _rank(wanted, page)) is not None]
        if ranked:
            return tuple(page for _, page in sorted(ranked, key=lambda pair: (pair[0], pair[1].code)))
        tails = tuple(page for page in self.diagnostics if _plain(page.id.rpartition("/")[2]) == wanted)
        return tails if len(tails) == 1 else ()

    def words(self) -> tuple[str, ...]:
        """Everything that leads to a page, as people write it, sorted: codes, ids and their last parts, names, symptoms."""
        words: set[str] = set()
        for page in self.diagnostics:
            words |= {page.code, page.id, page.id.rpartition("/")[2], *page.also_known_as, *page.symptoms}
        return tuple(sorted(words))


def _plain(words: str) -> str:
    """The words as they are compared; a number up to 255 alone is an exit code."""
    plain = " ".join(words.lower().replace("_", "-").split())
    plain = re.sub(r"^exit ?(?:code)?[ :=]+", "", plain)
    return f"exit code {int(plain)}" if re.fullmatch(r"\d{1,3}", plain) and int(plain) <= 255 else plain


def _rank(wanted: str, page: Diagnostic[Any]) -> int | None:
    """How typical it is that the page is the right one, 0 the most; None where it does not have the word."""
    if wanted in map(_plain, page.also_known_as):
        return 0
    return next((rank for rank, symptom in enumerate(page.symptoms) if _plain(symptom) == wanted), None)


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
