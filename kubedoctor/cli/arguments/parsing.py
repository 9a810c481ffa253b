"""From the arguments to a command and its options, which may stand before or after the words, as in kubectl."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NoReturn

from kubedoctor.cli.arguments.command import Subcommand
from kubedoctor.cli.arguments.known import command_names, every_command
from kubedoctor.cli.arguments.kubectl_verbs import kubectl_format, kubectl_option
from kubedoctor.cli.arguments.options import add_output, add_source, namespace_flag
from kubedoctor.cli.formats import FORMATS
from kubedoctor.cli.formats.wrapping import wrapped
from kubedoctor.cli.terminal import text_width
from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.problems import UsageProblem

_WATCHING = ("-w", "--watch", "--watch-only")
_MEANT = {"--file": "--from", "--filename": "--from"}  # kubectl's own name, and what it is shortened to
_TRUE = ("1", "t", "T", "TRUE", "true", "True")  # strconv.ParseBool
_FALSE = ("0", "f", "F", "FALSE", "false", "False")
_NEGATIVE = compiled_later(r"-\.?[0-9]")
_NO_VALUE = compiled_later(r"argument (\S+): expected one argument")
_NO_FLAG_VALUE = compiled_later(r"argument (\S+): ignored explicit argument (.+)")
_NO_CHOICE = compiled_later(r"argument (\S+): invalid choice: (\S+) \(choose from (.*)\)")


class _Parser(argparse.ArgumentParser):
    """Errors are raised for the code that prints problems."""

    def error(self, message: str) -> NoReturn:
        if match := _NO_VALUE.fullmatch(message):
            message = f"{match[1].rpartition('/')[2]} needs a value"
        elif match := _NO_FLAG_VALUE.fullmatch(message):
            message = f"{match[1].rpartition('/')[2]} takes no value, but has {match[2]}"
        elif match := _NO_CHOICE.fullmatch(message):
            message = f"{match[1]} cannot be {match[2]}: use {match[3].replace(chr(39), '')}"
        raise UsageProblem(message, f"See: {self.prog} --help")


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the text of reports."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=text_width())


def split_command(arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """The first word and all other arguments; None where there are only options."""
    here = 0
    while here < len(arguments):
        argument = arguments[here]
        if argument == "--":
            break
        if argument == "-" or not argument.startswith("-"):
            return argument, [*arguments[:here], *arguments[here + 1 :]]
        here += 2 if "=" not in argument and _takes_value(argument) else 1
    return None, list(arguments)


def parse(command: Subcommand, arguments: Sequence[str], program: str) -> argparse.Namespace:
    """The options of a command and its `words`. Raises UsageProblem that names the command of a misplaced option."""
    parser = parser_of(command, program)
    options, unexpected = parser.parse_known_intermixed_args(list(_plain_flags(arguments, parser)))
    read_by_kubectl = command.name or "get"
    for argument in unexpected:
        if argument.startswith("-"):
            option = argument.partition("=")[0]
            if line := kubectl_option(read_by_kubectl, option, arguments):
                raise UsageProblem(f"{option} is an option of kubectl alone", f"Run: {line}")
            raise _not_an_option(option, command, options, program)
    if command.most_words is not None:
        unexpected = [*unexpected, *options.words[command.most_words :]]
    if unexpected:
        raise UsageProblem(f"unexpected argument: {unexpected[0]}", f"See: {_called(program, command)} --help")
    if line := kubectl_format(read_by_kubectl, options.output or "", arguments):
        raise UsageProblem(
            f"{options.output.partition('=')[0]} is an output format of kubectl alone",
            f"Run: {line}\nFormats of kubedoctor: {', '.join(command.formats)}",
        )
    return options


def _plain_flags(arguments: Sequence[str], parser: argparse.ArgumentParser) -> Iterator[str]:
    """As with kubectl `--follow=true` is `--follow`, and `--follow=false` is nothing; and a value may be negative, which
    argparse takes for an option where it has a unit."""
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        action = option_of(parser, name)
        if action is not None and action.nargs is None and not equals:
            yield from _joined(argument, next(rest, None))
            continue
        is_flag = name in _WATCHING if action is None else not takes_value(action)
        if not is_flag or not equals or value not in (*_TRUE, *_FALSE):
            yield argument
        elif value in _TRUE:
            yield name
        if argument == "--":
            yield from rest


def _joined(option: str, value: str | None) -> Iterator[str]:
    """An option and the argument after it."""
    if value is not None and _NEGATIVE.match(value):
        yield f"{option}={value}"
        return
    yield option
    if value is not None:
        yield value


@cache
def parser_of(command: Subcommand, program: str = "kubedoctor") -> argparse.ArgumentParser:
    """The parser of a command, with its help."""
    called = _called(program, command)
    usage = "\n       ".join(f"{called} {form}".rstrip() for form in command.usage)
    parser = _Parser(
        prog=called,
        usage=usage,
        description=_description(command),
        epilog=_examples(command, program),
        formatter_class=_Formatter,
        allow_abbrev=False,
        conflict_handler="resolve" if command.takes else "error",
    )
    parser.add_argument("words", nargs="*", help=argparse.SUPPRESS)
    add_source(parser, shown=command.reads, short_file=command.name not in ("logs", "check"))
    add_output(parser, command.formats, gates=command.gates, reads=command.reads)
    parser.set_defaults(as_user=None, as_groups=[])
    command.add_options(parser)
    return parser


def option_names(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Every option that the help shows."""
    for action in parser._actions:  # argparse has no public way to list them
        if action.help is not argparse.SUPPRESS:
            yield from action.option_strings


