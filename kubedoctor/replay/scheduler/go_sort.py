"""The order in which Go's `sort.Slice` leaves equal elements (`sort/zsortfunc.go`, Go 1.26: a pattern-defeating
quicksort).

Preemption sorts victims with it; where more than twelve pods share a node and some are equally important, this order
decides which pods may stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_INSERTION = 12
_LONG = 50
_STEPS = 5
_MOST_SWAPS = 12
_MASK = (1 << 64) - 1


def go_sorted(items: Iterable[T], key: Callable[[T], Any]) -> list[T]:
    """Like `sorted`, but with equal elements in the order of Go's algorithm."""
    sorting = _Sorting(list(items), key)
    sorting.quick(0, len(sorting.items), len(sorting.items).bit_length())
    return sorting.items


class _Sorting(Generic[T]):
    def __init__(self, items: list[T], key: Callable[[T], Any]) -> None:
        self.items = items
        self.keys = [key(item) for item in items]
        self.swaps = 0
        """The number of swaps in the choice of the pivot."""

    def less(self, first: int, second: int) -> bool:
        return bool(self.keys[first] < self.keys[second])

    def swap(self, first: int, second: int) -> None:
        for values in (self.items, self.keys):
            values[first], values[second] = values[second], values[first]

    def quick(self, start: int, end: int, limit: int) -> None:
        balanced = partitioned = True
        while end - start > _INSERTION:
            if not limit:
                self.heap(start, end)
                return
            if not balanced:
                self.break_patterns(start, end)
                limit -= 1
            pivot = self.choose_pivot(start, end)
            increasing = self.swaps == 0
            if self.swaps == _MOST_SWAPS:
                self.reverse(start, end)
                pivot = end - 1 - (pivot - start)
                increasing = True
            if balanced and partitioned and increasing and self.nearly_sorted(start, end):
                return
            if start > 0 and not self.less(start - 1, pivot):
                start = self.partition_equal(start, end, pivot)
                continue
            middle, partitioned = self.partition(start, end, pivot)
            left, right = middle - start, end - middle
            balanced = min(left, right) >= (end - start) // 8
            if left < right:
                self.quick(start, middle, limit)
                start = middle + 1
            else:
                self.quick(middle + 1, end, limit)
                end = middle
        self.insertion(start, end)

    def insertion(self, start: int, end: int) -> None:
        for at in range(start + 1, end):
            while at > start and self.less(at, at - 1):
                self.swap(at, at - 1)
                at -= 1

    def heap(self, start: int, end: int) -> None:
        length = end - start
        for root in range((length - 1) // 2, -1, -1):
            self.sift_down(root, length, start)
        for last in range(length - 1, -1, -1):
            self.swap(start, start + last)
            self.sift_down(0, last, start)

    def sift_down(self, root: int, end: int, first: int) -> None:
        while (child := 2 * root + 1) < end:
            if child + 1 < end and self.less(first + child, first + child + 1):
                child += 1
            if not self.less(first + root, first + child):
                return
            self.swap(first + root, first + child)
            root = child

    def partition(self, start: int, end: int, pivot: int) -> tuple[int, bool]:
        """The new index of the pivot, and whether nothing was moved."""
        self.swap(start, pivot)
        left, right = self.misplaced(start, start + 1, end - 1)
        already = left > right
        while left <= right:
            self.swap(left, right)
            left, right = self.misplaced(start, left + 1, right - 1)
        self.swap(right, start)
        return right, already

    def misplaced(self, pivot: int, left: int, right: int) -> tuple[int, int]:
        """The next pair of elements on the wrong sides."""
        while left <= right and self.less(left, pivot):
            left += 1
        while left <= right and not self.less(right, pivot):
            right -= 1
        return left, right

    def partition_equal(self, start: int, end: int, pivot: int) -> int:
        """Puts elements equal to the pivot first; returns the index of the first greater one."""
        self.swap(start, pivot)
        left, right = start + 1, end - 1
        while True:
            while left <= right and not self.less(start, left):
                left += 1
            while left <= right and self.less(start, right):
                right -= 1
            if left > right:
                return left
            self.swap(left, right)
            left += 1
            right -= 1

    def nearly_sorted(self, start: int, end: int) -> bool:
        """Sorts what is nearly sorted; False if it was not."""
        at = start + 1
        for _ in range(_STEPS):
            while at < end and not self.less(at, at - 1):
                at += 1
            if at == end:
                return True
            if end - start < _LONG:
                return False
            self.swap(at, at - 1)
            if at - start >= 2:
                self.shift(range(at - 1, 0, -1))
            if end - at >= 2:
                self.shift(range(at + 1, end))
        return False

    def shift(self, places: range) -> None:
        for at in places:
            if not self.less(at, at - 1):
                return
            self.swap(at, at - 1)

    def break_patterns(self, start: int, end: int) -> None:
        length = end - start
        number = length
        modulus = 1 << length.bit_length()
        for at in range(start + length // 4 * 2 - 1, start + length // 4 * 2 + 2):
            number ^= number << 13 & _MASK
            number ^= number >> 7
            number ^= number << 17 & _MASK
            other = number & (modulus - 1)
            self.swap(at, start + (other - length if other >= length else other))

    def choose_pivot(self, start: int, end: int) -> int:
        length = end - start
        self.swaps = 0
        places = [start + length // 4 * quarter for quarter in (1, 2, 3)]
        if length >= _LONG:
            places = [self.median(at - 1, at, at + 1) for at in places]
        return self.median(*places)

    def median(self, first: int, second: int, third: int) -> int:
        first, second = self.ordered(first, second)
        second, third = self.ordered(second, third)
        first, second = self.ordered(first, second)
        return second

    def ordered(self, first: int, second: int) -> tuple[int, int]:
        if self.less(second, first):
            self.swaps += 1
            return second, first
        return first, second

    def reverse(self, start: int, end: int) -> None:
        end -= 1
        while start < end:
            self.swap(start, end)
            start += 1
            end -= 1
