"""`python -m tests.bench.watching [PODS [SECONDS]]`: what the terminal UI costs while the cluster changes.

The application runs in a terminal of its own (120 columns, 40 lines), against an API server in another process. For
each rate of watch events: the share of a core that the application uses (user and system), without that of an
examination that falls into the phase, and how late its event loop is (p99); at the end its memory over 300 seconds in which pods and Events are created, change and are deleted.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import json
import os
import pty
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from tests.bench.scan import generate

HERE = Path(__file__).resolve().parent
SIZE = (40, 120)
PATIENCE = 120.0
SETTLE = 10.0
"""Seconds at a new rate before it is measured."""
TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
MIX = {"pods": 0.7, "leases": 0.15, "nodes": 0.05, "events": 0.1}

CHILD = """
import asyncio, json, sys, threading, time
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.engine import load_catalogue
from kubedoctor.tui import SWITCH_EVERY, work
from kubedoctor.tui.app import KubedoctorApp
from kubedoctor.tui.session import Session

questions, answers = open(int(sys.argv[2])), open(int(sys.argv[3]), "w")
EVERY = 0.1

class Examinations:
    # What they have cost, also the one that runs: it may begin in one phase and end in another.
    spent, running = 0.0, None

    def __call__(self, *args, **more):
        self.running = time.pthread_getcpuclockid(threading.get_ident())
        try:
            self.examine(*args, **more)
        finally:
            self.spent, self.running = self.seconds(), None

    def seconds(self):
        return self.spent + (time.clock_gettime(self.running) if self.running is not None else 0.0)

examinations = Examinations()
examinations.examine, work.examine = work.examine, examinations

class Measured(KubedoctorApp):
    __module__ = KubedoctorApp.__module__  # its style sheets are found beside it
    late = []

    def on_mount(self):
        self.measuring = asyncio.create_task(self.measure())
        threading.Thread(target=self.reply, daemon=True).start()

    async def measure(self):
        while True:
            due = time.perf_counter() + EVERY
            await asyncio.sleep(EVERY)
            self.late.append(time.perf_counter() - due)

    def reply(self):
        for _ in questions:
            late, Measured.late = sorted(self.late), []
            screen = self.screen
            shown = len(getattr(screen, "rows", ()))
            watch = self.session and self.session._watch
            watching = bool(watch) and all(status.state in ("watching", "refused") for status in watch.status())
            report = getattr(screen, "report", None)
            history = self.session and self.session.source.snapshot.history
            print(json.dumps({"blocks": sys.getallocatedblocks(), "late": late, "rows": shown, "watching": watching, "lost": self.session and self.session.freshness().lost,
                              "examining": examinations.seconds(), "history": history.size if history else 0, "findings": len(report.findings) if report else -1,
                              "taken_at": report.taken_at.timestamp() if report else 0}), file=answers, flush=True)

sys.setswitchinterval(SWITCH_EVERY)
options = Options(kubeconfig=sys.argv[1])
Measured(lambda: Session(open_source(options), load_catalogue()), "").run()
"""


class Screen:
    """The application on a terminal that nobody looks at."""

    def __init__(self, kubeconfig: Path) -> None:
        here, there = pty.openpty()
        fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
        questions, self._questions = os.pipe()
        answers, theirs = os.pipe()
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(SIZE[1]), "LINES": str(SIZE[0])}
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(kubeconfig), str(questions), str(theirs)],
            stdin=there,
            stdout=there,
            stderr=there,
            env=environment,
            pass_fds=(questions, theirs),
        )
        for descriptor in (there, questions, theirs):
            os.close(descriptor)
        self._answers = open(answers)  # noqa: SIM115  # closed with the screen
        self._terminal = here
        self.written = 0
        self.last = b""
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self) -> None:
        with contextlib.suppress(OSError):
            while piece := os.read(self._terminal, 1 << 16):
                self.written += len(piece)
                self.last = (self.last + piece)[-8000:]

    def type(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def state(self) -> dict[str, Any]:
        os.write(self._questions, b"\n")
        line = self._answers.readline()
        if not line:
            raise SystemExit(f"the application has ended: {self.last!r}")
        state: dict[str, Any] = json.loads(line)
        return state

    def cpu(self) -> float:
        """User and system seconds."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory(self) -> float:
        """Resident MiB."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * PAGE / 2**20

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._answers.close()
        os.close(self._questions)


class Server:
    """The API server of another process."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "tests.bench.streaming_server", str(folder)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._in: IO[str] = self.process.stdin
        self._out: IO[str] = self.process.stdout
        self.url = self._out.readline().strip()

    def send(self, **rates: float) -> int:
        """Events sent so far; from now on at these rates a second."""
        self._in.write(json.dumps(rates) + "\n")
        self._in.flush()
        sent: int = json.loads(self._out.readline())["sent"]
        return sent

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def running(pods: int) -> Iterator[tuple[Screen, Server]]:
    """The application on the workloads of a generated cluster, once it watches."""
    with tempfile.TemporaryDirectory() as name:
        lists, kubeconfig = Path(name) / "lists", Path(name) / "kubeconfig"
        lists.mkdir()
        generate(lists, pods)
        server = Server(lists)
        kubeconfig.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "bench",
                    "clusters": [{"name": "bench", "cluster": {"server": server.url}}],
                    "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
                    "users": [{"name": "bench", "user": {}}],
                }
            )
        )
        screen = Screen(kubeconfig)
        try:
            until(screen, lambda state: state["watching"] and state["findings"] >= 0)
            time.sleep(SETTLE)
            yield screen, server
        finally:
            screen.close()
            server.close()


