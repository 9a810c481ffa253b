"""Schemas of kinds, as OpenAPI documents or JSON schemas have them.

`definitions` are by name; a definition has `properties`, `required`, `type`, `items`, `additionalProperties`, `$ref` and
`x-kubernetes-group-version-kind`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

Schema = Mapping[str, Any]


class Schemas:
    """The built-in kinds of one version of Kubernetes. version: `1.37`, for people; empty where it is not known. find: a
    definition by its name, where all are not in memory."""

    def __init__(
        self,
        definitions: Mapping[str, Schema],
        version: str = "",
        *,
        find: Callable[[str], Schema | None] | None = None,
        kinds: Mapping[tuple[str, str], str] | None = None,
    ) -> None:
        self.version = version
        self._definitions = definitions
        self._find = find
        self._kinds = kinds if kinds is not None else _kinds_of(definitions)

    def of(self, api_version: str, kind: str) -> Schema | None:
        """The schema of a kind; None where this version does not serve it."""
        name = self._kinds.get((api_version, kind))
        return self.named(name) if name is not None else None

    def versions_of(self, kind: str) -> tuple[str, ...]:
        """The API versions that have a kind of this name."""
        return tuple(sorted(version for version, name in self._kinds if name == kind))

    def kinds(self) -> Iterable[tuple[str, str]]:
        """All, as API version and kind."""
        return self._kinds.keys()

    def named(self, name: str) -> Schema | None:
        """A definition by its name."""
        schema = self._definitions.get(name)
        return self._find(name) if schema is None and self._find is not None else schema

    def resolved(self, schema: Schema) -> tuple[str, Schema]:
        """What a schema refers to, with its name; itself where it refers to nothing."""
        reference = schema.get("$ref")
        if reference is None and isinstance(schema.get("allOf"), list) and len(schema["allOf"]) == 1:
            reference = schema["allOf"][0].get("$ref")
        if not isinstance(reference, str):
            return "", schema
        name = reference.rpartition("/")[2]
        return name, self.named(name) or {}


_NUMBERS: Final = frozenset(
    (
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
        "multipleOf",
    )
)
_TEXTS: Final = frozenset(("type", "format", "pattern", "x-kubernetes-list-type"))
_LISTS: Final = frozenset(("enum", "required", "x-kubernetes-list-map-keys", "x-kubernetes-validations"))


def sound(schema: Any) -> Schema:
    """A schema of a file without the keywords whose values have a wrong type, which its definition is refused for."""
    found: dict[str, Any] = {}
    for key, value in schema.items() if isinstance(schema, Mapping) else ():
        if key in _NUMBERS:
            keeps = isinstance(value, int | float) and not isinstance(value, bool)
        elif key in _TEXTS:
            keeps = isinstance(value, str)
        elif key in _LISTS:
            keeps = isinstance(value, list)
        elif key in ("items", "not"):
            value, keeps = sound(value), isinstance(value, Mapping)
        elif key == "additionalProperties":
            value, keeps = (value, True) if isinstance(value, bool) else (sound(value), isinstance(value, Mapping))
        elif key in ("properties", "patternProperties"):
            keeps = isinstance(value, Mapping)
            value = {str(name): sound(inner) for name, inner in value.items()} if keeps else value
        elif key in ("allOf", "anyOf", "oneOf"):
            keeps = isinstance(value, list)
            value = [sound(inner) for inner in value] if keeps else value
        else:
            keeps = True
        if keeps:
            found[key] = value
    return found


def _kinds_of(definitions: Mapping[str, Schema]) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for name, schema in definitions.items():
        rows = schema.get("x-kubernetes-group-version-kind") if isinstance(schema, Mapping) else None
        if not rows or len(rows) > 1:
            continue  # of several: DeleteOptions, WatchEvent
        row = rows[0]
        group, version = row.get("group", ""), row.get("version", "")
        found[(f"{group}/{version}" if group else version, row.get("kind", ""))] = name
    return found
