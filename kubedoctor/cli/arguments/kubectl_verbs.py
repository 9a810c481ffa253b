"""Commands, options and formats of kubectl that kubedoctor does not have, because it changes nothing and only reads to diagnose."""

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
    "kustomize",
    "options",
    "top",
    "wait",
]
OTHER_VERBS = frozenset((*_CHANGES, *_REACHES_IN, *_READS))

_OWN_FLAGS = ("--allow-gaps", "--no-color", "--stats", "--debug")
_OWN_VALUES = ("--from", "--fail-on")
_LISTING = ["--chunk-size", "-k", "--kustomize", "-R", "--recursive"]
_OPTIONS = {
    "get": ["--allow-missing-template-keys", "--field-selector", "--ignore-not-found", "-L", "--label-columns",
            "--no-headers", "--output-watch-events", "--raw", "--server-print", "--show-kind", "--show-labels",
            "--show-managed-fields", "--sort-by", "--subresource", "--template", *_LISTING],
    "describe": ["--show-events", *_LISTING],
    "logs": ["--all-pods", "--ignore-errors", "--insecure-skip-tls-verify-backend", "--limit-bytes",
             "--max-log-requests", "--pod-running-timeout", "--prefix", "--since-time"],
}  # fmt: skip
_FORMATS = ("custom-columns", "custom-columns-file", "go-template", "go-template-file", "jsonpath", "jsonpath-as-json",
            "jsonpath-file", "kyaml", "template", "templatefile")  # fmt: skip


def only_kubectl(verb: str, arguments: Sequence[str]) -> UsageProblem:
    """Why kubedoctor lacks the command, and the line for kubectl."""
    if verb in _CHANGES:
        what = f"{verb} changes a cluster, and kubedoctor only reads"
    elif verb in _REACHES_IN:
        what = f"{verb} reaches into a cluster, and kubedoctor only reads"
    else:
        what = f"there is no command {verb}"
    return UsageProblem(what, f"Run: {_line(_for_kubectl(verb, arguments))}")


def kubectl_option(command: str, option: str, arguments: Sequence[str]) -> str:
    """The kubectl line for an option that only kubectl's `get`, `describe` or `logs` has; empty for other options."""
    return _reading(command, arguments) if option in _OPTIONS.get(command, ()) else ""


def kubectl_format(command: str, output: str, arguments: Sequence[str]) -> str:
    """The kubectl line for a format that only `kubectl get` has, such as `jsonpath={.items}`; empty for other formats."""
    return _reading(command, arguments) if command == "get" and output.partition("=")[0] in _FORMATS else ""


def _reading(command: str, arguments: Sequence[str]) -> str:
    # `logs -f` follows, as with kubectl; elsewhere -f names a recording
    return _line([command, *_without(arguments, _OWN_VALUES if command == "logs" else ("-f", *_OWN_VALUES))])


def _line(words: Sequence[str]) -> str:
    return shlex.join(["kubectl", *words])


def _for_kubectl(verb: str, arguments: Sequence[str]) -> list[str]:
    """The arguments that kubectl takes. Before the verb `-f` names a recording, after it a manifest; of `create`, which
    may be `create job x --from=cronjob/y`, `--from` is kubectl's too."""
    here = arguments.index(verb)
    after = tuple(name for name in _OWN_VALUES if (verb, name) != ("create", "--from"))
    return [*_without(arguments[:here], ("-f", *_OWN_VALUES)), *_without(arguments[here:], after)]


def _without(arguments: Sequence[str], options: tuple[str, ...]) -> list[str]:
    """The arguments but for these options with their values and the flags of kubedoctor; what follows `--` stays."""
    remaining: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        name = argument.partition("=")[0]
        if argument == "--":
            return [*remaining, argument, *rest]
        if argument in options:
            next(rest, None)
        elif name in options or name in _OWN_FLAGS or ("-f" in options and _is_attached(argument, "-f")):
            continue
        else:
            remaining.append(argument)
    return remaining


def _is_attached(argument: str, option: str) -> bool:
    """Whether it is `-fFILE`."""
    return argument.startswith(option) and argument != option
