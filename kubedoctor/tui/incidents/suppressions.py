"""What is left out of the incidents by suppressions, and which suppressions are not in force. Pure."""

from __future__ import annotations

from kubedoctor.cluster.grammar.text import counted
from kubedoctor.engine import Report, words
from kubedoctor.tui.pages.page import Page


def unheeded_sentence(report: Report) -> str:
    """That suppressions are not in force, with the first of them; empty where all are."""
    if not report.unheeded:
        return ""
    first, *others = report.unheeded
    more = f" {counted(len(others), 'more')}: :suppressed lists them." if others else ""
    return f"Not suppressed: {first}.{more}"


def suppressions_page(report: Report) -> Page:
    """Each finding that is not counted with the reason, the last day and where that is written; then what is not in
    force."""
    page = Page()
    page.add((counted(len(report.suppressed), "suppressed finding"), "strong"))
    for one in report.suppressed:
        page.blank()
        page.add((f"{one.finding.about.title}", "name"), f"  {one.finding.summary}", (f"  {one.finding.code}", "dim"))
        page.add((words.suppression_line(report, one.finding.id), "dim"), indent=2)
    if report.unheeded:
        page.heading("Not in force")
    for sentence in report.unheeded:
        page.add(("! ", "degraded"), sentence, hang=2)
    if not (report.suppressed or report.unheeded):
        page.add(
            (
                "A finding is suppressed by .kubedoctor.yaml, or by the annotation kubedoctor.dev/ignore, with a reason and a last day.",
                "dim",
            )
        )
    return page
