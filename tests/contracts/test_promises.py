"""The promises of every diagnostic, checked on all scenarios and captures."""

from __future__ import annotations

import contextlib
import gc
import json
import random
import re
import shlex
import weakref
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

import diagnostics
from diagnostics.pods.crashes._story_kinds import STORY_KINDS
from kubedoctor.cluster import Cluster, CustomResource
from kubedoctor.cluster.kinds.resources import kind_from_word, kind_named
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS
from kubedoctor.cluster.seen.wants import CannotSee, NotCollected
from kubedoctor.engine import Catalogue, Report, load_catalogue, scan
from kubedoctor.engine.catalogue import RETIRED_CODES
from kubedoctor.findings import HEADINGS, Diagnostic, Effect
from kubedoctor.findings.diagnostic import EXTENSIONS
from kubedoctor.testing import Scenario, find_scenarios, load_scenario

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = load_catalogue()
IDS = [one.id for one in CATALOGUE.diagnostics]
# Verbs of kubectl that leave everything as it is, and those that change or may interrupt.
READING = {
    "get",
    "describe",
    "logs",
    "top",
    "explain",
    "events",
    "auth",
    "api-resources",
    "version",
    "cluster-info",
    "port-forward",
}
CHANGING = {
    "apply",
    "annotate",
    "certificate",
    "autoscale",
    "cordon",
    "create",
    "debug",
    "delete",
    "drain",
    "edit",
    "expose",
    "label",
    "patch",
    "replace",
    "rollout",
    "run",
    "scale",
    "set",
    "taint",
    "uncordon",
}
KINDS_OF = {
    "rollout": {"deployment", "statefulset", "daemonset"},
    "scale": {"deployment", "statefulset", "replicaset", "replicationcontroller"},
    "set": {"deployment", "statefulset", "daemonset", "replicaset", "replicationcontroller", "cronjob", "pod"},
}
"""The kinds that a verb of kubectl knows; others are refused."""
UNREAD: dict[tuple[str, str], str] = {}
"""Codes with kinds that no scenario reads, and why they are declared all the same."""
OF_A_LOG = frozenset(kind if isinstance(kind, str) else kind.__name__ for kind in STORY_KINDS)
LOG_PATH = re.compile(r"^(previous )?log\[")


PARTS = 4
Told = tuple[tuple[Scenario, Report], ...]


def paths() -> list[Path]:
    found = find_scenarios(ROOT / "scenarios")
    assert len(found) > 2 * len(IDS), "each diagnostic has a sick and a healthy scenario"
    return found


@pytest.fixture(scope="module", params=range(PARTS))
def told(request: pytest.FixtureRequest) -> Told:
    """A part of the scenarios, each with its report: made once for all tests that look at reports."""
    stories = map(load_scenario, paths()[request.param :: PARTS])
    return tuple((story, story.run(CATALOGUE)) for story in stories)


def test_the_catalogue_loads_without_problems() -> None:
    assert CATALOGUE.problems == ()
    assert len(CATALOGUE.diagnostics) >= 15


def test_every_page_is_in_the_catalogue() -> None:
    """A page without a diagnostic, or in a folder without `__init__.py`, would be silent for ever."""
    (folder,) = diagnostics.__path__
    pages = [path.relative_to(folder) for path in Path(folder).rglob("*.py") if not path.name.startswith("_")]
    assert sorted(f"{page.parts[0]}/{page.stem}".replace("_", "-") for page in pages) == sorted(IDS)


@pytest.mark.parametrize("one", CATALOGUE.diagnostics, ids=IDS)
def test_the_lesson_is_complete(one: Diagnostic[Any]) -> None:
    assert tuple(one.sections()) == HEADINGS
    assert all(one.sections().values())
    assert "https://" in one.sections()["References"]
    assert 8 < len(one.title) < 90


