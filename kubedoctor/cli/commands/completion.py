"""`kubedoctor completion SHELL`: the script that turns completion on."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from kubedoctor.cli.arguments.command import Subcommand
from kubedoctor.problems import UsageProblem

SHELLS = ("bash", "zsh", "fish", "tcsh", "powershell")


def completion(options: argparse.Namespace) -> int:
    """Print the script for a shell."""
    shell = options.words[0] if options.words else "bash"
    if shell not in SHELLS:
        raise UsageProblem(f"no completion for {shell!r}", f"Shells: {', '.join(SHELLS)}")
    from argcomplete.shell_integration import shellcode  # imported only for this command

    print(shellcode(["kubedoctor", "kubectl-kubedoctor"], shell=shell))
    return 0


def _complete(words: Sequence[str], prefix: str, _options: argparse.Namespace) -> list[str]:
    return [] if words else [shell for shell in SHELLS if shell.startswith(prefix)]


COMMAND = Subcommand(
    name="completion",
    summary="print the completion script of a shell: bash, zsh, fish, tcsh or powershell",
    usage=("SHELL",),
    details="Commands, kinds, namespaces, contexts, names of objects, codes and options are completed. What would take "
    "longer than a second is left out.",
    examples=(
        ("completion bash > ~/.local/share/bash-completion/completions/kubedoctor", ""),
        ("completion zsh > ~/.zfunc/_kubedoctor", ""),
        ("completion fish > ~/.config/fish/completions/kubedoctor.fish", ""),
    ),
    run=completion,
    most_words=1,
    reads=False,
    complete=_complete,
)
