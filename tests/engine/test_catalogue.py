"""Diagnostics come through entry points, and a broken package is named."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.cluster import Pod
from kubedoctor.cluster.relations.neighbours import NEIGHBOURS
from kubedoctor.engine import catalogue as module
from kubedoctor.engine import load_catalogue, load_package
from kubedoctor.engine.catalogue import assemble
from kubedoctor.engine.installed import packages
from kubedoctor.findings import Explains
from kubedoctor.problems import PluginProblem
from tests.engine.clinic import made

GOOD = '''"""A thing is wrong.

## What it means
a
## Why it happens
b
## How to fix it
c
## References
d
"""
from kubedoctor.cluster import Pod
from kubedoctor.findings import Severity, diagnostic

@diagnostic(code="{code}", subject=Pod, severity=Severity.NOTICE, reads=())
def wrong_thing(pod, cluster):
    yield from ()
'''


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write packages, and let the catalogue find them beside the built-in one."""
    monkeypatch.syspath_prepend(str(tmp_path))
    points: list[Any] = []

    def write(package: str, **modules: str) -> None:
        folder = tmp_path / package / "area"
        folder.mkdir(parents=True)
        (tmp_path / package / "__init__.py").write_text("")
        (folder / "__init__.py").write_text("")
        for name, text in modules.items():
            (folder / f"{name}.py").write_text(text)
        importlib.invalidate_caches()
        points.append(packages.Package(package, package, f"{package}-dist"))

    monkeypatch.setattr(packages, "entry_points", lambda group: points if group == module.GROUP else ())
    load_catalogue.cache_clear()
    before = set(sys.modules)
    yield write
    load_catalogue.cache_clear()
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in {point.name for point in points}:
            del sys.modules[name]


def test_a_package_brings_its_diagnostics(plugin: Any) -> None:
    plugin("acme_checks", wrong_thing=GOOD.format(code="AC1001"))
    catalogue = load_catalogue()
    (one,) = catalogue.diagnostics
    assert (one.id, one.code, one.package, one.title) == (
        "area/wrong-thing",
        "AC1001",
        "acme_checks",
        "A thing is wrong",
    )
    assert catalogue.find("ac1001") is catalogue.find("wrong-thing") is catalogue.find("area/wrong_thing") is one
    assert catalogue.find("nothing") is None


def test_words_of_the_api_lead_to_pages_the_most_typical_first() -> None:
    def killed(pod: Any, cluster: Any) -> Any:
        yield from ()

    def crashes(pod: Any, cluster: Any) -> Any:
        yield from ()

    def evicted(pod: Any, cluster: Any) -> Any:
        yield from ()

    catalogue = assemble(
        [
            made(killed, code="KD9003", subject=Pod, symptoms=("OOMKilled", "exit code 137")),
            made(crashes, code="KD9002", subject=Pod, symptoms=("CrashLoopBackOff", "Error", "exit code 137")),
            made(evicted, code="KD9001", subject=Pod, symptoms=("503",), also_known_as=("Eviction",)),
        ]
    )

    def codes(words: str) -> list[str]:
        return [page.code for page in catalogue.pages(words)]

    assert codes("oomkilled") == codes("test/killed") == ["KD9003"]
    for words in ("exit code 137", "137", "Exit  Code: 137", "exit 137", "exitCode=137"):
        assert codes(words) == ["KD9003", "KD9002"], words
    assert codes("50") == codes("") == codes("killed137") == []
    assert codes("EVICTION") == codes("503") == ["KD9001"]
    assert {"OOMKilled", "KD9001", "Eviction", "test/killed", "killed"} <= set(catalogue.words())


def test_a_broken_module_is_named_and_the_others_are_used(plugin: Any) -> None:
    plugin("acme_checks", wrong_thing=GOOD.format(code="AC1001"), broken="import no_such_module_anywhere")
    catalogue = load_catalogue()
    assert [one.code for one in catalogue.diagnostics] == ["AC1001"]
    (problem,) = catalogue.problems
    assert problem == (
        "package acme_checks-dist: acme_checks.area.broken cannot be imported: No module named 'no_such_module_anywhere'"
    )


