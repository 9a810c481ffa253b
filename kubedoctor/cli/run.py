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
from kubedoctor.cluster.text import visible
from kubedoctor.problems import NoSuchObject, Problem

Run = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; never raises but for SystemExit of --help and --version."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    program = program_name(sys.argv[0])
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete  # only a shell that completes pays for it

        argcomplete.autocomplete(parser(program))
    debug = "--debug" in arguments
    try:
        return _run(parse(arguments, program))
    except Problem as problem:
        _complain(problem)
        if debug:
            traceback.print_exc()
        return ExitCode.USAGE
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader has enough (`| head`): not an error, but Python would complain again when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.HEALTHY


def program_name(path: str) -> str:
    """How the person called it: `kubectl kubedoctor` for the plug-in."""
    return "kubectl kubedoctor" if Path(path).name.startswith("kubectl-") else "kubedoctor"


def _run(options: argparse.Namespace) -> int:
    word = options.words[0] if options.words else "tui"
    if word in COMMANDS:
        return _command(word)(options)
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
