"""Questions are found by the names of their modules, and only what is asked is imported."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubedoctor.engine.installed import packages
from kubedoctor.engine.questions import GROUP, load_question, load_questions, question_modules
from kubedoctor.problems import PluginProblem

GOOD = """
from kubedoctor.answers.question import question
from kubedoctor.answers.sheet import Conclusion, Sheet

@question(help="how many names it has", kinds=("ConfigMap",))
def how_many(subject, choices, cluster):
    return Sheet(subject.title, "one", Conclusion.WELL)
"""


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of questions, installed beside the built-in one."""
    package = tmp_path / "acme_questions"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "how_many.py").write_text(GOOD)
    monkeypatch.syspath_prepend(str(tmp_path))
    points = [
        packages.Package("acme", "acme_questions"),
        packages.Package("gone", "no.such.package"),
        packages.Package("kubedoctor", "kubedoctor.answers.questions"),
    ]
    monkeypatch.setattr(packages, "entry_points", lambda group: points if group == GROUP else ())
    question_modules.cache_clear()
    load_questions.cache_clear()
    yield package
    question_modules.cache_clear()
    load_questions.cache_clear()
    for name in [name for name in sys.modules if name.startswith("acme_questions")]:
        del sys.modules[name]


def test_the_built_in_questions_come_through_the_entry_point() -> None:
    found = load_question("why-pending")
    assert found is not None
    assert (found.name, found.kinds[0]) == ("why-pending", "Pod")
    assert load_question("why-not") is None
    assert load_questions().problems == ()


def test_names_cost_no_import_of_a_question() -> None:
    code = (
        "import sys; from kubedoctor.engine.questions import question_modules; print(*question_modules());"
        "print([name for name in sys.modules if 'scheduler' in name or 'placement' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "why-pending" in done.stdout.splitlines()[0]
    assert done.stdout.splitlines()[1] == "[]"


def test_a_third_partys_question_has_the_name_of_its_module(foreign: Path) -> None:
    assert {"how-many", "why-pending"} <= set(question_modules())
    found = load_question("how-many")
    assert found is not None
    assert found.help == "how many names it has"


def test_a_name_that_is_taken_stays_with_the_built_in_question(foreign: Path) -> None:
    (foreign / "why_pending.py").write_text(GOOD)
    assert question_modules()["why-pending"] == "kubedoctor.answers.questions.why_pending"


@pytest.mark.parametrize(
    ("text", "problem"), [("import no_such_module", "cannot be imported"), ("", "declares no @question")]
)
def test_a_broken_question_is_a_problem_and_the_others_are_used(foreign: Path, text: str, problem: str) -> None:
    (foreign / "broken.py").write_text(text)
    with pytest.raises(PluginProblem, match=problem):
        load_question("broken")
    found = load_questions()
    assert [one.name for one in found.questions] == sorted({*question_modules()} - {"broken"})
    assert problem in found.problems[0]
