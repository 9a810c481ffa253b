"""`kubedoctor QUESTION SUBJECT`: any question is a command, such as `why-pending checkout-1`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial

from kubedoctor.answers.question import Choices, Option, Question
from kubedoctor.cli.arguments.command import Subcommand
from kubedoctor.cli.arguments.options import completed
from kubedoctor.cli.completion import values
from kubedoctor.cli.exit_codes import sheet_code
from kubedoctor.cli.formats import check_format
from kubedoctor.cli.formats.sheet import render_sheet
from kubedoctor.cli.not_found import check_namespace
from kubedoctor.cli.reading import namespace_meant, opened
from kubedoctor.cli.subject import find_named, single_target
from kubedoctor.cli.targets import Target, UnknownKind
from kubedoctor.cli.terminal import speak_utf8, text_width, wants_colour
from kubedoctor.cli.trying import add_what_if, meant_change, take_commands
from kubedoctor.cluster.grammar.text import counted, listed, with_article
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.kinds.resources import ResourceKind, kind_from_word, kind_named
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.engine.asking import ask
from kubedoctor.problems import UsageProblem
from kubedoctor.replay.network.parties import parse_address
from kubedoctor.replay.services.hosts import is_address

FORMATS = ("text", "json", "yaml", "markdown", "svg")


def command_of(question: Question) -> Subcommand:
    """The command that asks a question, from the question's own declaration."""

    def complete(words: Sequence[str], prefix: str, options: argparse.Namespace) -> list[str]:
        return _complete(question, words, prefix, options)

    def add_options(parser: argparse.ArgumentParser) -> None:
        _add_options(question, parser)

    def run(options: argparse.Namespace) -> int:
        return run_question(question, options)

    subjects = (_noun(question).upper(), "KIND/NAME") if question.kinds else ("",)
    forms = [" ".join(word for word in (subject, question.usage) if word) for subject in subjects]
    subjectless = [option for option in question.options if option.subjectless]
    return Subcommand(
        name=question.name,
        summary=question.help,
        usage=(
            f"{forms[0]} [-n NAMESPACE] [flags]".lstrip(),
            *(f"{form} [flags]" for form in forms[1:]),
            *((f"{question.usage} --from {subjects[0]} [flags]",) if question.subject_after else ()),
            *(f"--{option.name} {question.usage} [flags]" for option in subjectless),
            *(
                f"{' '.join((f'--{option.name}', *option.metavar.split()))} [-n NAMESPACE] [flags]"
                for option in question.options
                if option.alone
            ),
        ),
        section="Diagnose",
        details=_details(question),
        run=run,
        formats=FORMATS,
        gates=True,
        add_options=add_options,
        complete=complete,
        takes=frozenset(option.name for option in question.options) & {"as", "as-group"},
    )


_ADDRESS = "Address"


def run_question(question: Question, options: argparse.Namespace) -> int:
    """Print the sheet; its conclusion is the exit code."""
    started = time.perf_counter()
    check_format(options.output, FORMATS)
    alone = _given(question, options, lambda option: option.alone)
    words = _subject_first(question, options)
    subjectless = "" if alone else _given(question, options, lambda option: option.subjectless)
    subject_words, argument_words = _divided(question, words, alone, subjectless)
    address = _address(question, subject_words)
    named = bool(question.kinds and not address and not alone and (subject_words or not subjectless))
    target = _target(question, subject_words) if named else None
    own = any(option.name == "what-if" for option in question.options)
    what_if = take_commands(options) if own else meant_change(options)
    choices = choices_of(question, options, argument_words)
    with opened(options) as source:
        if address:
            subject = Ref(_ADDRESS, namespace_meant(source, options), address)  # where its names are looked up
        elif target is None:
            subject = _namespace(options, source)
        else:
            kinds = _kinds(question) if _is_bare(subject_words) else (target.kind,)
            subject = find_named(
                target.name, kinds, source, options.namespace or None, everywhere=options.all_namespaces
            )
        answered = ask(question, subject, choices, source.snapshot, source.gather, what_if=what_if)
    if options.output in ("json", "yaml", "svg"):
        speak_utf8()
    text = render_sheet(answered, options.output or "text", width=text_width(), colour=wants_colour(options))
    print(text, end="")
    if options.stats:
        seconds = time.perf_counter() - started
        print(
            f"{counted(answered.requests, 'request')}, {counted(answered.rounds, 'round')}, {seconds:.2f}s",
            file=sys.stderr,
        )
    return sheet_code(answered.sheet.conclusion, allow_gaps=options.allow_gaps)


