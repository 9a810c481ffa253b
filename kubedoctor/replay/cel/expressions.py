"""One expression, with what became of it: a value, an error that the API server meets too, or nothing that can be said."""

from __future__ import annotations

import enum
import importlib
import importlib.util
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from kubedoctor.replay.cel.functions import ANY, FUNCTIONS, OWN_NAMES, Overload

_PACKAGE: Final = "cel_expr_python"
VARIABLES: Final = ("self", "oldSelf", "object", "oldObject", "request", "params", "namespaceObject", "variables")
_MISSING_KEY: Final = re.compile(r'Key not found in map : "?(?P<key>[^"]*)"?')
_NO_OVERLOAD: Final = re.compile(r"No matching overloads found : (?:\([^)]*\)\.)?(?P<name>[\w.]+)\(")
_ERRORS: Final = (
    ("divide by zero", "division by zero"),
    ("modulus by zero", "modulus by zero"),
    ("overflow", "overflow"),
)
_CONCRETE: Final = ("BOOL", "INT", "DOUBLE", "STRING", "BYTES", "LIST", "MAP", "NULL")


class CelVerdict(enum.Enum):
    """UNREAD: neither the value nor an error of the API server is known."""

    VALUE = enum.auto()
    ERROR = enum.auto()
    UNREAD = enum.auto()


class CelOutcome(NamedTuple):
    """why: the API server's words of an error, or what could not be evaluated. key: the key that an error misses."""

    verdict: CelVerdict
    value: Any = None
    why: str = ""
    key: str = ""


@cache
def is_installed() -> bool:
    """Whether the library is there."""
    return importlib.util.find_spec(_PACKAGE) is not None


def evaluated(expression: str, values: Mapping[str, Any]) -> CelOutcome:
    """values: by the names of `VARIABLES`, as JSON has them."""
    if not is_installed():
        return CelOutcome(CelVerdict.UNREAD, why="CEL needs pip install 'kubedoctor[cel]'")
    program = _program(expression)
    if isinstance(program, str):
        return CelOutcome(CelVerdict.UNREAD, why=program)
    try:
        value = program.eval(data=dict(values))
        is_error = value.type().name() in ("*error*", "ERROR")
        plain = value.plain_value()
    except (RuntimeError, ValueError, TypeError) as error:
        return CelOutcome(CelVerdict.UNREAD, why=_first_line(error))
    return _failed(str(plain)) if is_error else CelOutcome(CelVerdict.VALUE, plain)


@cache
def _program(expression: str) -> Any:
    """Compiled; a text says why it cannot be."""
    try:
        return _environment().compile(expression)
    except RuntimeError as error:
        return _first_line(error)


@cache
def _environment() -> Any:
    cel = importlib.import_module(f"{_PACKAGE}.cel")
    extensions = [
        getattr(importlib.import_module(f"{_PACKAGE}.ext.{module}"), name)()
        for module, name in (
            ("ext_optional", "ExtOptional"),
            ("ext_bindings", "ExtBindings"),
            ("ext_math", "ExtMath"),
            ("ext_encoders", "ExtEncoders"),
        )
    ]
    return cel.NewEnv(
        variables=dict.fromkeys(VARIABLES, cel.Type.DYN), extensions=extensions, functions=_declarations(cel)
    )


def _declarations(cel: Any) -> list[Any]:
    """Overloads are chosen by the types of values, so that one of any type is declared for each type."""
    return [
        cel.FunctionDecl(
            name,
            [_declared(cel, name, overload, types) for overload in overloads for types in _spelled(overload.takes)],
        )
        for name, overloads in FUNCTIONS.items()
    ]


def _declared(cel: Any, name: str, overload: Overload, types: tuple[str, ...]) -> Any:
    return cel.Overload(
        f"kubernetes_{name.replace('.', '_')}_{'_'.join((str(overload.member), *types)).lower()}",
        return_type=getattr(cel.Type, overload.gives),
        parameters=[getattr(cel.Type, kind) for kind in types],
        is_member=overload.member,
        impl=overload.does,
    )


def _spelled(takes: tuple[str, ...]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = [()]
    for kind in takes:
        found = [(*before, one) for before in found for one in (_CONCRETE if kind == ANY else (kind,))]
    return found


def _failed(text: str) -> CelOutcome:
    """What the library says of an error, in the words of the API server's."""
    if match := _MISSING_KEY.search(text):
        return CelOutcome(CelVerdict.ERROR, why=f"no such key: {match['key']}", key=match["key"])
    if match := _NO_OVERLOAD.search(text):
        if match["name"] in OWN_NAMES:
            return CelOutcome(CelVerdict.UNREAD, why=f"{match['name']}: {text.partition(': ')[2]}")
        return CelOutcome(CelVerdict.ERROR, why="no such overload")
    if "No matching overloads" in text:
        return CelOutcome(CelVerdict.ERROR, why="no such overload")
    if match := re.search(r"index=(-?\d+) size", text):
        return CelOutcome(CelVerdict.ERROR, why=f"index out of bounds: {match[1]}")
    for says, words in _ERRORS:
        if says in text:
            return CelOutcome(CelVerdict.ERROR, why=words)
    return CelOutcome(CelVerdict.UNREAD, why=text)


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return re.sub(r"^INVALID_ARGUMENT: ERROR: <input>:\d+:\d+: ", "", lines[0]) if lines else type(error).__name__
