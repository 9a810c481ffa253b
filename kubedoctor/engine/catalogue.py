"""The installed diagnostics and relations, found through the entry points `kubedoctor.diagnostics`.

Separate steps: find the packages, take what their modules declare (or what was kept of it), sort, and check for doubles.
"""

from __future__ import annotations

import contextlib
import importlib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import ModuleType
from typing import Any

import msgspec

from kubedoctor.cluster.grammar.credentials import without_credentials
from kubedoctor.cluster.kinds.manifests import GROUP as OWN_GROUP
from kubedoctor.cluster.kinds.meta import CustomResource, KubernetesObject
from kubedoctor.cluster.kinds.references import kind_name
from kubedoctor.cluster.relations.neighbours import NEIGHBOURS
from kubedoctor.cluster.relations.related import Related
from kubedoctor.engine.installed.declarations import keep, kept_of, sources_of
from kubedoctor.engine.installed.packages import packages
from kubedoctor.findings import Diagnostic
from kubedoctor.findings.diagnostic import EXTENSIONS
from kubedoctor.findings.relations import BLAMED, RELATIONS, CauseRelation
from kubedoctor.problems import PluginProblem

GROUP = "kubedoctor.diagnostics"
RETIRED_CODES: dict[str, str] = {}
"""Codes of removed diagnostics, with their replacements; they are never reused."""

Declared = Diagnostic[Any] | Related | CauseRelation


class Unusable(msgspec.Struct, frozen=True):
    """Why a package or module cannot be used: a sentence, and where it raised."""

    sentence: str
    traceback: str = ""


class Catalogue(msgspec.Struct, frozen=True):
    """Diagnostics sorted by id; the relations between objects, nearest first.

    problems: packages and modules that could not be used, a sentence each. tracebacks: of those that raised.
    """

    diagnostics: tuple[Diagnostic[Any], ...]
    problems: tuple[str, ...] = ()
    tracebacks: tuple[str, ...] = ()
    related: tuple[Related, ...] = NEIGHBOURS
    relations: tuple[CauseRelation, ...] = RELATIONS
    _by_subject: dict[str, tuple[Diagnostic[Any], ...]] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        groups: dict[str, list[Diagnostic[Any]]] = {}
        for diagnostic in self.diagnostics:
            for kind in diagnostic.subject_kinds:
                groups.setdefault(kind, []).append(diagnostic)
        self._by_subject.update({kind: tuple(members) for kind, members in groups.items()})

    def about(self, kind: str) -> tuple[Diagnostic[Any], ...]:
        """The diagnostics whose subject is of this kind."""
        return self._by_subject.get(kind, ())

    def about_object(self, obj: KubernetesObject) -> tuple[Diagnostic[Any], ...]:
        """The diagnostics of the object's kind, and those about the objects of all custom kinds where it is one."""
        return (*self.about(kind_name(obj)), *(self.about(EXTENSIONS) if isinstance(obj, CustomResource) else ()))

    @property
    def subjects(self) -> tuple[str, ...]:
        """The kinds that have diagnostics, sorted."""
        return tuple(sorted(self._by_subject.keys() - {EXTENSIONS}))

    def reads(self) -> frozenset[str]:
        """Every kind of a cluster that some diagnostic reads."""
        read = frozenset[str]().union(*(diagnostic.read_kinds for diagnostic in self.diagnostics))
        return frozenset(kind for kind in read if not kind.endswith(OWN_GROUP))

    def find(self, words: str) -> Diagnostic[Any] | None:
        """The most likely page."""
        return next(iter(self.pages(words)), None)

    def pages(self, words: str) -> tuple[Diagnostic[Any], ...]:
        """The pages that match the words, most likely first: by code or id, else by the names and symptoms that the
        pages declare, else by the last part of an id. Upper and lower case, `-` and `_` make no difference.
        """
        term = _plain(words)
        own = tuple(page for page in self.diagnostics if term in (_plain(page.code), _plain(page.id)))
        if own:
            return own
        ranked = [(rank, page) for page in self.diagnostics if (rank := _rank(term, page)) is not None]
        if ranked:
            return tuple(page for _, page in sorted(ranked, key=lambda pair: (pair[0], pair[1].code)))
        tails = tuple(page for page in self.diagnostics if _plain(page.id.rpartition("/")[2]) == term)
        return tails if len(tails) == 1 else ()

    def words(self) -> tuple[str, ...]:
        """All words that match a page, as people write them, sorted: codes, ids and their last parts, names,
        symptoms."""
        words: set[str] = set()
        for page in self.diagnostics:
            words |= {page.code, page.id, page.id.rpartition("/")[2], *page.also_known_as, *page.symptoms}
        return tuple(sorted(words))


def _plain(words: str) -> str:
    """The words in the form that is compared; a number up to 255 alone is an exit code."""
    plain = " ".join(words.lower().replace("_", "-").split())
    plain = re.sub(r"^exit ?(?:code)?[ :=]+", "", plain)
    return f"exit code {int(plain)}" if re.fullmatch(r"\d{1,3}", plain) and int(plain) <= 255 else plain


def _rank(term: str, page: Diagnostic[Any]) -> int | None:
    """How well the page matches the term, 0 is best; None where it does not."""
    if term in map(_plain, page.also_known_as):
        return 0
    return next((rank for rank, symptom in enumerate(page.symptoms) if _plain(symptom) == term), None)


