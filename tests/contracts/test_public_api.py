"""What authors of plug-ins import is public: flat names, and the few modules below them that are meant to be imported."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLAT = ("kubedoctor.answers", "kubedoctor.cluster", "kubedoctor.engine", "kubedoctor.findings", "kubedoctor.testing")
DEEP = (
    "kubedoctor.replay",  # an algorithm of Kubernetes is named by the module that holds it
    "kubedoctor.answers",  # so is the answer to a question; `proof` stays apart, for it loads every algorithm
    "kubedoctor.cluster.changes",  # its verbs, `put` or `delete`, are read with the module's name in mind
    "kubedoctor.problems",
)
"""Modules whose submodules are public too."""
PLUGINS = (ROOT / "diagnostics", ROOT / "tests" / "third_party" / "acme" / "acme_diagnostics")
PAGES = [path for folder in PLUGINS for path in sorted(folder.rglob("*.py"))]


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """The modules of kubedoctor that a file imports from, with the names."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kubedoctor"):
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.startswith("kubedoctor"))


def is_public(module: str, name: str) -> bool:
    if module in FLAT and name in importlib.import_module(module).__all__:
        return True
    return any(module == deep or module.startswith(f"{deep}.") for deep in DEEP) and not name.startswith("_")


@pytest.mark.parametrize("module", FLAT)
def test_a_public_package_lists_its_names_and_has_them(module: str) -> None:
    package = importlib.import_module(module)
    source = ast.parse(Path(package.__file__ or "").read_text())
    imported = {
        alias.asname or alias.name
        for node in ast.walk(source)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert package.__doc__
    assert set(package.__all__) == imported
    assert len(package.__all__) == len(set(package.__all__))
    modules = [name for name in package.__all__ if isinstance(getattr(package, name), ModuleType)]
    assert not modules, "a module of that name hides what is imported at first use"


@pytest.mark.parametrize("path", PAGES, ids=[str(path.relative_to(ROOT)) for path in PAGES])
def test_plug_ins_import_public_names_only(path: Path) -> None:
    hidden = [f"{module}.{name}" for module, name in imports(path) if not is_public(module, name)]
    assert not hidden, f"not public: {', '.join(hidden)}"
