"""`python -m tests.bench.scan [PODS ...]`: a scan of generated clusters against plain msgspec decoding of the same bytes.

Both run in processes of their own, in turn, several times; medians of the CPU time (user and system), their ratio, and
the peak of memory are printed; with several sizes also how the time of a pod grows.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from tests.shared import SHARED

ROUNDS = 5
MANY = 100_000
"""From this number of pods on one round is enough."""
PROJECT = Path(__file__).resolve().parent.parent.parent
GOALS = {30_000: (2.5, 600), 150_000: (3.0, 2048)}
"""The ratio and the MiB to reach, by the number of pods."""
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


class Spent(NamedTuple):
    """CPU seconds of a process, and its peak in MiB."""

    seconds: float
    peak: float


def generator() -> ModuleType:
    """The generator of clusters, which is not part of the project."""
    path = SHARED / "tools" / "gen_cluster.py"
    if not path.exists():
        sys.exit(f"no generator at {path}: set KUBEDOCTOR_SHARED to the folder that holds it")
    spec = importlib.util.spec_from_file_location("gen_cluster", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def generate(folder: Path, pods: int, module: ModuleType | None = None, **sizes: int) -> None:
    """A cluster of the usual proportions, but for the sizes that are given."""
    usual = {
        "nodes": pods // 30,
        "services": pods // 15,
        "pvcs": pods // 30,
        "events": pods // 5,
        "pending": pods // 150,
        "namespaces": max(10, pods // 300),
    }
    flags = [word for name, size in {**usual, **sizes}.items() for word in (f"--{name}", str(size))]
    quiet, sys.stderr = sys.stderr, open(os.devnull, "w")  # noqa: SIM115  # closed below
    try:
        (module or generator()).main(["--out", str(folder), "--pods", str(pods), *flags])
    finally:
        sys.stderr.close()
        sys.stderr = quiet
    for path in folder.iterdir():
        if path.suffix != ".json" or path.name == "manifest.json":
            path.unlink()  # what the generator notes for itself is no part of the cluster


def spent(*command: str, compiled: str, allowed: tuple[int, ...] = (0,), errors: int | None = None) -> Spent:
    """What a process of Python costs; compiled modules are kept, as for an installed package. errors: where standard
    error goes."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPYCACHEPREFIX": compiled, "PYTHONPATH": str(PROJECT)}
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL, stderr=errors, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in allowed:
        sys.exit(f"{command} ended with {process.returncode}")
    return Spent(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def scanned(folder: str, compiled: str) -> Spent:
    command = ("-m", "kubedoctor", "scan", "-A", "-o", "json", "--from", folder)
    return spent(*command, compiled=compiled, allowed=(0, 1, 3))


def measure(pods: int) -> float:
    """Prints the figures; returns the CPU seconds of the scan."""
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as compiled:
        generate(Path(name), pods)
        size = sum(path.stat().st_size for path in Path(name).iterdir())
        scans, decodes = [], []
        for _ in range(1 if pods >= MANY else ROUNDS):
            scans.append(scanned(name, compiled))
            decodes.append(spent("-c", DECODE, name, compiled=compiled))
    scan = statistics.median(one.seconds for one in scans)
    decode = statistics.median(one.seconds for one in decodes)
    peak = statistics.median(one.peak for one in scans)
    ratio, memory = GOALS.get(pods, (0, 0))
    print(
        f"{pods:,} pods, {size / 1e6:.0f} MB: scan {scan:.2f} s, plain decoding {decode:.2f} s (CPU, both with the "
        f"start of Python), ratio {scan / decode:.2f}{f' (goal {ratio})' if ratio else ''}, "
        f"peak {peak:.0f} MiB{f' (goal {memory})' if memory else ''}"
    )
    return scan


def main() -> int:
    sizes = [int(word) for word in sys.argv[1:]] or [5000]
    seconds = [measure(pods) for pods in sizes]
    for index in range(1, len(sizes)):
        growth = (seconds[index] / sizes[index]) / (seconds[index - 1] / sizes[index - 1])
        print(f"from {sizes[index - 1]:,} to {sizes[index]:,} pods: {growth:.2f} times the CPU for a pod (goal 1.1)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