def test_what_a_broken_module_raises_is_named_by_its_type(plugin: Any) -> None:
    plugin("acme_checks", broken="{}['hour']")
    (problem,) = load_catalogue().problems
    assert problem.endswith("acme_checks.area.broken cannot be imported: KeyError: 'hour'")
    (traceback,) = load_catalogue().tracebacks
    assert "broken.py" in traceback
    assert traceback.endswith("KeyError: 'hour'\n")


def test_a_package_that_does_not_exist_is_named(plugin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    point = packages.Package("gone", "gone")
    monkeypatch.setattr(packages, "entry_points", lambda group: [point])
    assert load_catalogue().problems == (
        "the diagnostics of package gone (gone) cannot be imported: No module named 'gone'",
    )


def test_a_code_is_given_once(plugin: Any) -> None:
    plugin("acme_checks", wrong_thing=GOOD.format(code="AC1001"))
    plugin("other_checks", wrong_other=GOOD.format(code="AC1001"))
    catalogue = load_catalogue()
    assert [one.package for one in catalogue.diagnostics] == ["acme_checks"]
    assert (
        "other_checks: area/wrong-other has the code or id of area/wrong-thing (acme_checks)" in catalogue.problems[0]
    )


def test_a_code_that_is_none_is_refused(plugin: Any) -> None:
    plugin("acme_checks", wrong_thing=GOOD.format(code="oops"))
    assert "'oops' is not a code" in load_catalogue().problems[0]
    with pytest.raises(PluginProblem, match="'oops' is not a code"):
        load_package(importlib.import_module("acme_checks"))


def test_diagnostics_are_sorted() -> None:
    def zebra(one: Any, cluster: Any) -> Any:
        yield from ()

    def ant(one: Any, cluster: Any) -> Any:
        yield from ()

    both = [made(zebra, code="KD9001", subject=Pod), made(ant, code="KD9002", subject=Pod)]
    assert [one.id for one in assemble(both).diagnostics] == ["test/ant", "test/zebra"]


RELATIONS = """
from kubedoctor.cluster import Pod, Ref
from kubedoctor.cluster.relations.related import related
from kubedoctor.findings.relations import cause_relation
from acme_checks.area.wrong_thing import wrong_thing

@related(Pod)
def certificate(pod, cluster):
    yield Ref("Certificate.acme.example", pod.namespace, "tls")

@cause_relation("{name}")
def certifies(symptom, family):
    yield from ()
"""


def test_a_package_brings_relations_that_come_after_the_built_in_ones(plugin: Any) -> None:
    plugin("acme_checks", wrong_thing=GOOD.format(code="AC1001"), neighbours=RELATIONS.format(name="certifies"))
    catalogue = load_catalogue()
    assert not catalogue.problems
    assert len(catalogue.diagnostics) == 1, "a diagnostic that another module imports counts once"
    assert catalogue.related[:-1] == NEIGHBOURS
    assert catalogue.related[-1].name == "acme_checks.area.neighbours.certificate"
    assert [one.name for one in catalogue.relations][-2:] == ["affects", "certifies"]


def test_a_relation_is_declared_once(plugin: Any) -> None:
    plugin("acme_checks", wrong_thing=GOOD.format(code="AC1001"), neighbours=RELATIONS.format(name="runs"))
    catalogue = load_catalogue()
    assert catalogue.problems == ("acme_checks.area.neighbours: relation runs exists already; the second is ignored",)
    assert len(catalogue.diagnostics) == 1


def test_a_diagnostic_that_explains_along_no_relation_is_left_out() -> None:
    one = made(silent, code="KD9001", subject=Pod, explains=(Explains("select"),))
    catalogue = assemble([one])
    assert catalogue.diagnostics == ()
    assert catalogue.problems[0].endswith(
        "test/silent explains along relation 'select', which does not exist; relations: calls, configures, converts, isolates, mounts, proxied, runs,"
        " same, selects, affects; it is ignored"
    )


def test_a_retired_code_is_not_given_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module.RETIRED_CODES, "KD9001", "see KD9002")
    catalogue = assemble([made(silent, code="KD9001", subject=Pod), made(silent_too, code="KD9002", subject=Pod)])
    assert [one.code for one in catalogue.diagnostics] == ["KD9002"]
    assert catalogue.problems[0].endswith("test/silent has the retired code KD9001 (see KD9002); it is ignored")


def silent(one: Any, cluster: Any) -> Any:
    yield from ()


def silent_too(one: Any, cluster: Any) -> Any:
    yield from ()
