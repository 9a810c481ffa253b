"""Takes what is suppressed out of a report, for every command that reports."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from kubedoctor.cli.arguments.options import completed
from kubedoctor.cli.completion import values
from kubedoctor.collect.settings import Settings, read_settings, today
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.problems import SourceProblem

if TYPE_CHECKING:
    from kubedoctor.cluster.kinds.resources import ResourceKind
    from kubedoctor.engine import Catalogue
    from kubedoctor.engine.report import Report


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
    from kubedoctor.engine.suppressions import heed_suppressions

    return heed_suppressions(
        report, source.snapshot, source.gather, catalogue, settings, today, lambda: _extensions(source)
    )


def _extensions(source: ReadableCluster) -> tuple[ResourceKind, ...] | None:
    try:
        return source.extension_kinds()
    except SourceProblem:
        return None


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings that the options select. Raises UsageProblem where `--config` names no such file."""
    return read_settings(options.config or None)
