"""Installed packages are found by their entry points, and found again when something is installed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import pytest

from kubedoctor.engine.installed import kept, packages
from kubedoctor.engine.installed.packages import GROUPS, Package, entry_points


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Install a distribution into a folder of the path; each call stands for a new process."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "compiled"))
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def write(name: str, version: str = "1", **groups: str) -> None:
        folder = site / f"{name}-{version}.dist-info"
        folder.mkdir(exist_ok=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        text = "".join(f"[kubedoctor.{group}]\n{line}\n" for group, line in groups.items())
        (folder / "entry_points.txt").unlink(missing_ok=True)
        (folder / "entry_points.txt").write_text(text)
        packages._entry_points.cache_clear()

    yield write
    packages._entry_points.cache_clear()


def test_the_kept_entry_points_equal_those_of_the_metadata(
    install: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    install("acme", diagnostics="acme = acme_checks", questions="acme = acme_questions")
    first = {group: entry_points(group) for group in GROUPS}
    assert Package("acme", "acme_checks", "acme") in first["kubedoctor.diagnostics"]
    assert Package("acme", "acme_questions", "acme") in first["kubedoctor.questions"]
    for group in GROUPS:
        assert {(one.name, one.value) for one in first[group]} == {
            (point.name, point.value) for point in metadata.entry_points(group=group)
        }
    packages._entry_points.cache_clear()
    monkeypatch.setattr(packages, "_found", lambda group: pytest.fail("the metadata is read again"))
    assert {group: entry_points(group) for group in GROUPS} == first


def test_what_is_installed_changed_or_removed_is_found(install: Callable[..., None], tmp_path: Path) -> None:
    def values() -> set[str]:
        packages._entry_points.cache_clear()
        return {one.value for one in entry_points("kubedoctor.diagnostics") if one.distribution.startswith("ac")}

    assert values() == set()
    install("acme", diagnostics="acme = acme_checks")
    assert values() == {"acme_checks"}
    install("acme", diagnostics="acme = acme_other_checks")
    assert values() == {"acme_other_checks"}
    install("acronym", diagnostics="acronym = acronym_checks")
    assert values() == {"acme_other_checks", "acronym_checks"}
    folder = tmp_path / "site" / "acme-1.dist-info"
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    assert values() == {"acronym_checks"}


def test_nothing_is_kept_where_compiled_modules_are_not(
    install: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    install("acme", diagnostics="acme = acme_checks")
    assert entry_points("kubedoctor.diagnostics")
    assert kept.read(kept.place_of(packages.__file__, "packages"), dict) is None


def test_an_entry_point_names_a_module_or_what_is_in_it() -> None:
    assert Package("one", "kubedoctor.problems").load() is sys.modules["kubedoctor.problems"]
    assert Package("one", "json : JSONDecoder.decode [extra]").load().__qualname__ == "JSONDecoder.decode"
    with pytest.raises(ModuleNotFoundError):
        Package("one", "no_such_module").load()
