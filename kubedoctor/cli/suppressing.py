"""Takes what is suppressed out of a report, for every command that reports."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from msgspec.structs import replace

from kubedoctor.cli.arguments.options import completed
from kubedoctor.cli.completion import values
from kubedoctor.cluster.seen.snapshot import UNKNOWN_TIME
from kubedoctor.collect.settings import Settings, read_settings, today
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.problems import SourceProblem

if TYPE_CHECKING:
    from kubedoctor.cluster.kinds.resources import ResourceKind
    from kubedoctor.engine import Catalogue
    from kubedoctor.engine.report import Report

_MOST_ROUNDS = 3  # a pod, its ReplicaSet, its Deployment


def add_config(parser: argparse.ArgumentParser) -> None:
    """`--config`, for commands that report findings."""
    action = parser.add_argument(
        "--config",
        metavar="FILE",
        help="the file with suppressions; default: the nearest .kubedoctor.yaml from the working directory upwards",
    )
    completed(action, values.files)


def heeded(report: Report, source: ReadableCluster, catalogue: Catalogue, settings: Settings) -> Report:
    """The report without what the settings and the annotations of the cluster suppress."""
    if not (report.findings or report.on_it or settings.name):
        return report
    from kubedoctor.engine.suppressions import WrittenSuppressions, places_unread, without_suppressed, written_in_file

    for _ in range(_MOST_ROUNDS):
        wants = places_unread(report, source.snapshot)
        if not wants:
            break
        source.gather(frozenset(wants))
        report = replace(report, requests=source.snapshot.requests)
    day = report.taken_at.date() if report.taken_at != UNKNOWN_TIME else today()
    if settings.problem:
        written = WrittenSuppressions(refused=(f"{settings.name}: {settings.problem}, so nothing is suppressed by it",))
    else:
        written = written_in_file(settings.data, settings.name, catalogue, day, lambda: _extensions(source))
    return without_suppressed(report, written, source.snapshot, catalogue, day)


def _extensions(source: ReadableCluster) -> tuple[ResourceKind, ...] | None:
    try:
        return source.extension_kinds()
    except SourceProblem:
        return None


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings that the options select. Raises UsageProblem where `--config` names no such file."""
    return read_settings(options.config or None)
