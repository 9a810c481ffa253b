"""How long a preStop hook takes, as far as its definition tells."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.kinds.containers import LifecycleHandler
from kubedoctor.cluster.kinds.pods import Pod

DEFAULT_GRACE: Final = timedelta(seconds=30)
_SLEEP: Final = compiled_later(r"(?:^|[\s;&|(/'\"])sleep\s+(\d+(?:\.\d+)?)([smh]?)\b")
_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3600}
_LOOP: Final = compiled_later(r"\b(?:while|until|for)\b")
"""How often a loop sleeps is not known."""


def least_duration(hook: LifecycleHandler) -> timedelta | None:
    """How long it sleeps at least: by its `sleep`, or by the commands `sleep` in its script. None where it does not."""
    if hook.sleep is not None:
        return timedelta(seconds=hook.sleep.seconds)
    script = " ".join((hook.exec.command if hook.exec is not None else None) or ())
    if _LOOP.search(script):
        return None
    found = [float(number) * _SECONDS[unit] for number, unit in _SLEEP.findall(script)]
    return timedelta(seconds=sum(found)) if found else None


def grace_period(pod: Pod) -> timedelta | None:
    """How long the hook and the program may take together to end; None where it was not recorded: the API server always
    sets it."""
    seconds = pod.metadata.deletion_grace_period_seconds or pod.spec.termination_grace_period_seconds
    return timedelta(seconds=seconds) if seconds is not None else None
