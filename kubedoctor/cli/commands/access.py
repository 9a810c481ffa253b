"""`kubedoctor access`: where the way to the API server ends, and what may be read there."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from kubedoctor.cli.arguments.command import Subcommand
from kubedoctor.cli.formats import check_format
from kubedoctor.cli.reading import source_options
from kubedoctor.cli.terminal import speak_utf8, text_width, wants_colour
from kubedoctor.cli.trying import FORMATS
from kubedoctor.cluster.grammar.text import counted
from kubedoctor.problems import SourceProblem, UsageProblem

if TYPE_CHECKING:
    from kubedoctor.answers.access import AccessFound, NeededRight
    from kubedoctor.cluster.kinds.resources import ResourceKind
    from kubedoctor.collect.doctor import AccessWay
    from kubedoctor.engine import Catalogue

_FORMATS: Final = tuple(name for name in FORMATS if name != "svg")
_ROLES: Final = {
    "catalogue": "all that the installed diagnostics read in any cluster; no cluster is asked",
    "needed": "what they read in this cluster, with the kinds of its extensions",
    "missing": "what is not allowed of that, bound to you",
}


def access(options: argparse.Namespace) -> int:
    """Take the way to the cluster, ask what is allowed, print the sheet; with --role print a manifest instead."""
    started = time.perf_counter()
    if options.from_ or options.at:
        raise UsageProblem("access asks a cluster, not a recording", "Leave -f and --at out")
    if options.role and options.output not in (None, "yaml"):
        raise UsageProblem(f"--role prints a manifest, not {options.output}", "Leave -o out")
    check_format(options.output, _FORMATS)
    from kubedoctor.answers.access import access_found_sheet, needed_rights
    from kubedoctor.engine import load_catalogue

    catalogue = load_catalogue()
    if options.role == "catalogue":
        return _print_role(list(needed_rights(catalogue.reads())), options.namespace or "", "")
    from msgspec.structs import replace

    from kubedoctor.cli.exit_codes import sheet_code
    from kubedoctor.cli.formats.sheet import render_sheet
    from kubedoctor.cluster.seen.snapshot import Source
    from kubedoctor.collect.doctor import take_way
    from kubedoctor.engine.asking import Answered
    from kubedoctor.findings.commands import commands_in_cluster

    way = take_way(source_options(options))
    try:
        found, needed = _found(way, catalogue, options)
    finally:
        if way.transport is not None:
            way.transport.close()
    if options.role:
        return _role(way, found, needed, options)
    flags = way.connection.flags if way.connection is not None else ()
    sheet = access_found_sheet(found)
    sheet = replace(sheet, next=commands_in_cluster(sheet.next, flags))  # a role is created by somebody else
    requests = way.transport.requests if way.transport is not None else 0
    at = (way.transport.server_time if way.transport is not None else None) or way.began
    source = Source("live", way.title, way.version, flags)
    if options.output in ("json", "yaml"):
        speak_utf8()
    answered = Answered("access", sheet, at, source, requests)
    print(render_sheet(answered, options.output or "text", width=text_width(), colour=wants_colour(options)), end="")
    if options.stats:
        print(f"{counted(requests, 'request')}, {time.perf_counter() - started:.2f}s", file=sys.stderr)
    return sheet_code(sheet.conclusion, allow_gaps=options.allow_gaps)


def _found(
    way: AccessWay, catalogue: Catalogue, options: argparse.Namespace
) -> tuple[AccessFound, tuple[NeededRight, ...]]:
    """What was found, and the rights that diagnoses of this cluster need."""
    from kubedoctor.answers.access import AccessFound, needed_paths, needed_rights
    from kubedoctor.collect.doctor import ask_rights

    namespace = options.namespace or ""
    connection, transport = way.connection, way.transport
    if connection is None or transport is None or way.failed:
        return AccessFound(way.title, tuple(way.steps), namespace=namespace), ()
    extensions, why = _extensions(way)
    needed = needed_rights(catalogue.reads(), extensions)
    asked = ask_rights(transport, (*needed, *needed_paths()), namespace)
    inside = [right for right in asked.refused if right.namespaced and not right.path and not namespace]
    still = ask_rights(transport, inside, connection.namespace)
    gaps = [why] if why else []
    if asked.unknown:
        gaps.append(f"{counted(len(asked.unknown), 'permission')}: {asked.why}")
    readers: dict[str, int] = {}
    for diagnostic in catalogue.diagnostics:
        for kind in diagnostic.read_kinds:
            readers[kind] = readers.get(kind, 0) + 1
    return AccessFound(
        way.title,
        tuple(way.steps),
        user=way.identity.user,
        namespace=namespace,
        asked=len(needed) + len(needed_paths()) - len(asked.unknown),
        missing=asked.refused,
        only_inside=tuple(right for right in inside if right not in (*still.refused, *still.unknown)),
        home=connection.namespace,
        readers=readers,
        gaps=tuple(gaps),
    ), needed


def _extensions(way: AccessWay) -> tuple[tuple[ResourceKind, ...] | None, str]:
    """The kinds of extensions that the cluster serves; None and why where that is not known."""
    from kubedoctor.collect.live.cluster import LiveSource

    if way.transport is None:
        return None, ""
    try:
        return LiveSource(way.transport).extension_kinds(), ""
    except SourceProblem as problem:
        return None, problem.what


def _role(way: AccessWay, found: AccessFound, needed: Sequence[NeededRight], options: argparse.Namespace) -> int:
    """The manifest; an unusable cluster is a problem here, since there is nothing to print."""
    if way.failed:
        step = next(step for step in reversed(way.steps) if step.hint or step.text)
        raise SourceProblem(step.text, step.hint or "See: kubedoctor access")
    if options.role == "needed":
        return _print_role(needed, found.namespace, "")
    if not found.missing:
        print("kubedoctor: nothing is missing: all that the diagnostics read is allowed", file=sys.stderr)
        return 0
    return _print_role(found.missing, found.namespace, found.user)


def _print_role(rights: Sequence[NeededRight], namespace: str, user: str) -> int:
    """As YAML. user: to whom it is bound; empty leaves that to the reader."""
    from kubedoctor.answers.access import role_documents, subject_of
    from kubedoctor.answers.access.needed import ROLE

    name = f"{ROLE}-gaps" if user else ROLE
    print(manifest_text(role_documents(rights, namespace, subject_of(user), name)), end="")
    return 0


def manifest_text(documents: Sequence[dict[str, Any]]) -> str:
    """Documents of YAML, in the order of keys that people write."""
    import yaml  # slow, and only for this

    text: str = yaml.safe_dump_all(documents, sort_keys=False, width=120)
    return text


def _add_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what to print instead")
    group.add_argument(
        "--role",
        choices=tuple(_ROLES),
        metavar="WHICH",
        help="print a role as a manifest: " + "; ".join(f"{name}: {text}" for name, text in _ROLES.items()),
    )


COMMAND = Subcommand(
    name="access",
    summary="why a cluster cannot be reached, what may be read there, and the smallest role that allows the rest",
    usage=("[-n NAMESPACE] [flags]", "--role catalogue|needed|missing [-n NAMESPACE]"),
    section="Diagnose",
    details="The kubeconfig, host name, connection, certificates, login, clock, version and the API server's own health are "
    "checked in this order; then the API server is asked, by access reviews, whether everything that the diagnostics read may "
    "be read: in all namespaces, with -n in one. Nothing is changed, and no credential is printed.",
    examples=(
        ("access", "the way to the current context, and what may be read"),
        ("access -n shop", "what may be read in one namespace"),
        ("access --role catalogue > reader.yaml", "the least-privilege ClusterRole, for kubectl apply"),
        ("access --role missing", "only what is missing, bound to you"),
    ),
    run=access,
    formats=_FORMATS,
    gates=True,
    most_words=0,
    add_options=_add_options,
)
