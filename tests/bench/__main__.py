"""`python -m tests.bench [NAME ...]`: run the benchmarks that need no cluster. Figures, not verdicts."""

from __future__ import annotations

import subprocess
import sys

NAMES = (
    "scan",
    "recording",
    "pending",
    "first_paint",
    "rows",
    "table",
    "keys",
    "scheduling",
    "watching",
    "reach",
    "mesh",
)


def main() -> int:
    """Each in a process of its own, so that none warms another. 1 if one of them could not run."""
    worst = 0
    for name in sys.argv[1:] or NAMES:
        print(f"--- {name}", flush=True)
        worst |= subprocess.run([sys.executable, "-m", f"tests.bench.{name}"]).returncode != 0
    return worst


if __name__ == "__main__":
    sys.exit(main())
