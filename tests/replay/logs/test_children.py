"""Lines of masters about children that were killed, as the servers write them."""

from __future__ import annotations

import pytest

from kubedoctor.replay.logs.children import killed_children


@pytest.mark.parametrize(
    "line",
    [
        "[2025-04-28 15:47:57 +0000] [1] [ERROR] Worker (pid:6670) was sent SIGKILL! Perhaps out of memory?",
        "[2023-07-05 10:00:00 +0000] [1] [WARNING] Worker with pid 55 was terminated due to signal 9",
        "DAMN ! worker 1 (pid: 12) died, killed by signal 9 :( trying respawn ...",
        "2026/03/11 09:00:00 [alert] 1#1: worker process 31 exited on signal 9",
        "[11-Mar-2026 09:00:00] WARNING: [pool www] child 31 exited on signal 9 (SIGKILL) after 4.5 seconds from start",
        "2026-03-11 09:00:00.000 UTC [1] LOG:  server process (PID 229) was terminated by signal 9: Killed",
        "AH00052: child pid 31 exit signal Killed (9)",
        "billiard.exceptions.WorkerLostError: Worker exited prematurely: signal 9 (SIGKILL) Job: 12.",
        "concurrent.futures.process.BrokenProcessPool: A process in the process pool was terminated abruptly",
    ],
)
def test_a_killed_child(line: str) -> None:
    assert killed_children(["starting", line, "ready"]) == (1, 1)


def test_a_worker_that_gunicorn_kills_itself() -> None:
    late = "[2026-03-11 09:00:00 +0000] [1] [CRITICAL] WORKER TIMEOUT (pid:21)"
    killed = "[2026-03-11 09:00:01 +0000] [1] [ERROR] Worker (pid:21) was sent SIGKILL! Perhaps out of memory?"
    assert killed_children([late, killed]) is None
    assert killed_children([late, killed, killed.replace("21", "22")]) == (1, 2)


def test_other_signals() -> None:
    assert killed_children(["worker process 31 exited on signal 11", "child 7 exited with code 0"]) is None
