"""Settings with which the garbage collector of Go takes the CPU that the program needs (`runtime`, Go 1.19 and later)."""

from __future__ import annotations

from typing import Final, NamedTuple

from kubedoctor.cluster.grammar.quantities import bytes_of
from kubedoctor.cluster.kinds.containers import Container
from kubedoctor.replay.kubelet.memory.heaps import Runtime, heap_setting

_USUAL: Final = 100
"""GOGC, in per cent: the heap may double before it is collected."""
_SMALL: Final = 20
_NEAR: Final = 0.95
"""Of GOMEMLIMIT: the collector then runs as often as it takes to stay below, up to half of the CPU."""


class BusyCollector(NamedTuple):
    """field: of the container, that holds the setting. advice: an imperative."""

    flag: str
    field: str
    effect: str
    advice: str


def busy_collector(container: Container, memory_in_use: str = "") -> BusyCollector | None:
    """The setting that has it collect all the time. memory_in_use: as metrics-server measures it."""
    for variable in container.env or ():
        if variable.name == "GOGC" and variable.value.isdecimal() and 0 < int(variable.value) <= _SMALL:
            share = int(variable.value)
            return BusyCollector(
                f"GOGC={share}",
                "env[name=GOGC].value",
                f"each time that the heap has grown by {share}%",
                f"Remove GOGC={share} (the default is {_USUAL})",
            )
    setting = heap_setting(container)
    if setting is None or setting.runtime is not Runtime.GO or not setting.size:
        return None
    if bytes_of(memory_in_use) < setting.size * _NEAR:
        return None
    return BusyCollector(
        setting.flag,
        setting.field,
        f"all the time, as {memory_in_use} of memory are in use",
        f"Raise {setting.flag}, with the memory limit above it",
    )
