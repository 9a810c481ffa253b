"""The command for a change, to the letter."""

from __future__ import annotations

import pytest

from kubedoctor.cluster.changes import Change
from kubedoctor.findings.commands import command_line
from tests.findings.commands.changes import IN_PLACE, OTHERS, typed

CASES = {**IN_PLACE, **OTHERS}


@pytest.mark.parametrize(("change", "line"), CASES.values(), ids=CASES)
def test_the_command_for_a_change(change: Change, line: str) -> None:
    assert command_line(change, *typed().values()) == line
