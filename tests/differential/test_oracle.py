"""When upstream's code is built anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.differential import oracle


@pytest.fixture
def builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that were run; each `go build` leaves a program."""
    sources, cache = tmp_path / "sources", tmp_path / "cache"
    sources.mkdir()
    for name in ("main.go", "unexported.s", "go.mod", "go.sum", "README.md"):
        (sources / name).write_text(name)
    for name, value in {
        "SOURCES": sources,
        "CACHE": cache,
        "PROGRAM": cache / "oracle",
        "STAMP": cache / "built-from",
    }.items():
        monkeypatch.setattr(oracle, name, value)
    commands: list[list[str]] = []

    def run(command: list[str], *, cwd: Path, env: dict[str, str], check: bool) -> None:
        copied = {path.name for path in cwd.iterdir()}
        assert copied >= {"go.mod", "go.sum", "main.go", "unexported.s"}
        assert "README.md" not in copied
        assert env["CGO_ENABLED"] == "0"
        assert check
        commands.append(command)
        Path(command[command.index("-o") + 1]).write_text("program")

    monkeypatch.setattr("subprocess.run", run)
    return commands


def test_the_program_is_built_once(builds: list[list[str]]) -> None:
    oracle.build()
    oracle.build()
    assert len(builds) == 1
    assert builds[0][:2] == ["go", "build"]


@pytest.mark.parametrize(
    ("name", "again"), [("main.go", True), ("go.sum", True), ("new.go", True), ("README.md", False)]
)
def test_changed_sources_build_it_again(builds: list[list[str]], name: str, again: bool) -> None:
    oracle.build()
    (oracle.SOURCES / name).write_text("changed")
    oracle.build()
    assert len(builds) == 1 + again


def test_a_build_that_failed_is_tried_again(builds: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as context:
        context.setattr("subprocess.run", fail)
        with pytest.raises(OSError, match="no space"):
            oracle.build()
    oracle.build()
    assert len(builds) == 1
