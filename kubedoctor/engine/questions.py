"""The installed questions, found through the entry points `kubedoctor.questions`.

An entry point names a package; each module directly in it is a question. Their names are read from the file names, so
that only the requested question is imported.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from functools import cache

import msgspec

from kubedoctor.answers.question import Question
from kubedoctor.engine.installed.packages import packages
from kubedoctor.problems import PluginProblem

GROUP = "kubedoctor.questions"


class Questions(msgspec.Struct, frozen=True):
    """Every question that can be used, sorted by name. `problems`: modules that cannot be used, a sentence each."""

    questions: tuple[Question, ...]
    problems: tuple[str, ...] = ()


@cache
def question_modules() -> dict[str, str]:
    """The module of each question by the question's name; where two have one name, the built-in package keeps it, then the
    first by name. Only the parent packages are imported."""
    modules: dict[str, str] = {}
    for point in packages(GROUP):
        for name in _modules(point.value):
            modules.setdefault(name.replace("_", "-"), f"{point.value}.{name}")
    return dict(sorted(modules.items()))


def _modules(package: str) -> list[str]:
    try:
        spec = importlib.util.find_spec(package)
    except ImportError:
        spec = None
    folders = spec.submodule_search_locations if spec is not None else None
    return [info.name for info in pkgutil.iter_modules(folders or ()) if not info.name.startswith("_")]


def load_question(name: str) -> Question | None:
    """None where there is no such question. Raises PluginProblem where its module cannot be used."""
    module = question_modules().get(name)
    if module is None:
        return None
    try:
        loaded = importlib.import_module(module)
    except Exception as error:  # a third-party package may raise anything when it is imported
        raise PluginProblem(f"question {name} ({module}) cannot be imported: {error}") from error
    declared = [
        question for question in vars(loaded).values() if isinstance(question, Question) and question.name == name
    ]
    if not declared:
        raise PluginProblem(f"question {name}: {module} declares no @question", "See CONTRIBUTING.md: Write a question")
    return declared[0]


@cache
def load_questions() -> Questions:
    """Every question; a broken one is a problem, the others are used."""
    questions, problems = [], []
    for name in question_modules():
        try:
            question = load_question(name)
        except PluginProblem as problem:
            problems.append(problem.what)
        else:
            questions += [question] if question is not None else []
    return Questions(tuple(questions), tuple(problems))
