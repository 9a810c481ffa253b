"""`kubedoctor explain CODE`: the lesson of a diagnostic."""

from __future__ import annotations

import argparse

from kubedoctor.cli.terminal import wants_colour
from kubedoctor.cluster.grammar.nearest import nearest_word
from kubedoctor.engine import Catalogue, load_catalogue
from kubedoctor.handbook import lesson_markdown, lesson_text
from kubedoctor.problems import UsageProblem


def explain_command(options: argparse.Namespace) -> int:
    """Print one lesson, or the list of all diagnostics."""
    catalogue = load_catalogue()
    if len(options.words) < 2:
        for one in catalogue.diagnostics:
            print(f"{one.code}  {one.id:34}  {one.title}")
        return 0
    word = options.words[1]
    found = catalogue.find(word)
    if found is None:
        near = _nearest(word, catalogue)
        hint = f"Did you mean {', '.join(near)}?" if near else "All of them: kubedoctor explain"
        raise UsageProblem(f"there is no diagnostic {word!r}", hint)
    if options.output == "markdown":
        print(lesson_markdown(found), end="")
    elif options.output in (None, "text"):
        print(lesson_text(found, colour=wants_colour(options)), end="")
    else:
        raise UsageProblem(f"a lesson has no form {options.output!r}", "Use -o text or -o markdown")
    return 0


def _nearest(word: str, catalogue: Catalogue) -> tuple[str, ...]:
    """Codes and ids that look like the word, else those whose lesson has it."""
    known = [name for one in catalogue.diagnostics for name in (one.code, one.id, one.id.rpartition("/")[2])]
    if near := nearest_word(word, known):
        return near
    found = [one for one in catalogue.diagnostics if word.lower() in f"{one.id} {one.lesson}".lower()]
    return tuple(f"{one.code} ({one.id})" for one in found[:5])
