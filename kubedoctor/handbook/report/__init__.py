"""A report of incidents as a page that is kept and sent: Markdown, and one HTML file that loads nothing and needs no script."""

from kubedoctor.handbook.report.html import HTML_START, story_html
from kubedoctor.handbook.report.markdown import MARKDOWN_START, story_markdown
from kubedoctor.handbook.report.story import ReportStory, story_of


def is_report(start: bytes) -> bool:
    """Whether a file that begins so is such a page, of this or an earlier version."""
    return start.startswith(MARKDOWN_START.encode()) or HTML_START.match(start) is not None


__all__ = ["ReportStory", "is_report", "story_html", "story_markdown", "story_of"]
