"""What becomes of causes from one moment to another."""

from kubedoctor.engine.over_time.comparison import CauseComparison, ComparedCause, ComparedTrouble, compare
from kubedoctor.engine.over_time.healing import Healing, begun, proceeded
from kubedoctor.engine.over_time.verdicts import Verdict, WatchedMoment, moment_of

__all__ = [
    "CauseComparison",
    "ComparedCause",
    "ComparedTrouble",
    "Healing",
    "Verdict",
    "WatchedMoment",
    "begun",
    "compare",
    "moment_of",
    "proceeded",
]
