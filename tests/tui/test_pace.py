"""Work that is done again, but not all the time. The clock is the test's own."""

from __future__ import annotations

import math

from kubedoctor.tui.pace import OLD, QUIET_SHARE, SHARE, Pace


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_work_that_was_never_done_is_due_once_it_is_stale() -> None:
    pace = Pace(2.0, Clock())
    assert not pace.is_due
    pace.stale = True
    assert pace.is_due


def test_quick_work_rests_for_the_least_time() -> None:
    clock = Clock()
    pace = Pace(2.0, clock)
    pace.begin()
    pace.end()
    pace.stale = True
    clock.now += 1.5
    assert not pace.is_due
    clock.now += 0.5
    assert pace.is_due


def test_slow_work_rests_for_a_multiple_of_what_it_took() -> None:
    clock = Clock()
    pace = Pace(2.0, clock)
    pace.begin()
    clock.now += 3.0
    pace.end()
    pace.stale = True
    clock.now += (SHARE - 1) * 3.0 - 0.5
    assert not pace.is_due
    clock.now += 0.5
    assert pace.is_due


def test_how_long_it_is_until_it_is_due() -> None:
    clock = Clock()
    pace = Pace(2.0, clock)
    assert pace.due_in == math.inf
    pace.stale = True
    assert pace.due_in == 0.0
    pace.begin()
    pace.end(cost=1.0)
    assert pace.due_in == math.inf
    pace.stale = True
    clock.now += 1.5
    assert pace.due_in == SHARE - 1.5
    clock.now += SHARE
    assert pace.is_due


def test_beginning_takes_the_staleness_away_and_a_later_change_brings_it_back() -> None:
    clock = Clock()
    pace = Pace(0.1, clock)
    pace.stale = True
    pace.begin()
    clock.now += 1.0
    assert not pace.is_due
    pace.stale = True
    assert pace.is_due


def test_a_result_grows_old_without_changes() -> None:
    clock = Clock()
    pace = Pace(2.0, clock)
    assert not pace.is_old
    pace.begin()
    clock.now += 1.0
    pace.end()
    clock.now += OLD
    early = pace.is_old
    clock.now += QUIET_SHARE
    assert (early, pace.is_old, pace.is_due) == (False, True, False)


def test_a_cost_that_is_known_counts_instead_of_the_time() -> None:
    clock = Clock()
    pace = Pace(1.0, clock, share=10)
    pace.begin()
    clock.now += 60.0
    pace.end(0.2)
    pace.add(0.1)
    pace.stale = True
    assert pace.is_due
    pace.begin()
    pace.stale = True
    clock.now += 2.9
    early = pace.is_due
    clock.now += 0.2
    assert (early, pace.is_due) == (False, True)


def test_cheap_work_need_not_rest_longer_than_the_interval() -> None:
    clock = Clock()
    pace = Pace(2.0, clock, share=30, free=0.3)
    for cost, rest in ((0.3, 2.0), (0.5, 6.0)):
        pace.begin()
        pace.end(cost)
        pace.stale = True
        clock.now += rest - 0.5
        assert not pace.is_due, cost
        clock.now += 0.6
        assert pace.is_due, cost
