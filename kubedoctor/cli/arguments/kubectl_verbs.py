"""Commands of kubectl that kubedoctor does not have, because it changes nothing and only reads to diagnose."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from kubedoctor.problems import UsageProblem

_CHANGES = [
    "annotate",
    "apply",
    "autoscale",
    "certificate",
    "cordon",
    "create",
    "delete",
    "drain",
    "edit",
    "expose",
    "label",
    "patch",
    "replace",
    "rollout",
    "run",
    "scale",
    "set",
    "taint",
    "uncordon",
]
_REACHES_IN = ["attach", "cp", "debug", "exec", "port-forward", "proxy"]
_READS = [
    "api-resources",
    "api-versions",
    "auth",
    "cluster-info",
    "config",
    "diff",
    "kustomize",
    "options",
    "top",
    "wait",
]
OTHER_VERBS = frozenset((*_CHANGES, *_REACHES_IN, *_READS))


def only_kubectl(verb: str, arguments: Sequence[str]) -> UsageProblem:
    """Why there is no such command here, and the line for kubectl."""
    if verb in _CHANGES:
        what = f"{verb} changes a cluster, and kubedoctor only reads"
    elif verb in _REACHES_IN:
        what = f"{verb} reaches into a cluster, and kubedoctor only reads"
    else:
        what = f"there is no command {verb}"
    return UsageProblem(what, f"Run: {shlex.join(['kubectl', *_for_kubectl(verb, arguments)])}")


def _for_kubectl(verb: str, arguments: Sequence[str]) -> list[str]:
    """The arguments without a recording that is named before the verb: kubectl knows only clusters."""
    here = arguments.index(verb)
    before = list(arguments[:here])
    while "--from" in before:
        place = before.index("--from")
        del before[place : place + 2]
    return [*(argument for argument in before if not argument.startswith("--from=")), *arguments[here:]]
