"""The words and flags of the command line: kubectl's habits."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from kubedoctor import __version__
from kubedoctor.answers.question import Question
from kubedoctor.cluster.kinds.resources import kind_from_word, kind_words
from kubedoctor.engine.questions import load_question, load_questions, question_modules
from kubedoctor.findings import Severity
from kubedoctor.problems import UsageProblem

FORMATS = ("text", "json", "yaml", "markdown")

EPILOG = """\
  kubedoctor                        the terminal UI on the current context
  kubedoctor pod checkout-1 -n shop diagnose one object and what it depends on (any kind; also deploy/checkout)
  kubedoctor scan -A                run every diagnostic over everything
{questions}
  kubedoctor explain KD1005         the lesson of a diagnostic; without a code: all of them
  kubedoctor capture -o st.tar.gz   record a redacted bundle
  kubedoctor demo                   a broken demo cluster on this machine, nothing needed; demo list: all of them
  kubedoctor completion bash        the shell's script for completion; also zsh, fish, tcsh
  kubedoctor version                the version

exit codes: 0 nothing found, 1 findings (see --fail-on), 2 usage or could not start, 3 something could not be checked
            or explained
"""


class _Parser(argparse.ArgumentParser):
    """Errors go through the one place that prints problems."""

    def error(self, message: str) -> NoReturn:
        _, _, unknown = message.partition("unrecognized arguments: ")
        flag = unknown.partition(" ")[0].partition("=")[0]
        for one in load_questions().questions if flag else ():
            if flag in (f"--{option.name}" for option in one.options):
                raise UsageProblem(f"{flag} belongs to {one.name}", f"Try: {self.prog} {one.name}")
        raise UsageProblem(message, f"Try: {self.prog} --help")

    def format_help(self) -> str:
        lines = [f"  {self.prog} {f'{one.name} NAME':<22} {one.help}" for one in load_questions().questions]
        return super().format_help().replace("{questions}", "\n".join(lines))


def parse(argv: Sequence[str], program: str) -> argparse.Namespace:
    """The arguments as a namespace with `command`, `words` and one attribute for each flag. Raises UsageProblem."""
    asked = _question_of(argv)
    options = parser(program, asked).parse_intermixed_args(argv)
    options.question = asked
    return options


def _question_of(argv: Sequence[str]) -> Question | None:
    """The question that the first word names, if it names one; a command or kind before it is the first word."""
    for word in argv:
        if word in COMMANDS or kind_from_word(word.partition("/")[0]) is not None:
            return None
        if not word.startswith("-") and word in question_modules():
            return load_question(word)
    return None


def parser(program: str = "kubedoctor", asked: Question | None = None) -> argparse.ArgumentParser:
    """The parser; one for all commands, so that flags may stand anywhere, as kubectl allows."""
    made = _Parser(
        prog=program,
        usage=f"{program} [COMMAND | KIND NAME | KIND/NAME] [flags]",
        description="Tells why a Kubernetes workload is broken, how sure it is, and what to type next. It only reads.",
        epilog=EPILOG.replace("  kubedoctor", f"  {program}"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    words = made.add_argument("words", nargs="*", metavar="COMMAND or KIND NAME", help=argparse.SUPPRESS)
    words.completer = complete_word  # type: ignore[attr-defined]  # argcomplete reads this attribute
    made.add_argument("--version", action="version", version=f"kubedoctor {__version__}")
    _add_source(made.add_argument_group("what to read"))
    _add_output(made.add_argument_group("what to print"))
    if asked is not None:
        group = made.add_argument_group(f"{asked.name}: {asked.help}")
        for option in asked.options:
            action = "append" if option.repeatable else "store"
            group.add_argument(f"--{option.name}", metavar=option.metavar, action=action, help=option.help)
    return made


def _add_source(group: argparse._ArgumentGroup) -> None:
    group.add_argument("-n", "--namespace", metavar="NS", help="the namespace; default: that of the context")
    group.add_argument("-A", "--all-namespaces", action="store_true", help="every namespace")
    group.add_argument("-l", "--selector", metavar="LABELS", help="only objects with these labels (scan)")
    group.add_argument("--from", dest="from_", metavar="BUNDLE", action="append", default=[],
                       help="read a bundle instead of a cluster: a capture, kubectl get -o json|yaml, "
                            "kubectl cluster-info dump, a support bundle; - is standard input")  # fmt: skip
    group.add_argument("--kubeconfig", metavar="FILE", help="the kubeconfig; default: KUBECONFIG or ~/.kube/config")
    group.add_argument("--context", metavar="NAME", help="the context of the kubeconfig")
    group.add_argument("--as", dest="as_user", metavar="USER", help="act as this user")
    group.add_argument("--as-group", dest="as_groups", metavar="GROUP", action="append", default=[],
                       help="act as a member of this group")  # fmt: skip
    group.add_argument("--request-timeout", metavar="DURATION", default="30s", help="of one request; default: 30s")


def _add_output(group: argparse._ArgumentGroup) -> None:
    group.add_argument("-o", "--output", metavar="FORMAT",
                       help=f"{', '.join(FORMATS)}; with capture: the folder or .tar.gz to write")  # fmt: skip
    group.add_argument("--fail-on", choices=[one.value for one in Severity], default=Severity.WARNING.value,
                       help="the least severity that gives exit code 1; default: warning")  # fmt: skip
    group.add_argument(
        "--allow-gaps", action="store_true", help="exit 0 even if something could not be checked or explained"
    )
    group.add_argument("--no-color", action="store_true", help="no colour, also on a terminal")
    group.add_argument("--stats", action="store_true", help="tell the number of requests and the time, on stderr")
    group.add_argument("--debug", action="store_true", help="show tracebacks of checks that failed")


def complete_word(prefix: str, parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """Commands and kinds for the first word; names from the cluster for the second."""
    words = list(getattr(parsed_args, "words", None) or ())
    if not words:
        return [
            word
            for word in (*COMMANDS, *question_modules(), *sorted(kind_words()))
            if word.startswith(prefix) and "." not in word
        ]
    from kubedoctor.cli.completion import names_for  # only a shell that completes pays for it

    return names_for(words, prefix, parsed_args)


COMMANDS = ("scan", "explain", "capture", "demo", "tui", "version", "completion")