@cache
def load_catalogue() -> Catalogue:
    """What all installed packages declare. A broken package is a problem; the others are used."""
    declared: list[Declared] = []
    problems: list[Unusable] = []
    for point in packages(GROUP):
        package = point.distribution or point.name
        try:
            module = point.load()
        except Exception as error:  # noqa: BLE001  # a third-party package may raise anything when it is imported
            problems.append(_raised(f"the diagnostics of package {package} ({point.value})", error))
            continue
        if not isinstance(module, ModuleType):
            problems.append(Unusable(f"package {package}: its entry point {point.value} is not a module"))
            continue
        declared.extend(_declared(module, package, problems))
    return assemble(declared, problems)


def _declared(package: ModuleType, name: str, problems: list[Unusable]) -> tuple[Declared, ...]:
    """What a package declares; its modules are imported only where that was not kept."""
    sources = sources_of(package)
    if kept := kept_of(package, sources):
        with contextlib.suppress(Exception):  # what is wrong with a module is found below
            return (*kept.diagnostics(), *_items(map(importlib.import_module, kept.modules)))
    broken: list[Unusable] = []
    items = tuple(_collect(package, name, broken))
    if broken:
        problems += broken
    else:
        keep(package, sources, items, _home)
    return items


def assemble(declared: Iterable[Declared], problems: Iterable[Unusable] = ()) -> Catalogue:
    """Sort, and leave out what cannot be used: of two diagnostics with one code or id, or two cause relations with one name,
    the first keeps it; a diagnostic that explains along a relation that no package declares is left out.
    """
    items = tuple(declared)
    unusable = tuple(problems)
    sentences = [problem.sentence for problem in unusable]
    relations = {relation.name: relation for relation in RELATIONS}
    for relation in sorted((item for item in items if isinstance(item, CauseRelation)), key=lambda item: item.name):
        if relations.setdefault(relation.name, relation) is not relation:
            where = relation.find.__module__
            sentences.append(f"{where}: relation {relation.name} exists already; the second is ignored")
    by_key: dict[str, Diagnostic[Any]] = {}
    accepted = []
    for diagnostic in (item for item in items if isinstance(item, Diagnostic)):
        if why := _unusable(diagnostic, by_key, relations):
            sentences.append(f"{diagnostic.package}: {diagnostic.id} {why}; it is ignored")
            continue
        by_key[diagnostic.code] = by_key[diagnostic.id] = diagnostic
        accepted.append(diagnostic)
    related = sorted((item for item in items if isinstance(item, Related)), key=lambda item: item.name)
    return Catalogue(
        diagnostics=tuple(sorted(accepted, key=lambda diagnostic: diagnostic.id)),
        problems=tuple(sentences),
        tracebacks=tuple(problem.traceback for problem in unusable if problem.traceback),
        related=(*NEIGHBOURS, *related),
        relations=tuple(relations.values()),
    )


def _unusable(
    diagnostic: Diagnostic[Any], by_key: Mapping[str, Diagnostic[Any]], relations: Mapping[str, CauseRelation]
) -> str:
    """Why a diagnostic cannot be used, as a clause; empty if it can."""
    rival = by_key.get(diagnostic.code) or by_key.get(diagnostic.id)
    if rival is not None:
        return f"has the code or id of {rival.id} ({rival.package})"
    if diagnostic.code in RETIRED_CODES:
        return f"has the retired code {diagnostic.code} ({RETIRED_CODES[diagnostic.code]})"
    unknown = sorted({explains.relation for explains in diagnostic.explains} - {*relations, BLAMED})
    if unknown:
        return f"explains along relation {unknown[0]!r}, which does not exist; relations: {', '.join(relations)}"
    return ""


def load_package(module: ModuleType) -> Catalogue:
    """What one package declares; raises PluginProblem if any of it cannot be used."""
    problems: list[Unusable] = []
    catalogue = assemble(_collect(module, module.__name__, problems), problems)
    if catalogue.problems:
        raise PluginProblem(catalogue.problems[0])
    return catalogue


def _collect(package: ModuleType, name: str, problems: list[Unusable]) -> Iterator[Declared]:
    import pkgutil  # only where declarations are not kept

    modules = [package]
    for info in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{package.__name__}."):
        try:
            modules.append(importlib.import_module(info.name))
        except Exception as error:  # noqa: BLE001  # one broken module must not break the others
            problems.append(_raised(f"package {name}: {info.name}", error))
    yield from _items(modules)


def _raised(what: str, error: Exception) -> Unusable:
    import traceback  # seldom needed

    where = without_credentials("".join(traceback.format_exception(error)))
    return Unusable(f"{what} cannot be imported: {_why(error)}", where)


def _why(error: Exception) -> str:
    """The text of an error, which only an import's own errors make clear without their type."""
    return str(error) if isinstance(error, ImportError | SyntaxError) else f"{type(error).__name__}: {error}"


def _items(modules: Iterable[ModuleType]) -> Iterator[Declared]:
    for module in modules:
        for value in vars(module).values():
            if isinstance(value, Diagnostic | Related | CauseRelation) and _home(value) == module.__name__:
                yield value


def _home(value: Declared) -> str:
    """The module that declares an item; other modules may import it."""
    return value.check.__module__ if isinstance(value, Diagnostic) else value.find.__module__
