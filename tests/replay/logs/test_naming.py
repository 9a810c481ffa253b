"""The line of a component's log that tells of a failure with an object."""

from __future__ import annotations

from kubedoctor.replay.logs.naming import failure_with

LINES = (
    'E0115 09:31:02.000001       1 controller.go:974] claim "shop/data": quota is used up',
    'I0115 09:32:00.000001       1 controller.go:1366] provision "shop/data": started',
    'E0115 09:33:00.000001       1 controller.go:974] claim "shop/other": quota is used up',
)


def test_the_newest_error_that_names_the_object() -> None:
    assert failure_with(LINES, ["shop/data"]) == 0
    assert failure_with((*LINES, LINES[0]), ["shop/data"]) == 3


def test_other_lines_tell_nothing_about_it() -> None:
    assert failure_with(LINES[1:], ["shop/data"]) is None
    assert failure_with((), ["shop/data"]) is None
