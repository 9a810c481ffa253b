"""Findings that people chose to leave out for a while: how that is written, whether it is in force, what it leaves."""

from kubedoctor.engine.suppressions.applying import places_unread, without_suppressed
from kubedoctor.engine.suppressions.heeding import heed_suppressions
from kubedoctor.engine.suppressions.writing import ANNOTATION, WrittenSuppressions, written_in_file

__all__ = [
    "ANNOTATION",
    "WrittenSuppressions",
    "heed_suppressions",
    "places_unread",
    "without_suppressed",
    "written_in_file",
]
