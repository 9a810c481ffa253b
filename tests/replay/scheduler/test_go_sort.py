"""Go's order of equals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubedoctor.replay.scheduler.go_sort import go_sorted

CASES = (
    ("3 3 3 3 2 2 2 2 2 2 2 2 2 2 2 2 2 1 1 0", "19 17 18 10 12 5 6 7 8 9 16 11 4 13 14 15 0 3 2 1"),
    (
        "1 0 3 2 1 0 3 2 1 0 3 2 1 0 3 2 1 0 3 2 1 0 3 2 1 0 1 2 3 0 1 2 3 0 1 2 3 0 1 2 3 0 1 2 3 0 1 2 3 0",
        "13 1 49 45 41 5 37 33 29 9 25 21 17 24 26 46 16 12 42 4 20 38 34 30 0 8 23 11 47 15 3 31 43 7 19 35 39 27 6 36 40 22 18 32 44 14 10 28 48 2",
    ),
    (
        "5 4 3 2 1 0 9 8 7 6 5 4 3 2 1 0 9 8 7 6 5 4 3 2 1 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5",
        "5 45 35 25 15 36 14 24 26 4 46 37 13 23 47 3 27 12 2 48 38 28 22 1 21 39 29 11 49 20 0 40 10 50 30 9 19 31 41 8 32 18 42 43 17 7 33 44 16 6 34",
    ),
    (
        "1 1 1 1 1 1 1 0 0 1 0 1 1 1 0 0 0 1 0 0 0 0 0 1 0 1 1 0 1 0 0 0 0 1 1 1 0 0 1 1 0 1 0 0 1 0 1 0 0 0",
        "36 22 48 47 45 43 42 7 8 40 10 37 49 27 18 15 16 31 14 19 20 21 32 30 24 29 12 26 28 25 23 17 13 33 34 35 0 11 38 39 9 41 6 5 44 4 46 3 2 1",
    ),
    (
        "1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1",
        "25 35 49 3 47 5 45 7 43 9 41 11 39 13 37 15 33 17 31 19 29 21 27 23 1 12 38 22 28 20 30 18 32 16 34 26 36 14 44 24 40 10 42 8 0 6 46 4 48 2 50",
    ),
)
"""Keys, and the indices in the order in which `sort.Slice` of Go 1.26 left them."""


@pytest.mark.parametrize(("keys", "order"), CASES)
def test_equals_come_as_go_leaves_them(keys: str, order: str) -> None:
    numbers, expected = ([int(number) for number in text.split()] for text in (keys, order))
    assert go_sorted(range(len(numbers)), lambda index: numbers[index]) == expected
    assert expected != sorted(range(len(numbers)), key=lambda index: numbers[index])


@given(st.lists(st.integers(0, 5), max_size=200))
def test_whatever_the_order_of_equals_it_is_sorted(numbers: list[int]) -> None:
    assert go_sorted(numbers, lambda number: number) == sorted(numbers)


@given(st.lists(st.integers(0, 3), max_size=12))
def test_few_keep_their_order(keys: list[int]) -> None:
    indices = range(len(keys))
    assert go_sorted(indices, lambda index: keys[index]) == sorted(indices, key=lambda index: keys[index])
