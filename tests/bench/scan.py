"""`python -m tests.bench.scan [PODS]`: a scan of a generated cluster against plain msgspec decoding of the same bytes.

Both run in processes of their own, in turn, several times; medians and their ratio are printed.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 5
PROJECT = Path(__file__).resolve().parent.parent.parent
DECODE = """
import gc, re, sys
from pathlib import Path
from kubedoctor.cluster.seen.decoding import decode_list
gc.disable()
for path in sorted(Path(sys.argv[1]).glob("*.json")):
    body = path.read_bytes()
    if named := re.search(rb'"kind":"([A-Za-z]+)List"', body[:200]):
        assert decode_list(named.group(1).decode(), body).objects
"""


def generate(folder: Path, pods: int) -> None:
    """A cluster of the usual proportions."""
    shared = Path(os.environ.get("KUBEDOCTOR_SHARED") or PROJECT.parent / "shared")
    generator = shared / "tools" / "gen_cluster.py"
    if not generator.exists():
        sys.exit(f"no generator at {generator}: set KUBEDOCTOR_SHARED to the folder that holds it")
    sizes = {
        "nodes": pods // 30,
        "services": pods // 15,
        "pvcs": pods // 30,
        "events": pods // 5,
        "pending": pods // 150,
        "namespaces": max(10, pods // 300),
    }
    flags = [word for name, size in sizes.items() for word in (f"--{name}", str(size))]
    subprocess.run(
        [sys.executable, str(generator), "--out", str(folder), "--pods", str(pods), *flags],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def timed(*command: str, allowed: tuple[int, ...] = (0,)) -> float:
    """Wall seconds of a process."""
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, *command], stdout=subprocess.DEVNULL, check=False)
    if done.returncode not in allowed:
        sys.exit(f"{command} ended with {done.returncode}")
    return time.perf_counter() - begin


def main() -> int:
    pods = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder, pods)
        size = sum(path.stat().st_size for path in folder.glob("*.json"))
        scans, decodes = [], []
        for _ in range(ROUNDS):
            scans.append(timed("-m", "kubedoctor", "scan", "-A", "-o", "json", "--from", name, allowed=(0, 1, 3)))
            decodes.append(timed("-c", DECODE, name))
    scan, decode = statistics.median(scans), statistics.median(decodes)
    print(
        f"{pods:,} pods, {size / 1e6:.0f} MB: scan {scan:.2f} s, plain decoding {decode:.2f} s "
        f"(both with the start of Python), ratio {scan / decode:.2f}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
