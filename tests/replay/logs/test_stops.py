"""Stops from outside, and logs that are gone."""

from __future__ import annotations

from kubedoctor.replay.logs.stops import is_no_log, says_it_was_stopped


def test_stops_are_told_from_ends() -> None:
    assert says_it_was_stopped(["serving", "received SIGTERM, shutting down"])
    assert not says_it_was_stopped(["stopping"] + ["more"] * 10)
    assert not says_it_was_stopped([])


def test_a_log_that_is_gone() -> None:
    assert is_no_log(["unable to retrieve container logs for containerd://1"])
    assert is_no_log(["", " "])
    assert not is_no_log(["hello"])
