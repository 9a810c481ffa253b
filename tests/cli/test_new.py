"""`kubedoctor new diagnostic` writes the files of a new diagnostic."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kubedoctor.cli.run import main

ACME = Path(__file__).resolve().parents[1] / "third_party" / "acme"


def test_the_paths_are_printed_and_the_files_are_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    acme = Path(shutil.copytree(ACME, tmp_path / "acme"))
    assert main(["new", "diagnostic", "licenses/not-signed", "--into", str(acme)]) == 0
    paths = [Path(line) for line in capsys.readouterr().out.splitlines()[:3]]
    assert [path.name for path in paths] == ["not_signed.py", "sick.yaml", "healthy.yaml"]
    assert all(path.is_file() for path in paths)


@pytest.mark.parametrize("words", [["new"], ["new", "diagnostic"], ["new", "pod", "services/x"]])
def test_what_is_missing_is_told(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert "new needs the area and the problem of a diagnostic" in capsys.readouterr().err
