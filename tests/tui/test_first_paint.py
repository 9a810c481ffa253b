"""What the first paint waits for. `python -m tests.bench.first_paint` measures it."""

from __future__ import annotations

import subprocess
import sys

from kubedoctor.tui.work import LATER


def test_the_first_paint_does_not_wait_for_what_only_keys_need() -> None:
    told = "import sys, kubedoctor.tui.app, kubedoctor.tui.work as work; print(*set(work.LATER) & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert LATER
    assert done.stdout.split() == []
