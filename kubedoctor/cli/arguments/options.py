"""The options that commands share: kubectl's, with kubectl's names."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from typing import Any

SEVERITIES = ("critical", "warning", "notice")
"""The values of Severity, whose package is not imported before the first request."""
Completer = Callable[[str, argparse.Namespace], Iterable[str]]


def completed(action: argparse.Action, completer: Completer) -> None:
    """Say what completes the values of an option."""
    action.completer = completer  # type: ignore[attr-defined]  # read by kubedoctor.cli.completion


def namespace_flag(options: argparse.Namespace) -> str:
    """` -A` or ` -n shop`, as it was given; empty without."""
    return " -A" if options.all_namespaces else f" -n {options.namespace}" if options.namespace else ""


def add_source(parser: argparse.ArgumentParser, *, shown: bool, short_file: bool = True) -> None:
    """Where to read. Not `shown`: accepted and ignored, so that an alias with `--context` works with every command.

    short_file: whether `-f` names a file, as with `kubectl get -f`; with `logs` it means to follow, and with
    `check` it names what is checked.
    """
    from kubedoctor.cli.completion import values  # not called before a shell completes

    group = parser.add_argument_group("what to read")

    def add(*names: str, help_: str, completer: Completer | None = None, **more: Any) -> None:
        action = group.add_argument(*names, help=help_ if shown else argparse.SUPPRESS, **more)
        if completer is not None:
            completed(action, completer)

    add(
        "-n",
        "--namespace",
        metavar="NAMESPACE",
        help_="the namespace; default: the namespace of the context, and of a recording all",
        completer=values.namespaces,
    )
    add("-A", "--all-namespaces", action="store_true", help_="all namespaces")
    add(
        *(("-f",) if short_file else ()),
        "--from",
        dest="from_",
        metavar="FILE",
        action="append",
        default=[],
        help_="read a recording instead of a cluster: a capture, kubectl get -o json or yaml, kubectl cluster-info dump, "
        "a support bundle; - is standard input",
        completer=values.files,
    )
    add("--at", metavar="TIME", default="", help_="of a recorded history: the state at 14:49:50, or 5m before its end")
    add(
        "--kubeconfig",
        metavar="FILE",
        help_="the kubeconfig; default: KUBECONFIG or ~/.kube/config",
        completer=values.files,
    )
    add(
        "--context",
        metavar="NAME",
        help_="the context of the kubeconfig; scan and the terminal UI take several: a,b",
        completer=values.contexts,
    )
    add("--all-contexts", action="store_true", help_="scan, terminal UI: all contexts of the kubeconfig")
    add("--as", dest="as_user", metavar="USER", help_="impersonate this user")
    add(
        "--as-group",
        dest="as_groups",
        metavar="GROUP",
        action="append",
        default=[],
        help_="impersonate this group; may be repeated",
    )
    add("--request-timeout", metavar="DURATION", default="30s", help_="limit of a single request; default: 30s")


def add_output(parser: argparse.ArgumentParser, formats: tuple[str, ...], *, gates: bool, reads: bool) -> None:
    """What to print, and with `gates` what the exit code depends on."""
    group = parser.add_argument_group("what to print")
    if formats:
        action = group.add_argument("-o", "--output", metavar="FORMAT", help=", ".join(formats))
        completed(action, lambda prefix, _: [name for name in formats if name.startswith(prefix)])
    else:
        parser.set_defaults(output=None)
    if gates:
        group.add_argument(
            "--fail-on",
            choices=SEVERITIES,
            default="warning",
            help="the lowest severity that gives exit code 1: critical, warning or notice; default: warning",
            metavar="SEVERITY",
        )
        group.add_argument(
            "--allow-gaps", action="store_true", help="exit code 0 even if something could not be checked or explained"
        )
    else:
        parser.set_defaults(fail_on="warning", allow_gaps=False)
    group.add_argument("--no-color", action="store_true", help="no colour, even on a terminal")
    group.add_argument(
        "--stats",
        action="store_true",
        help="print the number of requests and the time to stderr" if reads else argparse.SUPPRESS,
    )
    group.add_argument("--debug", action="store_true", help="print tracebacks of failed checks")


def add_selector(parser: argparse.ArgumentParser) -> None:
    """`-l`, for commands that pick objects."""
    parser.add_argument(
        "-l", "--selector", metavar="LABELS", help="only objects with these labels: app=web,tier!=cache"
    )
