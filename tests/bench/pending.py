"""`python -m tests.bench.pending`: scans of generated clusters with many pods that no node accepts.

10,000 pods of 200 kinds on 1,000 nodes: CPU time of the whole command. 1,000 pods of 20 kinds on 5,000 nodes: CPU time of
the one diagnostic inside a scan.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.engine import Catalogue, load_catalogue, scan
from tests.bench.scan import generate, generator, scanned

DIAGNOSTIC = "scheduling/unschedulable"


def with_kinds(pending: int, kinds: int) -> ModuleType:
    """The generator with this many pending pods, in workloads of equal size."""
    module = generator()

    class Crowded(module.G):  # type: ignore[misc, name-defined]  # of a module that is loaded by its path
        def workloads(self) -> list[Any]:
            found: list[Any] = super().workloads()
            for number in range(kinds):
                namespace = self.r.choice(self.namespaces[:-1])
                name = f"pending-{number:05d}"
                found.append(self.template("ReplicaSet", namespace, name, pending // kinds, pending=True))
            return found

    module.G = Crowded  # type: ignore[attr-defined]  # of a module that is loaded by its path
    return module


def whole_scan(pods: int, pending: int, kinds: int, nodes: int) -> None:
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as compiled:
        generate(Path(name), pods, with_kinds(pending, kinds), nodes=nodes, pending=0)
        seconds = min(scanned(name, compiled).seconds for _ in range(2))
    print(
        f"{pending:,} pending pods of {kinds} kinds among {pods + pending:,} on {nodes:,} nodes: scan {seconds:.2f} s "
        "of CPU (goal 10)"
    )


def inside_a_scan(pods: int, pending: int, kinds: int, nodes: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        generate(Path(name), pods, with_kinds(pending, kinds), nodes=nodes, pending=0)
        source = open_source(Options(from_=(name,)))
    gc.freeze()
    catalogue = Catalogue(tuple(one for one in load_catalogue().diagnostics if one.id == DIAGNOSTIC))
    before = time.process_time()
    report = scan(catalogue, source.snapshot, source.gather)
    seconds = time.process_time() - before
    affected = {name for finding in report.findings for name in finding.affects}
    assert len(affected) == pending, len(affected)
    print(
        f"{pending:,} pending pods of {kinds} kinds among {pods + pending:,} on {nodes:,} nodes: {DIAGNOSTIC} takes "
        f"{seconds:.2f} s of CPU in a scan (goal 2)"
    )


if __name__ == "__main__":
    whole_scan(pods=20_000, pending=10_000, kinds=200, nodes=1000)
    inside_a_scan(pods=30_000, pending=1000, kinds=20, nodes=5000)
    sys.exit(0)
