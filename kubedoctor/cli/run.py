"""From the arguments to the exit code."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from kubedoctor.cli.arguments import COMMANDS, parse, parser
from kubedoctor.cli.exit_codes import ExitCode
from kubedoctor.cli.terminal import prepare_streams
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.problems import NoSuchObject, Problem

Run = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; never raises but for SystemExit of --help and --version."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    prepare_streams()
    program = program_name(sys.argv[0])
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete  # only a shell that completes pays for it

        argcomplete.autocomplete(parser(program))
    debug = "--debug" in arguments
    try:
        code = _run(parse(arguments, program))
        sys.stdout.flush()  # what cannot be written is to be told here, not when Python ends
        return code
    except Problem as problem:
        _complain(problem)
        if debug:
            traceback.print_exc()
        return ExitCode.USAGE
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        _give_up_stdout()  # the reader has enough (`| head`): not an error
        return ExitCode.HEALTHY
    except OSError as error:
        _give_up_stdout()
        _complain(
            Problem(_what_failed(error), "Is the disk full, or the output closed? With --debug: where it happened")
        )
        return _unexpected(ExitCode.USAGE, debug=debug)
    except Exception as error:  # noqa: BLE001  # a person is never shown a traceback that they did not ask for
        what = f"kubedoctor itself is at fault: {type(error).__name__}: {error}"
        _complain(Problem(what, "Please report it with the output of the same command and --debug"))
        return _unexpected(ExitCode.USAGE, debug=debug)


def _give_up_stdout() -> None:
    """What is left in the buffer would fail again when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _what_failed(error: OSError) -> str:
    where = f" {error.filename}" if error.filename else ""
    return f"the system refused to read or write{where}: {error.strerror or error}"


def _unexpected(code: ExitCode, *, debug: bool) -> ExitCode:
    if debug:
        traceback.print_exc()
    return code


def program_name(path: str) -> str:
    """How the person called it: `kubectl kubedoctor` for the plug-in."""
    return "kubectl kubedoctor" if Path(path).name.startswith("kubectl-") else "kubedoctor"


def _run(options: argparse.Namespace) -> int:
    word = options.words[0] if options.words else "tui"
    if word in COMMANDS:
        return _command(word)(options)
    if options.question is not None and word == options.question.name:
        from kubedoctor.cli.commands.ask import ask_command

        return ask_command(options.question, options)
    from kubedoctor.cli.commands.diagnose import diagnose

    return diagnose(options)


def _command(word: str) -> Run:
    """The function of a command; its module is imported only when it is used."""
    if word == "scan":
        from kubedoctor.cli.commands.scan import scan_command as run
    elif word == "explain":
        from kubedoctor.cli.commands.explain import explain_command as run
    elif word == "capture":
        from kubedoctor.cli.commands.capture import capture_command as run
    elif word == "demo":
        from kubedoctor.cli.commands.demo import demo_command as run
    elif word == "version":
        from kubedoctor.cli.commands.version import version_command as run
    elif word == "completion":
        from kubedoctor.cli.completion import completion_command as run
    else:
        from kubedoctor.cli.commands.interactive import tui_command as run
    return run


def _complain(problem: Problem) -> None:
    print(f"kubedoctor: {visible(problem.what)}", file=sys.stderr)
    if isinstance(problem, NoSuchObject) and problem.nearest:
        print("  did you mean " + ", ".join(visible(name) for name in problem.nearest) + "?", file=sys.stderr)
    if problem.hint:
        print("  " + visible(problem.hint, lines=True).replace("\n", "\n  "), file=sys.stderr)
