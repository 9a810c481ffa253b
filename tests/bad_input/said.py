"""One run of the command line in this process, and the manners that every run has, whatever it was given."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import pytest

from kubedoctor.cli import main

_OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
INCOMPLETE = ("not everything could be checked", "nothing could be checked", "a problem", "no cause found yet")


@dataclass(frozen=True)
class Said:
    """What a run said. `text`: stdout and stderr on one line, so that wrapping does not matter."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return " ".join(f"{self.out} {self.err}".split())

    @property
    def verdict(self) -> str:
        """The first paragraph of a report, on one line."""
        return " ".join(self.out.partition("\n\n")[0].split())

    @property
    def first_incident(self) -> str:
        """The headline of the first incident; empty without one."""
        return next((line for line in self.out.splitlines() if line.startswith(("✗ ", "! ", "· "))), "")


def say(capsys: pytest.CaptureFixture[str], *words: str) -> Said:
    """Run, and hold it to its manners."""
    code = main(words)
    printed = capsys.readouterr()
    said = Said(code, printed.out, printed.err)
    check_manners(said)
    return said


def check_manners(said: Said) -> None:
    """No traceback, nothing that a terminal obeys, no exit code but ours, and no health that was not seen."""
    assert "Traceback" not in said.out + said.err
    assert "internal error" not in said.err
    assert not _OBEYED.findall(said.out + said.err)
    if said.code == 2:
        assert said.out == ""
        sentence, *hints = said.err.splitlines()
        assert sentence.startswith("kubedoctor: ")
        assert hints, "nothing to try is told"
        assert all(hint.startswith("  ") for hint in hints)
        return
    assert said.code in (0, 1, 3)
    if said.out.startswith("{"):
        report = json.loads(said.out)
        gaps = report["not_checked"] or report["unexplained"] or any(one["gaps"] for one in report["findings"])
        assert bool(report["findings"]) or said.code == (3 if gaps else 0)
        return
    assert (said.code == 1) or not said.first_incident
    assert (said.code == 3) == any(words in said.verdict for words in INCOMPLETE)
    assert said.code != 3 or "Not checked" in said.out or "Not explained" in said.out
    assert (said.code == 0) == ("✓" in said.verdict)
