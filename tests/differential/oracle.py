"""Upstream's own code as a program: built once from the sources in the shared folder, and asked."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("KUBEDOCTOR_SHARED") or PROJECT.parent / "shared")
SOURCES = SHARED / "tools" / "oracle"
CACHE = Path(os.environ.get("KUBEDOCTOR_CACHE") or "~/.cache/kubedoctor").expanduser() / "oracle"
PROGRAM = CACHE / "oracle"
STAMP = CACHE / "built-from"
"""A digest of the sources of the program beside it."""


def why_not() -> str:
    """Why upstream cannot be asked here; empty when it can."""
    if not (SOURCES / "go.mod").exists() or not (SHARED / "tools" / "fuzz").is_dir():
        return f"no tools/oracle and tools/fuzz in {SHARED}; KUBEDOCTOR_SHARED names another folder"
    if not shutil.which("go") and not _is_built():
        return "Go is not installed, and it builds upstream's code; install Go 1.26 or newer (https://go.dev/dl)"
    return ""


def build() -> None:
    """Build the program, if its sources have changed. The first time takes some minutes."""
    if _is_built():
        return
    print(f"building upstream's code into {CACHE}, the first time for some minutes", file=sys.stderr, flush=True)
    folder = CACHE / "src"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in _sources():
        (folder / path.name).write_bytes(path.read_bytes())
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"}
    subprocess.run(["go", "build", "-buildvcs=false", "-o", str(PROGRAM), "."], cwd=folder, env=environment, check=True)
    STAMP.write_text(_digest())


def _sources() -> list[Path]:
    return sorted(
        path for path in SOURCES.iterdir() if path.suffix in (".go", ".s") or path.name in ("go.mod", "go.sum")
    )


def _digest() -> str:
    found = hashlib.sha256()
    for path in _sources():
        found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def _is_built() -> bool:
    return PROGRAM.exists() and STAMP.exists() and STAMP.read_text() == _digest()


def questions(area: str, seed: int, count: int) -> bytes:
    """Generated questions, one a line; the same for the same arguments."""
    command = [sys.executable, "-B", "-m", "fuzz", area, "--seed", str(seed), "--count", str(count)]
    return subprocess.run(command, cwd=SHARED / "tools", stdout=subprocess.PIPE, check=True).stdout


def answers(command: list[str], asked: bytes) -> list[dict[str, Any]]:
    """What a program that reads questions and writes answers makes of them."""
    told = subprocess.run(command, input=asked, cwd=PROJECT, stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(line) for line in told.splitlines()]


UPSTREAM = [str(PROGRAM)]
OURS = [sys.executable, "-m", "kubedoctor.testing.oracle"]