def choices_of(question: Question, options: argparse.Namespace, words: Sequence[str] = ()) -> Choices:
    """What was given for the options of a question; `words` are those of its arguments."""
    chosen: dict[str, tuple[str, ...]] = {}
    for option in question.options:
        value = getattr(options, option.name.replace("-", "_"), None) or ()
        if value is True:
            value = option.name
        texts = [value] if isinstance(value, str) else list(value)
        if option.repeatable:
            texts = [part for text in texts for part in text.split(",") if part.strip()]
        chosen[option.name] = tuple(texts)
    return question.choices(words, chosen)


def _given(question: Question, options: argparse.Namespace, wanted: Callable[[Option], bool]) -> str:
    """The first option of those that are wanted, as those that take the place of the subject; empty where none was given."""
    given = (row.name for row in question.options if wanted(row) and getattr(options, row.name.replace("-", "_"), None))
    return next(given, "")


def _subject_first(question: Question, options: argparse.Namespace) -> list[str]:
    """The words, where the subject stands first, also where `--from` names it behind them: `resolve NAME --from POD`. A value
    that is a file stays the recording to read."""
    words = list(options.words)
    if not question.subject_after or len(words) != len(question.arguments):
        return words
    named = [value for value in options.from_ if value != "-" and not os.path.exists(value)]
    if not named and len(options.from_) < 2:
        return words
    subject = (named or options.from_)[-1]
    options.from_ = [value for value in options.from_ if value != subject]
    return [subject, *words]


def _is_bare(words: Sequence[str]) -> bool:
    """Whether the words of a subject are a name without a kind."""
    return len(words) == 1 and "/" not in words[0]


def _address(question: Question, words: Sequence[str]) -> str:
    """A subject that is an IP address, where the question takes one; else empty. Raises UsageProblem."""
    if not (question.addresses and len(words) == 1 and is_address(words[0])):
        return ""
    if parse_address(words[0]) is None:
        raise UsageProblem(f"{words[0]} is not an IP address", "Write an IPv4 or IPv6 address, such as 10.0.0.9.")
    return words[0]


def _forms(question: Question) -> list[str]:
    """How it is asked: subject first, or behind `--from`."""
    noun = _noun(question).upper() if question.kinds else ""
    forms = (f"{noun} {question.usage}", f"{question.usage} --from {noun}")
    return [f"kubedoctor {question.name} {form.strip()}".rstrip() for form in forms]


def _noun(question: Question) -> str:
    first = kind_named(question.kinds[0])
    return first.singular if first is not None else question.kinds[0].lower()


def _kinds(question: Question) -> list[ResourceKind]:
    return [row for name in question.kinds if (row := kind_named(name)) is not None]


def _nouns(question: Question) -> list[str]:
    return [row.singular for row in _kinds(question)]


def _details(question: Question) -> str:
    others = " and any other kind" if question.any_kind else ""
    kinds = f"It is asked about: {listed(_nouns(question), 12)}{others}." if question.kinds else ""
    arguments = [f"{argument.metavar}: {argument.help}." for argument in question.arguments]
    return " ".join(sentence for sentence in (kinds, *arguments) if sentence)


