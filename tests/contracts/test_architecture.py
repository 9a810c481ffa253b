"""The shape of the code, read from its syntax: no circles of imports, small files and folders, one name for one thing.

Imports under TYPE_CHECKING and inside functions count: they hide a circle, they do not remove it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("kubedoctor", "diagnostics")

LONGEST_FILE = 400
FULLEST_FOLDER = 15

LONG_FILES: Mapping[str, str] = {}
"""Files that may be longer, and why they are still one thing."""

FULL_FOLDERS: Mapping[str, str] = {
    "kubedoctor/cli/commands": "one module for each command, which is its name",
    "kubedoctor/cluster/kinds": "one module for each API group, and the parts that they share",
    "kubedoctor/replay/scheduler/plugins": "one module for each filter plugin of the scheduler",
}
"""Folders that may hold more modules, and why they are still one thing."""

SHARED_NAMES: Mapping[str, str] = {
    "NodeAffinity": "Kubernetes calls both the field of a pod and the scheduler's plugin so",
}
"""Public classes that several modules define under one name, and why that is right."""


@cache
def modules() -> Mapping[str, Path]:
    """Every module of the packages, by its dotted name."""
    found: dict[str, Path] = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def syntax(name: str) -> ast.Module:
    return ast.parse(modules()[name].read_text(encoding="utf-8"))


def imports_of(name: str, tree: ast.Module, known: Iterable[str]) -> Iterator[str]:
    """The modules among `known` that a module imports anywhere in its text. `from P import x` names the module `P.x`
    where there is one, else `P`."""
    known = frozenset(known)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno} imports relatively"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                if inner in known:
                    yield inner
                elif node.module in known:
                    yield node.module or ""


def circles(graph: Mapping[str, Iterable[str]]) -> list[tuple[str, ...]]:
    """The groups of modules that reach one another (Tarjan's strongly connected components), sorted."""
    index: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[tuple[str, ...]] = []

    def visit(name: str) -> None:
        index[name] = lowest[name] = len(index)
        stack.append(name)
        for target in graph.get(name, ()):
            if target not in index:
                visit(target)
                lowest[name] = min(lowest[name], lowest[target])
            elif target in stack:
                lowest[name] = min(lowest[name], index[target])
        if lowest[name] == index[name]:
            group = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(group) > 1:
                found.append(tuple(sorted(group)))

    for name in sorted(graph):
        if name not in index:
            visit(name)
    return sorted(found)


def import_graph() -> Mapping[str, tuple[str, ...]]:
    return {name: tuple(sorted(set(imports_of(name, syntax(name), modules())) - {name})) for name in modules()}


def public_classes() -> Mapping[str, list[str]]:
    """The modules that define each public class."""
    found: dict[str, list[str]] = {}
    for name in modules():
        for node in syntax(name).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(name)
    return found


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles(import_graph()) == []


@pytest.mark.parametrize(
    ("graph", "groups"),
    [
        ({"a": ["b"], "b": ["c"], "c": []}, []),
        ({"a": ["b"], "b": ["a"], "c": ["a"]}, [("a", "b")]),
        ({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["e"], "e": ["d"]}, [("a", "b", "c"), ("d", "e")]),
    ],
)
def test_a_circle_is_seen(graph: Mapping[str, Iterable[str]], groups: list[tuple[str, ...]]) -> None:
    assert circles(graph) == groups


def test_imports_that_wait_count_too() -> None:
    text = "if TYPE_CHECKING:\n    from p.a import A\ndef f():\n    from p import b\n    import p.c\n"
    assert set(imports_of("p.d", ast.parse(text), ("p", "p.a", "p.b", "p.c"))) == {"p.a", "p.b", "p.c"}


def test_files_are_short_or_say_why_not() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in modules().values()}
    assert {path for path, length in lengths.items() if length > LONGEST_FILE} == set(LONG_FILES)


def test_folders_hold_few_modules_or_say_why_not() -> None:
    sizes: dict[str, int] = {}
    for path in modules().values():
        if path.name != "__init__.py":
            folder = str(path.parent.relative_to(ROOT))
            sizes[folder] = sizes.get(folder, 0) + 1
    assert {path for path, size in sizes.items() if size > FULLEST_FOLDER} == set(FULL_FOLDERS)


def test_a_public_class_has_a_name_of_its_own() -> None:
    shared = {name: where for name, where in public_classes().items() if len(where) > 1}
    assert set(shared) == set(SHARED_NAMES), shared


def test_no_thread_changes_the_random_numbers_of_others() -> None:
    """Functions of `random` share one state in a process: who seeds it gets other numbers where a thread draws too."""
    drawn = [
        f"{name}:{node.lineno} random.{node.attr}"
        for name in modules()
        for node in ast.walk(syntax(name))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "random"
        if node.attr not in ("Random", "SystemRandom")
    ]
    assert drawn == []
