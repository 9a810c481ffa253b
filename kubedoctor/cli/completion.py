"""Shell completion."""

from __future__ import annotations

import argparse

from kubedoctor.cluster.kinds.resources import kind_from_word
from kubedoctor.engine import load_catalogue
from kubedoctor.engine.questions import load_question, question_modules
from kubedoctor.problems import Problem, UsageProblem

SHELLS = ("bash", "zsh", "fish", "tcsh", "powershell")


def names_for(words: list[str], prefix: str, options: argparse.Namespace) -> list[str]:
    """What may follow the words: codes and the words of the API after `explain`, names of objects after a kind. Silent when nothing can be read."""
    if words[0] == "explain":
        return [word for word in load_catalogue().words() if word.lower().startswith(prefix.lower())]
    if words[0] in question_modules():
        asked = load_question(words[0])
        words = words[1:] or ([asked.kinds[0].lower()] if asked is not None else [])
    kind = kind_from_word(words[0]) if words else None
    if kind is None or len(words) > 1:
        return []
    from kubedoctor.cli.commands.reading import opened

    try:
        with opened(options) as source:
            names = source.names(kind.kind, options.namespace or source.namespace)
    except Problem:
        return []
    return [name for name in names if name.startswith(prefix)]


def completion_command(options: argparse.Namespace) -> int:
    """Print the line that turns completion on in a shell."""
    shell = options.words[1] if len(options.words) > 1 else "bash"
    if shell not in SHELLS:
        raise UsageProblem(f"there is no completion for {shell!r}", f"There is for {', '.join(SHELLS)}")
    from argcomplete.shell_integration import shellcode  # only this command pays for it

    print(shellcode(["kubedoctor", "kubectl-kubedoctor"], shell=shell))
    return 0
