"""Shell completion: argcomplete's protocol, with candidates from the command that is being typed."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from argcomplete.finders import CompletionFinder

from kubedoctor.cli.arguments.known import command_names, load_command
from kubedoctor.cli.arguments.parsing import option_names, option_of, parser_of, split_command, takes_value
from kubedoctor.cli.completion import values
from kubedoctor.cli.diagnosing import OBJECTS
from kubedoctor.problems import Problem


class Finder(CompletionFinder):
    """Answers a shell with our candidates; the protocol, the quoting and the splitting of words are argcomplete's."""

    def _get_completions(
        self, comp_words: list[str], cword_prefix: str, cword_prequote: str, last_wordbreak_pos: int | None
    ) -> list[str]:
        if cword_prefix.startswith("-") and "=" in cword_prefix:
            comp_words = comp_words[:-1]  # argcomplete puts the option of `--option=value` there
        start = cword_prefix.lower()  # `explain oom` means OOMKilled
        matches = [word for word in candidates(comp_words[1:], cword_prefix) if word.lower().startswith(start)]
        self._display_completions = dict.fromkeys(matches, "")
        quoted: list[str] = self.quote_completions(list(dict.fromkeys(matches)), cword_prequote, last_wordbreak_pos)
        return quoted


def candidates(words: Sequence[str], prefix: str) -> list[str]:
    """What may stand at the cursor, after these words. Never raises: where nothing can be read there are none."""
    try:
        return _candidates(list(words), prefix)
    except (Problem, OSError, ValueError):
        return []


def _candidates(words: list[str], prefix: str) -> list[str]:
    word, rest = split_command(words)
    if word == "help":
        return [name for name in command_names() if name.startswith(prefix)] if not rest else []
    command = (load_command(word) if word else None) or OBJECTS
    parser = parser_of(command)
    before = rest if command is not OBJECTS else words
    if words and words[-1].startswith("-") and (action := option_of(parser, words[-1])) and takes_value(action):
        return _values(action, prefix, _given(parser, before[:-1]))
    if prefix.startswith("-"):
        option, equals, value = prefix.partition("=")
        if equals and (action := option_of(parser, option)) is not None:
            return [f"{option}={found}" for found in _values(action, value, _given(parser, before))]
        return sorted(name for name in option_names(parser) if name.startswith(prefix))
    options = _given(parser, before)
    if word is None:
        names = command_names()
        return [*(name for name in names if name.startswith(prefix)), *values.objects((), prefix, options)]
    return list(command.complete(options.words, prefix, options))


def _given(parser: argparse.ArgumentParser, arguments: list[str]) -> argparse.Namespace:
    """The options so far; unfinished or invalid ones are left out."""
    try:
        return parser.parse_known_intermixed_args(arguments)[0]
    except Problem:
        return parser.parse_known_intermixed_args([])[0]


def _values(action: argparse.Action, prefix: str, options: argparse.Namespace) -> list[str]:
    if action.choices is not None:
        return [str(choice) for choice in action.choices if str(choice).startswith(prefix)]
    completer = getattr(action, "completer", None)
    return list(completer(prefix, options)) if completer is not None else []
