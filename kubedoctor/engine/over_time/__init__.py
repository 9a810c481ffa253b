"""What becomes of causes from one moment to another."""

from kubedoctor.engine.over_time.comparison import CauseComparison, ComparedCause, compare

__all__ = ["CauseComparison", "ComparedCause", "compare"]
