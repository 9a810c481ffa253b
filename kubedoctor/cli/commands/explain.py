"""`kubedoctor explain CODE` or a word of the API: the page of a diagnostic."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from kubedoctor.cli.arguments.command import Subcommand
from kubedoctor.cli.terminal import text_width, wants_colour
from kubedoctor.cluster.grammar.nearest import nearest_word
from kubedoctor.engine import Catalogue, load_catalogue
from kubedoctor.findings import Diagnostic
from kubedoctor.handbook import lesson_markdown, lesson_text
from kubedoctor.problems import UsageProblem


def explain(options: argparse.Namespace) -> int:
    """Print the page that matches the words, or the list of all diagnostics. Where several pages fit, they are listed
    and the most likely is printed."""
    catalogue = load_catalogue()
    words = " ".join(options.words)
    if options.output not in (None, "text", "markdown"):
        raise UsageProblem(f"explain has no output format {options.output!r}", "Use -o text or -o markdown")
    if not words:
        print("\n".join(_row(page) for page in catalogue.diagnostics))
        return 0
    pages = catalogue.pages(words)
    if not pages:
        raise UsageProblem(f"no page for {words!r}", "\n".join((*catalogue.problems, _hint(words, catalogue))))
    if len(pages) > 1:
        print(f"{words}: {len(pages)} pages, most likely first\n")
        print("\n".join(f"- {_row(page)}" for page in pages), end="\n\n")
    if options.output == "markdown":
        print(lesson_markdown(pages[0]), end="")
    else:
        print(lesson_text(pages[0], width=text_width(), colour=wants_colour(options)), end="")
    return 0


def _row(page: Diagnostic[Any]) -> str:
    return f"{page.code}  {page.id:34}  {page.title}"


def _hint(words: str, catalogue: Catalogue) -> str:
    """Similar words, else the pages that mention the word."""
    if near := nearest_word(words, catalogue.words()):
        return f"Did you mean {', '.join(near)}?"
    mentions = [page for page in catalogue.diagnostics if words.lower() in f"{page.id} {page.lesson}".lower()]
    if mentions:
        return f"Pages that mention it: {', '.join(f'{page.code} ({page.id})' for page in mentions[:5])}"
    return "All pages: kubedoctor explain"


def _complete(words: Sequence[str], prefix: str, _options: argparse.Namespace) -> list[str]:
    """Codes, ids and words of the API, in any case."""
    if words:
        return []
    symptoms = load_catalogue().words()
    return [word for word in symptoms if word.lower().startswith(prefix.lower()) and " " not in word]


COMMAND = Subcommand(
    name="explain",
    summary="print the lesson of a diagnostic, by its code or by what kubectl shows",
    usage=("[CODE | ID | WORDS] [-o text|markdown]",),
    section="Learn",
    details="Without words all diagnostics are listed.",
    examples=(
        ("explain KD1005", "by code"),
        ("explain OOMKilled", "by a word of the API"),
        ("explain exit code 137", ""),
    ),
    run=explain,
    formats=("text", "markdown"),
    reads=False,
    complete=_complete,
)
