"""The commands typed after `:`, as in k9s: `:po`, `:deploy shop`, `:ns`, `:ctx`, `:theme`, `:q`."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from kubedoctor.cluster.grammar.nearest import words_meant
from kubedoctor.cluster.kinds.resources import ResourceKind, kind_from_word, kind_words, kinds_meant
from kubedoctor.engine.questions import question_modules

QUIT = ("q", "q!", "quit", "exit")
WORKLOADS = ("workloads", "workload", "wk")
FINDINGS = ("findings", "finding", "incidents", "f")
PULSES = ("pulses", "pulse", "pu")
SUPPRESSED = ("suppressed", "suppressions")
HELP = ("help", "h", "?", "aliases")
NAMESPACES = ("ns", "namespace", "namespaces")
CONTEXTS = ("ctx", "context", "contexts")
PRESENT = ("live", "now")
OTHERS = ("help", "theme", "aliases", "explain", "at", *PRESENT)
ALL = ("all", "*", "-A")


class CommandError(ValueError):
    """An invalid command; the text is a sentence for a person."""


class Quit(msgspec.Struct, frozen=True):
    """Quit."""


class Help(msgspec.Struct, frozen=True):
    """Show the keys and commands."""


class Theme(msgspec.Struct, frozen=True):
    """Change the colours; an empty name lists them."""

    name: str = ""


class UseContext(msgspec.Struct, frozen=True):
    """Switch to another context."""

    name: str


class Show(msgspec.Struct, frozen=True):
    """List a kind (`kind` as View spells it). `namespace` None: stay in the current one; empty: all. name: of the object
    that gets the cursor. context: in which, empty for the present one."""

    kind: str
    namespace: str | None = None
    filter: str = ""
    name: str = ""
    context: str = ""


class Ask(msgspec.Struct, frozen=True):
    """Ask a question about the row under the cursor, with the words of its arguments."""

    name: str
    words: tuple[str, ...] = ()


class Suppressions(msgspec.Struct, frozen=True):
    """List what is suppressed."""


class Pulses(msgspec.Struct, frozen=True):
    """Show small charts of how the cluster is."""


class Lesson(msgspec.Struct, frozen=True):
    """Show the lesson of a code, or of what kubectl shows."""

    words: str


class Moment(msgspec.Struct, frozen=True):
    """Show everything as it was at a moment, such as `14:49:50` or `5m` ago; empty: the present."""

    text: str = ""


Command = Pulses | Suppressions | Moment | Ask | Quit | Help | Theme | UseContext | Show | Lesson


def parse(text: str, extensions: Sequence[ResourceKind] = ()) -> Command:
    """Read a command line without its colon. extensions: kinds beside those of Kubernetes. Raises CommandError."""
    words = text.strip().removeprefix(":").split()
    if not words:
        return Show("")
    word, arguments = words[0], words[1:]
    lower = word.lower()
    most = (
        0 if lower in (*QUIT, *HELP, *PRESENT, *PULSES) else 1 if lower in ("theme", *CONTEXTS, *NAMESPACES) else None
    )
    if most is not None and len(arguments) > most:
        raise _unexpected(arguments[most])
    if lower in QUIT:
        return Quit()
    if lower in HELP:
        return Help()
    if lower == "theme":
        return Theme(arguments[0] if arguments else "")
    if lower in question_modules():
        return Ask(lower, tuple(arguments))
    if lower in CONTEXTS:
        return UseContext(arguments[0]) if arguments else Show("Context")
    if lower in NAMESPACES and arguments:
        return Show("", _namespace(arguments[0]))
    if lower in PRESENT:
        return Moment()
    if lower == "at":
        if not arguments:
            raise CommandError(
                "at needs a moment: :at 14:49:50, or :at 5m for 5 minutes before the present or the end of the recording."
            )
        return Moment(" ".join(arguments))
    if lower == "explain":
        if not arguments:
            raise CommandError("explain needs a code, or what kubectl shows: :explain OOMKilled.")
        return Lesson(" ".join(arguments))
    if lower in PULSES:
        return Pulses()
    if lower in SUPPRESSED:
        return Suppressions()
    if lower == "matrix":
        return Ask("connectivity", tuple(arguments))
    word, _, name = word.partition("/")
    kind = _kind(word.lower(), word, extensions)
    namespace, filter_text, context = _options(arguments)
    return Show(kind, namespace, filter_text, name, context)


def _kind(lower: str, word: str, extensions: Sequence[ResourceKind]) -> str:
    if lower in WORKLOADS:
        return ""
    if lower in FINDINGS:
        return "Finding"
    row = kind_from_word(lower)
    if row is not None:
        return row.kind
    meant = kinds_meant(lower, extensions)
    if len(meant) == 1:
        return meant[0].kind
    if meant:
        names = ", ".join(f":{name}" for name in sorted(row.resource for row in meant))
        raise CommandError(f"{word!r} is a kind of {len(meant)} groups: {names}.")
    own = (*kind_words(), *WORKLOADS, *FINDINGS, *CONTEXTS, *OTHERS, *PULSES, *QUIT, *question_modules())
    near = words_meant(lower, (*own, *(row.plural for row in extensions)), 1)
    hint = f" Did you mean :{near[0]}?" if near else " Press ? for the commands."
    raise CommandError(f"Unknown command or kind {word!r}.{hint}")


def _options(words: list[str]) -> tuple[str | None, str, str]:
    """A namespace, `/filter`, `-l selector` or `app=web`, and `@context`, in any order."""
    namespace: str | None = None
    filter_text = context = ""
    remaining = iter(words)
    for word in remaining:
        if word == "-l":
            filter_text = f"-l {next(remaining, '')}"
        elif word.startswith("/"):
            filter_text = " ".join((word[1:], *remaining)) if word in ("/-f", "/-l") else word[1:]
        elif "=" in word:
            filter_text = f"-l {word}"
        elif word.startswith("@") and len(word) > 1:
            context = word[1:]
        elif word == "-n":
            namespace = _namespace(next(remaining, ""))
        elif namespace is not None:
            raise _unexpected(word)
        else:
            namespace = _namespace(word)
    return namespace, filter_text, context


def _unexpected(word: str) -> CommandError:
    return CommandError(f"Unexpected argument: {word}.")


def _namespace(word: str) -> str:
    return "" if word in ALL else word


def completions(text: str) -> tuple[str, ...]:
    """Completions of the first word, shortest first."""
    words = {
        *kind_words(),
        *WORKLOADS,
        *FINDINGS,
        *CONTEXTS,
        *OTHERS,
        *SUPPRESSED,
        *PULSES,
        *question_modules(),
        "quit",
    }
    start = text.strip().lower()
    return tuple(
        sorted((word for word in words if word.startswith(start) and "." not in word), key=lambda w: (len(w), w))
    )
