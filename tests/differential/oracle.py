"""Upstream's own code as a program: built once from the sources in the shared folder, and asked."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from tests.shared import SHARED

PROJECT = Path(__file__).resolve().parents[2]
SOURCES = SHARED / "tools" / "oracle"
CACHE = Path(os.environ.get("KUBEDOCTOR_CACHE") or "~/.cache/kubedoctor").expanduser() / "oracle"
PROGRAM = CACHE / "oracle"
STAMP = CACHE / "built-from"
"""A digest of the sources of the program beside it."""
MAIN = "oracle"
NETWORK_POLICIES = "oracle-netpol"
MESH = "oracle-istio"
"""The programs, by the folders of their sources."""


class Places(NamedTuple):
    sources: Path
    cache: Path
    program: Path
    stamp: Path


def places(name: str = MAIN) -> Places:
    """Where the sources, the folder, the program and its stamp are."""
    if name == MAIN:
        return Places(SOURCES, CACHE, PROGRAM, STAMP)
    cache = CACHE.parent / name
    return Places(SOURCES.parent / name, cache, cache / name, cache / STAMP.name)


def why_not() -> str:
    """Why upstream cannot be asked here; empty when it can."""
    if not (SOURCES / "go.mod").exists() or not (SHARED / "tools" / "fuzz").is_dir():
        return f"no tools/oracle and tools/fuzz in {SHARED}; KUBEDOCTOR_SHARED names another folder"
    if not shutil.which("go") and not _is_built():
        return "Go is not installed, and it builds upstream's code; install Go 1.26 or newer (https://go.dev/dl)"
    return ""


def build(name: str = MAIN) -> None:
    """Build a program, if its sources have changed. The first time takes some minutes."""
    here = places(name)
    if _is_built(name):
        return
    print(f"building upstream's code into {here.cache}, the first time for some minutes", file=sys.stderr, flush=True)
    folder = here.cache / "src"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in _sources(here.sources):
        (folder / path.name).write_bytes(path.read_bytes())
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"}
    command = ["go", "build", "-buildvcs=false", "-o", str(here.program), "."]
    subprocess.run(command, cwd=folder, env=environment, check=True)
    here.stamp.write_text(_digest(here.sources))


def _sources(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.iterdir() if path.suffix in (".go", ".s") or path.name in ("go.mod", "go.sum")
    )


def _digest(folder: Path) -> str:
    found = hashlib.sha256()
    for path in _sources(folder):
        found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def _is_built(name: str = MAIN) -> bool:
    here = places(name)
    return here.program.exists() and here.stamp.exists() and here.stamp.read_text() == _digest(here.sources)


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
