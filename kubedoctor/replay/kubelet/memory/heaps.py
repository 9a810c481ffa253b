"""How large a container's own settings let its heap grow: Java, Node.js, Go, .NET."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from kubedoctor.cluster.grammar.quantities import QuantityError, parse_quantity
from kubedoctor.cluster.kinds.containers import Container
from kubedoctor.cluster.kinds.core import ConfigMap


class Runtime(enum.Enum):
    """What limits its own heap."""

    JAVA = enum.auto()
    NODE = enum.auto()
    DOTNET = enum.auto()
    GO = enum.auto()


SHARES: Final = {Runtime.JAVA: 75, Runtime.NODE: 75, Runtime.DOTNET: 75, Runtime.GO: 90}
"""The percentage of a memory limit that a heap may take, so that threads, code and buffers have room."""


class HeapSetting(NamedTuple):
    """A setting that limits a heap. `field`: the field of the container that holds it. `config`: the ConfigMap and key
    that hold its value, if any. `size` in bytes, or 0 where `percent` of the memory limit counts."""

    runtime: Runtime
    flag: str
    field: str
    size: int
    percent: float = 0
    config: tuple[str, str] = ("", "")

    def bytes_of(self, limit: int) -> int:
        """The heap's size under a memory limit, in bytes."""
        return self.size or int(limit * self.percent / 100)


_UNITS: Final = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_SIZE: Final = re.compile(
    r"-Xmx(\d+)([kKmMgGtT]?)|-XX:MaxHeapSize=(\d+)([kKmMgGtT]?)|--max[-_]old[-_]space[-_]size[= ](\d+)"
)
_PERCENTAGE: Final = re.compile(r"-XX:MaxRAMPercentage=(\d+(?:\.\d+)?)")
_GO: Final = re.compile(r"(\d+)(?:([KMGT])i)?B?")
_DOTNET: Final = re.compile(r"(?:DOTNET|COMPlus)_GCHeapHardLimit(Percent)?")
_HEXADECIMAL: Final = re.compile(r"(?:0[xX])?([0-9a-fA-F]{1,16})")
_BEFORE_ARGUMENTS: Final = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "JAVA_OPTS", "CATALINA_OPTS", "NODE_OPTIONS")
_AFTER_ARGUMENTS: Final = ("_JAVA_OPTIONS",)
_NAMES: Final = re.compile(rf"{'|'.join((*_BEFORE_ARGUMENTS, *_AFTER_ARGUMENTS))}|GOMEMLIMIT|{_DOTNET.pattern}")


class _Variable(NamedTuple):
    value: str
    field: str
    config: tuple[str, str] = ("", "")


def heap_setting(
    container: Container, config_map: Callable[[str], ConfigMap | None] = lambda _: None
) -> HeapSetting | None:
    """The setting that decides: of a runtime's flags the last, of variables and arguments the arguments.

    config_map: the ConfigMap of that name in the pod's namespace, asked for only where a variable comes from one.
    """
    variables = dict(_variables(container, config_map))
    words = [variables[name] for name in _BEFORE_ARGUMENTS if name in variables]
    for field in ("command", "args"):
        words += [_Variable(word, field) for word in getattr(container, field) or ()]
    words += [variables[name] for name in _AFTER_ARGUMENTS if name in variables]
    flags = [setting for word in words for setting in _flags(word)]
    # A size outranks a percentage (HotSpot, arguments.cpp).
    sizes = [setting for setting in flags if setting.size]
    return next(iter([*sizes[-1:], *flags[-1:], *_of_variables(variables)]), None)


def _variables(container: Container, config_map: Callable[[str], ConfigMap | None]) -> Iterator[tuple[str, _Variable]]:
    """The variables that limit heaps; later ones replace earlier ones of the same name."""
    for index, source in enumerate(container.env_from or ()):
        held = config_map(source.config_map_ref.name) if source.config_map_ref is not None else None
        for key, value in sorted(((held.data if held is not None else None) or {}).items()):
            if held is not None and _NAMES.fullmatch(f"{source.prefix}{key}"):
                yield f"{source.prefix}{key}", _Variable(value, f"envFrom[{index}].configMapRef.name", (held.name, key))
    for variable in container.env or ():
        if not _NAMES.fullmatch(variable.name):
            continue
        base = f"env[name={variable.name}]"
        reference = variable.value_from.config_map_key_ref if variable.value_from is not None else None
        if reference is None:
            yield variable.name, _Variable(variable.value, f"{base}.value")
        elif (held := config_map(reference.name)) is not None and (text := (held.data or {}).get(reference.key)):
            yield variable.name, _Variable(text, f"{base}.valueFrom.configMapKeyRef.key", (held.name, reference.key))


def _flags(word: _Variable) -> Iterator[HeapSetting]:
    for found in _PERCENTAGE.finditer(word.value):
        yield HeapSetting(Runtime.JAVA, found[0], word.field, 0, float(found[1]), word.config)
    for found in _SIZE.finditer(word.value):
        number, unit, longer, longer_unit, node = found.groups()
        if node:  # Node.js counts in MiB.
            yield HeapSetting(Runtime.NODE, found[0], word.field, int(node) * _UNITS["m"], 0, word.config)
        else:
            size = int(number or longer) * _UNITS[(unit or longer_unit or "").lower()]
            yield HeapSetting(Runtime.JAVA, found[0], word.field, size, 0, word.config)


def _of_variables(variables: dict[str, _Variable]) -> Iterator[HeapSetting]:
    """The settings of Go and .NET, whose variables hold nothing else."""
    for name, variable in variables.items():
        value, flag = variable.value.strip(), f"{name}={variable.value.strip()}"
        if name == "GOMEMLIMIT" and (match := _GO.fullmatch(value)):
            size = int(match[1]) * _UNITS[(match[2] or "").lower()]
            yield HeapSetting(Runtime.GO, flag, variable.field, size, 0, variable.config)
        elif (kind := _DOTNET.fullmatch(name)) and (match := _HEXADECIMAL.fullmatch(value)):
            number = int(match[1], 16)
            size, percent = (0, float(number)) if kind[1] else (number, 0.0)
            yield HeapSetting(Runtime.DOTNET, flag, variable.field, size, percent, variable.config)


class HeapUnderLimit(NamedTuple):
    """A heap compared with a memory limit, in bytes. `needed`: the limit under which it has room for the rest of the
    program. `advised`: the heap that has room under the present limit."""

    setting: HeapSetting
    size: int
    limit: int
    needed: int
    advised: int

    @property
    def is_too_large(self) -> bool:
        """Whether the rest of the program has less than half of the advised room; Go counts the rest itself."""
        share = SHARES[self.setting.runtime]
        allowed = 100 if self.setting.runtime is Runtime.GO else (100 + share) / 2
        return self.size * 100 >= self.limit * allowed


def heap_under(setting: HeapSetting, limit: str) -> HeapUnderLimit | None:
    """The heap under a memory limit, a quantity; None where the limit is not one."""
    try:
        allowed = parse_quantity(limit).value()
    except QuantityError:
        return None
    size, share = setting.bytes_of(allowed), SHARES[setting.runtime]
    step = 16 * _UNITS["m"]
    needed = -(-int(size * 100 / share) // step) * step
    return HeapUnderLimit(setting, size, allowed, needed, int(allowed * share / 100))
