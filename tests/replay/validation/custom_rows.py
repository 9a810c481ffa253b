"""Schemas of custom kinds, values, and the API server's verdict, which `tests/real/test_custom_verdicts.py` asks for."""

from __future__ import annotations

from typing import Any, Final, NamedTuple


class Row(NamedTuple):
    """schema: of `spec`. refused: words of the server's answer; empty where it takes the value."""

    schema: dict[str, Any]
    spec: Any
    refused: str = ""


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _list(items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return _object(items={"type": "array", "items": items, **more})


def _ruled(rule: str, schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**schema, "x-kubernetes-validations": [{"rule": rule, **more}]}


TEXT: Final = {"type": "string"}
NUMBER: Final = {"type": "integer"}
AB: Final = _object(a=TEXT, b=TEXT)
ONE_OF: Final = {**AB, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}
ANY_OF: Final = {**AB, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}
BY_KIND: Final = {
    **_object(kind=TEXT, size=NUMBER),
    "anyOf": [
        {"properties": {"kind": {"enum": ["small"]}, "size": {"maximum": 3}}},
        {"properties": {"kind": {"enum": ["large"]}, "size": {"minimum": 4}}},
    ],
}
SIZES: Final = _ruled("self.least <= self.most", _object(least=NUMBER, most=NUMBER), message="least is above most")
ROWS: Final[tuple[Row, ...]] = (
    Row(ONE_OF, {"a": "x"}),
    Row(ONE_OF, {}, "must validate one and only one schema (oneOf). Found none valid"),
    Row(ONE_OF, {"a": "x", "b": "y"}, "Found 2 valid alternatives"),
    Row(ANY_OF, {"a": "x", "b": "y"}),
    Row(ANY_OF, {}, "must validate at least one schema (anyOf)"),
    Row(BY_KIND, {"kind": "small", "size": 3}),
    Row(BY_KIND, {"kind": "small", "size": 4}, "anyOf"),
    Row(BY_KIND, {"kind": "large", "size": 4}),
    Row(BY_KIND, {"size": 2}),
    Row({**AB, "not": {"required": ["a", "b"]}}, {"a": "x"}),
    Row({**AB, "not": {"required": ["a", "b"]}}, {"a": "x", "b": "y"}, "must not validate the schema (not)"),
    Row({**AB, "allOf": [{"required": ["a"]}, {"properties": {"b": {"maxLength": 2}}}]}, {"a": "x", "b": "yy"}),
    Row(
        {**AB, "allOf": [{"required": ["a"]}, {"properties": {"b": {"maxLength": 2}}}]},
        {"a": "x", "b": "yyy"},
        "spec.b",
    ),
    Row({**AB, "allOf": [{"required": ["a"]}]}, {"b": "y"}, "spec.a: Required value"),
    Row(_list(NUMBER, minItems=2), {"items": [1, 2]}),
    Row(_list(NUMBER, minItems=2), {"items": [1]}, "should have at least 2 items"),
    Row(_list(NUMBER, maxItems=2), {"items": [1, 2, 3]}, "must have at most 2 items"),
    Row({**AB, "minProperties": 1}, {}, "should have at least 1 properties"),
    Row({**AB, "maxProperties": 1}, {"a": "x", "b": "y"}, "Too many"),
    Row(_list(TEXT, **{"x-kubernetes-list-type": "set"}), {"items": ["a", "b", "a"]}, "Duplicate value"),
    Row(
        _list({**AB, "required": ["a"]}, **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"]}),
        {"items": [{"a": "x", "b": "1"}, {"a": "x", "b": "2"}]},
        "Duplicate value",
    ),
    Row(
        _list({**AB, "required": ["a"]}, **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"]}),
        {"items": [{"a": "x"}, {"a": "y"}]},
    ),
    Row(_object(a={"type": "string", "pattern": "^[a-z]+$"}), {"a": "abc"}),
    Row(_object(a={"type": "string", "pattern": "^[a-z]+$"}), {"a": "aBc"}, "should match"),
    Row(_object(a={"type": "string", "format": "ipv4"}), {"a": "10.0.0.1"}),
    Row(_object(a={"type": "string", "format": "ipv4"}), {"a": "10.0.0"}, "must be of type ipv4"),
    Row(_object(a={"type": "string", "format": "cidr"}), {"a": "10.0.0.0/8"}),
    Row(_object(a={"type": "string", "format": "cidr"}), {"a": "10.0.0.0"}, "must be of type cidr"),
    Row(_object(a={"type": "string", "format": "date-time"}), {"a": "2026-01-02T03:04:05Z"}),
    Row(_object(a={"type": "string", "format": "date-time"}), {"a": "yesterday"}, "must be of type date-time"),
    Row(_object(a={"type": "string", "format": "uuid"}), {"a": "1"}, "must be of type uuid"),
    Row(_object(a={"type": "string", "format": "anything"}), {"a": "1"}),
    Row(_object(a={"type": "integer", "multipleOf": 5}), {"a": 10}),
    Row(_object(a={"type": "integer", "multipleOf": 5}), {"a": 11}, "should be a multiple of 5"),
    Row(_object(a={"type": "integer", "minimum": 1, "exclusiveMinimum": True}), {"a": 1}, "should be greater than 1"),
    Row(_object(a={"type": "integer", "maximum": 1}), {"a": 2}, "should be less than or equal to 1"),
    Row(_object(a={"type": "number", "maximum": 1.5}), {"a": 1.5}),
    Row(_object(a={"type": "string", "enum": ["x", "y"]}), {"a": "z"}, "Unsupported value"),
    Row({**_object(a={"type": "string", "default": "x"}), "required": ["a"]}, {}),
    Row({**_object(a={"type": "string", "default": "x"}, b=TEXT), "required": ["b"]}, {}, "spec.b: Required value"),
    Row(_ruled("self.a == 'x'", _object(a={"type": "string", "default": "x"})), {}),
    Row(SIZES, {"least": 1, "most": 2}),
    Row(SIZES, {"least": 3, "most": 2}, "least is above most"),
    Row(SIZES, {"least": 3}, "no such key: most"),
    Row(_ruled("!has(self.most) || self.least <= self.most", _object(least=NUMBER, most=NUMBER)), {"least": 3}),
    Row(_ruled("self.a.startsWith('x')", AB), {"a": "yes"}, "failed rule: self.a.startsWith('x')"),
    Row(
        _ruled("self.a != 'x'", AB, messageExpression="'a is ' + self.a", reason="FieldValueForbidden", fieldPath=".a"),
        {"a": "x"},
        "spec.a: Forbidden: a is x",
    ),
    Row(_list(_ruled("self > 0", NUMBER), maxItems=9), {"items": [1, 2]}),
    Row(_list(_ruled("self > 0", NUMBER), maxItems=9), {"items": [1, -2]}, "spec.items[1]"),
    Row(_ruled("self.?b.orValue('none') == 'none'", AB), {"a": "x"}),
    Row(_ruled("self.?b.orValue('none') == 'none'", AB), {"b": "x"}, "failed rule"),
    Row(_ruled("quantity(self.a).isLessThan(quantity('1Gi'))", AB), {"a": "512Mi"}),
    Row(_ruled("quantity(self.a).isLessThan(quantity('1Gi'))", AB), {"a": "2Gi"}, "failed rule"),
    Row(_ruled("isCIDR(self.a) && cidr(self.a).containsIP(self.b)", AB), {"a": "10.0.0.0/8", "b": "10.1.1.1"}),
    Row(
        _ruled("isCIDR(self.a) && cidr(self.a).containsIP(self.b)", AB),
        {"a": "10.0.0.0/8", "b": "11.1.1.1"},
        "failed rule",
    ),
    Row(_ruled("isURL(self.a) && url(self.a).getScheme() == 'https'", AB), {"a": "http://a.example/"}, "failed rule"),
    Row(_ruled("self.a.find('[0-9]+') == '12'", AB), {"a": "x12y"}),
    Row(_ruled("self == oldSelf", AB), {"a": "x"}),
    Row(
        _ruled("self.items.exists(x, x.b == 'y')", _list(AB, maxItems=5)),
        {"items": [{"a": "1"}, {"b": "y"}]},
    ),
    Row(_ruled("self.items.all(x, has(x.a))", _list(AB, maxItems=5)), {"items": [{"b": "1"}]}, "failed rule"),
    Row(_ruled("self.items.isSorted()", _list(NUMBER, maxItems=5)), {"items": [2, 1]}, "failed rule"),
    Row(_ruled("self.a == 'x'", AB), {"a": None}, "no such key: a"),
    Row(_object(a={"type": "string", "nullable": True}), {"a": None}),
    Row(
        _object(
            a={
                "x-kubernetes-int-or-string": True,
                "pattern": "^[0-9]+%$",
                "anyOf": [{"type": "integer"}, {"type": "string"}],
            }
        ),
        {"a": "5%"},
    ),
    Row(
        _object(
            a={
                "x-kubernetes-int-or-string": True,
                "pattern": "^[0-9]+%$",
                "anyOf": [{"type": "integer"}, {"type": "string"}],
            }
        ),
        {"a": "5"},
        "should match",
    ),
    Row(_object(a={"x-kubernetes-int-or-string": True}), {"a": 5}),
)
