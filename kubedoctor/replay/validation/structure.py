"""What the schema of an object refuses, as strict decoding does (`fieldValidation=Strict`, the default of kubectl since 1.27):
unknown fields, values of wrong types, and fields without which no value is complete."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any, Final

from kubedoctor.cluster.grammar.nearest import nearest_word
from kubedoctor.cluster.grammar.quantities import parse_quantity
from kubedoctor.replay.validation.constraints import constraint_faults
from kubedoctor.replay.validation.expressions import Note
from kubedoctor.replay.validation.fields import FieldFault, FieldViolation, Path
from kubedoctor.replay.validation.schemas import Schema, Schemas

_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})")
_BITS: Final = {"int32": 31, "int64": 63}
_GO: Final = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "bool",
    "array": "array",
    "object": "object",
}
_NOT_ENFORCED: Final = frozenset({("spec", "serviceName"), ("spec", "limits")})
"""Required by the published schema, and not by the API server: it fills them in, or takes them empty."""
_OF_ALL: Final = frozenset(("apiVersion", "kind", "metadata"))
"""What every object has, whether the schema of a custom kind lists it or not."""
Say = Callable[[FieldViolation], None]


class Structure:
    """Checks of one document. custom: of a custom kind, whose values and rules the schema decides too. note: takes what was not
    evaluated."""

    def __init__(self, schemas: Schemas, say: Say, *, custom: bool = False, note: Note = lambda _: None) -> None:
        self._schemas, self._say, self._custom, self._note = schemas, say, custom, note

    def check(self, value: Any, schema: Schema, path: Path = ()) -> None:
        """Null is a field that is not there."""
        if value is None:
            return
        if self._custom:
            for violation in constraint_faults(value, schema, path, self._note):
                self._say(violation)
        name, schema = self._schemas.resolved(schema)
        if name.endswith("resource.Quantity"):
            self._quantity(value, path)
        elif (
            name.endswith("IntOrString")
            or schema.get("x-kubernetes-int-or-string")
            or schema.get("format") == "int-or-string"
        ):
            self._int_or_string(value, path)
        elif name.endswith((".Time", ".MicroTime")):
            self._time(value, path)
        elif name.endswith(
            (".JSON", "JSONSchemaPropsOrBool", "JSONSchemaPropsOrArray", "JSONSchemaPropsOrStringArray", "FieldsV1")
        ):
            return
        elif name.endswith("RawExtension") and not self._custom:
            if not isinstance(value, dict):
                self._wrong(value, "object", path)
        else:
            self._typed(value, schema, path)

    def _typed(self, value: Any, schema: Schema, path: Path) -> None:
        kind = _type_of(schema)
        if kind == "object" or (not kind and "properties" in schema):
            if not isinstance(value, dict):
                self._wrong(value, "object", path)
            else:
                self._object(value, schema, path)
        elif kind == "array":
            if not isinstance(value, list):
                self._wrong(value, "array", path)
                return
            items = schema.get("items") or {}
            for place, item in enumerate(value):
                self.check(item, items, (*path, place))
        elif kind:
            self._scalar(value, kind, schema, path)

    def _object(self, value: dict[Any, Any], schema: Schema, path: Path) -> None:
        properties = schema.get("properties")
        further = schema.get("additionalProperties")
        if properties is None and not isinstance(further, dict):
            return
        keeps = schema.get("x-kubernetes-preserve-unknown-fields") or (isinstance(further, bool) and further)
        for key, item in value.items():
            if properties and key in properties:
                self.check(item, properties[key], (*path, key))
            elif isinstance(further, dict):
                self.check(item, further, (*path, str(key)))
            elif not (
                keeps or schema.get("x-kubernetes-embedded-resource") or (self._custom and not path and key in _OF_ALL)
            ):
                self._unknown(str(key), properties or {}, path)
        for key in schema.get("required") or ():
            if value.get(key) is None and self._is_enforced(path, key):
                self._say(FieldViolation((*path, key), FieldFault.REQUIRED, "Required value"))

    def _is_enforced(self, path: Path, key: str) -> bool:
        if self._custom:
            return True
        return not (path and path[0] == "status") and (*path, key)[-2:] not in _NOT_ENFORCED

    def _unknown(self, key: str, known: Any, path: Path) -> None:
        lowered = {name.lower(): name for name in known}
        near = lowered.get(key.lower()) or next(iter(nearest_word(key, known, 1)), "")
        self._say(FieldViolation((*path, key), FieldFault.UNKNOWN, "unknown field", near))

    def _scalar(self, value: Any, kind: str, schema: Schema, path: Path) -> None:
        if schema.get("format") == "byte" and isinstance(value, list) and all(isinstance(item, int) for item in value):
            return  # Go reads bytes from a list of numbers too
        if not _is_a(value, kind):
            self._wrong(value, kind, path)
            return
        bits = _BITS.get(schema.get("format") or "")
        if kind == "integer" and bits and not -(2**bits) <= value < 2**bits:
            self._say(
                FieldViolation(
                    path, FieldFault.TYPE, f"cannot unmarshal number {value}: it needs more than {bits + 1} bits"
                )
            )
        if kind == "string" and schema.get("format") == "byte":
            self._base64(value, path)

    def _base64(self, value: str, path: Path) -> None:
        try:
            base64.b64decode("".join(value.split("\n")), validate=True)
        except (binascii.Error, ValueError):
            self._say(FieldViolation(path, FieldFault.TYPE, "illegal base64 data"))

    def _quantity(self, value: Any, path: Path) -> None:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            self._wrong(value, "string", path)
            return
        try:
            parse_quantity(str(value))
        except ValueError:
            says = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            self._say(FieldViolation(path, FieldFault.TYPE, says))

    def _int_or_string(self, value: Any, path: Path) -> None:
        if isinstance(value, bool) or not isinstance(value, str | int):
            self._wrong(value, "string", path)
        elif isinstance(value, int) and not -(2**31) <= value < 2**31:
            self._say(
                FieldViolation(path, FieldFault.TYPE, f"cannot unmarshal number {value}: it needs more than 32 bits")
            )

    def _time(self, value: Any, path: Path) -> None:
        if not isinstance(value, str):
            self._wrong(value, "string", path)
        elif value and not _TIME.fullmatch(value):
            self._say(FieldViolation(path, FieldFault.TYPE, "is no time of RFC 3339, such as 2026-01-02T03:04:05Z"))

    def _wrong(self, value: Any, wanted: str, path: Path) -> None:
        says = f"cannot unmarshal {_name_of(value)} into a field of type {_GO.get(wanted, wanted)}"
        if self._custom:
            says = f"Invalid value: must be of type {wanted}, is {_name_of(value)}"
        self._say(FieldViolation(path, FieldFault.TYPE, says))


def _type_of(schema: Schema) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        return next((word for word in kind if word != "null"), "")
    return kind if isinstance(kind, str) else ""


def _is_a(value: Any, kind: str) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if kind == "integer":
        return isinstance(value, int)
    if kind == "number":
        return isinstance(value, int | float)
    return isinstance(value, str) if kind == "string" else True


def _name_of(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    names: dict[type, str] = {str: "string", dict: "object", list: "array"}
    return names.get(type(value), "number")
