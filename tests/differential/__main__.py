"""Ask kubedoctor's replay and Kubernetes' own code the same fresh questions: `python -m tests.differential`.

Exit code 1 if any answer differs, 0 if none does or if upstream cannot be asked here, which is said;
2 if upstream's code does not build.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from datetime import UTC, datetime

from tests.differential import oracle
from tests.differential.comparison import Comparison
from tests.differential.variation import varied

AREAS = {
    "scheduling": 1,
    "preemption": 1,
    "resources": 1,
    "quantities": 1,
    "selectors": 1,
    "workloads": 3,
    "disruption": 2,
    "networkpolicy": 1,
    "dns": 1,
    "podsecurity": 1,
    "rbac": 1,
    "quota": 2,
    "storage": 1,
    "mesh": 1,
}
"""How many modes share the questions of an area: each mode gets the full number. Those of a mesh share one number: an analysis by
Istio's own code takes a second."""
PROGRAMS = {"networkpolicy": oracle.NETWORK_POLICIES, "mesh": oracle.MESH}
"""Which program knows an area, where it is not the main one."""
BY_NAME = frozenset({"mesh"})
"""Asked only where they are named: Istio's code takes half an hour to build, and a second for each analysis."""
SHOWN = 5
"""Differences of an area that are printed in full."""


VARIED = ("scheduling", "preemption")


def compare(area: str, seed: int, count: int, *, vary: bool = False) -> Comparison:
    """All questions of one area, or variations of them."""
    found = Comparison(f"{area}, varied" if vary else area)
    asked = oracle.questions(area, seed, count * AREAS[area])
    if vary:
        asked = b"\n".join(
            json.dumps(row).encode() for row in varied([json.loads(one) for one in asked.splitlines()], seed)
        )
    program = oracle.places(PROGRAMS.get(area, oracle.MAIN)).program
    upstream, ours = oracle.answers([str(program)], asked), oracle.answers(oracle.OURS, asked)
    for line, theirs, mine in zip(asked.splitlines(), upstream, ours, strict=True):
        found.add(json.loads(line), theirs, mine)
    return found


def main() -> int:
    """Compare, area by area."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=2000, help="questions of each kind (default: 2000)")
    parser.add_argument("--seed", type=int, help="repeat the questions of a seed (default: a new one every day)")
    parser.add_argument(
        "--area", choices=AREAS, action="append", help="only this area (mesh is asked only so); may be given again"
    )
    options = parser.parse_args()
    if why_not := oracle.why_not():
        print(f"not compared with upstream: {why_not}")
        return 0
    areas = options.area or tuple(area for area in AREAS if area not in BY_NAME)
    try:
        for name in sorted({PROGRAMS.get(area, oracle.MAIN) for area in areas}):
            oracle.build(name)
    except subprocess.CalledProcessError as error:
        print(f"upstream's code could not be built: {error}; what Go said stands above", file=sys.stderr)
        return 2
    seed = options.seed if options.seed is not None else int(datetime.now(UTC).strftime("%Y%m%d"))
    print(f"seed {seed}", flush=True)
    wrong = 0
    for area, vary in [(area, False) for area in areas] + [(area, True) for area in areas if area in VARIED]:
        found = compare(area, seed, options.count, vary=vary)
        print(found.summary, flush=True)
        for text in found.differences[:SHOWN]:
            print(text, flush=True)
        wrong += len(found.differences)
    if wrong:
        print(f"{wrong} answers differ; the same questions again: python -m tests.differential --seed {seed}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
