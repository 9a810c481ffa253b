"""What a finding must have."""

from __future__ import annotations

import pytest

from kubedoctor.cluster import Evidence, LogTail, Ref
from kubedoctor.findings import Confidence, Finding, Severity, quote_line

POD = Ref("Pod", "shop", "web-1")
FACT = (Evidence(POD, "status.phase", "Failed"),)


def test_a_finding_without_evidence_is_refused() -> None:
    with pytest.raises(ValueError, match="without evidence"):
        Finding(POD, "it is broken", (), Confidence.CERTAIN)


def test_a_possible_finding_says_what_would_disprove_it() -> None:
    with pytest.raises(ValueError, match="what would disprove it"):
        Finding(POD, "it may be broken", FACT, Confidence.POSSIBLE)
    assert Finding(POD, "it may be broken", FACT, Confidence.POSSIBLE, would_disprove="it starts by itself")


def test_the_worst_and_the_surest_come_first() -> None:
    assert sorted(Severity, key=lambda one: one.rank)[0] is Severity.CRITICAL
    assert sorted(Confidence, key=lambda one: one.rank)[0] is Confidence.CERTAIN


@pytest.mark.parametrize(("index", "path"), [(-1, "log[app][-1]"), (0, "log[app][-3]"), (2, "log[app][-1]")])
def test_a_log_line_is_quoted_with_its_place_from_the_end(index: int, path: str) -> None:
    tail = LogTail(POD, "app", previous=False, lines=("one", "two", "three"))
    one = quote_line(tail, index)
    assert (one.path, one.value) == (path, tail.lines[index])


def test_a_long_line_of_a_previous_log_is_cut() -> None:
    one = quote_line(LogTail(POD, "app", previous=True, lines=("x" * 10_000,)), -1, "why")
    assert (one.path, len(one.value), one.shows) == ("previous log[app][-1]", 500, "why")
