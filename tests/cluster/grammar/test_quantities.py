"""Amounts against upstream's answers, and by the laws of arithmetic."""

from __future__ import annotations

import gzip
import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubedoctor.cluster.grammar.quantities import Quantity, QuantityError, format_bytes, format_milli, parse_quantity

INT64 = 1 << 63


def test_amounts_are_read_and_written_as_upstream(shared: Path) -> None:
    read = refused = uncertain = 0
    with gzip.open(shared / "conformance/fuzz/quantities.jsonl.gz", "rt") as lines:
        for row in map(json.loads, lines):
            for expected in row["answer"]["quantities"] or ():
                if "error" in expected:
                    refused += 1
                    with pytest.raises(QuantityError):
                        parse_quantity(expected["in"])
                    continue
                read += 1
                quantity = parse_quantity(expected["in"])
                zero = Quantity()
                assert str(quantity) == expected["canonical"]
                assert (quantity > zero) - (quantity < zero) == expected["sign"]
                if abs(quantity.milli_value()) >= INT64:
                    continue  # upstream's integers wrap around here
                integers = (quantity.value(), quantity.milli_value())
                if integers != (expected["value"], expected["milli"]):
                    # Of negative decimals upstream rounds towards zero, adds one, or wraps around
                    # (scaledValue in pkg/api/resource/scale_int.go).
                    assert expected["sign"] < 0, expected
                    uncertain += 1
    assert read > 3000
    assert refused > 300
    assert uncertain < read / 50


def test_sums_differences_and_order_are_upstream_s(shared: Path) -> None:
    compared = 0
    with gzip.open(shared / "conformance/fuzz/quantities.jsonl.gz", "rt") as lines:
        for row in map(json.loads, lines):
            for (one, other), expected in zip(row["request"]["pairs"], row["answer"]["pairs"], strict=True):
                try:
                    left, right = parse_quantity(one), parse_quantity(other)
                except QuantityError:
                    assert expected is None
                    continue
                compared += 1
                assert (left > right) - (left < right) == expected["cmp"]
                assert str(left + right) == expected["sum"]
                assert str(left - right) == expected["sub"]
    assert compared > 500


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        # apimachinery/pkg/api/resource/quantity_test.go
        ("0.5", "500m"),
        ("1.1E-3", "1100e-6"),
        ("9Ei", "9223372036854775807"),
        ("+", "0"),
        ("-", "0"),
        (".", "0"),
        ("Ti", "0"),
        ("Pi", None),
        ("e-10", None),
        (".5i", None),
        ("", None),
        ("1.1.1", None),
        ("1+1.0M", None),
        ("0.1mi", None),
        ("0.1am", None),
        ("aoeu", None),
        ("1i", None),
        ("-3.01i", None),
        ("-3.01e-", None),
        ("trailing whitespace is forbidden ", None),
        ("１", None),
        ("1e99999999999999999999", None),
        ("1" * 5000, None),
        ("1e2000000", None),
        ("1e-2000000", "1e-9"),
        ("0e2000000", "0"),
    ],
)
def test_odd_texts(text: str, canonical: str | None) -> None:
    if canonical is None:
        with pytest.raises(QuantityError, match=r"\.$"):
            parse_quantity(text)
    else:
        assert str(parse_quantity(text)) == canonical


def test_amounts_beyond_the_largest_suffix_keep_it() -> None:
    # Upstream finds no suffix for 1e27 and prints "1".
    assert str(parse_quantity("1000000000000000000000000000")) == "1000000000E"
    assert str(parse_quantity("8192Ei") + parse_quantity("8192Ei")) == "18446744073709551614"


def test_small_binary_amounts_turn_decimal() -> None:
    assert str(parse_quantity("0.0005Ki") + parse_quantity("1023.488")) == "1024"
    assert str(parse_quantity("0.5Ki") + parse_quantity("512")) == "1Ki"


def test_an_amount_beyond_any_float_can_be_read() -> None:
    assert format_bytes(-(10**400)) == f"-{10**400 >> 60}Ei"
    assert format_bytes(1 << 110) == f"{1 << 50}Ei"


def test_amounts_for_reading() -> None:
    assert [format_bytes(n) for n in (0, 512, 1023, 1024, 256 << 20, 3 << 29, 10**9, (1 << 30) - 1, -(3 << 29))] == [
        "0",
        "512",
        "1023",
        "1Ki",
        "256Mi",
        "1.5Gi",
        "953.7Mi",
        "1Gi",
        "-1.5Gi",
    ]
    assert [format_milli(n) for n in (0, 1, 250, 1000, 1500, 1234, -1500, -250)] == [
        "0",
        "1m",
        "250m",
        "1",
        "1.5",
        "1234m",
        "-1.5",
        "-250m",
    ]


def test_equal_amounts_are_equal_in_any_unit() -> None:
    assert parse_quantity("1Gi") == parse_quantity("1024Mi") == Quantity.of(1 << 30)
    assert hash(parse_quantity("1")) == hash(parse_quantity("1000m")) == hash(Quantity.of_milli(1000))
    assert parse_quantity("1") != 1


amounts = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "-"]),
    st.one_of(st.integers(0, 10**6).map(str), st.decimals(0, 1000, places=3).map(str)),
    st.sampled_from(["", "n", "u", "m", "k", "M", "G", "Ki", "Mi", "Gi", "e3", "E-2"]),
).map(parse_quantity)


@given(amounts)
def test_the_canonical_form_is_the_same_amount(amount: Quantity) -> None:
    again = parse_quantity(str(amount))
    assert again == amount
    assert str(again) == str(amount)


@given(amounts, amounts, amounts)
def test_addition_and_order(a: Quantity, b: Quantity, c: Quantity) -> None:
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a + b - b == a
    assert (a < b) == (a + c < b + c)
    assert (a <= b) == (not b < a) == (b >= a)
    assert (a - a).is_zero


@given(st.integers(-(10**18), 10**18), st.sampled_from([("n", 9), ("u", 6), ("m", 3), ("", 0)]))
def test_integers_round_away_from_zero(number: int, unit: tuple[str, int]) -> None:
    suffix, places = unit
    amount = Fraction(number, 10**places)
    value = parse_quantity(f"{number}{suffix}").value()
    assert abs(amount) <= abs(value) < abs(amount) + 1
    assert value * amount >= 0


@given(st.text(alphabet="0123456789.+-eEinumkKMGTP ", max_size=10))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        amount = parse_quantity(text)
    except QuantityError:
        return
    assert parse_quantity(str(amount)) == amount
