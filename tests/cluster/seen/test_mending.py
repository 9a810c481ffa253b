"""One bad value harms one object: the rest of the list stays, and what was left out is told."""

from __future__ import annotations

import json

import pytest

from kubedoctor.cluster.seen.decoding import decode_list, decode_object
from kubedoctor.cluster.seen.mending import marked

GOOD = b'{"metadata":{"name":"good"}}'
VALUES = {
    "a float": (b"1e999", "spec.odd is ignored (number out of range)"),
    "a long integer": (b"9" * 6000, "spec.odd is ignored (number out of range)"),
    "no number": (b"NaN", "spec.odd is ignored (number out of range)"),
    "infinity": (b"-Infinity", "spec.odd is ignored (number out of range)"),
    "half a character": (b'"a\\uD83d"', "spec.odd has bytes that are not UTF-8 text"),
    "100,000 deep": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "is ignored (nested too deeply)"),
}


def bad(value: bytes) -> bytes:
    return b'{"metadata":{"name":"bad"},"spec":{"odd":' + value + b',"kept":{"a":"]}\\"1e999"}}}'


@pytest.mark.parametrize("name", VALUES)
def test_a_value_is_left_out_and_told(name: str) -> None:
    value, sentence = VALUES[name]
    decoded = decode_list("Thing.example.com", b'{"items":[' + GOOD + b"," + bad(value) + b"," + GOOD + b"]}")

    assert [obj.metadata.name for obj in decoded.objects] == ["good", "bad", "good"]
    (problem,) = decoded.problems
    assert problem.startswith("Thing.example.com bad: spec.odd")
    assert sentence in problem
    assert decoded.objects[1].spec["kept"] == {"a": ']}"1e999'}  # type: ignore[attr-defined]  # a custom resource


def test_a_byte_that_is_not_utf8_harms_no_other_object() -> None:
    decoded = decode_list("Pod", b'{"items":[' + GOOD + b',{"metadata":{"name":"bad","labels":{"a":"x\xff"}}}]}')

    assert [obj.metadata.name for obj in decoded.objects] == ["good", "bad"]
    assert decoded.objects[1].metadata.labels == {"a": "x\ufffd"}
    assert decoded.problems == ("Pod bad: metadata.labels.a has bytes that are not UTF-8 text",)


def test_only_half_a_character_is_lost() -> None:
    labels = b'{"a":"\\ude00","b":"\\ud83d\\ude00","c":"\\\\ud83d","d":"NaN"}'
    decoded = decode_list("Pod", b'{"items":[{"metadata":{"name":"bad","labels":' + labels + b"}}]}")

    assert decoded.objects[0].metadata.labels == {"a": "\ufffd", "b": "\U0001f600", "c": "\\ud83d", "d": "NaN"}
    assert decoded.problems == ("Pod bad: metadata.labels.a has bytes that are not UTF-8 text",)


def test_a_character_of_replacement_that_was_there_before_is_text() -> None:
    decoded = decode_list("Pod", '{"items":[{"metadata":{"name":"good","labels":{"a":"x\ufffd"}}}]}'.encode())

    assert decoded.problems == ()


def test_a_name_of_a_field_that_is_not_utf8() -> None:
    decoded = decode_object("Pod", b'{"metadata":{"name":"bad","labels":{"a\xff":"x"}}}')

    assert decoded.objects[0].metadata.labels == {"a\ufffd": "x"}
    assert decoded.problems == ("Pod bad: metadata.labels has bytes that are not UTF-8 text",)


def test_a_number_out_of_range_where_a_number_is_expected() -> None:
    decoded = decode_object("Pod", b'{"metadata":{"name":"bad","generation":1e999}}')

    assert decoded.objects[0].metadata.name == "bad"
    assert decoded.problems == ("Pod bad: metadata.generation is ignored (number out of range)",)


@pytest.mark.parametrize("data", [{"a": [1, -2.5e3, "1e999", {"b": None}]}, [], "x", 10**30, {'é"': "[[{"}])
def test_what_can_be_read_stays_as_it_is(data: object) -> None:
    assert json.loads(marked(json.dumps(data).encode())) == data


def test_what_is_nested_500_deep_loses_no_object() -> None:
    body = b'{"items":[' + GOOD + b"," + bad(b"[" * 500 + b"]" * 500) + b"]}"
    assert [obj.metadata.name for obj in decode_list("Thing.example.com", body).objects] == ["good", "bad"]
