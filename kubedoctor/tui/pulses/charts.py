"""What each chart shows of the pulses that were taken. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.quantities import format_bytes, format_milli
from kubedoctor.cluster.grammar.text import counted
from kubedoctor.engine.health import Health
from kubedoctor.tui.pulses.pulse import MINUTES, Pulse

NAMES: Final = ("pods", "workloads", "nodes", "incidents", "warnings", "restarts", "cpu", "memory")
LISTS: Final = {
    "pods": "Pod",
    "workloads": "",
    "nodes": "Node",
    "incidents": "Finding",
    "warnings": "Event",
    "restarts": "Pod",
    "cpu": "Pod",
    "memory": "Pod",
}
"""The list that a chart is about, as View spells it."""
NOT_SERVED: Final = "n/a: no metrics"


class Chart(msgspec.Struct, frozen=True):
    """values: the oldest first; none where there is nothing to draw. now: the present in words; role: of `look.py`. is_whole:
    whether the values are those of the whole width, else each is one moment, and before the first nothing is known."""

    title: str
    now: str
    role: str
    values: tuple[float, ...]
    is_whole: bool = False


def chart(name: str, pulses: Sequence[Pulse], incidents: Sequence[int | None]) -> Chart:
    """One of NAMES. incidents: how many there were at each pulse; None: not known."""
    last = pulses[-1] if pulses else Pulse()
    match name:
        case "pods":
            series = tuple(float(pulse.pods - pulse.pods_ready) for pulse in pulses)
            return _of_readiness("Pods not ready", last.pods_ready, last.pods, series)
        case "nodes":
            series = tuple(float(pulse.nodes - pulse.nodes_ready) for pulse in pulses)
            return _of_readiness("Nodes not ready", last.nodes_ready, last.nodes, series)
        case "workloads":
            series = tuple(float(_unwell(pulse)) for pulse in pulses)
            number = _unwell(last)
            all_ = sum(last.workloads.values())
            return Chart("Workloads broken or degraded", f"{number} of {all_}", "bad" if number else "good", series)
        case "incidents":
            known = tuple(float(number) for number in incidents if number is not None)
            if not incidents or incidents[-1] is None:
                return Chart("Incidents", "examining…", "dim", known)
            return Chart("Incidents", str(incidents[-1]), "bad" if incidents[-1] else "good", known)
        case "warnings":
            total = round(sum(last.warnings))
            return Chart(
                "Warnings a minute", f"{total} in {MINUTES}m", "warn" if total else "good", last.warnings, is_whole=True
            )
        case "restarts":
            total = round(sum(last.restarts))
            words = f"{counted(total, 'container')} in {MINUTES}m"
            return Chart("Restarts a minute", words, "warn" if total else "good", last.restarts, is_whole=True)
        case _:
            return _of_use(name, pulses, last)


def _of_readiness(title: str, ready: int, number: int, series: tuple[float, ...]) -> Chart:
    return Chart(title, f"{number - ready} of {number}", "bad" if ready < number else "good", series)


def _unwell(pulse: Pulse) -> int:
    return sum(pulse.workloads.get(health, 0) for health in (Health.BROKEN, Health.DEGRADED))


def _of_use(name: str, pulses: Sequence[Pulse], last: Pulse) -> Chart:
    title, place = ("CPU", 0) if name == "cpu" else ("Memory", 1)
    if last.use is None:
        return Chart(title, NOT_SERVED, "dim", ())
    write = format_milli if name == "cpu" else format_bytes
    used = last.use[place]
    words = write(used)
    if last.room is not None and last.room[place]:
        words = f"{words} of {write(last.room[place])}, {used * 100 // last.room[place]}%"
    return Chart(title, words, "", tuple(float(pulse.use[place]) for pulse in pulses if pulse.use is not None))