def option_of(parser: argparse.ArgumentParser, name: str) -> argparse.Action | None:
    """The option of that name."""
    return next((action for action in parser._actions if name in action.option_strings), None)


def takes_value(action: argparse.Action) -> bool:
    """Whether an option is followed by a value."""
    return action.nargs != 0


def _called(program: str, command: Subcommand) -> str:
    return f"{program} {command.name}".rstrip()


def _takes_value(option: str) -> bool:
    """Whether the argument after an option is its value; for options of single commands all commands are searched."""
    shared = option_of(_shared(), option)
    if shared is not None:
        return takes_value(shared)
    return any(
        takes_value(action)
        for command in every_command()
        if (action := option_of(parser_of(command), option)) is not None
    )


@cache
def _shared() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--version", action="store_true")
    add_source(parser, shown=True)
    add_output(parser, FORMATS, gates=True, reads=True)
    return parser


def _not_an_option(option: str, command: Subcommand, options: argparse.Namespace, program: str) -> UsageProblem:
    called = _called(program, command)
    if option in _WATCHING:
        where = namespace_flag(options)
        return UsageProblem(f"{option} is not available", f"The terminal UI follows every change: {program}{where}")
    known = [name for name in option_names(parser_of(command, program)) if name.startswith("--")]
    owners = [
        candidate.name for candidate in every_command() if option_of(parser_of(candidate, program), option) is not None
    ]
    if owners and _MEANT.get(option) not in known:
        most = len(owners) > len(command_names()) / 2
        return UsageProblem(
            f"{option} is an option of {'most commands' if most else _in_words(owners)}, "
            f"not of {command.name or 'KIND NAME'}",
            f"See: {called if most else f'{program} {owners[0]}'} --help",
        )
    from kubedoctor.cluster.grammar.nearest import nearest_word

    near = [name for name in known if name == _MEANT.get(option)] or nearest_word(option, known)
    hint = f"Did you mean {', '.join(near)}? " if near else ""
    return UsageProblem(f"unknown option: {option}", f"{hint}See: {called} --help")


def _in_words(names: Sequence[str]) -> str:
    """`describe, get and scan`."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _description(command: Subcommand) -> str:
    width = text_width()
    first = command.summary[0].upper() + command.summary[1:] + "."
    return "\n".join(line for text in (first, command.details) if text for line in [*wrapped(text, width), ""]).rstrip()


def _examples(command: Subcommand, program: str) -> str:
    if not command.examples:
        return ""
    lines = [f"  {program} {line}".rstrip() for line, _ in command.examples]
    column = max(map(len, lines)) + 2
    width = text_width()
    beside = column <= width * 2 // 3
    laid_out = []
    for line, (_, note) in zip(lines, command.examples, strict=True):
        if beside:
            laid_out += wrapped(note, width, f"{line:<{column}}", " " * column)
        else:
            laid_out += [line, *(wrapped(note, width, " " * 6) if note else ())]
    return "\n".join(["examples:", *laid_out])
