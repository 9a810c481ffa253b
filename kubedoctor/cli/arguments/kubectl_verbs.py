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
    """The arguments without the recording: kubectl knows only clusters. `create job --from=cronjob/X` is kubectl's own."""
    here = arguments.index(verb)
    before, after = list(arguments[:here]), list(arguments[here:])
    return [*_without_recording(before), *(after if verb == "create" else _without_recording(after))]


def _without_recording(arguments: list[str]) -> list[str]:
    end = arguments.index("--") if "--" in arguments else len(arguments)
    kept, rest = arguments[:end], arguments[end:]
    while "--from" in kept:
        place = kept.index("--from")
        del kept[place : place + 2]
    return [*(argument for argument in kept if not argument.startswith("--from=")), *rest]
