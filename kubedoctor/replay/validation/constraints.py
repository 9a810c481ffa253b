"""What the schema of a custom kind says of values (`k8s.io/kube-openapi/pkg/validation/validate`,
`apiextensions-apiserver/pkg/apiserver/schema/{defaulting,listtype}`, v1.37)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from ipaddress import ip_address, ip_network
from typing import Any, Final

from kubedoctor.replay.validation.expressions import Note, rule_faults
from kubedoctor.replay.validation.fields import FieldFault, FieldViolation, Path, path_text
from kubedoctor.replay.validation.schemas import Schema

_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}
_FORMATS: Final[Mapping[str, re.Pattern[str]]] = {
    "date-time": re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:?\d{2})"),
    "date": re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"),
    "uuid": re.compile(r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}"),
}
_UNCHECKED_FORMATS: Final = frozenset(
    ("uri", "email", "hostname", "duration", "mac", "isbn", "creditcard", "hexcolor", "rgbcolor", "k8s-short-name")
)
"""What the API server checks of texts, and this does not."""


def with_defaults(value: Any, schema: Schema) -> Any:
    """The value as the API server validates it: defaults of the schema are filled in first."""
    if isinstance(value, Mapping):
        filled = dict(value)
        properties = schema.get("properties") or {}
        for key, inner in properties.items():
            if isinstance(inner, Mapping) and "default" in inner and _is_absent(filled, key, inner):
                filled[key] = deepcopy(inner["default"])
        further = schema.get("additionalProperties")
        rest = further if isinstance(further, Mapping) else {}
        return {key: with_defaults(item, properties.get(key) or rest) for key, item in filled.items()}
    if isinstance(value, list):
        items = schema.get("items")
        return [with_defaults(item, items) for item in value] if isinstance(items, Mapping) else value
    return value


def _is_absent(value: Mapping[str, Any], key: str, schema: Schema) -> bool:
    return key not in value or (value[key] is None and not schema.get("nullable"))


def constraint_faults(value: Any, schema: Schema, path: Path, note: Note) -> Iterator[FieldViolation]:
    """Of one node of a structural schema, with the alternatives and rules that it has; its fields are nodes of their own."""
    yield from _of_value(value, schema, path, note)
    yield from _alternatives(value, schema, path, note)
    yield from rule_faults(value, schema, path, note)


def _of_value(value: Any, schema: Schema, path: Path, note: Note) -> Iterator[FieldViolation]:
    allowed = schema.get("enum")
    if allowed and not any(_same(value, one) for one in allowed):
        listed = ", ".join(json.dumps(word, ensure_ascii=False) for word in allowed)
        says = f"Unsupported value: {_shown(value)}: supported values: {listed}"
        yield FieldViolation(path, FieldFault.UNSUPPORTED, says)
    if isinstance(value, bool):
        return
    if isinstance(value, int | float):
        yield from (_invalid(path, value, f"should be {words}") for words in _bounds(value, schema))
    elif isinstance(value, str):
        yield from _of_text(value, schema, path, note)
    elif isinstance(value, list):
        yield from _sized(value, schema, path, "Items", "items")
        yield from _repeated(value, schema, path)
    elif isinstance(value, Mapping):
        yield from _sized(value, schema, path, "Properties", "properties")


def _same(one: Any, other: Any) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _bounds(value: float, schema: Schema) -> Iterator[str]:
    least, most, step = schema.get("minimum"), schema.get("maximum"), schema.get("multipleOf")
    if least is not None and (value <= least if schema.get("exclusiveMinimum") else value < least):
        yield f"greater than {'' if schema.get('exclusiveMinimum') else 'or equal to '}{least}"
    if most is not None and (value >= most if schema.get("exclusiveMaximum") else value > most):
        yield f"less than {'' if schema.get('exclusiveMaximum') else 'or equal to '}{most}"
    if step and value % step:
        yield f"a multiple of {step}"


def _of_text(value: str, schema: Schema, path: Path, note: Note) -> Iterator[FieldViolation]:
    shortest, longest, pattern = schema.get("minLength"), schema.get("maxLength"), schema.get("pattern")
    if shortest is not None and len(value) < shortest:
        yield _invalid(path, value, f"should be at least {shortest} chars long")
    if longest is not None and len(value) > longest:
        yield FieldViolation(path, FieldFault.TOO_LONG, f"Too long: may not be more than {longest} bytes")
    if isinstance(pattern, str) and _matches(pattern, value, path, note) is False:
        yield _invalid(path, value, f"should match '{pattern}'")
    named = schema.get("format")
    if isinstance(named, str) and not _is_of_format(value, named, path, note):
        yield _invalid(path, value, f"must be of type {named}")


def _matches(pattern: str, value: str, path: Path, note: Note) -> bool | None:
    """Go's syntax and Python's differ; what Python cannot read decides nothing."""
    try:
        return re.search(pattern.replace(r"\z", r"\Z"), value) is not None
    except re.error as error:
        note(f"the pattern of {path_text(path)}: {error}")
        return None


def _is_of_format(value: str, named: str, path: Path, note: Note) -> bool:
    if named in _FORMATS:
        return _FORMATS[named].fullmatch(value) is not None
    if named in ("ipv4", "ipv6", "cidr"):
        return _is_network(value, named)
    if named in _UNCHECKED_FORMATS:
        note(f"format {named} of {path_text(path)}")
    return True


def _is_network(value: str, named: str) -> bool:
    try:
        if named == "cidr":
            return "/" in value and ip_network(value, strict=False) is not None
        return ip_address(value).version == int(named[-1])
    except ValueError:
        return False


def _sized(value: Any, schema: Schema, path: Path, key: str, words: str) -> Iterator[FieldViolation]:
    least, most = schema.get(f"min{key}"), schema.get(f"max{key}")
    if least is not None and len(value) < least:
        yield FieldViolation(
            path, FieldFault.INVALID, f"Invalid value: {len(value)}: should have at least {least} {words}"
        )
    if most is not None and len(value) > most:
        yield FieldViolation(path, FieldFault.TOO_MANY, f"Too many: {len(value)}: must have at most {most} items")


def _repeated(value: list[Any], schema: Schema, path: Path) -> Iterator[FieldViolation]:
    """Lists that are sets, or maps by keys of their items."""
    kind = schema.get("x-kubernetes-list-type")
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    seen: list[Any] = []
    for place, item in enumerate(value):
        if kind == "map" and isinstance(item, Mapping):
            identity: Any = {key: item[key] for key in keys if key in item}
        elif kind == "set":
            identity = item
        else:
            continue
        if any(_same(identity, other) for other in seen):
            says = f"Duplicate value: {json.dumps(identity, ensure_ascii=False, default=str)}"
            yield FieldViolation((*path, place), FieldFault.DUPLICATE, says)
        seen.append(identity)


def _invalid(path: Path, value: Any, words: str) -> FieldViolation:
    return FieldViolation(path, FieldFault.INVALID, f"Invalid value: {_shown(value)}: {words}")


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return '"object"'
    return '"array"' if isinstance(value, list) else json.dumps(value, ensure_ascii=False, default=str)


def _alternatives(value: Any, schema: Schema, path: Path, note: Note) -> Iterator[FieldViolation]:
    for part in _schemas(schema.get("allOf")):
        yield from _nested(value, part, path, note)
    if (choices := _schemas(schema.get("anyOf"))) and not any(_holds(value, one, path, note) for one in choices):
        yield FieldViolation(path, FieldFault.INVALID, _of_choices(value, choices, "at least one schema (anyOf)", path))
    if choices := _schemas(schema.get("oneOf")):
        count = sum(_holds(value, one, path, note) for one in choices)
        if count != 1:
            which = "Found none valid" if not count else f"Found {count} valid alternatives"
            text = _of_choices(value, choices, f"one and only one schema (oneOf). {which}", path)
            yield FieldViolation(path, FieldFault.INVALID, text)
    refused = schema.get("not")
    if isinstance(refused, Mapping) and _holds(value, refused, path, note):
        says = f"Invalid value: {_shown(value)}: must not validate the schema (not)"
        needs = refused.get("required")
        yield FieldViolation(
            path, FieldFault.INVALID, f"{says}: it may not have {' and '.join(needs)}" if needs else says
        )


def _schemas(value: Any) -> tuple[Schema, ...]:
    return tuple(one for one in value if isinstance(one, Mapping)) if isinstance(value, list) else ()


def _of_choices(value: Any, choices: tuple[Schema, ...], words: str, path: Path) -> str:
    """With the fields that the alternatives need, where they are no more than that."""
    text = f"Invalid value: {_shown(value)}: must validate {words}"
    needs = [" and ".join(one["required"]) for one in choices if one.get("required")]
    if len(needs) == len(choices) and isinstance(value, Mapping):
        return f"{text}: the alternatives need {', or '.join(needs)}"
    return text


def _holds(value: Any, schema: Schema, path: Path, note: Note) -> bool:
    return next(_nested(value, schema, path, note), None) is None


def _nested(value: Any, schema: Schema, path: Path, note: Note) -> Iterator[FieldViolation]:
    """A whole schema inside an alternative: fields that it does not name are free."""
    kind = schema.get("type")
    if isinstance(kind, str) and not _is_type(value, kind):
        yield _invalid(path, value, f"must be of type {kind}")
        return
    yield from _of_value(value, schema, path, note)
    if isinstance(value, Mapping):
        for key in schema.get("required") or ():
            if key not in value:
                yield FieldViolation((*path, key), FieldFault.REQUIRED, "Required value")
        for key, inner in (schema.get("properties") or {}).items():
            if value.get(key) is not None:
                yield from _nested(value[key], inner, (*path, key), note)
    elif isinstance(value, list) and isinstance(items := schema.get("items"), Mapping):
        for place, item in enumerate(value):
            yield from _nested(item, items, (*path, place), note)
    yield from _alternatives(value, schema, path, note)


def _is_type(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(kind, object))
