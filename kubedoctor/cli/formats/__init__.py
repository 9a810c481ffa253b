"""A report as text, JSON, YAML or Markdown: pure functions."""

from __future__ import annotations

from kubedoctor.cli.arguments import FORMATS
from kubedoctor.engine.report import Report
from kubedoctor.problems import UsageProblem


def check_format(name: str | None) -> None:
    """Raises UsageProblem for a format that does not exist, before anything is read."""
    if name is not None and name not in FORMATS:
        raise UsageProblem(f"there is no output format {name!r}", f"There are {', '.join(FORMATS)}")


def render(report: Report, name: str, *, colour: bool = False, debug: bool = False) -> str:
    """The report in a format, with its last line feed."""
    if name == "json":
        from kubedoctor.cli.formats.document import to_json

        return to_json(report)
    if name == "yaml":
        from kubedoctor.cli.formats.document import to_yaml

        return to_yaml(report)
    if name == "markdown":
        from kubedoctor.cli.formats.markdown import to_markdown

        return to_markdown(report)
    from kubedoctor.cli.formats.text import to_text

    return to_text(report, colour=colour, debug=debug)
