"""What is said of a server that answers late, or refuses because it is busy."""

from __future__ import annotations

from kubedoctor.collect.strain import RECENT, SLOW, Strain


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_answers_in_time_say_nothing() -> None:
    clock = Clock()
    strain = Strain(clock)
    with strain.asking():
        clock.now += SLOW - 0.1
        assert not strain.words
    assert not strain.words


def test_a_late_answer_is_told_while_it_is_waited_for_and_until_one_comes_in_time() -> None:
    clock = Clock()
    strain = Strain(clock)
    with strain.asking():
        clock.now += SLOW + 2
        assert strain.words == "the API server has not answered a request for 7s"
    assert strain.words == "the API server is slow: the last answer took 7s"
    with strain.asking():
        pass
    assert not strain.words


def test_refusals_are_counted_and_forgotten() -> None:
    clock = Clock()
    strain = Strain(clock)
    strain.refused(503)
    strain.refused(429)
    assert strain.words == "the API server answered 2 requests with 429 Too Many Requests in the last 30s"
    clock.now += RECENT + 1
    assert not strain.words
