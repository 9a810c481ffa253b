"""`python -m tests.reached`: the scenarios alone reach what the diagnostics may conclude.

Fails where they run less than LEAST per cent of the lines of `diagnostics/`, or where a line that yields a finding is
never run. Captures and unit tests do not count: a scenario says what is expected of a branch.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import coverage

from kubedoctor.testing import find_scenarios, load_scenario

ROOT = Path(__file__).resolve().parent.parent
LEAST = 95.0


def findings_of(source: str) -> Iterator[int]:
    """The lines of a module where a finding is made or handed on."""
    for node in ast.walk(ast.parse(source)):
        makes = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding"
        if makes or isinstance(node, ast.Yield | ast.YieldFrom):
            yield node.lineno  # type: ignore[attr-defined]  # calls and yields have a line


def run_scenarios(folder: Path) -> None:
    """Load the catalogue here, so that the lines outside of functions count as well."""
    from kubedoctor.engine import load_catalogue

    catalogue = load_catalogue()
    for path in find_scenarios(folder):
        load_scenario(path).run(catalogue)


def main() -> int:
    watch = coverage.Coverage(data_file=None, source=[str(ROOT / "diagnostics")])
    with watch.collect():
        run_scenarios(ROOT / "tests" / "scenarios")
    lines = missed = 0
    silent: list[str] = []
    for path in sorted((ROOT / "diagnostics").rglob("*.py")):
        _, statements, _, missing, _ = watch.analysis2(str(path))
        lines += len(statements)
        missed += len(missing)
        name = path.relative_to(ROOT)
        if missing:
            print(f"{name}: {', '.join(map(str, missing))}")
        silent += [f"{name}:{line}" for line in sorted(set(findings_of(path.read_text())) & set(missing))]
    share = 100 * (lines - missed) / lines
    print(f"{share:.1f} % of {lines} lines are reached by scenarios, at least {LEAST} % are wanted")
    for place in silent:
        print(f"no scenario reaches the finding at {place}")
    return int(share < LEAST or bool(silent))


if __name__ == "__main__":
    sys.exit(main())
