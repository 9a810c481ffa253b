"""What becomes of causes from one moment to another."""

from kubedoctor.engine.over_time.comparison import CauseComparison, ComparedCause, ComparedTrouble, compare
from kubedoctor.engine.over_time.verdicts import Verdict, WatchedMoment, moment_of

__all__ = ["CauseComparison", "ComparedCause", "ComparedTrouble", "Verdict", "WatchedMoment", "compare", "moment_of"]
