"""A report as text, JSON, YAML, Markdown, JUnit, SARIF or names: pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubedoctor.cli.formats.style import PLAIN, Style
from kubedoctor.problems import UsageProblem

if TYPE_CHECKING:
    from kubedoctor.cli.listing import Listing
    from kubedoctor.engine.report import Report

FORMATS = ("text", "json", "yaml", "markdown", "junit", "sarif", "wide", "name")


def check_format(name: str | None, formats: tuple[str, ...] = FORMATS) -> None:
    """Raises UsageProblem for a format that does not exist, before anything is read."""
    if name is not None and name not in formats:
        raise UsageProblem(f"unknown output format {name!r}", f"Formats: {', '.join(formats)}")


def render(
    report: Report,
    name: str,
    style: Style = PLAIN,
    listing: Listing | None = None,
    *,
    fail_on: str = "warning",
    allow_gaps: bool = False,
) -> str:
    """The report in a format, with its last line feed. listing: of the objects that were matched, for people. fail_on,
    allow_gaps: for JUnit, which tells failures from the rest."""
    if name == "json":
        from kubedoctor.cli.formats.document import to_json

        return to_json(report)
    if name == "yaml":
        from kubedoctor.cli.formats.document import to_yaml

        return to_yaml(report)
    if name == "markdown":
        from kubedoctor.handbook.report.markdown import report_markdown

        return report_markdown(report, listing.title if listing is not None else "")
    if name == "junit":
        from kubedoctor.cli.formats.junit import to_junit

        return to_junit(report, fail_on, allow_gaps=allow_gaps)
    if name == "sarif":
        from kubedoctor.cli.formats.sarif import to_sarif
        from kubedoctor.engine.catalogue import load_catalogue

        return to_sarif(report, load_catalogue())
    if name == "name":
        from kubedoctor.cli.formats.names import to_names

        return to_names(report, listing)
    from kubedoctor.cli.formats.text import to_text

    return to_text(report, style, listing, wide=name == "wide")
