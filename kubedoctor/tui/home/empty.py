"""What stands beside a list without rows. Pure."""

from __future__ import annotations

from kubedoctor.cluster.grammar.text import counted, visible
from kubedoctor.engine import Report
from kubedoctor.findings import Severity
from kubedoctor.tui.rows import EXAMINING, View


def empty_text(view: View, report: Report | None, *, filtered: bool, refused: str = "") -> str:
    """The text beside a list without rows. No findings does not mean no problems: the report decides which.

    refused: why the rows cannot be listed.
    """
    if filtered:
        return "No rows match the filter. esc clears it."
    if refused:
        return refused
    where = f"in {view.namespace}" if view.namespace else "in this cluster"
    none = f"No {view.noun(0)} {where}."
    if view.kind or not view.namespace:
        return f"{none} :ns lists the namespaces, 0 shows all."
    return f"{none} {elsewhere(view.namespace, report)} :ns lists the namespaces, 0 shows all."


def elsewhere(namespace: str, report: Report | None) -> str:
    """The incidents outside a namespace."""
    if report is None:
        return f"Other namespaces: {EXAMINING}"
    numbers: dict[str, int] = {}
    for incident in report.incidents:
        where = report.finding(incident.cause).about.namespace
        if where != namespace and report.severity_of(incident) is not Severity.NOTICE:
            numbers[where] = numbers.get(where, 0) + 1
    others = set(report.namespaces) - {namespace}
    if not numbers and not others:
        return "No other namespace was examined."
    if not numbers:
        return f"No incidents found in {counted(len(others), 'other namespace')}."
    parts = ", ".join(f"{visible(where) or 'no namespace'} {number}" for where, number in sorted(numbers.items()))
    return f"{counted(sum(numbers.values()), 'incident')} elsewhere: {parts}."