@pytest.mark.parametrize("one", CATALOGUE.diagnostics, ids=IDS)
def test_the_id_is_the_path_and_scenarios_stand_beside_it(one: Diagnostic[Any]) -> None:
    parts = one.check.__module__.split(".")
    assert (parts[0], f"{parts[1]}/{parts[-1]}".replace("_", "-")) == ("diagnostics", one.id)
    folder = ROOT / "scenarios" / one.id.replace("-", "_")
    cases = [load_scenario(path) for path in find_scenarios(folder)]
    found = [any(wanted.get("code") == one.code for wanted in case.expect) for case in cases]
    assert any(found), f"no sick scenario in {folder.relative_to(ROOT)}"
    assert not all(found), f"no healthy near-miss in {folder.relative_to(ROOT)}"


def test_codes_are_unique_and_none_is_retired() -> None:
    codes = [one.code for one in CATALOGUE.diagnostics]
    assert len(codes) == len(set(codes))
    assert not RETIRED_CODES.keys() & set(codes)
    assert all(RETIRED_CODES.values()), "say what takes its place"


@cache
def kinds_read() -> tuple[tuple[Diagnostic[Any], str, frozenset[str]], ...]:
    """Which kinds each diagnostic read in which scenario."""
    rows = []
    for story in map(load_scenario, paths()):
        snapshot = story.snapshot()
        for one in CATALOGUE.diagnostics:
            read: set[str] = set()
            kinds = snapshot.kinds() if EXTENSIONS in one.subject_kinds else one.subject_kinds
            subjects = [obj for kind in kinds for obj in snapshot.of_kind(kind)]
            if EXTENSIONS in one.subject_kinds:
                subjects = [obj for obj in subjects if isinstance(obj, CustomResource)]
            for obj in filter(one.when, subjects):
                cluster = Cluster(snapshot)
                with contextlib.suppress(CannotSee, NotCollected):
                    list(one(obj, cluster))
                read |= cluster.reads
            if read:
                rows.append((one, story.path.name, frozenset(read)))
    return tuple(rows)


def test_reads_are_what_is_read() -> None:
    for one, where, read in kinds_read():
        extra = read - one.read_kinds - {"Log"}
        assert not extra, f"{one.id} read {sorted(extra)} in {where} and does not say so"


def test_what_is_declared_is_read_in_some_scenario() -> None:
    """A kind that is declared and never read makes a scan list it, and a Role grant it, for nothing."""
    read_by = {one.id: set[str]() for one in CATALOGUE.diagnostics}
    for one, _, kinds in kinds_read():
        read_by[one.id] |= kinds
    unread = {one.id: sorted(idle) for one in CATALOGUE.diagnostics if (idle := never_read(one, read_by[one.id]))}
    assert not unread, "these declare kinds that no scenario reads"


def never_read(one: Diagnostic[Any], read: set[str]) -> frozenset[str]:
    idle = one.read_kinds - set(one.subject_kinds) - read - {kind for code, kind in UNREAD if code == one.code}
    if one.read_kinds >= WORKLOAD_KINDS and read & WORKLOAD_KINDS:
        idle -= WORKLOAD_KINDS  # The owner of a pod is of any of them, and read by its name: one relation, not seven.
    if one.read_kinds >= OF_A_LOG and read & OF_A_LOG:
        idle -= OF_A_LOG  # A line of a log may name an object of any of them: one look-up, not seventeen.
    return idle


def test_the_exceptions_are_needed() -> None:
    declared = {(one.code, kind) for one in CATALOGUE.diagnostics for kind in one.read_kinds}
    read = {(one.code, kind) for one, _, kinds in kinds_read() for kind in kinds}
    assert set(UNREAD) <= declared - read


def test_the_predicate_hides_nothing(told: Told) -> None:
    """Without a shared predicate, and examined whatever the cluster rules out, a check finds nothing more: triage only
    saves time. A guard of a check's own is its."""
    eager = Catalogue(tuple(_without_predicate(one) for one in CATALOGUE.diagnostics))
    for story, report in told:
        again = scan(eager, story.snapshot(), lambda wants: None)
        assert again.findings == report.findings, story.path.name
        assert again.unexplained == report.unexplained, story.path.name


def _without_predicate(one: Diagnostic[Any]) -> Diagnostic[Any]:
    shared = one.when is not None and one.when.__module__ == "kubedoctor.cluster.triage"
    return msgspec.structs.replace(one, when=None if shared else one.when, among=None)


