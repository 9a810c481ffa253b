"""The words of a command line, and what a line means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from kubedoctor.cluster.changes import Change
from kubedoctor.cluster.kinds.references import Ref

FORMS: Final = (
    "replicas=3, requests.cpu=800m, image=web:2, nodeSelector.zone=a, toleration=gpu=true:NoSchedule, delete; or a command "
    "of kubectl: scale, set, taint, label, cordon, patch, delete, create, rollout"
)
_SWITCHES: Final = frozenset(
    {"--overwrite", "--force", "--now", "--wait", "--all", "--local", "--save-config", "--record", "-o", "--dry-run"}
)
_VALUES: Final = frozenset(
    {"-n", "--namespace", "-c", "--containers", "--container", "-p", "--patch", "--type", "--replicas", "--requests",
     "--limits", "--to-revision", "--subresource", "-f", "--filename", "--cascade", "--grace-period",
     "--context", "--kubeconfig", "--cluster", "--user", "-s", "--server", "--token", "--request-timeout", "--as",
     "--as-group", "--as-uid", "--certificate-authority", "--client-certificate", "--client-key", "--cache-dir",
     "--tls-server-name", "--username", "--password", "--profile", "--profile-output", "-v", "--v", "--field-manager"}
)  # fmt: skip
"""Flags whose value may be the next word, those of every kubectl command too."""


class UnreadChange(ValueError):
    """A change that cannot be read, or that the API server would refuse; the text is for people."""


class Intended(msgspec.Struct, frozen=True):
    """A change. recreated: objects that are deleted and created again, changed."""

    change: Change
    recreated: frozenset[Ref] = frozenset()


class Words:
    """Flags by their names, and the other words in their order."""

    def __init__(self, words: Sequence[str]) -> None:
        self.free: list[str] = []
        self._flags: dict[str, list[str]] = {}
        waiting = ""
        for word in words:
            if waiting:
                self._flags.setdefault(waiting, []).append(word)
                waiting = ""
            elif word.startswith("--") and "=" in word:
                name, _, value = word.partition("=")
                self._flags.setdefault(name, []).append(value)
            elif word in _VALUES:
                waiting = word
            elif word.startswith("-") and len(word) > 1:
                if word not in _SWITCHES:
                    self._flags.setdefault(word, []).append("")
            else:
                self.free.append(word)
        if waiting:
            raise UnreadChange(f"{waiting} needs a value")

    def flag(self, *names: str) -> str:
        """The last value of a flag, by any of its names; empty where it was not given."""
        return next((self._flags[name][-1] for name in names if name in self._flags), "")

    def every(self, name: str) -> list[str]:
        """All values of a flag, also those that a comma separates."""
        return [part for value in self._flags.get(name, []) for part in value.split(",") if part]

    def take(self) -> str:
        """The first free word, which is then no longer there; empty where there is none."""
        return self.free.pop(0) if self.free else ""
