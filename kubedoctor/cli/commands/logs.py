"""`kubedoctor logs POD`: the diagnosis, which reads the logs, and the command of kubectl for the whole log."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence

from msgspec.structs import replace

from kubedoctor.cli.arguments.options import completed
from kubedoctor.cli.completion import values
from kubedoctor.cli.diagnosing import OBJECTS, add_examination, diagnose
from kubedoctor.cli.targets import is_kind, recording_hint
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS
from kubedoctor.findings.commands import kubectl
from kubedoctor.problems import UsageProblem

_VALUES = {"CONTAINER": ("-c", "--container"), "LINES": ("--tail",), "DURATION": ("--since",)}
_FLAGS = (("-f", "--follow"), ("-p", "--previous"), ("--all-containers",), ("--timestamps",))


def logs(options: argparse.Namespace) -> int:
    """The diagnosis of a pod or a workload, with the command for its log below it."""
    if not options.words and not options.selector:
        raise UsageProblem("logs of which pod?", "Name it: kubedoctor logs POD [-n NAMESPACE]; also deploy/checkout")
    if not options.words:
        options.words = ["pods"]
    elif not is_kind(options.words[0]):  # as with kubectl: the name of a pod, and perhaps that of a container
        if hint := recording_hint(options.words[-1]):
            follows = "; with logs -f means --follow" if options.follow else ""
            raise UsageProblem(f"{options.words[-1]!r} is a file", f"{hint}{follows}")
        if len(options.words) == 2 and not options.container:
            options.container = options.words.pop()
        options.words = ["pod", *options.words]
    return diagnose(options, lambda subjects: _commands(subjects, options))


def _commands(subjects: Sequence[Ref], options: argparse.Namespace) -> str:
    chosen: list[str] = []
    for names in _VALUES.values():
        value = getattr(options, names[-1].lstrip("-"))
        chosen += [names[0], value] if value else []
    for names in _FLAGS:
        chosen += names[:1] if getattr(options, names[-1].lstrip("-").replace("-", "_")) else ()
    having = [subject for subject in subjects if subject.kind in ("Pod", "Service", *WORKLOAD_KINDS)]
    if not having:
        return f"{subjects[0].title} has no log of its own"
    flags = f" {shlex.join(chosen)}" if chosen else ""
    lines = (kubectl("logs", _argument(subject), namespace=subject.namespace) for subject in having)
    return "\n".join(f"{line}{flags}" for line in lines)


def _argument(subject: Ref) -> str:
    return subject.name if subject.kind == "Pod" else subject.argument


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_examination(parser)
    group = parser.add_argument_group("what the kubectl command gets")
    for metavar, names in _VALUES.items():
        value = group.add_argument(*names, metavar=metavar, help="as with kubectl logs")
        if metavar == "CONTAINER":
            completed(value, lambda prefix, options: values.containers(options.words, prefix, options))
    for flags in _FLAGS:
        group.add_argument(*flags, action="store_true", help="as with kubectl logs")


def _complete(words: Sequence[str], prefix: str, options: argparse.Namespace) -> list[str]:
    """Pods, as with kubectl, and their containers; after a kind its objects."""
    if not words and "/" not in prefix:
        return values.names("Pod", prefix, options)
    if len(words) == 1 and not is_kind(words[0]):
        return values.containers(words, prefix, options)
    return values.objects(words, prefix, options)


COMMAND = replace(
    OBJECTS,
    name="logs",
    summary="diagnose a pod, its logs included, and give the kubectl logs command",
    usage=("POD [CONTAINER] [flags]", "KIND/NAME [flags]", "-l LABELS [flags]"),
    section="As with kubectl",
    details="The diagnosis reads the last lines of the logs that matter, and quotes the line that decides.",
    examples=(("logs checkout-1 -n shop", "the diagnosis, then the command"), ("logs deploy/checkout -c app", "")),
    run=logs,
    add_options=_add_options,
    complete=_complete,
)