def test_a_scan_leaves_nothing_for_the_collector() -> None:
    """A check that keeps an exception keeps its own frame and all that was seen: with each scan one more copy."""
    stories = [load_scenario(path) for path in paths() if "\nunreadable:" in path.read_text(encoding="utf-8")]
    assert len(stories) > 20
    gc.disable()
    try:
        for story in stories:
            snapshot = story.snapshot()
            left = weakref.ref(snapshot)
            scan(CATALOGUE, snapshot, lambda wants: None)
            del snapshot
            assert left() is None, story.path.name
    finally:
        gc.enable()


def test_the_order_of_objects_changes_nothing(told: Told) -> None:
    chance = random.Random(1)
    for story, report in told:
        objects = list(story.objects)
        chance.shuffle(objects)
        from dataclasses import replace

        assert replace(story, objects=tuple(objects)).run(CATALOGUE) == report, story.path.name


def test_commands_parse_and_say_what_they_do(told: Told) -> None:
    for story, report in told:
        for one in report.findings:
            lines = [(command.line, command.effect) for command in one.commands]
            lines += [(fix.command, fix.effect) for fix in one.fixes if fix.command]
            for line, effect in lines:
                _check_command(line, effect, f"{story.path.name}: {line}")


def _check_command(line: str, effect: Effect, where: str) -> None:
    words = shlex.split(line)
    assert words, where
    assert not any(character in line for character in "\n\x1b"), where
    unquoted = re.sub(r"'[^']*'|\"[^\"]*\"", "", line)
    assert not set(unquoted.partition("#")[0]) & set("?*[]{}"), f"{where}: zsh looks for files of that name"
    if words[0] == "kubedoctor":
        assert effect is Effect.READS, where
        return
    if words[:2] == ["printf", "%s"]:  # An object that is created stands in the command.
        created, words = json.loads(words[2]), words[words.index("|") + 1 :]
        assert created["kind"], where
        kind = kind_named(created["kind"])
        assert kind is None or bool(created["metadata"].get("namespace")) == kind.namespaced, where
    assert words[0] == "kubectl", where
    verb = words[1]
    assert verb in READING | CHANGING, where
    reads = verb in READING or (verb == "rollout" and words[2] in ("status", "history"))
    assert reads == (effect is Effect.READS), where
    kinds = [kind_from_word(part.partition("/")[0]) for word in words[2:5] for part in word.split(",")]
    if verb in KINDS_OF:
        first = next(word for word in words[2:] if "/" in word)
        assert first.partition("/")[0] in KINDS_OF[verb], where
    namespaced = any(kind is not None and kind.namespaced for kind in kinds)
    if namespaced and verb != "explain":
        assert {"-n", "-A", "--namespace", "--all-namespaces"} & set(words), f"no namespace: {where}"


def test_nobody_is_told_to_edit_what_cannot_be_edited(told: Told) -> None:
    """The specs of Pods and Jobs are kept for life, but for a container's image (`ValidatePodUpdate`, v1.37)."""
    for story, report in told:
        for one in report.findings:
            for fix in one.fixes:
                fixed = fix.command.startswith(
                    ("kubectl edit pod/", "kubectl edit job/", "kubectl edit pod ", "kubectl edit job ")
                )
                assert not fixed or one.code == "KD1007", f"{story.path.name}: {fix.command}"


def test_findings_name_kinds_that_exist(told: Told) -> None:
    for story, report in told:
        for one in report.findings:
            kind = kind_named(one.about.kind)
            assert kind is None or bool(one.about.namespace) == kind.namespaced, (story.path.name, one.about)
            assert not one.summary.endswith("."), (story.path.name, one.summary)
            assert "\n" not in one.summary, (story.path.name, one.summary)


def test_the_same_input_gives_the_same_bytes(told: Told) -> None:
    from kubedoctor.cli.formats import render

    for story, report in told:
        again = story.run(CATALOGUE)
        assert render(again, "json") == render(report, "json"), story.path.name


def test_a_third_party_uses_the_same_door(catalogue: Catalogue) -> None:
    assert {one.package for one in catalogue.diagnostics} == {"diagnostics"}


@pytest.fixture
def catalogue() -> Catalogue:
    return CATALOGUE
