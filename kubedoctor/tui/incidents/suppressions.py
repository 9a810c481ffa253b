"""What is left out of the incidents by suppressions, and which suppressions are not in force. Pure."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from kubedoctor.cluster.grammar.text import counted
from kubedoctor.engine import Report, ReportedFinding, words
from kubedoctor.engine.suppressions.writing import ANNOTATION
from kubedoctor.findings import Effect
from kubedoctor.findings.commands import kubectl
from kubedoctor.tui.pages.incidents import Copyable
from kubedoctor.tui.pages.page import Page

USUAL_PERIOD: Final = timedelta(days=30)
"""Until when a suppression is proposed; a person may write another day."""
WHY: Final = "WHY"
"""To be replaced by the person: a suppression without a reason is not in force."""


def unheeded_sentence(report: Report) -> str:
    """That suppressions are not in force, with the first of them; empty where all are."""
    if not report.unheeded:
        return ""
    first, *others = report.unheeded
    more = f" {counted(len(others), 'more')}: :suppressed lists them." if others else ""
    return f"Not suppressed: {first}.{more}"


def suppressing(finding: ReportedFinding, today: date) -> tuple[Copyable, ...]:
    """The annotation of the object, and the entry of `.kubedoctor.yaml`, that leave a finding out of the incidents."""
    about, until = finding.about, today + USUAL_PERIOD
    value = f"{ANNOTATION}={finding.code} until {until}: {WHY}"
    line = kubectl("annotate", f"{about.kind.lower()}/{about.name}", value, namespace=about.namespace)
    place = (
        f"kind: {about.kind.lower()}, {f'namespace: {about.namespace}, ' if about.namespace else ''}name: {about.name}"
    )
    entry = f"- {{code: {finding.code}, {place}, until: {until}, reason: {WHY}}}"
    return (
        Copyable(line, f"leaves it out for all who look, until then; replace {WHY}", words.EFFECTS[Effect.CHANGES]),
        Copyable(entry, f"below `suppressions:` in .kubedoctor.yaml; replace {WHY}", words.EFFECTS[Effect.READS]),
    )


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
