"""`kubedoctor check -f FILES`: what would be wrong if these manifests were applied."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from kubedoctor.cli.arguments.command import Subcommand
from kubedoctor.cli.arguments.options import completed
from kubedoctor.cli.completion import values
from kubedoctor.cli.formats import FORMATS, check_format
from kubedoctor.cli.reading import finish, list_for_scan, opened
from kubedoctor.cli.terminal import speak_utf8, text_width, wants_colour
from kubedoctor.cli.trying import FORMATS as SHEETS
from kubedoctor.cluster.grammar.text import counted
from kubedoctor.problems import BundleProblem, KubeconfigProblem, Problem, UsageProblem

if TYPE_CHECKING:
    from kubedoctor.cluster.manifests import FileDocument, PassedOver
    from kubedoctor.collect.source import ReadableCluster
    from kubedoctor.engine import Catalogue, Report
    from kubedoctor.engine.checking import Surroundings

_MOST_PASSED = 5
_FORMATS = tuple(name for name in FORMATS if name != "name")


def check(options: argparse.Namespace) -> int:
    """Read the files, lay them over the cluster, run every diagnostic on them."""
    started = time.perf_counter()
    check_format(options.output, _FORMATS)
    from kubedoctor.collect.manifests import read_manifests
    from kubedoctor.engine import load_catalogue

    files = [*options.files, *options.words]
    if not files:
        raise UsageProblem(
            "check needs files",
            "Name them: kubedoctor check -f deploy/\nOr pipe them: kustomize build . | kubedoctor check -f -",
        )
    if "" in files:
        raise UsageProblem("-f names no file", "Check whether the variable of the command line is set")
    if options.offline and (options.from_ or options.context or options.diff):
        other = "--diff" if options.diff else "--from" if options.from_ else "--context"
        raise UsageProblem(f"--offline and {other} exclude each other", "Leave one of them out")
    documents, passed = read_manifests(files)
    _say_passed_over(passed)
    if not documents:
        raise _nothing_to_check(passed)
    catalogue = load_catalogue()
    with ExitStack() as stack:
        source, why = _source(options, stack)
        if options.diff and source is not None:
            return _compared(options, source, catalogue, documents)
        report = _checked(options, source, catalogue, documents, why)
    return finish(_with_unrendered(report, passed), options, started)


def _say_passed_over(passed: Sequence[PassedOver]) -> None:
    """What makes no object is no gap: it is said beside the report."""
    strangers = [f"{one.what}: {one.why}" for one in passed if not one.line]
    for line in strangers[:_MOST_PASSED]:
        print(f"kubedoctor: passed over: {line}", file=sys.stderr)
    if more := strangers[_MOST_PASSED:]:
        print(f"kubedoctor: passed over: {counted(len(more), 'more file')} without objects", file=sys.stderr)


def _nothing_to_check(passed: Sequence[PassedOver]) -> Problem:
    rendered = next((one for one in passed if one.line), None)
    if rendered is not None:
        return BundleProblem(f"{rendered.what} {rendered.why}", f"Check what it makes: {rendered.line}")
    return UsageProblem("the files hold no objects", "An object has apiVersion, kind and metadata")


def _with_unrendered(report: Report, passed: Sequence[PassedOver]) -> Report:
    """What makes objects that were not checked is a gap."""
    from msgspec.structs import replace

    from kubedoctor.engine.report import NotChecked

    gaps = [NotChecked("", None, f"{one.what} {one.why}: {one.line}") for one in passed if one.line]
    return replace(report, not_checked=(*report.not_checked, *gaps))


def _source(options: argparse.Namespace, stack: ExitStack) -> tuple[ReadableCluster | None, str]:
    """What to check against; None for the files alone, and why where that was not chosen."""
    if options.offline:
        return None, ""
    try:
        return stack.enter_context(opened(options)), ""
    except KubeconfigProblem as problem:
        if options.context or options.kubeconfig or options.diff:
            raise
        return None, problem.what


def _checked(
    options: argparse.Namespace,
    source: ReadableCluster | None,
    catalogue: Catalogue,
    documents: Sequence[FileDocument],
    why: str,
) -> Report:
    from msgspec.structs import replace

    from kubedoctor.engine.checking import check_files, empty_cluster
    from kubedoctor.engine.report import NotChecked

    around = surroundings(options, source, documents)
    if source is None:
        snapshot = empty_cluster(catalogue, "")
    else:
        list_for_scan(source, catalogue)
        snapshot = source.snapshot
    report = check_files(catalogue, documents, snapshot, around).report
    files = {document.place.file for document in documents}
    name = counted(len(files), "file")
    name += f", against {source.context}" if source is not None else ", without a cluster"
    kubernetes = snapshot.source.kubernetes or around.schemas.version
    report = replace(report, source=replace(snapshot.source, name=name, kubernetes=kubernetes))
    if why:
        unread = NotChecked("", None, f"the cluster: {why}; --offline checks the files alone")
        report = replace(report, not_checked=(*report.not_checked, unread))
    elif source is None:
        print("kubedoctor: the files alone are checked: no cluster is read", file=sys.stderr)
    return report


def _compared(
    options: argparse.Namespace, source: ReadableCluster, catalogue: Catalogue, documents: Sequence[FileDocument]
) -> int:
    """What applying the files would change for what runs."""
    from kubedoctor.cli.exit_codes import sheet_code
    from kubedoctor.cli.formats.sheet import render_sheet
    from kubedoctor.engine.asking import Answered
    from kubedoctor.engine.checking import difference
    from kubedoctor.engine.rehearsal import rehearsal_sheet
    from kubedoctor.findings import kubectl

    check_format(options.output, SHEETS)
    list_for_scan(source, catalogue)
    around = surroundings(options, source, documents)
    line = kubectl("apply", *(word for file in (*options.files, *options.words) for word in ("-f", file)))
    sheet = rehearsal_sheet(difference(catalogue, documents, source.snapshot, source.gather, around, line))
    answered = Answered("check", sheet, source.snapshot.taken_at, source.snapshot.source, source.snapshot.requests)
    if options.output in ("json", "yaml"):
        speak_utf8()
    print(render_sheet(answered, options.output or "text", width=text_width(), colour=wants_colour(options)), end="")
    return sheet_code(sheet.conclusion, allow_gaps=options.allow_gaps)


def surroundings(
    options: argparse.Namespace, source: ReadableCluster | None, documents: Sequence[FileDocument]
) -> Surroundings:
    """Schemas and definitions, of the cluster and of the files."""
    from kubedoctor.collect.manifests.schemas import definitions_of, schemas_for
    from kubedoctor.engine.checking import Surroundings, custom_kinds, minor_of

    schemas = schemas_for(source, options.kubernetes_version.removeprefix("v"))
    own = [document.data for document in documents if document.data.get("kind") == "CustomResourceDefinition"]
    defined = definitions_of(source)
    kubernetes = options.kubernetes_version or (source.snapshot.source.kubernetes if source is not None else "")
    return Surroundings(
        schemas,
        custom_kinds((*defined, *own)),
        namespace=options.namespace or (source.namespace if source is not None else "") or "default",
        offline=source is None,
        knows_all=bool(defined) and not options.from_,
        minor=minor_of(schemas, kubernetes),
    )


def _add_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what to check")
    action = group.add_argument(
        "-f",
        "--filename",
        dest="files",
        metavar="FILE",
        action="append",
        default=[],
        help="a file or folder of YAML or JSON; - is standard input; may be repeated",
    )
    completed(action, values.files)
    group.add_argument("--offline", action="store_true", help="check the files alone: read no cluster")
    group.add_argument(
        "--diff",
        action="store_true",
        help="what applying would change for what runs: restarts, incidents that are new or gone",
    )
    group.add_argument(
        "--kubernetes-version",
        metavar="VERSION",
        default="",
        help="the release whose schemas count without a cluster: 1.34",
    )


def _complete(_words: Sequence[str], prefix: str, options: argparse.Namespace) -> list[str]:
    return values.files(prefix, options)


COMMAND = Subcommand(
    name="check",
    summary="what would be wrong if these manifests were applied to this cluster, a recording, or none",
    usage=("-f FILES|DIR|- [flags]", "FILES… [flags]"),
    section="Diagnose",
    details="Each object is validated as the API server does, then laid over what was read: admission, references, selectors, "
    "ports, quotas, scheduling and network policies are replayed for the pods that its controller would create. Findings name "
    "FILE:LINE:COLUMN. Nothing is sent but reads. Without a context, and with --offline, the files alone are checked.",
    examples=(
        ("check -f deploy/", "a folder, against the cluster of the context"),
        ("check -f app.yaml --offline", "the files alone, as in a pre-commit hook"),
        ("check -f app.yaml --from state.tar.gz", "against a recording"),
        ("check -f app.yaml --diff", "which pods restart, which incidents are new or gone"),
        ("check -f - -o sarif", "the output of kustomize build or helm template, for a pipeline"),
    ),
    run=check,
    formats=_FORMATS,
    gates=True,
    add_options=_add_options,
    complete=_complete,
)