def until(screen: Screen, true: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true(screen.state()):
        if time.monotonic() > deadline:
            raise SystemExit(f"the application does not watch: { {**screen.state(), 'late': 0} }")
        time.sleep(0.2)


def share(screen: Screen, server: Server, what: str, seconds: float, goal: float = 0, **rates: float) -> None:
    """Print the share of a core at these rates, and apart from it that of an examination, which runs now and then."""
    server.send(**rates)
    time.sleep(SETTLE)
    sent, cpu, began, written = server.send(**rates), screen.cpu(), time.monotonic(), screen.written
    examined = screen.state()["examining"]
    time.sleep(seconds)
    state = screen.state()
    used, took = screen.cpu() - cpu, time.monotonic() - began
    examining = state["examining"] - examined
    used -= examining
    events = server.send(**rates) - sent
    late = state["late"]
    p99 = statistics.quantiles(late, n=100)[98]
    age = time.time() - state["taken_at"]
    print(
        f"{what:<44} {used / took:6.1%} of a core{f' (goal {goal:.0%})' if goal else '':12} {events / took:6.0f} events/s  "
        f"{f'and {examining / took:.1%} for an examination  ' if examining > 0.1 else ''}"
        f"loop late p50 {statistics.median(late) * 1000:.1f} p99 {p99 * 1000:.1f} max {max(late) * 1000:.0f} ms  "
        f"{(screen.written - written) / took / 1000:.1f} kB/s drawn  {state['rows']} rows, examined {age:.0f}s ago {state['lost'] or ''}",
        flush=True,
    )


def memory(screen: Screen, server: Server, seconds: float) -> None:
    """Print the memory while objects are created and deleted, and the blocks of Python's allocator: where these are as
    many as before a new report and the memory is more, it is what the examination needed meanwhile, which the next uses again.
    The history of the time machine grows to its bound, and the memory with it."""
    server.send(churn=200)
    began = time.monotonic()
    states, sizes = [screen.state()], [screen.memory()]
    while (now := time.monotonic() - began) < seconds:
        time.sleep(min(10.0, max(0.1, seconds - now)))
        states.append(screen.state())
        sizes.append(screen.memory())
    server.send()
    print("MiB every 10 s: " + " ".join(f"{size:.0f}" for size in sizes))
    print("thousand blocks in use: " + " ".join(f"{state['blocks'] / 1000:.0f}" for state in states))
    print("MiB of history: " + " ".join(f"{state['history'] / 2**20:.0f}" for state in states))
    examined = [later["taken_at"] != before["taken_at"] for before, later in itertools.pairwise(states)]
    print(
        f"new reports after s: {' '.join(str(10 * (number + 1)) for number, new in enumerate(examined) if new) or '-'}"
    )
    if len(sizes) > 7:
        print(
            f"after the first minute {sizes[6]:.0f} MiB, at the end {sizes[-1]:.0f} MiB ({sizes[-1] - sizes[6]:+.0f})"
        )


def main() -> int:
    pods = int(sys.argv[1]) if len(sys.argv) > 1 else 30_000
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 30.0
    thousand = {what: 1000 * part for what, part in MIX.items()}
    nodes = pods / 30
    with running(pods) as (screen, server):
        print(f"{pods:,} pods, {screen.memory():.0f} MiB, a list of {screen.state()['rows']} workloads", flush=True)
        share(screen, server, "quiet", seconds, 0.01)
        share(screen, server, "leases and heartbeats of the nodes", seconds, 0.01, leases=nodes / 10, nodes=nodes / 300)
        share(screen, server, "1,000 events/s, workloads shown", seconds, 0.15, **thousand)
        screen.type(":po\r")
        share(screen, server, "1,000 events/s, pods shown", seconds, 0.15, **thousand)
        screen.type(":deploy\r")
        share(screen, server, "1,000 events/s, Deployments shown", seconds, 0.15, **thousand)
        screen.type("\x1b")
        memory(screen, server, 10 * seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