def _divided(
    question: Question, words: Sequence[str], alone: str = "", subjectless: str = ""
) -> tuple[list[str], list[str]]:
    """The words of the subject, and one for each argument. Raises UsageProblem where a word is missing or too many. alone:
    the option with which there are none. subjectless: that with which the subject may be missing."""
    if alone and words:
        raise UsageProblem(f"unexpected argument: {words[0]}", f"--{alone} is about a namespace: -n NAMESPACE, or -A")
    if alone:
        return [], []
    count = 0 if subjectless and len(words) == len(question.arguments) else _subject_length(question, words)
    subject, arguments = list(words[:count]), list(words[count:])
    hint = f"Write: {' or '.join(_forms(question)[: 1 + question.subject_after])}"
    if len(arguments) > len(question.arguments):
        raise UsageProblem(f"unexpected argument: {arguments[len(question.arguments)]}", hint)
    if len(arguments) < len(question.arguments) and (subject or not question.kinds or subjectless):
        missing = question.arguments[len(arguments)]
        raise UsageProblem(f"{missing.metavar} is missing: {missing.help}", hint)
    return subject, arguments


def _subject_length(question: Question, words: Sequence[str]) -> int:
    """How many words name the subject: `KIND NAME`, `KIND/NAME` or `NAME`."""
    if not question.kinds:
        return 0
    if not question.arguments:
        return len(words)
    return 2 if words and kind_from_word(words[0]) is not None else 1


def _namespace(options: argparse.Namespace, source: ReadableCluster) -> Ref:
    """The Namespace of the question. Raises NoSuchObject where it does not exist."""
    if options.namespace:
        check_namespace(options.namespace, source)
    return Ref("Namespace", "", namespace_meant(source, options))


def _target(question: Question, words: list[str]) -> Target:
    """A bare name means the first kind of the question, before the others. Raises UsageProblem for a kind that it is not asked
    about."""
    noun = _noun(question)
    if not words:
        raise UsageProblem(f"which {noun}?", f"Name it: kubedoctor {question.name} {noun.upper()} [-n NAMESPACE]")
    names = ", ".join(_nouns(question))
    try:
        target = single_target([noun, words[0]] if len(words) == 1 and "/" not in words[0] else words)
    except UnknownKind as problem:
        raise UsageProblem(f"{problem.what}; {question.name} is asked about {names}", problem.hint) from None
    if not question.takes(target.kind.kind):
        raise UsageProblem(
            f"{question.name} cannot be asked about {with_article(target.kind.kind)}", f"Name one of: {names}"
        )
    return target


def _add_options(question: Question, parser: argparse.ArgumentParser) -> None:
    if all(option.name != "what-if" for option in question.options):
        add_what_if(parser, "answer as it would be after a change")
    for option in question.options:
        name, metavar = f"--{option.name}", option.metavar
        if not metavar:
            parser.add_argument(name, action="store_true", help=option.help)
            continue
        if " " in metavar:
            parser.add_argument(name, metavar=tuple(metavar.split()), nargs=len(metavar.split()), help=option.help)
            continue
        if option.repeatable:
            action = parser.add_argument(
                name, metavar=metavar, action="append", default=[], help=f"{option.help}; may be repeated"
            )
        else:
            action = parser.add_argument(name, metavar=metavar, help=option.help)
        if (kind := kind_from_word(metavar)) is not None:  # `--node NODE` takes the name of a Node
            completed(action, partial(values.names, kind.kind))


def _complete(question: Question, words: Sequence[str], prefix: str, options: argparse.Namespace) -> list[str]:
    """Names of the first kind; the kinds that it is asked about, and their names. Then what the arguments name."""
    count = _subject_length(question, words)
    if question.arguments and len(words) >= count:
        following = question.arguments[len(words) - count :]
        kind = kind_from_word(following[0].metavar) if following else None
        return values.names(kind.kind, prefix, options) if kind is not None else []
    if words or "/" in prefix:
        return values.objects(words, prefix, options)
    return [
        *(noun for noun in _nouns(question) if noun.startswith(prefix)),
        *values.names(question.kinds[0], prefix, options),
    ]
