"""What is kept apart from the collector of garbage after a load."""

from __future__ import annotations

import gc

import pytest

from kubedoctor.collect.loading import loading


@pytest.mark.parametrize(("count", "kept"), [(10, False), (30_000, True)])
def test_a_few_objects_are_no_reason_to_keep_what_may_be_garbage(count: int, kept: bool) -> None:
    gc.collect()
    before = gc.get_freeze_count()
    with loading(keep=True):
        made = [list[int]() for _ in range(count)]
    assert (gc.get_freeze_count() > before) is kept
    gc.unfreeze()
    assert len(made) == count
