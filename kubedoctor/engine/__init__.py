"""Runs checks, and works out which finding causes which."""

from kubedoctor.engine.catalogue import Catalogue, load_catalogue, load_package
from kubedoctor.engine.examination import focus, focus_all, scan
from kubedoctor.engine.report import Incident, NotChecked, Report, ReportedFinding, Unexplained

__all__ = [
    "Catalogue",
    "Incident",
    "NotChecked",
    "Report",
    "ReportedFinding",
    "Unexplained",
    "focus",
    "focus_all",
    "load_catalogue",
    "load_package",
    "scan",
]
