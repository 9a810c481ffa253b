"""Completes what is typed after `:`, every word of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
from textual.suggester import Suggester

from kubedoctor.tui.commands import ALL, CONTEXTS, NAMESPACES, completions


class KnownWords(msgspec.Struct, frozen=True):
    """What there is to complete to, asked for when a word of it is typed. kinds: of extensions, by their plurals; names: the
    objects of a kind in a namespace, empty for all."""

    kinds: Callable[[], Iterable[str]] = tuple
    namespaces: Callable[[], Iterable[str]] = tuple
    contexts: Callable[[], Iterable[str]] = tuple
    themes: Callable[[], Iterable[str]] = tuple
    names: Callable[[str], Iterable[str]] = lambda _: ()


class CommandSuggester(Suggester):
    """Suggests the rest of the word that is being typed."""

    def __init__(self, known: KnownWords) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._known = known

    async def get_suggestion(self, value: str) -> str | None:
        return completed(value, self._known)


def completed(text: str, known: KnownWords) -> str | None:
    """The text with its last word completed; None where nothing begins so."""
    before, _, start = text.rpartition(" ")
    if not text.strip() or (not start and not before.strip()):
        return None
    found = next((word for word in _candidates(before.split(), start, known) if word.startswith(start)), None)
    if found is None or found == start:
        return None
    return f"{before} {found}" if before else found


def _candidates(before: list[str], start: str, known: KnownWords) -> Iterable[str]:
    if not before:
        kind, slash, _ = start.partition("/")
        if slash:
            return (f"{kind}/{name}" for name in known.names(kind))
        return (*completions(start.lower()), *sorted(known.kinds()))
    first = before[0].lower()
    if start.startswith("@"):
        return (f"@{name}" for name in sorted(known.contexts()))
    if first in CONTEXTS:
        return sorted(known.contexts())
    if first == "theme":
        return known.themes()
    if not start:
        return ()
    if first in NAMESPACES or before[-1] == "-n" or len(before) == 1:
        return (*known.namespaces(), *ALL)
    return ()
