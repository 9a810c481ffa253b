"""From the arguments to the exit code."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from kubedoctor.cli.arguments.command import Subcommand
from kubedoctor.cli.arguments.known import command_names, load_command
from kubedoctor.cli.arguments.kubectl_verbs import OTHER_VERBS, only_kubectl
from kubedoctor.cli.arguments.overview import overview
from kubedoctor.cli.arguments.parsing import parse, parser_of, split_command
from kubedoctor.cli.exit_codes import ExitCode
from kubedoctor.cli.formats.wrapping import wrapped_advice
from kubedoctor.cli.targets import is_kind
from kubedoctor.cli.terminal import error_width, prepare_streams
from kubedoctor.cluster.grammar.credentials import without_credentials
from kubedoctor.cluster.grammar.nearest import nearest_word
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.cluster.kinds.resources import kind_from_word
from kubedoctor.problems import NoSuchObject, Problem, UsageProblem


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; raises nothing."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    prepare_streams()
    program = program_name(sys.argv[0])
    if "_ARGCOMPLETE" in os.environ:
        from kubedoctor.cli.completion.protocol import Finder  # imported only for shell completion

        Finder()(argparse.ArgumentParser())
    debug = "--debug" in arguments
    try:
        code = _run(arguments, program)
        sys.stdout.flush()  # write errors show here, not when Python exits
        return code
    except SystemExit as left:  # argparse exits like this after its help
        return ExitCode.HEALTHY if not left.code else ExitCode.USAGE
    except Problem as problem:
        _complain(problem)
        if debug:
            _print_traceback()
        return ExitCode.USAGE
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        _give_up_stdout()  # the reader closed the pipe (`| head`): not an error
        return ExitCode.HEALTHY
    except OSError as error:
        _give_up_stdout()
        _complain(Problem(_what_failed(error), f"{_what_to_check(error)} --debug shows where it happened"))
        return _unexpected(ExitCode.USAGE, debug=debug)
    except Exception as error:  # noqa: BLE001  # a person is never shown a traceback that they did not ask for
        what = f"internal error in kubedoctor: {type(error).__name__}: {error}"
        _complain(Problem(what, "Please report it with the output of the same command and --debug"))
        return _unexpected(ExitCode.USAGE, debug=debug)


def _give_up_stdout() -> None:
    """Discards the rest of the buffer, which would fail again when Python exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _what_failed(error: OSError) -> str:
    where = f" {error.filename}" if error.filename else ""
    return f"cannot read or write{where}: {error.strerror or error}"


def _what_to_check(error: OSError) -> str:
    if error.filename and error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
        return "Check the path."
    return "Is the disk full, or the output closed?"


def _unexpected(code: ExitCode, *, debug: bool) -> ExitCode:
    if debug:
        _print_traceback()
    return code


def _print_traceback() -> None:
    import traceback  # seldom needed

    print(visible(without_credentials(traceback.format_exc()), lines=True), end="", file=sys.stderr)


def program_name(path: str) -> str:
    """The name of the program as it was called: `kubectl kubedoctor` for the plug-in."""
    return "kubectl kubedoctor" if Path(path).name.startswith("kubectl-") else "kubedoctor"


def _run(arguments: Sequence[str], program: str) -> int:
    word, rest = split_command(arguments)
    if word == "help" or (word is None and ("--help" in rest or "-h" in rest)):
        topic = split_command(rest)[0] if word else None
        print(overview(program) if topic in (None, "help") else _help(topic, program))
        return ExitCode.HEALTHY
    if word is None and "--version" in rest:
        word, rest = "version", []
    if word in OTHER_VERBS:
        raise only_kubectl(word, arguments)
    command = None if word is not None and is_kind(word) else load_command("tui" if word is None else word)
    if command is None:
        command, rest = _objects(), list(arguments)
    return command.run(parse(command, rest, program))


def _help(topic: str, program: str) -> str:
    """The help of a command, or that of `KIND NAME` for a kind. Raises UsageProblem for other words."""
    if topic in OTHER_VERBS:
        raise only_kubectl(topic, [topic, "--help"])
    command = None if is_kind(topic) else load_command(topic)
    if command is None and (not topic or kind_from_word(topic) is None):
        near = nearest_word(topic, command_names())
        hint = f"Did you mean {', '.join(near)}? " if near else ""
        raise UsageProblem(f"there is no command {topic}".rstrip(), f"{hint}All commands: {program} --help")
    return parser_of(command or _objects(), program).format_help()


def _objects() -> Subcommand:
    from kubedoctor.cli.diagnosing import OBJECTS

    return OBJECTS


def _complain(problem: Problem) -> None:
    said = [(f"kubedoctor: {visible(problem.what)}", "")]
    if isinstance(problem, NoSuchObject) and problem.nearest:
        said.append(("did you mean " + ", ".join(visible(name) for name in problem.nearest) + "?", "  "))
    if problem.hint:
        said += [(line, "  ") for line in visible(problem.hint, lines=True).split("\n")]
    width = error_width()
    for text, first in said:
        lines = wrapped_advice(text, width, first) if width is not None else [first + text]
        print("\n".join(lines), file=sys.stderr)
