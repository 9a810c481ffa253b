"""`python -m tests.bench.keys [PODS]`: CPU time from a key to the settled screen, in the real application on a terminal,
with the pods of a generated cluster in the list.

For each key the milliseconds of the interface's thread until it has drawn an answer, and those of the whole process with
its workers until nothing more is drawn (the page beside the list, too), as median, 95th and 99th percentile. The first line
is a key without a meaning.
"""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.bench.scan import PROJECT, generate

GOAL = 16.0
PATIENCE = 600.0
FIRST = 0.25
"""Seconds within which a key that changes anything is answered: esc waits 25 ms for the rest of a sequence."""
BURST = 0.04
"""Seconds without drawing after which the first answer to a key is complete."""
QUIET = 0.15
"""Seconds without drawing after which the screen is settled."""
IDLE = 13.0
"""Milliseconds of CPU in a second that the application uses at most while nothing happens: its timers."""
TIMES = 60
FEW = 10
KINDS = ("svc", "no", "rs", "pvc", "pv", "ns", "ev", "f", "po")
"""The lists that the generated cluster can fill; the pods, which are most, last."""
ENTER, ESCAPE = "\r", "\x1b"


class Spent(NamedTuple):
    """Milliseconds of CPU: of the interface's thread until something was drawn, and of the process until all was."""

    painted: float
    settled: float


class Terminal:
    """The application on a terminal of its own."""

    def __init__(self, command: list[str]) -> None:
        self._here, there = pty.openpty()
        environment = {
            **os.environ,
            "COLUMNS": "120",
            "LINES": "40",
            "TERM": "xterm-256color",
            "PYTHONPATH": str(PROJECT),
        }
        self._process = subprocess.Popen(command, stdin=there, stdout=there, stderr=there, env=environment)
        os.close(there)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._here)

    def until(self, sign: re.Pattern[bytes]) -> None:
        """Wait for something to be drawn."""
        drawn, ends = b"", time.monotonic() + PATIENCE
        while not sign.search(drawn):
            if not select.select([self._here], [], [], ends - time.monotonic())[0]:
                sys.exit(f"{sign.pattern!r} was not drawn: {drawn!r}")
            drawn = drawn[-4000:] + os.read(self._here, 65536)

    def settle(self, quiet: float = QUIET) -> None:
        """Wait until nothing more is drawn and nothing more is computed."""
        before = -1.0
        while True:
            if select.select([self._here], [], [], quiet)[0]:
                os.read(self._here, 65536)
            elif (now := self._settled()) - before < IDLE * quiet:
                return
            else:
                before = now

    def press(self, keys: str, quiet: float = QUIET) -> Spent:
        """What the keys cost."""
        before, settled = self._painted(), self._settled()
        os.write(self._here, keys.encode())
        patience = FIRST
        while select.select([self._here], [], [], patience)[0]:
            os.read(self._here, 65536)
            patience = BURST
        painted = self._painted()
        self.settle(quiet)
        return Spent(painted - before, self._settled() - settled)

    def _painted(self) -> float:
        pid = self._process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e6

    def _settled(self) -> float:
        return cpu_of(self._process.pid) * 1e3


def cpu_of(pid: int) -> float:
    """Seconds of CPU that another process has used, with all its threads: clock_getcpuclockid(3)."""
    return time.clock_gettime_ns((~pid << 3) | 2) / 1e9


def tell(what: str, all_spent: list[Spent]) -> None:
    def at(share: float, values: list[float]) -> float:
        return sorted(values)[min(len(values) - 1, int(share * len(values)))]

    columns = ([spent.painted for spent in all_spent], [spent.settled for spent in all_spent])
    parts = [" ".join(f"{at(share, values):7.1f}" for share in (0.5, 0.95, 0.99)) for values in columns]
    print(f"{what:<26} {parts[0]}   {parts[1]}   {len(all_spent):4}", flush=True)


def groups(terminal: Terminal) -> Iterator[tuple[str, list[Spent]]]:
    """What each key costs, pressed several times."""
    press = terminal.press

    def go(kind: str, quiet: float = QUIET) -> Spent:
        """What the last key of a command costs."""
        press(f":{kind}")
        return press(ENTER, quiet)

    for kind in KINDS:
        yield f"the first :{kind}", [go(kind, 1.0)]
    press("g")
    yield "nothing (F12)", [press("\x1b[24~") for _ in range(FEW)]
    yield "down", [press("j") for _ in range(TIMES)]
    yield "page down", [press("\x1b[6~") for _ in range(TIMES)]
    yield "last and first row", [press(key) for _ in range(FEW) for key in "Gg"]
    letters, prompts = list[Spent](), list[Spent]()
    taken = list[Spent]()
    for word in ("checkout", "web-1", "zzzz", "pods", "api-7f"):
        prompts.append(press("/"))
        letters += [press(letter) for letter in word]
        taken.append(press(ESCAPE))
    yield "prompt", prompts
    yield "filter, a letter", letters
    yield "filter taken away", taken
    yield "sort", [press(key) for _ in range(FEW) for key in "NAS"]
    press("g")
    for key, what in (("w", "why"), ("d", "describe"), ("X", "copy"), ("a", "ask")):
        opened, left = list[Spent](), list[Spent]()
        for _ in range(FEW):
            opened.append(press(key))
            left.append(press(ESCAPE))
        yield f"open {what}", opened
        yield f"leave {what}", left
    yield "copy a name (a notice)", [press("c") for _ in range(FEW)]
    yield "to the page and back", [press("\t") for _ in range(FEW)]
    others, pods = list[Spent](), list[Spent]()
    for kind in ("svc", "no", "ns", "f", "wk"):
        others.append(go(kind))
        pods.append(go("po"))
    yield "command, a smaller list", others
    yield "command, the pods", pods


def measure(terminal: Terminal) -> None:
    print(f"{'ms of CPU':<26} {'painted p50 p95 p99':>23}   {'settled p50 p95 p99':>23}   keys (goal {GOAL:.0f})")
    for what, spent in groups(terminal):
        tell(what, spent)


def main() -> int:
    pods = int(sys.argv[1]) if len(sys.argv) > 1 else 150_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(name)
        if len(sys.argv) < 3:
            generate(folder, pods)
        terminal = Terminal([sys.executable, "-m", "kubedoctor", "-A", "--from", str(folder)])
        try:
            terminal.until(re.compile(rb"KD\d{4}"))
            terminal.settle(2.0)
            measure(terminal)
        finally:
            terminal.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
