"""`python -m tests.mutants diagnostics/nodes kubedoctor/replay/dns`: which faults in the code do its tests not see?

cosmic-ray changes one thing at a time in a copy of the project (a comparison, a number, an `and`) and runs the tests of
the folder: those that mirror it, and all scenarios. A survivor is a change that no test noticed: a test is missing, or
the line does nothing. Takes some seconds a mutant; a path may be one file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("kubedoctor", "diagnostics", "tests", "pyproject.toml", "README.md")
CONFIGURATION = """\
[cosmic-ray]
module-path = "{path}"
timeout = 60.0
excluded-modules = []
test-command = "{python} -m pytest -x -q -n 0 -p no:cacheprovider -p no:randomly {tests}"

[cosmic-ray.distributor]
name = "local"

[cosmic-ray.filters.operators-filter]
exclude-operators = ["core/ReplaceBinaryOperator_BitOr_.*"]
"""
"""Unions of types are written with `|`, and no test runs an annotation."""


def tests_of(path: str) -> list[str]:
    """The tests that mirror a folder or file of the sources, and the scenarios."""
    inside = Path(path.removeprefix("kubedoctor/"))
    mirror = ROOT / "tests" / (inside.parent if inside.suffix else inside)
    return [*([str(mirror.relative_to(ROOT))] if mirror.is_dir() else []), "tests/test_scenarios.py"]


def survivors(path: str, copy: Path) -> str:
    """cosmic-ray's report on one path: the surviving changes as diffs, then the counts."""
    command = [sys.executable, "-m", "cosmic_ray.cli"]
    scripts = Path(sys.executable).parent
    (copy / "mutants.toml").write_text(
        CONFIGURATION.format(path=path, python=sys.executable, tests=" ".join(tests_of(path)))
    )
    surroundings = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}

    def run(*words: str) -> str:
        done = subprocess.run(words, cwd=copy, env=surroundings, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(words)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    run(*command, "init", "mutants.toml", "mutants.sqlite", "--force")
    run(str(scripts / "cr-filter-operators"), "mutants.sqlite", "mutants.toml")
    run(*command, "baseline", "mutants.toml")
    run(*command, "exec", "mutants.toml", "mutants.sqlite")
    return run(str(scripts / "cr-report"), "mutants.sqlite", "--surviving-only", "--show-diff")


def main(paths: list[str]) -> int:
    if not paths:
        print("name folders or files of diagnostics/ or kubedoctor/replay/", file=sys.stderr)
        return 2
    for path in paths:
        if not (ROOT / path).exists():
            print(f"{path}: there is no such folder or file", file=sys.stderr)
            return 2
    for path in paths:
        with tempfile.TemporaryDirectory(prefix="kubedoctor-mutants-") as folder:
            copy = Path(folder)
            for part in PARTS:
                source = ROOT / part
                if source.is_dir():
                    shutil.copytree(source, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(source, copy / part)
            print(f"== {path}")
            print(survivors(path.rstrip("/"), copy), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
