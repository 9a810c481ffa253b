"""A report of incidents as a page that is kept and sent: Markdown, and one HTML file that loads nothing and needs no script."""

from kubedoctor.handbook.report.html import story_html
from kubedoctor.handbook.report.markdown import story_markdown
from kubedoctor.handbook.report.story import ReportStory, story_of

__all__ = ["ReportStory", "story_html", "story_markdown", "story_of"]
