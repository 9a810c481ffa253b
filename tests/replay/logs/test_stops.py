"""Stops from outside, and logs that are gone."""

from __future__ import annotations

from kubedoctor.replay.logs.stops import is_no_log, says_it_was_stopped


def test_stops_are_told_from_ends() -> None:
    assert says_it_was_stopped(["serving", "received SIGTERM, shutting down"])
    assert not says_it_was_stopped(["stopping"] + ["more"] * 10)
    assert not says_it_was_stopped([])


def test_a_program_that_ends_for_its_own_error_talks_of_stopping_too() -> None:
    error = '{"level":"error","msg":"cannot watch","error":"no matches for kind \\"Car\\" in version \\"shop/v1\\""}'
    assert not says_it_was_stopped([error, '{"level":"info","msg":"Stopping and waiting for runnables"}'])
    assert says_it_was_stopped([error, "received SIGTERM", "stopping"])
    assert says_it_was_stopped(['{"level":"info","msg":"Stopping and waiting for runnables"}', error])


def test_a_log_that_is_gone() -> None:
    assert is_no_log(["unable to retrieve container logs for containerd://1"])
    assert is_no_log(["", " "])
    assert not is_no_log(["hello"])
