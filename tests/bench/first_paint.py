"""From the start of Python to the incidents on the screen, against a bare Textual application in the same run.

`python -m tests.bench.first_paint [BUNDLE]`. Each is started anew, five times in turn; the medians are printed.
"""

from __future__ import annotations

import os
import pty
import select
import statistics
import subprocess
import sys
import time

from kubedoctor.sandbox import recording_path

BARE = """
from textual.app import App
from textual.widgets import Static
class Bare(App[None]):
    def compose(self):
        yield Static("first paint")
Bare().run()
"""
PATIENCE = 60.0


def until_painted(command: list[str], wanted: bytes) -> float:
    """Seconds until the text is in what the program draws on a terminal of its own."""
    here, there = pty.openpty()
    started = time.perf_counter()
    environment = {**os.environ, "COLUMNS": "120", "LINES": "32", "TERM": "xterm-256color"}
    process = subprocess.Popen(command, stdin=there, stdout=there, stderr=there, env=environment, close_fds=True)
    os.close(there)
    drawn = b""
    try:
        while wanted not in drawn:
            left = started + PATIENCE - time.perf_counter()
            if left <= 0 or not select.select([here], [], [], left)[0]:
                raise SystemExit(f"{wanted!r} was not drawn: {drawn[-2000:]!r}")
            drawn += os.read(here, 65536)
        return time.perf_counter() - started
    finally:
        process.kill()
        process.wait()
        os.close(here)


def main(bundle: str) -> None:
    bare, frame, rows = [], [], []
    ours = [sys.executable, "-m", "kubedoctor", "--from", bundle, "-A"]
    for _ in range(5):
        bare.append(until_painted([sys.executable, "-c", BARE], b"first paint"))
        frame.append(until_painted(ours, b"Reading"))
        rows.append(until_painted(ours, b"CAUSE"))
    base = statistics.median(bare)
    print(f"bare Textual application       {base * 1000:6.0f} ms")
    for what, times in (("kubedoctor, the first paint", frame), ("kubedoctor, the incidents", rows)):
        median = statistics.median(times)
        print(f"{what:<30} {median * 1000:6.0f} ms   {(median - base) * 1000:+6.0f} ms")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else str(recording_path("oom-killed")))
