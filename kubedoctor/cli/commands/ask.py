"""`kubedoctor QUESTION SUBJECT`: any question, such as `why-pending checkout-1`."""

from __future__ import annotations

import argparse
import sys
import time

from kubedoctor.answers.question import Choices, Question
from kubedoctor.answers.sheet import Conclusion
from kubedoctor.cli.commands.reading import opened
from kubedoctor.cli.exit_codes import ExitCode
from kubedoctor.cli.formats import check_format
from kubedoctor.cli.formats.sheet import render_sheet
from kubedoctor.cli.subject import find_subject, split_words
from kubedoctor.cli.terminal import speak_utf8, wants_colour
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.engine.asking import ask
from kubedoctor.problems import UsageProblem

_CODES = {
    Conclusion.WELL: ExitCode.HEALTHY,
    Conclusion.TROUBLE: ExitCode.FOUND,
    Conclusion.UNKNOWN: ExitCode.GAPS,
}


def ask_command(question: Question, options: argparse.Namespace) -> int:
    """Print the sheet; its conclusion is the exit code."""
    started = time.perf_counter()
    check_format(options.output)
    words = _subject_words(question, options.words[1:])
    choices = choices_of(question, options)
    with opened(options) as source:
        subject = find_subject(words, source, options.namespace or None)
        answered = ask(question, subject, choices, source.snapshot, source.gather)
    if options.output in ("json", "yaml"):
        speak_utf8()
    print(render_sheet(answered, options.output or "text", colour=wants_colour(options)), end="")
    if options.stats:
        seconds = time.perf_counter() - started
        print(f"{answered.requests} requests, {answered.rounds} rounds, {seconds:.2f} s", file=sys.stderr)
    code = _CODES[answered.sheet.conclusion]
    return ExitCode.HEALTHY if code is ExitCode.GAPS and options.allow_gaps else code


def choices_of(question: Question, options: argparse.Namespace) -> Choices:
    """What the flags say for the options of a question."""
    values: dict[str, tuple[str, ...]] = {}
    for option in question.options:
        given = getattr(options, option.name.replace("-", "_"), None) or ()
        texts = [given] if isinstance(given, str) else list(given)
        if option.repeatable:
            texts = [part for text in texts for part in text.split(",") if part.strip()]
        values[option.name] = tuple(texts)
    return Choices(values)


def _subject_words(question: Question, words: list[str]) -> list[str]:
    """A bare name means the first kind of the question. Raises UsageProblem for a kind that it is not asked about."""
    first = kind_named(question.kinds[0])
    noun = first.singular if first is not None else question.kinds[0].lower()
    if not words:
        raise UsageProblem(f"which {noun}?", f"Name it: kubedoctor {question.name} {noun.upper()} [-n NAMESPACE]")
    if len(words) == 1 and "/" not in words[0]:
        words = [noun, words[0]]
    kind, _ = split_words(words)
    if kind.kind not in question.kinds:
        names = ", ".join(row.singular for name in question.kinds if (row := kind_named(name)) is not None)
        raise UsageProblem(f"{question.name} cannot be asked about a {kind.singular}", f"Name one of: {names}")
    return words
