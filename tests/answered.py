"""What the scan says of every scenario, capture and report: written by one code, compared with another's.

`python -m tests.answered write FILE` and `python -m tests.answered compare OLD NEW [--full]`. A mend of one diagnostic
often moves another; the expectations of the tests see only what somebody thought of. Exits with 1 where two differ.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from kubedoctor.cli.commands.scan import scanned
from kubedoctor.cli.formats.document import to_json
from kubedoctor.cli.formats.text import to_text
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.engine import load_catalogue
from kubedoctor.problems import Problem
from kubedoctor.testing import find_scenarios, load_scenario
from tests.shared import PROJECT as ROOT
from tests.shared import SHARED

SHOWN = 40
"""Lines of difference shown of one state, unless all are asked for."""


def states() -> list[Path]:
    """Every scenario, then every recorded state; a state of the shared folder only where that folder is there."""
    recorded = [
        path
        for folder in (ROOT / "tests/captures", ROOT / "tests/reports", SHARED / "captures", SHARED / "reports")
        for pattern in ("*.json", "*.json.gz")
        for path in sorted(folder.rglob(pattern))
    ]
    return [*find_scenarios(ROOT / "tests" / "scenarios"), *recorded]


def answer_of(path: Path) -> str:
    """The report as text and as JSON, without the number of diagnostics, which a new one changes everywhere; of an input
    that cannot be read its sentence."""
    catalogue = load_catalogue()
    if path.suffix == ".yaml":
        report = load_scenario(path).run(catalogue)
    else:
        try:
            source = open_source(Options(from_=(str(path),), all_namespaces=True))
            report = scanned(source, catalogue, "")
        except Problem as problem:
            return f"refused: {problem}"
    said = re.sub(r"^\d+ diagnostics checked", "diagnostics checked", to_text(report), flags=re.MULTILINE)
    return f"{said}\n{json.dumps(json.loads(to_json(report)), indent=1, sort_keys=True)}"


def write(file: Path) -> None:
    """All answers, by the path of the state."""
    paths = states()
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        answers = dict(zip(map(named, paths), workers.map(answer_of, paths, chunksize=32), strict=True))
    file.write_text(json.dumps(answers))
    print(f"{len(answers)} states")


def named(path: Path) -> str:
    """A state's path below the folder that it belongs to, the same in every checkout."""
    root = SHARED.parent if path.is_relative_to(SHARED) else ROOT
    return str(path.relative_to(root))


def differing(old: dict[str, str], new: dict[str, str]) -> list[str]:
    """The states that both answer, and not the same."""
    return [name for name in old if name in new and old[name] != new[name]]


def compare(old_file: Path, new_file: Path, most: int) -> int:
    """Prints what differs, of each state at most so many lines, and how many states are in one file only."""
    old, new = (json.loads(file.read_text()) for file in (old_file, new_file))
    names = differing(old, new)
    for name in names:
        print(f"=== {name}")
        lines = difflib.unified_diff(old[name].splitlines(), new[name].splitlines(), lineterm="", n=1)
        for number, line in enumerate(list(lines)[2:]):
            if number == most:
                print("…")
                break
            print(line)
    print(f"{len(names)} of {len(new)} differ; {len(new.keys() - old.keys())} new, {len(old.keys() - new.keys())} gone")
    return 1 if names else 0


def main(words: list[str]) -> int:
    if words[:1] == ["write"] and len(words) == 2:
        write(Path(words[1]))
        return 0
    if words[:1] == ["compare"] and len(words) in (3, 4):
        return compare(Path(words[1]), Path(words[2]), sys.maxsize if "--full" in words else SHOWN)
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
