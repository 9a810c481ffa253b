"""How long a preStop hook takes: only what its script runs in any case counts."""

from __future__ import annotations

import pytest

from kubedoctor.cluster.kinds.containers import ExecAction, LifecycleHandler
from kubedoctor.replay.deletion.pre_stop import least_duration

SCRIPTS = (
    ("sleep 60", 60),
    ("/bin/sleep 1m", 60),
    ("nginx -s quit; sleep 20; sleep 40", 60),
    ("nginx -s quit && sleep 60", 60),
    ("nginx -s quit\nsleep 60\n", 60),
    ("curl -s localhost/quit >/dev/null 2>&1 || true; sleep 60", 60),
    ("sleep 20; exit 0; sleep 40", 20),
    ("sleep 20; exec sleep 40", 60),
    ("sleep 10 20", 30),
    ("if drained; then sleep 20; else sleep 40; fi", None),
    ("quit || sleep 60", None),
    ("timeout 10 sleep 120", None),
    ("sleep 60 &", None),
    ("sleep 60 & wait", None),
    ("sleep 60 | cat", None),
    ("(sleep 60)&", None),
    ("while pgrep app; do sleep 60; done", None),
    ("test -f /tmp/busy && sleep 60", None),
    ("test -f /tmp/busy && sleep 60; sleep 20", 20),
    ("[ -f /tmp/busy ] || exit 0; sleep 60", None),
    ("echo 'now; sleep 60'", None),
    ("echo `sleep 60`", None),
    ("echo 'unfinished; sleep 60", None),
    ("sleep $SECONDS_TO_WAIT", None),
    ("nginx -s quit", None),
)


@pytest.mark.parametrize(("script", "seconds"), SCRIPTS)
def test_only_what_runs_in_any_case_counts(script: str, seconds: int | None) -> None:
    assert _taken("/bin/sh", "-c", script) == seconds


def test_a_command_without_a_shell_is_itself() -> None:
    assert (_taken("sleep", "60"), _taken("timeout", "10", "sleep", "120"), _taken("echo", "-c", "sleep 60")) == (
        60,
        None,
        None,
    )


def _taken(*command: str) -> float | None:
    taken = least_duration(LifecycleHandler(exec=ExecAction(command=command)))
    return taken.total_seconds() if taken is not None else None
