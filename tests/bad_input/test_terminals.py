"""Terminals, locales and streams on which printing could fail."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kubedoctor.cli import main
from tests.bad_input.sick import RECORDING

PROGRAM = f"{sys.executable} -m kubedoctor"
SCAN = f"{PROGRAM} scan --from {RECORDING}"
FOUND = "128Mi memory limit"
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG", "PYTHON", "KUBE"))}


def shell(
    line: str, environment: dict[str, str] | None = None, folder: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a line in sh, with these variables."""
    path = {"PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(
        ["sh", "-c", line], capture_output=True, cwd=folder, env={**CLEAN, **path, **(environment or {})}
    )


LOCALES = {
    "ASCII": {"PYTHONIOENCODING": "ascii"},
    "Latin-1": {"PYTHONIOENCODING": "latin-1"},
    "POSIX without help": {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


@pytest.mark.parametrize("name", LOCALES)
def test_locales_without_our_letters(name: str) -> None:
    done = shell(SCAN, LOCALES[name])
    assert (done.returncode, done.stderr) == (1, b"")
    done.stdout.decode("latin-1" if name == "Latin-1" else "ascii")
    assert b"\nx Deployment shop/checkout" in done.stdout


def test_json_is_utf8_whatever_the_locale() -> None:
    done = shell(f"{SCAN} -o json", {"PYTHONIOENCODING": "ascii"})
    assert json.loads(done.stdout.decode("utf-8"))["findings"]


STREAMS = {
    "stdout is closed": (f"{SCAN} >&-", 1, b""),
    "stderr is closed": (f"{SCAN} 2>&-", 1, b""),
    "both are closed": (f"{SCAN} >&- 2>&-", 1, b""),
    "stdin is closed": (f"{SCAN} <&-", 1, b""),
    "stdin is closed, and to be read": (
        f"{sys.executable} -m kubedoctor scan --from - <&-",
        2,
        b"--from - reads standard input, which is closed",
    ),
    "the terminal UI without a stdin": (
        f"{sys.executable} -m kubedoctor --from {RECORDING} <&-",
        2,
        b"the terminal UI needs a terminal",
    ),
    "there is nothing to read": (
        f"{sys.executable} -m kubedoctor scan --from - </dev/null",
        2,
        b"standard input contains",
    ),
    "the reader has enough": (f"{SCAN} | true", 0, b""),
}


@pytest.mark.parametrize("name", STREAMS)
def test_streams_that_are_not_there(name: str) -> None:
    line, code, sentence = STREAMS[name]
    done = shell(line)
    assert done.returncode == code
    assert sentence in done.stderr
    assert b"Traceback" not in done.stderr
    assert bool(sentence) or not done.stderr


def test_a_pipe_is_as_good_as_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    done = shell(f"cat {RECORDING} >{pipe} & {SCAN.replace(str(RECORDING), str(pipe))}; code=$?; wait; exit $code")
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.decode().startswith("a pipe, 6 namespaces: 1 incident")
    assert FOUND in done.stdout.decode()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here: runs on Linux")
def test_a_disk_that_is_full() -> None:
    done = shell(f"{SCAN} >/dev/full")
    assert done.returncode == 2
    assert b"No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr


WRITERS = {
    "a capture": "capture -A -o {0}/state",
    "a packed capture": "capture -A -o {0}/state.tar.gz",
    "a report": "report -o {0}/report.html",
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_for_which_there_is_no_room(name: str, tmp_path: Path) -> None:
    """The file is named, and no half of it stays."""
    words = WRITERS[name].format(tmp_path)
    cut = {"PYTHONDONTWRITEBYTECODE": "1"}  # Python would keep modules that are cut off, too
    done = shell(f"ulimit -f 1; {PROGRAM} {words} --from {RECORDING}", cut)
    assert done.returncode == 2
    assert words.rpartition(" ")[2].encode() in done.stderr
    assert b"cannot be written: File too large" in done.stderr
    assert b"Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_no_home_and_a_folder_that_cannot_be_written() -> None:
    done = shell(f"unset HOME; {SCAN}", folder=Path("/proc"))
    assert (done.returncode, done.stderr) == (1, b"")


COLOURS = {
    "a terminal": ({}, (), True),
    "NO_COLOR": ({"NO_COLOR": "1"}, (), False),
    "an empty NO_COLOR": ({"NO_COLOR": ""}, (), True),
    "a dumb terminal": ({"TERM": "dumb"}, (), False),
    "--no-color": ({}, ("--no-color",), False),
}


@pytest.mark.parametrize("name", COLOURS)
@pytest.mark.parametrize("words", [("scan", "--from", str(RECORDING)), ("explain", "KD1005")], ids=["scan", "explain"])
def test_colour_only_where_it_is_wanted(
    name: str, words: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment, flags, coloured = COLOURS[name]
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    main([*words, *flags])
    out = capsys.readouterr().out
    assert bool(re.search("\x1b\\[[0-9;]*m", out)) is coloured
    assert "\x1b" not in re.sub("\x1b\\[[0-9;]*m", "", out)
