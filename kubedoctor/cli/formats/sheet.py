"""A sheet as text, JSON, YAML, Markdown or picture: pure functions, the same for every question."""

from __future__ import annotations

from kubedoctor.cli.formats.wrapping import PIPE_WIDTH
from kubedoctor.engine.asking import Answered
from kubedoctor.problems import UsageProblem


def render_sheet(answered: Answered, name: str, *, width: int = PIPE_WIDTH, colour: bool = False) -> str:
    """The answer in a format, with its last line feed. width, colour: of text. Raises UsageProblem for a picture of an answer
    that has none."""
    if name == "json":
        from kubedoctor.cli.formats.sheet_document import to_json

        return to_json(answered)
    if name == "yaml":
        from kubedoctor.cli.formats.sheet_document import to_yaml

        return to_yaml(answered)
    if name == "markdown":
        from kubedoctor.cli.formats.sheet_markdown import to_markdown

        return to_markdown(answered.sheet)
    if name == "svg":
        if answered.sheet.grid is None:
            raise UsageProblem("this answer has no picture", "-o svg draws: kubedoctor reach --matrix")
        from kubedoctor.cli.formats.grid_svg import to_svg

        return to_svg(answered.sheet.grid, answered.sheet.headline)
    from kubedoctor.cli.formats.sheet_text import to_text

    return to_text(answered.sheet, width=width, colour=colour)
