"""What the words after a command mean: kinds, names, or both, in all of kubectl's forms."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Sequence

import msgspec

from kubedoctor.cluster.grammar.nearest import words_meant
from kubedoctor.cluster.kinds.resources import ResourceKind, kind_from_word, kind_words, kinds_meant
from kubedoctor.problems import UsageProblem


class Target(msgspec.Struct, frozen=True):
    """An object by its name, or all objects of a kind where `name` is empty."""

    kind: ResourceKind
    name: str = ""


class UnknownKind(UsageProblem):
    """No kind of Kubernetes itself is named so; an extension may define it."""


def targets_of(words: Sequence[str], extensions: Sequence[ResourceKind] = ()) -> tuple[Target, ...]:
    """`pod a b`, `pod/a svc/b`, `pods`, `pods,services`. extensions: kinds beside those of Kubernetes. Raises
    UsageProblem for a kind that is unknown."""
    if "" in words[1:]:
        raise UsageProblem("a name is empty", f"Name it: kubedoctor {words[0]} NAME")
    if "/" in words[0]:
        return tuple(_named(word, extensions) for word in words)
    kinds = [known_kind(word, extensions) for word in words[0].split(",")]
    names = dict.fromkeys(words[1:]) or {"": None}
    return tuple(Target(kind, name) for kind in kinds for name in names)


def _named(word: str, extensions: Sequence[ResourceKind]) -> Target:
    kind_word, slash, name = word.partition("/")
    if slash and kind_from_word(kind_word) is None and (hint := recording_hint(word)):
        raise UsageProblem(f"{word!r} is a file", hint)
    if "/" in name:
        raise UsageProblem(f"{word!r} has more than one slash", "Write KIND/NAME")
    if kind_word and slash and not name:
        plural = known_kind(kind_word, extensions).plural
        raise UsageProblem(f"{word!r} has no name after the slash", f"Write {word}NAME, or {plural} for all of them")
    kind = known_kind(kind_word, extensions) if slash or is_kind(word) else None
    if kind is None or not name:
        raise UsageProblem(
            f"{word!r} names no object where others are KIND/NAME", "Write all of them as KIND/NAME, or KIND NAME NAME"
        )
    return Target(kind, name)


def recording_hint(word: str) -> str:
    """The command to type where a word is a file and not a name; else empty. A file whose name has
    neither dot nor slash may be the name of an object by chance."""
    if ("." in word or "/" in word) and os.path.exists(word):
        return f"To read it as a recording: --from {shlex.quote(word)}"
    return ""


def is_kind(word: str) -> bool:
    """Whether a word can only mean a kind, or an object by its kind."""
    return not word or "/" in word or "," in word or kind_from_word(word) is not None


def known_kind(word: str, extensions: Sequence[ResourceKind] = ()) -> ResourceKind:
    """The kind that a word means. Raises UnknownKind with the nearest, and UsageProblem where several groups have it."""
    if kind := kind_from_word(word):
        return kind
    if meant := meant_kind(word, extensions):
        return meant
    own = [kind_word for kind_word in kind_words() if "." not in kind_word]
    near = words_meant(word.lower(), [*own, *extension_words(extensions)])
    hint = f"Did you mean {', '.join(near)}?" if near else "All commands: kubedoctor --help"
    raise UnknownKind(f"unknown kind {word!r}" if word else "a kind is missing", hint)


def meant_kind(word: str, extensions: Sequence[ResourceKind]) -> ResourceKind | None:
    """The kind of an extension that a word means. Raises UsageProblem where several groups have it."""
    meant = kinds_meant(word, extensions) if word else ()
    if len(meant) > 1:
        raise UsageProblem(
            f"{word!r} is a kind of {len(meant)} groups",
            f"Say which: {', '.join(sorted(kind.resource for kind in meant))}",
        )
    return meant[0] if meant else None


def extension_words(extensions: Iterable[ResourceKind]) -> list[str]:
    """The words for these kinds, for suggesting the nearest."""
    return [word for kind in extensions for word in (kind.plural, kind.singular, *kind.short_names)]
