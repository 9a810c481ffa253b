"""The comparison of two codes' answers names every state that both answer differently."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.answered import answer_of, compare, named, states


def test_a_state_answers_as_text_and_as_json() -> None:
    path = next(path for path in states() if path.suffix == ".yaml")
    assert '"findings"' in answer_of(path)
    assert named(path).startswith("tests/scenarios/")


def test_only_what_differs_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text(json.dumps({"same": "a", "other": "b\nc", "gone": "d"}))
    new.write_text(json.dumps({"same": "a", "other": "b\ne", "fresh": "f"}))
    assert compare(old, new, 40) == 1
    assert capsys.readouterr().out.splitlines() == [
        "=== other",
        "@@ -1,2 +1,2 @@",
        " b",
        "-c",
        "+e",
        "1 of 3 differ; 1 new, 1 gone",
    ]
    assert compare(old, old, 40) == 0
