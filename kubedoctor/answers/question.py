"""`@question`: the declaration of a question. Every front end offers the question from this declaration alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from kubedoctor.answers.sheet import Conclusion, Sheet
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.reading import Cluster


class Argument(msgspec.Struct, frozen=True):
    """A word after the subject, such as `B:PORT` of `reach A B:PORT`; none may be left out. Its value is a choice."""

    name: str
    metavar: str
    help: str


class Option(msgspec.Struct, frozen=True):
    """`--name METAVAR` on the command line; `--name` alone where metavar is empty. repeatable: may be given several times, and
    a comma separates values too. metavar of several words: so many values. alone: with it the question has neither subject nor
    arguments, and is about the Namespace in use. subjectless: with it the subject may be left out; the question then is about
    the Namespace in use."""

    name: str
    metavar: str
    help: str
    repeatable: bool = False
    alone: bool = False
    subjectless: bool = False


class Choices:
    """The values of a question's arguments and options, by their names."""

    def __init__(self, values: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self._values = dict(values or {})

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of an argument or option; empty where it was not given."""
        return self._values.get(name, ())

    def one(self, name: str) -> str:
        """The value of an argument, or of an option that is given once; empty where it was not given."""
        return next(iter(self.all(name)), "")


_NO_SUBJECTS = frozenset({"Event", "Lease", "PodMetrics", "NodeMetrics", "Context", "Address"})

Answer = Callable[[Ref, Choices, Cluster], Sheet]
"""A pure function of subject, choices and snapshot that returns the sheet. Reads of missing objects raise NotCollected
by themselves."""


def unanswered(subject: Ref, cluster: Cluster) -> Sheet:
    """The sheet for objects that cannot be read."""
    return Sheet(subject.title if subject.name else "all namespaces", "could not be answered", Conclusion.UNKNOWN)


class Question(msgspec.Struct, frozen=True):
    """name: the command (`why-pending`). help: one line. kinds: of the subject; a bare name means the first. Without kinds
    the subject is the Namespace in use; an empty name means all Namespaces. arguments: the words after the subject.
    key: opens it in the terminal UI. addresses: the subject may be an IP address, of the kind Address. subject_after: `--from` may
    name the subject behind the arguments too, where it is no file. area: findings of this area of diagnostics point to the question.
    any_kind: the subject may be of every other kind too, but for what is no object of its own.
    of_namespace: kinds of objects; asked of one, it is about the object's namespace.
    unanswered: the sheet where CannotSee was raised; what could not be seen is added to its gaps.
    """

    name: str
    help: str
    kinds: tuple[str, ...]
    answer: Answer
    arguments: tuple[Argument, ...] = ()
    options: tuple[Option, ...] = ()
    key: str = ""
    area: str = ""
    addresses: bool = False
    of_namespace: tuple[str, ...] = ()
    unanswered: Callable[[Ref, Cluster], Sheet] = unanswered
    subject_after: bool = False
    any_kind: bool = False

    def fits(self, subject: Ref) -> bool:
        """Whether the question applies to an object."""
        return self.takes(subject.kind) or subject.kind in self.of_namespace

    def takes(self, kind: str) -> bool:
        """Whether its subject may be of this kind."""
        return kind in (self.kinds or ("Namespace",)) or (self.any_kind and kind not in _NO_SUBJECTS)

    def about(self, subject: Ref) -> Ref:
        """What it is about where it is asked of an object."""
        return Ref("Namespace", "", subject.namespace) if subject.kind in self.of_namespace else subject

    def choices(self, words: Sequence[str], options: Mapping[str, tuple[str, ...]] | None = None) -> Choices:
        """A word for each argument, and the values of options by their names."""
        alone = any(option.alone and (options or {}).get(option.name) for option in self.options)
        asked = () if alone else zip(self.arguments, words, strict=True)
        arguments = {argument.name: (word,) for argument, word in asked}
        return Choices({**arguments, **(options or {})})

    @property
    def usage(self) -> str:
        """The arguments as help shows them: `B:PORT`."""
        return " ".join(argument.metavar for argument in self.arguments)


def question(
    *,
    help: str,
    kinds: tuple[str, ...] = (),
    arguments: tuple[Argument, ...] = (),
    options: tuple[Option, ...] = (),
    key: str = "",
    area: str = "",
    addresses: bool = False,
    of_namespace: tuple[str, ...] = (),
    unanswered: Callable[[Ref, Cluster], Sheet] = unanswered,
    subject_after: bool = False,
    any_kind: bool = False,
) -> Callable[[Answer], Question]:
    """Make a question of a function; its module's name is the question's name (`why_pending.py`: `why-pending`)."""

    def declare(answer: Answer) -> Question:
        name = answer.__module__.rpartition(".")[2].replace("_", "-")
        return Question(
            name,
            help,
            kinds,
            answer,
            arguments,
            options,
            key,
            area,
            addresses,
            of_namespace,
            unanswered,
            subject_after,
            any_kind,
        )

    return declare
